"""Notifications to systemd, over a real datagram socket."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.systemd import ServiceManager
from tests.cases import cases


@pytest.fixture(params=["a path", "an abstract name"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "a path":
        return str(tmp_path / "notify")
    return f"@resiliency-probe-test-{os.getpid()}"


@pytest.fixture
def systemd(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0"))
        listener.setblocking(False)
        yield listener


def test_lines_are_sent_in_one_datagram(systemd: socket.socket, address: str) -> None:
    ServiceManager({"NOTIFY_SOCKET": address}).notify("READY=1", "STATUS=2 targets")
    assert systemd.recv(1000) == b"READY=1\nSTATUS=2 targets"


def test_nothing_is_sent_when_systemd_did_not_start_the_process() -> None:
    manager = ServiceManager({})
    manager.notify("READY=1")
    assert manager.watchdog_seconds is None


@pytest.mark.parametrize(
    "path", ["/nowhere/at/all", "/" + "x" * 200, "vsock:2:1234", "@nobody-listens-here"]
)
def test_a_socket_that_is_not_there_is_no_matter(path: str) -> None:
    ServiceManager({"NOTIFY_SOCKET": path}).notify("WATCHDOG=1")


def test_a_service_manager_that_does_not_listen_stops_nobody(
    systemd: socket.socket, address: str
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    before = time.monotonic()
    for _ in range(5000):  # more than any queue of datagrams holds
        manager.notify("WATCHDOG=1")
    assert time.monotonic() - before < 4
    assert systemd.recv(1000) == b"WATCHDOG=1"


def test_lines_that_cant_be_sent_now_go_with_the_next(systemd: socket.socket, address: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    for _ in range(5000):
        manager.notify("WATCHDOG=1")
    manager.notify("STATUS=begins")
    manager.notify("READY=1", "STATUS=runs")
    manager.notify("WATCHDOG=1")
    message = []
    with contextlib.suppress(BlockingIOError):
        while True:
            message.append(systemd.recv(1000))
    assert set(message) == {b"WATCHDOG=1"}
    manager.notify("WATCHDOG=1")
    assert systemd.recv(1000).splitlines() == [b"WATCHDOG=1", b"STATUS=runs", b"READY=1"]
    manager.notify("WATCHDOG=1")
    assert systemd.recv(1000) == b"WATCHDOG=1"


@cases(
    ("environment", "seconds"),
    {
        "30 seconds": ({"WATCHDOG_USEC": "30000000"}, 30.0),
        "ours": ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        "another's": ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, None),
        "none": ({"WATCHDOG_USEC": "0"}, None),
        "negative": ({"WATCHDOG_USEC": "-5"}, None),
        "not a number": ({"WATCHDOG_USEC": "²"}, None),
        "empty": ({"WATCHDOG_USEC": ""}, None),
    },
)
def test_the_watchdogs_time_is_read_from_the_environment(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert ServiceManager(environment).watchdog_seconds == seconds
