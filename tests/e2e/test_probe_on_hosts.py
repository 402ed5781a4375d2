"""The synthesized document, run as root on hosts with a real systemd, and what then arrives."""

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import partial
from itertools import pairwise

import pytest

from tests.e2e.machine import faults
from tests.e2e.machine.gate import Refusal
from tests.e2e.machine.put_metric_data import Metric, breaches, merged
from tests.e2e.machine.step_order import Status
from tests.e2e.machine.waiting import BUSY_SECONDS, eventually
from tests.e2e.probed_hosts import (
    BLUE,
    CONFIGURATION,
    DB,
    GREEN,
    HOME,
    NAMESPACE,
    STATE,
    UNIT,
    Cloud,
    Host,
    no_peers,
    quick_without_peers,
)
from tests.support import Data, Template

CDN = "cdn-connectivity"
INTERVAL_SECONDS = 10
TIMEOUT_SECONDS = 5


@pytest.fixture(scope="module")
def blue(cloud: Cloud, template: Template) -> Iterator[Host]:
    """A host with the probe as the template has it: each 10 s, 5 s to connect."""
    with Host(cloud, BLUE, template) as host:
        host.install(no_peers)
        yield host


def test_credentials_are_the_roles_and_only_version_2_of_the_metadata_is_asked(
    cloud: Cloud, blue: Host
) -> None:
    eventually("a request", lambda: cloud.cloudwatch.requests)
    asked = [each for each in cloud.metadata.requests if each.source == blue.address]
    assert {each.path for each in asked} >= {
        "/latest/meta-data/tags/instance/Name",
        "/latest/meta-data/iam/security-credentials/bookstore-instance",
    }
    assert not [each for each in asked if each.of_version_1]
    signers = {each.access_key for each in cloud.cloudwatch.requests}
    assert signers == {cloud.metadata.instances[blue.address].credentials.access_key}


def test_the_service_is_confined(blue: Host) -> None:
    # The last of the lines is the verdict.
    verdict = blue.shell(f"systemd-analyze security --no-pager {UNIT}").splitlines()[-1]
    assert float(verdict.split(": ")[1].split()[0]) <= 2.0
    status = blue.read(f"/proc/{blue.pid}/status")
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] != "0"
    assert {fields[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {f"{0:016x}"}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert int(fields["VmRSS"].split()[0]) < 60 * 1024


def test_a_second_run_changes_and_restarts_nothing(blue: Host) -> None:
    def seen() -> tuple[int, str]:
        find = f"find {HOME} {CONFIGURATION} /etc/systemd/system/{UNIT} -printf '%p %i %T@ %C@\\n'"
        return blue.pid, blue.shell(f"{find} | sort")

    before = seen()
    invocation = blue.install(no_peers)
    assert seen() == before
    verdict = invocation.step("Verdict").stdout.strip()
    assert verdict.startswith("resiliency-probe-bookstore: agent ")
    assert verdict.endswith(" active, unchanged")
    assert len(verdict.splitlines()) == 1


NITRO = """\
[Unit]
Description=The instance's id, where a Nitro instance's firmware has it
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount -t tmpfs -o mode=755 tmpfs /sys/class
ExecStart=mkdir -p /sys/class/dmi/id
ExecStart=sh -c 'echo i-0123456789abcdef0 >/sys/class/dmi/id/board_asset_tag'
[Install]
WantedBy=sysinit.target
"""
SILENT_METADATA = """\
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=nft add table inet silent
ExecStart=nft add chain inet silent sent {type filter hook output priority 0;}
ExecStart=nft add rule inet silent sent ip daddr 169.254.169.254 drop
[Install]
WantedBy=sysinit.target
"""
SLOW_NETWORK = """\
[Unit]
DefaultDependencies=no
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
# The boot is over before the network is there; one that waits for the network waits for the limit.
ExecStart=timeout 30 sh -c 'until systemctl is-active --quiet multi-user.target; do sleep 1; done'
SuccessExitStatus=124
[Install]
WantedBy=network-online.target
"""


def add_units(host: Host, **units: str) -> None:
    """Enable units, from the next boot on."""
    for name, text in units.items():
        host.write(f"/etc/systemd/system/{name}.service", text)
        host.run(["systemctl", "enable", name])


def agent_status(host: Host) -> str:
    return host.property(UNIT, "StatusText")


def test_a_boot_waits_neither_for_the_network_nor_for_the_host_s_name(host: Host) -> None:
    host.install(quick_without_peers)
    host.shell(f"rm {STATE}/identity.json")
    add_units(host, slow=SLOW_NETWORK, silent=SILENT_METADATA)
    host.reboot()  # until no unit starts any more

    def seconds(unit: str) -> float:
        return int(host.property(unit, "ActiveEnterTimestampMonotonic")) / 1e6

    assert host.state("slow") == "active"
    assert seconds("multi-user.target") < seconds("slow")
    assert seconds(UNIT) > seconds("slow"), "samples without a network would be 0"
    assert host.state(UNIT) == "active"
    eventually(
        "it says why it waits",
        lambda: "the metadata service can't be reached" in agent_status(host),
    )
    pid = host.pid
    # A run of the document reports it.
    daily = host.systems_manager(quick_without_peers)
    assert daily.status is Status.FAILED, daily
    assert (
        "The operation Verdict failed because resiliency-probe-bookstore: agent"
        in daily.association_summary
    )
    assert "waiting: this host's name can't be determined: the" in daily.association_summary
    host.run(["nft", "delete", "table", "inet", "silent"])
    eventually("it samples", lambda: not agent_status(host).startswith("waiting"))
    assert host.pid == pid


def test_a_silent_metadata_service_does_not_keep_a_known_host_from_sampling(
    cloud: Cloud, host: Host
) -> None:
    host.install(quick_without_peers)
    faults.drop(host, 80)
    # In the same boot, on every instance.
    host.run(["systemctl", "restart", UNIT])
    eventually("it samples", lambda: agent_status(host).startswith("2 targets"))
    faults.heal(host)

    # After a boot, where the firmware has the instance's id.
    add_units(host, nitro=NITRO)
    host.reboot()
    saved = f"{STATE}/identity.json"
    eventually("its id is saved", lambda: "i-0123456789abcdef0" in host.read(saved))
    add_units(host, silent=SILENT_METADATA)
    host.reboot()
    eventually("it samples", lambda: agent_status(host).startswith("2 targets"))
    lines = host.journal(UNIT)
    assert any("the metadata service can't be reached" in line for line in lines), lines


def test_it_is_active_after_the_installation_and_its_metrics_arrive(
    cloud: Cloud, blue: Host
) -> None:
    """After the tests above, so that a whole minute of samples has mostly passed."""
    assert blue.state(UNIT) == "active"

    def whole_minute() -> datetime | None:
        # A sample that is a little late at the minute's edge is of the next.
        full = [
            {at for at, point in blue.metric(name).items() if point.samples == 6}
            for name in (DB, CDN)
        ]
        return min(full[0] & full[1], default=None)

    minute = eventually("a whole minute of samples", whole_minute, seconds=150, every=1)
    # As the alarms expect them: namespace, name, the one dimension, 1 for a connection.
    assert cloud.cloudwatch.metrics(NAMESPACE) >= {
        Metric.of(DB, Host=BLUE),
        Metric.of(CDN, Host=BLUE),
        Metric.of("probe-heartbeat", Host=BLUE),
    }
    for name in (DB, CDN):
        point = blue.metric(name)[minute]
        assert (point.samples, point.average, point.least, point.greatest) == (6, 1, 1, 1)
    beats = eventually(
        "the heartbeat of that minute", lambda: blue.metric("probe-heartbeat").get(minute)
    )
    assert beats.average == 1
    # One request at the start, two for the first states, then one a minute.
    ours = [each for each in cloud.cloudwatch.requests if each.source == blue.address]
    assert len(ours) <= 4 + (time.time() - ours[0].at) / 60
    assert [
        breach
        for each in ours
        for breach in breaches(each.put(), each.size, datetime.fromtimestamp(each.at, timezone.utc))
    ] == []
    # What moto shows is what was sent.
    sent = merged(each.put() for each in ours)
    assert sent[NAMESPACE, Metric.of(DB, Host=BLUE), minute].samples == 6
    lines = blue.journal(UNIT)
    place = "db.bookstore.pingpublications.com:5432"
    assert any(line.startswith(f"{DB} {place} succeeded in ") for line in lines), lines


def test_a_blackholed_port_is_a_0_in_time_while_the_other_target_stays_1(
    cloud: Cloud, blue: Host
) -> None:
    eventually("a first sample", lambda: blue.metric(DB))
    before = time.time()
    faults.drop(blue, 5432)
    dropped = time.time()

    def first_zero() -> float | None:
        for each in cloud.cloudwatch.requests:
            if each.source == blue.address and each.at > before:
                for datum in each.put().data:
                    if datum.metric == Metric.of(DB, Host=BLUE) and datum.point.least == 0:
                        return each.at
        return None

    try:
        arrived = eventually("a 0 at CloudWatch", first_zero)
        # With the first sample: a second one would be an interval later.
        assert arrived - dropped <= INTERVAL_SECONDS + TIMEOUT_SECONDS + BUSY_SECONDS
        failures = eventually("its class", lambda: blue.metric(f"{DB}-failures", Class="timeout"))
        assert sum(point.total for point in failures.values()) >= 1
        assert any(f"{DB} " in line and "timeout" in line for line in blue.journal(UNIT))
    finally:
        faults.heal(blue)
    assert min(point.least for point in blue.metric(CDN).values()) == 1
    recovered = len(blue.journal(UNIT))
    eventually(
        "a 1 again",
        lambda: any(
            f"{DB} " in line and "succeeded" in line for line in blue.journal(UNIT)[recovered:]
        ),
    )


@pytest.mark.parametrize("death", ["kill -9", "stuck"])
def test_what_dies_or_hangs_is_started_again(blue: Host, death: str) -> None:
    before = blue.pid
    restarts = int(blue.property(UNIT, "NRestarts"))
    blue.run(["kill", "-KILL" if death == "kill -9" else "-STOP", str(before)])
    # The watchdog waits 30 s for a loop that is stuck, systemd 5 s before it starts again.
    eventually("another process", lambda: blue.pid not in (0, before), every=0.5)
    eventually("it is ready", lambda: blue.state(UNIT) == "active")
    assert int(blue.property(UNIT, "NRestarts")) == restarts + 1
    if death == "stuck":
        assert any("Watchdog timeout" in line for line in blue.journal(UNIT))


def test_it_starts_at_boot(cloud: Cloud, blue: Host) -> None:
    blue.reboot()
    eventually("it is active", lambda: blue.state(UNIT) == "active")
    show = "systemctl show --timestamp=unix --property=ExecMainStartTimestamp --value"
    began = int(blue.shell(f"{show} {UNIT}").removeprefix("@"))
    eventually(
        "a request after the boot",
        lambda: [
            each
            for each in cloud.cloudwatch.requests
            if each.source == blue.address and each.at >= began
        ],
        every=0.5,
    )


def test_two_hosts_watch_each_other(cloud: Cloud, template: Template) -> None:
    web = "[Service]\nExecStart=python3 -m http.server 80 --directory /srv\n"
    with Host(cloud, BLUE, template) as blue, Host(cloud, GREEN, template) as green:
        addresses = {BLUE: blue.address, GREEN: green.address}

        def peers_here(configuration: Data) -> None:
            # Not a second: then a web server that is late on a busy machine would be a 0.
            configuration.update(interval_seconds=6, timeout_seconds=TIMEOUT_SECONDS)
            assert configuration["peers"].keys() == addresses.keys()
            for name, check in configuration["peers"].items():
                assert (check["check"], check["path"]) == ("http", "/version/")
                check["host"] = addresses[name]

        for each in (blue, green):
            each.write("/srv/version/index.html", f'{{"environment": "{each.tag}", "version": 7}}')
            each.write("/etc/systemd/system/web.service", web)
            each.run(["systemctl", "start", "web"])
        for each in (blue, green):
            each.install(peers_here)

        def seen(observed: Host, observer: Host) -> set[float]:
            points = cloud.cloudwatch.points(
                NAMESPACE,
                Metric.of("peer-connectivity", Host=observed.tag, Observer=observer.tag),
            )
            return {value for point in points.values() for value in (point.least, point.greatest)}

        def only_ones(observed: Host, observer: Host) -> bool:
            return seen(observed, observer) == {1}

        for observed, observer in ((blue, green), (green, blue)):
            eventually("a 1", partial(only_ones, observed, observer))
        # A dead host is a 0, and not silence.
        blue.power_off()
        try:
            eventually("a 0 of the dead host", lambda: 0 in seen(blue, green))
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *green.journal(UNIT)[-30:]])) from None
        assert seen(green, blue) == {1}
        assert not [
            metric
            for metric in cloud.cloudwatch.metrics(NAMESPACE)
            if ("Host", GREEN) in metric.dimensions and ("Observer", GREEN) in metric.dimensions
        ]


def test_nothing_is_lost_while_cloudwatch_is_away(cloud: Cloud, host: Host) -> None:
    host.install(quick_without_peers)
    eventually("a first sample", lambda: host.metric(DB))
    since = datetime.now(timezone.utc)
    try:
        cloud.cloudwatch.gate.answer(Refusal("Throttling"))
        faults.drop(host, 5432)  # a change of state, which is to be published at once
        time.sleep(10)
        faults.heal(host)
        cloud.cloudwatch.gate.hang()
        time.sleep(15)
        cloud.cloudwatch.gate.refuse_connections()
        # In the middle, an orderly restart: what was measured waits on the disk.
        host.run(["systemctl", "restart", UNIT])
        assert host.shell(f"ls {STATE} | grep -v identity || true") != ""
        time.sleep(40)
    finally:
        cloud.cloudwatch.gate.open()
    until = datetime.now(timezone.utc)

    def spool_is_empty() -> bool:
        return host.shell(f"ls {STATE} | grep -v identity || true") == ""

    eventually("everything is sent", spool_is_empty, every=0.5)
    host.run(["systemctl", "stop", UNIT])  # sends the rest
    taken = sum(line.startswith(f"{DB} ") for line in host.journal(UNIT))
    sent = sum(point.samples for point in host.metric(DB).values())
    # One request may have been taken whose answer was lost while the gate changed.
    assert taken <= sent <= taken + 12
    minutes = sorted(host.metric(DB))
    assert (until - since).total_seconds() > 60
    assert all((b - a).total_seconds() == 60 for a, b in pairwise(minutes))
    troubles = [line for line in host.journal(UNIT) if line.startswith("publishing ")]
    assert any("Throttling" in line for line in troubles)
    assert any("publishing works again" in line for line in troubles)
    assert len(troubles) < 15, troubles


def test_it_ends_within_5_seconds_while_cloudwatch_hangs(cloud: Cloud, host: Host) -> None:
    host.install(quick_without_peers)
    eventually("a first sample", lambda: host.metric(DB))
    try:
        cloud.cloudwatch.gate.hang()
        time.sleep(3)
        began = time.monotonic()
        host.run(["systemctl", "stop", UNIT])
        assert time.monotonic() - began < 5 + BUSY_SECONDS
        assert host.property(UNIT, "Result") == "success", "systemd did not end it, after 10 s"
        assert host.shell(f"ls {STATE} | grep -v identity || true") != ""
    finally:
        cloud.cloudwatch.gate.open()
