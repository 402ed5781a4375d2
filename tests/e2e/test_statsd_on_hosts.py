"""Metrics that an application on a booted host sends by real clients of StatsD."""

import base64
import io
import sysconfig
import tarfile
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.e2e.machine import requirements
from tests.e2e.machine.network import GATEWAY
from tests.e2e.machine.put_metric_data import Metric, Point, breaches, merged
from tests.e2e.machine.waiting import eventually
from tests.e2e.probed_hosts import BLUE, NAMESPACE, UNIT, Cloud, Host
from tests.support import ROOT, Template, example, synthesize

STATSD = {"metrics": ["plain.*", "dog.*"], "tags": ["shop"], "max_metrics": 20}
PORT = 8125
SENT = {  # as tests/statsd_clients.py sends it: how many values, their sum
    ("plain.orders",): (1, 2),
    ("plain.queue",): (4, 8),
    ("plain.users",): (1, 2),
    ("plain.answer",): (2, 400),
    ("plain.errors",): (1, 2),
    ("dog.orders", "books"): (1, 2),
    ("dog.orders", "toys"): (1, 1),
    ("dog.queue",): (1, 12.5),
    ("dog.size",): (2, 3072),
    ("dog.answer",): (1, 45),
    ("dog.users",): (1, 1),
}
AS_APPLICATION = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
FLOOD = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[1])
number = 0
while time.monotonic() < end:
    number += 1
    lines = [f"plain.{number % 500}:{number * 1.1}|ms", "?" * 1000, f"x{number}:1|c"]
    sock.sendto("\\n".join(lines).encode(), ("127.0.0.1", 8125))
"""


@pytest.fixture(scope="module")
def template() -> Template:
    reason = requirements.missing()
    if reason:
        pytest.skip(reason)
    made = example(lambda env: env.update(probe={"statsd": STATSD}))
    return synthesize([made])["bookstore-production-probe"]


@pytest.fixture(scope="module")
def cloud(template: Template) -> Iterator[Cloud]:
    with Cloud() as made:
        yield made


@pytest.fixture(scope="module")
def host(cloud: Cloud, template: Template) -> Iterator[Host]:
    with Host(cloud, BLUE, template) as made:
        made.run(
            ["sh", "-c", "mkdir /opt/application && base64 -d | tar -xz -C /opt/application"],
            input=application(),
        )
        made.install(
            lambda configuration: configuration.update(interval_seconds=2, timeout_seconds=1)
        )
        eventually("it listens", lambda: listening(made))
        yield made


def application() -> str:
    """The clients and what sends by them, as base64 of a compressed archive."""
    packages = Path(sysconfig.get_path("purelib"))
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        for name in ("statsd", "datadog"):
            packed.add(packages / name, name)
        packed.add(ROOT / "tests" / "statsd_clients.py", "statsd_clients.py")
    return base64.b64encode(archive.getvalue()).decode()


def listening(host: Host) -> list[str]:
    """The UDP addresses at which the agent listens."""
    lines = host.shell("ss --udp --listening --numeric --no-header").splitlines()
    return sorted(each for line in lines if (each := line.split()[3]).endswith(f":{PORT}"))


def send(host: Host) -> None:
    """Send as an application that is not root."""
    host.run([*AS_APPLICATION, "python3", "/opt/application/statsd_clients.py", str(PORT)])


def received(cloud: Cloud, since: float) -> Mapping[tuple[str, ...], Point]:
    """What CloudWatch got of the application, over all minutes, by name and further tags."""
    puts = [each.put() for each in cloud.cloudwatch.requests if each.at >= since]
    found: dict[tuple[str, ...], Point] = {}
    for (_, metric, _), point in merged(puts).items():
        dimensions = dict(metric.dimensions)
        if metric.name.startswith(("plain.", "dog.", "statsd-")):
            assert dimensions.pop("Host") == BLUE
            key = (metric.name, *sorted(dimensions.values()))
            found[key] = found[key] + point if key in found else point
    return found


def summary(
    points: Mapping[tuple[str, ...], Point],
) -> Mapping[tuple[str, ...], tuple[float, float]]:
    return {
        key: (point.samples, point.total)
        for key, point in points.items()
        if not key[0].startswith("statsd-")
    }


def require_within_limits(cloud: Cloud) -> None:
    assert [
        breach
        for each in cloud.cloudwatch.requests
        for breach in breaches(each.put(), each.size, datetime.fromtimestamp(each.at, timezone.utc))
    ] == []


def wait_for_second(second: int) -> None:
    """Wait until a second of the minute, so that what is sent is of one minute."""
    time.sleep((second - time.time()) % 60)


def test_it_listens_on_loopback_alone_and_is_as_confined_as_without(
    cloud: Cloud, host: Host
) -> None:
    assert listening(host) == [f"127.0.0.1:{PORT}", f"[::1]:{PORT}"]
    verdict = host.shell(f"systemd-analyze security --no-pager {UNIT}").splitlines()[-1]
    assert float(verdict.split(": ")[1].split()[0]) <= 2.0
    lines = host.journal(UNIT)
    assert f"statsd: listening on 127.0.0.1:{PORT}" in lines
    with cloud.network.datagrams(GATEWAY, 0) as outside:
        outside.settimeout(5)
        outside.connect((host.address, PORT))
        outside.send(b"plain.orders:1|c")
        with pytest.raises(ConnectionRefusedError):
            outside.recv(1)


def test_what_clients_send_arrives_with_the_minute_s_request(cloud: Cloud, host: Host) -> None:
    wait_for_second(15)
    since = time.time()
    send(host)
    eventually("the minute", lambda: received(cloud, since), seconds=75, every=0.5)
    assert summary(received(cloud, since)) == SENT
    assert received(cloud, since)[("statsd-dropped", "malformed")].total == 1
    requests = [each for each in cloud.cloudwatch.requests if each.at >= since]
    assert len(requests) == 1, "it goes with the heartbeat and the samples"
    assert Metric.of("plain.errors", Host=BLUE) in cloud.cloudwatch.metrics(NAMESPACE)
    require_within_limits(cloud)


def test_what_is_sent_while_cloudwatch_is_away_arrives_later_even_after_a_restart(
    cloud: Cloud, host: Host
) -> None:
    wait_for_second(15)
    since = time.time()
    cloud.cloudwatch.gate.refuse_connections()
    try:
        send(host)
        wait_for_second(20)
        host.run(["systemctl", "restart", UNIT])
        eventually("it listens", lambda: listening(host))
    finally:
        cloud.cloudwatch.gate.open()
    eventually("the data", lambda: received(cloud, since), seconds=75, every=0.5)
    assert summary(received(cloud, since)) == SENT
    require_within_limits(cloud)


def test_a_flood_neither_ends_the_agent_nor_delays_its_samples(cloud: Cloud, host: Host) -> None:
    pid = host.pid
    wait_for_second(50)
    since = time.time()
    seconds = 75
    host.write("/opt/application/flood.py", FLOOD)
    host.run(
        [*AS_APPLICATION, "python3", "/opt/application/flood.py", str(seconds)],
        timeout_seconds=seconds + 30,
    )
    eventually(
        "the minute after",
        lambda: [r for r in cloud.cloudwatch.requests if r.at > since + seconds],
        seconds=75,
        every=0.5,
    )
    assert host.pid == pid
    points = host.metric("db-connectivity")
    whole = [
        point for at, point in points.items() if since < at.timestamp() <= since + seconds - 60
    ]
    # One that is a little late at the minute's edge is of the next; none fails.
    assert [(29 <= point.samples <= 31, point.least) for point in whole] == [(True, 1)]
    flooded = received(cloud, since)
    assert len([key for key in flooded if key[0].startswith("plain.")]) <= 40  # of two minutes
    assert {key[1] for key in flooded if key[0] == "statsd-dropped"} >= {"malformed", "limit"}
    status = host.read(f"/proc/{pid}/status")
    (resident,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    assert int(resident) < 60 * 1024
    require_within_limits(cloud)
