"""The agent as a service: when it is ready, alive, reloaded and ended."""

import gc
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.agent import agent as module
from staged_resiliency.probe.agent import metadata as metadata_module
from staged_resiliency.probe.agent.agent import Agent, max_spooled
from staged_resiliency.probe.agent.attempt import Tools
from staged_resiliency.probe.agent.cloudwatch import CloudWatch
from staged_resiliency.probe.agent.config import Config, Statsd, load
from staged_resiliency.probe.agent.identity import FILE_NAME, Identity, save_identity
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.metadata import Metadata
from staged_resiliency.probe.agent.spool import Spool
from staged_resiliency.probe.agent.systemd import ServiceManager
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    GREEN,
    SPOOLED,
    WELL,
    FakeTransport,
    InstanceMetadata,
    config_of,
    eventually,
    instance_metadata,
    ones,
    silence,
    unused_url,
)

MACHINE = "i-0123456789abcdef0"
SETTLE = module.settle
NOT_KNOWN = "READY=1\nSTATUS=waiting: this host's name is not known yet"
# Of all series, these are sampled soon after the start: their phases are small.
FIRST, SECOND = "cdn-health", "ads-health"


class Host:
    """An instance with a service manager, on which an agent runs."""

    def __init__(self, folder: Path, port: int, metadata_url: str) -> None:
        self.machine = MACHINE
        self.folder = folder
        self.port = port
        self.file = folder / "bookstore.json"
        self.state = folder / "state"
        self.state.mkdir()
        self.lines: list[str] = []
        self.transport = FakeTransport()
        self.made: list[tuple[Config, Identity]] = []
        self.metadata = Metadata(metadata_url)
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(folder / "notify"))
        self.systemd.settimeout(30)
        self.datagrams: list[str] = []
        self.watchdog_seconds = 60.0
        self.loop = Loop()
        self.write()

    def write(self, *metrics: str, **others: Any) -> Config:
        """Write a configuration with a TCP target for each metric."""
        targets = [
            {"metric": metric, "check": "tcp", "host": "127.0.0.1", "port": self.port}
            for metric in metrics or (FIRST,)
        ]
        content: Mapping[str, Any] = {
            "service": "bookstore",
            "namespace": "Bookstore",
            "interval_seconds": 1,
            "timeout_seconds": 0.5,
            "journal": "changes",
            "host": BLUE,
            "region": "us-west-2",
            "targets": targets,
            **others,
        }
        self.file.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
        return load(self.file)

    def start(self) -> Agent:
        """Run an agent with the configuration that is written."""

        def transport(config: Config, identity: Identity) -> FakeTransport:
            self.made.append((config, identity))
            return self.transport

        environment = {
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "WATCHDOG_USEC": str(int(self.watchdog_seconds * 1e6)),
        }
        self.agent = Agent(
            self.file,
            load(self.file),
            self.state,
            Tools(self.loop),
            self.metadata,
            Journal(self.lines.append, every_sample=False),
            ServiceManager(environment),
            self.machine,
            transport,
        )
        self.thread = threading.Thread(target=self.agent.run, daemon=True)
        self.thread.start()
        return self.agent

    def ready(self) -> Agent:
        """Run an agent, and wait until it samples."""
        agent = self.start()
        self.hears("STATUS=1 targets")
        return agent

    def hears(self, line: str) -> str:
        """Wait until systemd receives a datagram, and return it."""
        while True:
            datagram = self.systemd.recv(4096).decode()
            self.datagrams.append(datagram)
            if line in datagram:
                return datagram

    def feeds_no_watchdog(self) -> None:
        """Wait until the agent notifies systemd no more."""
        eventually(lambda: self.heard_within(0.06) == [])
        assert self.heard_within(0.1) == []

    def heard_within(self, seconds: float) -> list[str]:
        """Return what systemd receives within a time."""
        found = []
        end = time.monotonic() + seconds
        while True:
            self.systemd.settimeout(max(0, end - time.monotonic()))
            try:
                found.append(self.systemd.recv(4096).decode())
            except (TimeoutError, BlockingIOError):
                break
        self.systemd.settimeout(30)
        return found

    def end(self) -> None:
        """End the agent, which waits for nothing that hangs: in tests that takes a minute."""
        self.loop.call_soon(self.agent.end)
        self.thread.join(30)
        assert not self.thread.is_alive()

    def close(self) -> None:
        self.transport.free.set()
        if hasattr(self, "thread"):
            self.loop.call_soon(self.agent.end)
            self.thread.join(30)
        self.loop.close()
        self.systemd.close()


@pytest.fixture(scope="module")
def metadata() -> Iterator[InstanceMetadata]:
    with instance_metadata() as running:
        yield running


@pytest.fixture
def host(
    tmp_path: Path, metadata: InstanceMetadata, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    metadata.change(tags={"Name": GREEN}, region="us-west-2", role=None)
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.02,))
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.05)
    with silence() as url:
        host = Host(tmp_path, int(url.rsplit(":", 1)[1]), metadata.url)
        yield host
        host.close()


def test_it_samples_its_targets_under_its_name(host: Host, settled: list[str]) -> None:
    host.start()
    summary = f"1 targets every 1 s, namespace Bookstore, host {BLUE}"
    assert host.hears("READY=1") == NOT_KNOWN
    assert host.hears("STATUS=1 targets") == f"STATUS={summary}"
    assert host.lines[0] == f"<6>ready: {summary}"
    assert settled == ["settled"]
    eventually(lambda: host.transport.metrics() == {"probe-heartbeat", FIRST})
    assert {datum.series.dimensions for datum in host.transport.sent} == {(("Host", BLUE),)}
    ((config, identity),) = host.made
    assert (config.namespace, identity) == ("Bookstore", Identity(BLUE, "us-west-2"))


def test_it_is_ready_and_alive_while_its_name_is_not_known_and_reports_why(
    host: Host, metadata: InstanceMetadata
) -> None:
    metadata.change(tags=None)
    host.watchdog_seconds = 0.06
    host.write(host=None, region=None)
    host.start()
    assert host.hears("READY=1") == NOT_KNOWN
    reason = (
        "this host's name can't be determined: the instance has no role; "
        "give it an instance profile"
    )
    assert host.hears("STATUS=") == f"STATUS=waiting: {reason}"
    for _ in range(3):
        host.hears("WATCHDOG=1")
    assert set(host.datagrams[2:]) == {"WATCHDOG=1", f"STATUS=waiting: {reason}"}
    assert host.lines == [f"<4>{reason}"]
    metadata.change(tags={"Name": "blue\n"})
    reason = "this host's name can't be determined: host name: must be"
    assert host.hears("STATUS=").startswith(f"STATUS=waiting: {reason}")
    assert reason in host.lines[1]
    metadata.change(tags={"Name": GREEN})
    assert f"host {GREEN}" in host.hears("STATUS=1 targets")
    eventually(host.transport.metrics)
    assert {datum.series.dimensions for datum in host.transport.sent} == {(("Host", GREEN),)}


def test_a_metadata_service_that_hangs_does_not_hang_the_agent(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_module, "TIMEOUT_SECONDS", 60)
    with silence() as url:
        host.metadata = Metadata(url)
        host.watchdog_seconds = 0.06
        host.write(host=None)
        host.start()
        assert host.hears("READY=1") == NOT_KNOWN
        for _ in range(3):
            host.hears("WATCHDOG=1")
        host.end()


def test_the_watchdog_is_not_fed_by_a_loop_that_is_stuck(host: Host) -> None:
    host.watchdog_seconds = 0.03
    host.ready()
    host.hears("WATCHDOG=1")
    stuck, continues = threading.Event(), threading.Event()

    def stand_still() -> None:
        stuck.set()
        continues.wait(30)

    host.loop.call_soon(stand_still)
    assert stuck.wait(30)
    host.feeds_no_watchdog()
    continues.set()
    host.hears("WATCHDOG=1")


def test_the_watchdog_is_not_fed_while_the_publisher_is_stuck(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.05)
    host.watchdog_seconds = 0.03
    host.transport.free.clear()
    host.ready()
    host.hears("WATCHDOG=1")
    host.feeds_no_watchdog()
    host.transport.free.set()
    host.hears("WATCHDOG=1")


def test_a_publisher_that_has_died_does_not_pass_for_alive(host: Host) -> None:
    host.watchdog_seconds = 0.03
    agent = host.ready()
    publisher = agent._publisher
    assert publisher is not None
    publisher.stop(5)
    host.feeds_no_watchdog()


def test_the_times_leave_room_for_the_longest_request_and_the_shortest_end() -> None:
    longest = 2 * (3 + 5) + 4 * 2  # connect and read, and what the metadata service is asked
    assert longest * 3 < module.STUCK_SECONDS
    assert module.FLUSH_SECONDS <= 4


def test_what_a_former_run_left_is_published(host: Host) -> None:
    minute = int(time.time() // 60) * 60 - 600
    Spool(host.state, 100, "Bookstore", pytest.fail).append(ones(minute, 3))
    host.ready()
    assert host.lines[0] == "<6>3 data of the last run are published first"
    eventually(lambda: set(ones(minute, 3)) <= set(host.transport.sent))
    eventually(lambda: list(host.state.glob(SPOOLED)) == [])


def test_a_good_configuration_is_taken_and_the_spool_grows_with_it(host: Host) -> None:
    agent = host.ready()
    config = host.write(FIRST, *(f"target-{number}" for number in range(49)), journal="samples")
    host.loop.call_soon(agent.reload)
    assert host.hears("STATUS=") == (
        f"STATUS=50 targets every 1 s, namespace Bookstore, host {BLUE}"
    )
    eventually(lambda: FIRST in host.transport.metrics())
    assert f"<6>reloaded: {host.datagrams[-1][len('STATUS=') :]}" in host.lines
    eventually(lambda: any("target-" in line for line in host.lines))
    assert agent._spool is not None
    assert agent._spool.max_data == max_spooled(config) > module.MIN_RETAINED
    assert agent.next_config is None


@cases(
    ("content", "problem"),
    {
        "a bad one": ('{"service": "bookstore", "targets": []}', "namespace: is missing"),
        "a missing file": (None, "can't be read: No such file or directory"),
    },
)
def test_a_configuration_that_cant_be_used_is_refused_and_the_current_one_stays(
    host: Host, content: str | None, problem: str
) -> None:
    agent = host.ready()
    host.file.unlink()
    if content is not None:
        host.file.write_text(content)
    host.loop.call_soon(agent.reload)
    line = f"<4>the new configuration is refused: {host.file}: {problem}"
    eventually(lambda: line in host.lines)
    sent = len(host.transport.sent)
    eventually(lambda: len(host.transport.sent) > sent)
    assert host.thread.is_alive()


@cases(
    "change",
    {
        "another namespace": {"namespace": "Library"},
        "another host": {"host": GREEN},
        "no host": {"host": None},
        "another region": {"region": "eu-central-1"},
        "another endpoint": {"endpoint_url": "http://127.0.0.1:1"},
    },
)
def test_what_a_running_agent_cant_change_starts_it_anew(
    host: Host, change: Mapping[str, Any]
) -> None:
    agent = host.ready()
    config = host.write(**change)
    host.loop.call_soon(agent.reload)
    host.thread.join(3)
    assert not host.thread.is_alive()
    assert agent.next_config == config
    assert not any("STOPPING" in message for message in host.heard_within(0.01))


def test_an_end_during_a_restart_is_final(host: Host) -> None:
    agent = host.ready()
    publisher = agent._publisher
    assert publisher is not None
    host.transport.free.clear()
    publisher.put(ones(int(time.time()), 1))
    eventually(lambda: publisher.busy_since)
    host.write(namespace="Library")
    host.loop.call_soon(agent.reload)
    eventually(lambda: agent.next_config)
    host.loop.call_soon(agent.end)  # as the signal's handler does meanwhile
    host.thread.join(3)
    assert agent.next_config is None
    host.hears("STOPPING=1")


def test_a_reload_before_the_name_is_known_is_taken(host: Host, metadata: InstanceMetadata) -> None:
    metadata.change(tags=None)
    host.write(host=None)
    agent = host.start()
    eventually(lambda: host.lines)
    config = host.write(SECOND, host=None)
    host.loop.call_soon(agent.reload)
    eventually(lambda: agent._config == config)
    metadata.change(tags={"Name": BLUE})
    host.hears("STATUS=1 targets")
    eventually(lambda: SECOND in host.transport.metrics())
    assert FIRST not in host.transport.metrics()


def test_an_end_before_the_name_is_known_begins_nothing(
    host: Host, metadata: InstanceMetadata
) -> None:
    metadata.change(tags=None)
    host.write(host=None)
    agent = host.start()
    eventually(lambda: host.lines)
    host.end()
    agent.begin(Identity(BLUE, "us-west-2"))  # what the thread may still tell
    assert host.made == []


def test_the_end_flushes_what_was_measured(host: Host) -> None:
    host.ready()
    eventually(lambda: FIRST in host.transport.metrics())
    host.end()
    host.hears("STOPPING=1")
    assert list(host.state.glob(SPOOLED)) == []


def test_the_end_comes_in_time_though_cloudwatch_hangs_and_data_are_kept(host: Host) -> None:
    host.transport.free.clear()
    host.ready()
    eventually(lambda: host.transport.attempts)
    host.end()
    kept = Spool(host.state, 100, "Bookstore", pytest.fail).oldest(lambda data: True)[1]
    assert "probe-heartbeat" in {datum.series.metric for datum in kept}


def test_without_a_service_manager_or_a_folder_it_runs_all_the_same(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop()
    agent = Agent(
        host.file,
        load(host.file),
        None,
        Tools(loop),
        Metadata(unused_url()),
        Journal(host.lines.append),
        ServiceManager({}),
        transport=lambda config, identity: host.transport,
    )
    thread = threading.Thread(target=agent.run, daemon=True)
    thread.start()
    eventually(lambda: FIRST in host.transport.metrics())
    loop.call_soon(agent.end)
    loop.call_soon(agent.end)  # twice, as with two signals
    thread.join(3)
    assert not thread.is_alive()
    loop.close()


def test_cloudwatch_is_the_default_transport(host: Host) -> None:
    config = host.write(endpoint_url="http://127.0.0.1:1")
    agent = Agent(
        host.file,
        config,
        None,
        Tools(host.loop),
        host.metadata,
        Journal(host.lines.append),
        ServiceManager({}),
    )
    transport = agent._transport(config, Identity(BLUE, "eu-central-1"))
    assert isinstance(transport, CloudWatch)
    assert transport._namespace == "Bookstore"
    assert transport._options["region_name"] == "eu-central-1"
    assert transport._options["endpoint_url"] == "http://127.0.0.1:1"


@pytest.mark.parametrize(("targets", "peers"), [(1, 0), (100, 2), (1000, 0)])
def test_what_is_kept_is_enough_for_two_hours_of_failures_in_three_parts(
    targets: int, peers: int
) -> None:
    config = config_of(
        {f"target-{number}": WELL for number in range(targets)},
        peers={f"host-{number}": WELL for number in range(peers)},
    )
    assert max_spooled(config) >= 120 * 3 * 2 * (targets + peers) + 120 * 2
    sending = replace(config, statsd=Statsd(("a*",), 100))
    assert max_spooled(sending) >= 120 * (6 * (targets + peers) + 2 + 100 + 3)


def asked_again(metadata: InstanceMetadata, times: int = 3) -> None:
    """Wait until the agent has asked for its name some times more."""
    path = "/latest/meta-data/tags/instance/Name"

    def asked() -> int:
        return sum(request.path == path for request in metadata.service.requests)

    before = asked()
    eventually(lambda: asked() >= before + times)


@pytest.fixture
def unnamed(host: Host, metadata: InstanceMetadata) -> Host:
    """A host whose name is not in the configuration, but its Name tag."""
    metadata.change(tags={"Name": BLUE})
    host.write(host=None, region=None)
    return host


@pytest.fixture
def unreachable(unnamed: Host, metadata: InstanceMetadata) -> Host:
    """A host whose name tag can't be read, and that remembers it from its last run."""
    metadata.change(tags=None)
    save_identity(unnamed.state, Identity(BLUE, "us-west-2"), MACHINE)
    return unnamed


def test_another_name_tag_makes_another_host_of_it_on_the_next_reload(
    unnamed: Host, metadata: InstanceMetadata
) -> None:
    agent = unnamed.ready()
    metadata.change(tags={"Name": GREEN})
    unnamed.loop.call_soon(agent.reload)
    unnamed.thread.join(5)
    assert not unnamed.thread.is_alive()
    assert agent.next_config == load(unnamed.file)
    assert f"<4>restarting, as this host is now {GREEN}" in unnamed.lines


def test_it_reads_a_changed_name_tag_by_itself(
    unnamed: Host, metadata: InstanceMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDENTITY_SECONDS", 0.01)
    agent = unnamed.ready()
    asked_again(metadata)
    assert agent.next_config is None, "the same name changes nothing"
    metadata.change(tags={"Name": GREEN})
    unnamed.thread.join(5)
    assert agent.next_config is not None


def test_a_name_that_can_no_longer_be_determined_stays(
    unnamed: Host, metadata: InstanceMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "IDENTITY_SECONDS", 0.01)
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.01)
    agent = unnamed.ready()
    metadata.change(tags={"Name": "\n"})
    eventually(lambda: any("name can't be determined" in line for line in unnamed.lines))
    asked_again(metadata)
    assert agent.next_config is None
    assert unnamed.thread.is_alive()
    assert sum("name can't be determined" in line for line in unnamed.lines) == 1
    assert not any("waiting" in message for message in unnamed.heard_within(0))


def test_the_name_of_the_last_run_is_used_while_ec2_does_not_answer(
    unnamed: Host, metadata: InstanceMetadata
) -> None:
    unnamed.ready()
    eventually(lambda: (unnamed.state / FILE_NAME).exists())
    unnamed.end()
    unnamed.loop.close()
    metadata.change(tags=None)  # and EC2 refuses: there is no role
    unnamed.loop = Loop()
    unnamed.ready()
    assert [identity.host for _, identity in unnamed.made] == [BLUE, BLUE]


@pytest.mark.parametrize("silent", [False, True], ids=["no answer", "hangs"])
def test_the_name_of_the_last_run_is_used_while_the_metadata_service_is_silent(
    unreachable: Host, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    monkeypatch.setattr(metadata_module, "TIMEOUT_SECONDS", 0.05)
    with silence() as url:
        unreachable.metadata = Metadata(url if silent else unused_url())
        unreachable.ready()
        unreachable.end()
    assert [identity.host for _, identity in unreachable.made] == [BLUE]


def test_a_remembered_name_that_has_changed_is_noticed_soon(
    unreachable: Host, metadata: InstanceMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_SECONDS", 0.01)
    agent = unreachable.ready()
    metadata.change(tags={"Name": GREEN})
    unreachable.thread.join(30)
    assert agent.next_config is not None
    assert f"<4>restarting, as this host is now {GREEN}" in unreachable.lines


@pytest.mark.parametrize("machine", ["i-00000000000000000", ""], ids=["another", "not known"])
def test_the_name_of_another_instance_does_not_hold(
    unreachable: Host, metadata: InstanceMetadata, machine: str
) -> None:
    unreachable.machine = machine
    unreachable.start()
    asked_again(metadata)
    assert unreachable.made == []


def test_a_region_that_is_given_wins_over_that_of_a_former_run(unreachable: Host) -> None:
    unreachable.write(host=None, region="eu-central-1")
    unreachable.ready()
    assert unreachable.made[-1][1] == Identity(BLUE, "eu-central-1")


def test_after_an_end_nothing_restarts_the_agent(host: Host) -> None:
    agent = host.ready()
    host.write(namespace="Library")

    def all_in_one_turn() -> None:
        """As messages are taken that came while the end took its time."""
        agent.end()
        agent.reload()
        agent._restart_as(Identity(GREEN, "us-west-2"))

    host.loop.call_soon(all_in_one_turn)
    host.thread.join(3)
    assert not host.thread.is_alive()
    assert agent.next_config is None


def test_a_configured_name_is_not_saved_as_the_instances_own(host: Host) -> None:
    others = set(threading.enumerate())
    host.ready()
    host.end()
    for thread in set(threading.enumerate()) - others:
        thread.join(30)
        assert not thread.is_alive()
    assert not (host.state / FILE_NAME).exists()


def test_it_lets_the_garbage_collector_skip_what_lives_as_long_as_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []
    for name in ("unfreeze", "collect", "freeze"):
        monkeypatch.setattr(gc, name, partial(calls.append, name))
    SETTLE()
    assert calls == ["unfreeze", "collect", "freeze"]
