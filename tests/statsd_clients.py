"""What an application sends by two clients of StatsD that were not written here.

``python statsd_clients.py PORT`` sends it once; it needs the packages ``statsd`` and ``datadog``.
"""

import sys

from datadog.dogstatsd.base import DogStatsd
from statsd import StatsClient


def send(port: int, host: str = "127.0.0.1", *, ipv6: bool = False) -> None:
    """Send each kind of metric, by ``statsd`` below ``plain.``, by ``datadog`` below ``dog.``."""
    client = StatsClient(host, port, prefix="plain", ipv6=ipv6)
    client.incr("orders", 3)
    client.decr("orders")
    client.gauge("queue", 7)
    client.gauge("queue", -2)  # two lines: 0, and a change by -2
    client.gauge("queue", 5, delta=True)
    client.set("users", "anna")
    client.set("users", "bert")
    client.set("users", "anna")
    client.timing("answer", 320)
    with client.pipeline() as pipe:  # one datagram with a line for each
        pipe.timing("answer", 80)
        pipe.incr("errors")
        pipe.incr("errors")
    client.close()

    with DogStatsd(host=host, port=port, namespace="dog", constant_tags=["env:test"]) as dog:
        dog.increment("orders", 2, tags=["shop:books"])
        dog.increment("orders", 1, tags=["shop:toys", "user:4711"])
        dog.gauge("queue", 12.5)
        dog.histogram("size", 1024)
        dog.distribution("size", 2048)
        dog.timing("answer", 45)
        dog.set("users", "anna")
        dog.event("a title", "a text")  # what StatsD does not have
    dog.close_socket()


if __name__ == "__main__":
    send(int(sys.argv[1]))
