"""Metrics that an application sends by StatsD, among what the agent measures itself."""

import socket
from typing import Any

from staged_resiliency.probe.agent.config import Statsd
from staged_resiliency.probe.agent.metric_statistics import Datum
from tests.staged_resiliency.probe.agent.support import (
    DOWN,
    WELL,
    VirtualHost,
    config_of,
    free_port,
    host_series,
)


def receive(world: VirtualHost, observed: Any, datagram: bytes) -> None:
    observed._statsd._aggregation.receive(datagram)


def of(world: VirtualHost, metric: str) -> list[Datum]:
    return [datum for datum in world.cloudwatch.data() if datum.series.metric == metric]


def test_the_application_s_metrics_go_with_the_minute_s_request(world: VirtualHost) -> None:
    settings = Statsd(("errors",), 5, free_port())
    observed = world.observe(config_of({"db-connectivity": WELL}, statsd=settings))
    world.run(120)
    before = len(world.cloudwatch.requests)
    receive(world, observed, b"errors:2|c")
    receive(world, observed, b"errors:3|c")
    world.run(120)
    assert len(world.cloudwatch.requests) == before + 2
    (datum,) = of(world, "errors")
    assert datum.series == host_series("errors")
    assert (datum.total, datum.minute % 60) == (5, 0)
    observed.stop()


def test_nothing_of_the_application_is_lost_while_cloudwatch_is_away(world: VirtualHost) -> None:
    settings = Statsd(("errors",), 5, free_port())
    observed = world.observe(config_of({}, statsd=settings))
    world.run(30)
    world.cloudwatch.trouble = lambda now, data: DOWN
    for _ in range(10):
        receive(world, observed, b"errors:1|c\nanswer:1|ms")
        world.run(60)
    world.cloudwatch.trouble = lambda now, data: None
    world.run(300)
    assert sum(datum.total for datum in of(world, "errors")) == 10
    assert len({datum.minute for datum in of(world, "errors")}) == 10
    observed.stop()


def test_a_new_configuration_publishes_what_the_former_one_received(world: VirtualHost) -> None:
    port = free_port()
    observed = world.observe(config_of({"db-connectivity": WELL}, statsd=Statsd(("a",), 5, port)))
    receive(world, observed, b"a:2|c")
    observed.apply(config_of({"db-connectivity": WELL}, statsd=Statsd(("b",), 5, port)))
    receive(world, observed, b"a:2|c\nb:1|c")
    observed.apply(config_of({"db-connectivity": WELL}))
    world.run(1)
    assert [(datum.series.metric, datum.total) for datum in world.cloudwatch.data()][-2:] == [
        ("a", 2),
        ("b", 1),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))  # it listens no more


def test_a_port_in_use_is_reported_once_and_tried_each_minute(world: VirtualHost) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        observed = world.observe(
            config_of({"db-connectivity": WELL}, statsd=Statsd(("a",), 5, port))
        )
        world.run(300)
    said = [line for line in world.lines if "statsd" in line and "127.0.0.1" in line]
    problem = f"127.0.0.1:{port}: Address already in use"
    assert said == [f"<4>statsd: can't listen on {problem}; trying each minute"]
    world.run(60)
    assert world.lines[-1] == f"<6>statsd: listening on 127.0.0.1:{port}"
    assert of(world, "probe-heartbeat")
    observed.stop()
