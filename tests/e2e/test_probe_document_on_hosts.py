"""The synthesized document on hosts with a real systemd: updates, repairs, refusals, removal."""

import base64
import json
import time
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.machine import rootfs
from tests.e2e.machine.container import Container
from tests.e2e.machine.put_metric_data import Metric
from tests.e2e.machine.step_order import Invocation, Status
from tests.e2e.machine.systems_manager import AGENT_FILES, run_document
from tests.e2e.machine.waiting import eventually
from tests.e2e.probed_hosts import (
    BLUE,
    CONFIGURATION,
    DB,
    HOME,
    NAMESPACE,
    STATE,
    UNIT,
    Cloud,
    Host,
    no_peers,
    other_version,
    quick_without_peers,
)
from tests.support import Data, Template, only


def test_a_new_version_replaces_the_previous_and_a_broken_one_does_not(
    host: Host, tmp_path: Path
) -> None:
    host.install(quick_without_peers)
    first, pid = host.shell(f"readlink {HOME}/current"), host.pid

    def broken(agent: Path) -> None:
        with (agent / "agent.py").open("a") as source:
            source.write("\nraise SystemExit('broken')\n")

    (tmp_path / "broken").mkdir()
    failed = host.systems_manager(
        quick_without_peers, document=other_version(tmp_path / "broken", broken)
    )
    assert failed.status is Status.FAILED, failed
    # All that leaves the host without an output location.
    shown = failed.association_summary.splitlines()
    assert shown[1].startswith(
        "The operation Agent failed because resiliency-probe-bookstore: agent "
    )
    assert shown[1].endswith(f" does not run; restored the previous one, {first}: broken")
    assert host.shell(f"readlink {HOME}/current") == first
    assert host.state(UNIT) == "active"

    def newer(agent: Path) -> None:
        source = agent / "agent.py"
        source.write_text(source.read_text().replace('"ready"', '"ready, newer"'))

    (tmp_path / "newer").mkdir()
    updated = host.systems_manager(
        quick_without_peers, document=other_version(tmp_path / "newer", newer)
    )
    assert updated.status is Status.SUCCESS, updated
    assert host.shell(f"readlink {HOME}/current") != first
    assert host.pid != pid
    assert host.exists(f"{HOME}/{first}"), "the previous version is kept"
    eventually(
        "the new one says so",
        lambda: any(line.startswith("ready, newer") for line in host.journal(UNIT)),
    )


def test_a_broken_version_whose_first_run_was_cut_short_does_not_stay(
    host: Host, tmp_path: Path
) -> None:
    host.install(quick_without_peers)
    first, configuration = host.shell(f"readlink {HOME}/current"), host.read(CONFIGURATION)

    def never_ready(agent: Path) -> None:
        source = agent / "agent.py"
        source.write_text(source.read_text().replace('"READY=1", ', ""))

    (tmp_path / "broken").mkdir()
    document = impatient(other_version(tmp_path / "broken", never_ready))
    step = next(step["inputs"] for step in document["mainSteps"] if step["name"] == "Agent")
    seconds, step["timeoutSeconds"] = step["timeoutSeconds"], "8"
    cut_short = host.systems_manager(no_peers, document=document)
    assert cut_short.step("Agent").status is Status.TIMED_OUT, cut_short
    assert host.shell(f"readlink {HOME}/current") != first

    step["timeoutSeconds"] = seconds
    failed = host.systems_manager(no_peers, document=document)
    assert f"restored the previous one, {first}" in str(failed)
    assert host.shell(f"readlink {HOME}/current") == first
    assert host.read(CONFIGURATION) == configuration
    assert host.state(UNIT) == "active"
    host.install(quick_without_peers)
    assert set(host.shell(f"ls -A {HOME}").split()) == {first, "current"}


def impatient(document: Data) -> Data:
    """The document, but the agent has 12 s to start, and 12 to learn its host's name, not 90."""
    text = json.dumps(document)
    for waits, shorter in (("TimeoutStartSec=90", "TimeoutStartSec=12"), ("seq 30", "seq 4")):
        assert waits in text
        text = text.replace(waits, shorter)
    changed: Data = json.loads(text)
    return changed


def test_a_configuration_change_restarts_nothing_and_a_bad_one_is_refused(
    cloud: Cloud, host: Host
) -> None:
    host.install(quick_without_peers)
    pid, former = host.pid, host.read(CONFIGURATION)

    def one_more(configuration: Data) -> None:
        quick_without_peers(configuration)
        configuration["targets"].append(
            {"metric": "mail-connectivity", "check": "tcp", "host": "10.197.0.1", "port": 25}
        )

    def bad(configuration: Data) -> None:
        one_more(configuration)
        configuration["targets"][-1]["port"] = 70_000

    refused = host.systems_manager(bad)
    assert refused.status is Status.FAILED
    assert "targets[2].port: must be a whole number from 1 to 65535, not 70000" in str(refused)
    assert host.read(CONFIGURATION) == former
    assert (host.state(UNIT), host.pid) == ("active", pid)

    host.install(one_more)
    assert host.pid == pid
    points = eventually("the new target", lambda: host.metric("mail-connectivity"))
    assert {point.greatest for point in points.values()} == {0}

    # Somebody edits the file by hand, badly: the agent keeps what it has, the next run mends it.
    host.write(CONFIGURATION, "{")
    host.run(["systemctl", "reload", UNIT])
    eventually(
        "it says so",
        lambda: any("the new configuration is refused" in line for line in host.journal(UNIT)),
    )
    assert host.pid == pid
    host.install(one_more)
    assert (host.state(UNIT), host.pid) == ("active", pid)


def test_a_directory_in_the_place_of_a_file_is_healed_and_uninstalled(host: Host) -> None:
    host.install(quick_without_peers)
    agent, configuration = host.shell(f"readlink {HOME}/current"), host.read(CONFIGURATION)
    places = [f"{HOME}/current", CONFIGURATION, f"/etc/systemd/system/{UNIT}"]
    for place in places:
        host.shell(f"rm {place} && mkdir {place} && touch {place}/a")
    invocation = host.install(quick_without_peers)
    for place in places:
        assert f"removed {place}, a directory at a file's path" in str(invocation)
    assert host.shell(f"readlink {HOME}/current") == agent
    assert host.read(CONFIGURATION) == configuration
    assert f"{HOME}/current" in host.read(f"/proc/{host.pid}/cmdline")

    for place in places:
        host.shell(f"rm {place} && mkdir {place}")
    gone = host.systems_manager(Action="Uninstall")
    assert gone.status is Status.SUCCESS, gone
    assert not [place for place in places if host.exists(place)]


def test_settings_laid_over_the_service_are_removed_and_never_hide_that_the_agent_does_not_run(
    host: Host,
) -> None:
    host.install(quick_without_peers)
    sleep = "[Service]\nType=exec\nExecStart=\nExecStart=/bin/sleep 1000\n"
    both = "systemctl daemon-reload && systemctl restart resiliency-probe-bookstore"
    for folder in ("/etc/systemd/system", "/run/systemd/system"):
        place = f"{folder}/{UNIT}.d"
        host.write(f"{place}/o.conf", sleep)
        host.shell(both)
        assert "sleep" in host.read(f"/proc/{host.pid}/cmdline")
        invocation = host.install(quick_without_peers)
        assert (
            invocation.step("Verdict")
            .stdout.strip()
            .endswith(f" active, restarted; removed {place}, which overrides the unit: o.conf")
        )
        assert not host.exists(place)
        assert f"{HOME}/current" in host.read(f"/proc/{host.pid}/cmdline")

    # Settings of the host's own for every probe stay, as long as they leave the agent running.
    place = "/etc/systemd/system/resiliency-probe-.service.d/host.conf"
    host.write(place, "[Service]\nEnvironment=A=1\n")
    host.shell(both)
    invocation = host.install(quick_without_peers)
    assert invocation.step("Verdict").stdout.strip().endswith(" active, unchanged")
    host.write(place, sleep)
    host.shell(both)
    failed = host.systems_manager(quick_without_peers)
    assert failed.status is Status.FAILED
    assert "of the service is not the agent" in str(failed)


@pytest.mark.parametrize("name", ["$(touch /tmp/owned)", "blue\nInjected: $(touch /tmp/owned)"])
def test_a_poisoned_name_tag_is_refused_and_reaches_no_shell(
    cloud: Cloud, host: Host, name: str
) -> None:
    cloud.metadata.change(host.address, tags={"Name": name})
    invocation = host.systems_manager(quick_without_peers, document=impatient(host.document))
    if name.startswith("$"):  # odd, but a name that CloudWatch takes
        assert invocation.status is Status.SUCCESS
        assert Metric.of("probe-heartbeat", Host=name) in eventually(
            "its metrics", lambda: cloud.cloudwatch.metrics(NAMESPACE), seconds=20
        )
    else:
        assert invocation.status is Status.FAILED
        assert "must be a metric dimension's value" in str(invocation)
    assert not host.exists("/tmp/owned")


def test_an_uninstallation_leaves_nothing_behind(host: Host) -> None:
    def files() -> set[str]:
        kept = f"-path {AGENT_FILES} -o -path /var/log -o -path /tmp -o -path /run"
        find = f"find / -xdev \\( {kept} \\) -prune -o -newer /etc/mark -print"
        return set(host.shell(find).splitlines())

    host.write("/etc/mark", "")
    time.sleep(0.05)
    host.install(quick_without_peers)
    assert any(HOME in path for path in files())
    process = host.pid
    for _ in range(2):
        gone = host.systems_manager(Action="Uninstall")
        assert gone.status is Status.SUCCESS, gone
        assert host.state(UNIT) in ("inactive", "unknown")
        assert not host.exists(f"/proc/{process}")
        left = {path for path in files() if "probe" in path or "bookstore" in path}
        assert left == set()
        for path in ("/opt/resiliency-probe", "/etc/resiliency-probe", STATE):
            assert not host.exists(path)
    assert UNIT not in host.shell("systemctl list-units --all --no-legend --plain")


def bare_parameters() -> dict[str, str]:
    """Parameters for a host on this machine's own network, where there is no cloud."""
    configuration = {
        "service": "bookstore",
        "namespace": NAMESPACE,
        "host": BLUE,
        "region": "us-west-2",
        "endpoint_url": "http://127.0.0.1:9",
        "targets": [{"metric": DB, "check": "tcp", "host": "127.0.0.1", "port": 9}],
    }
    encoded = base64.b64encode(json.dumps(configuration).encode()).decode()
    return {"Service": "bookstore", "Configuration": encoded}


def probes(host: Container) -> bool:
    """Whether the agent of such a host has taken a sample."""
    return any(line.startswith(f"{DB} 127.0.0.1:9 failed") for line in host.journal(UNIT))


def test_boto3_comes_from_the_distribution_where_it_is_missing(template: Template) -> None:
    document = only(template, "AWS::SSM::Document")["Content"]
    # On this machine's own network, from which the package repositories can be reached.
    with Container("bare", recipe=rootfs.DEBIAN_WITHOUT_BOTO3) as bare:
        assert bare.run(["python3", "-c", "import botocore"], check=False).returncode == 1
        invocation = run_document(bare, document, bare_parameters())
        assert invocation.status is Status.SUCCESS, invocation
        assert "with python3-boto3 of the distribution" in invocation.step("Python").stdout
        eventually("it probes", partial(probes, bare))


def test_boto3_comes_from_pypi_where_the_distribution_s_can_t_be_installed(
    template: Template,
) -> None:
    document = only(template, "AWS::SSM::Document")["Content"]

    def installed(host: Container) -> Invocation:
        invocation = run_document(host, document, bare_parameters())
        assert invocation.status is Status.SUCCESS, invocation
        return invocation

    with Container("bare", recipe=rootfs.DEBIAN_WITHOUT_BOTO3) as bare:
        # The package is there, but what it depends on must not be: as in a conflict.
        pin = "Package: python3-botocore\nPin: release *\nPin-Priority: -1\n"
        bare.write("/etc/apt/preferences.d/botocore", pin)
        pip = Path("/etc/pip.conf")  # how this machine reaches PyPI
        if pip.exists():
            bare.write(str(pip), pip.read_text())
        first = installed(bare)
        assert "python3-boto3 of the distribution could not be installed" in str(first)
        assert "with pinned packages from PyPI" in str(first)
        eventually("it probes", partial(probes, bare))
        python = bare.shell(f"echo {HOME}/venv-*/bin/python")
        process = bare.property(UNIT, "MainPID")
        assert bare.read(f"/proc/{process}/cmdline").startswith(python)

        assert installed(bare).step("Verdict").stdout.strip().endswith(" active, unchanged")
        assert bare.property(UNIT, "MainPID") == process

        bare.shell(f"rm -r {HOME}/venv-*/lib/python3*/site-packages/botocore")
        assert "with pinned packages from PyPI" in str(installed(bare))
        assert bare.property(UNIT, "MainPID") not in ("0", process)
        assert bare.shell(f"ls -A {HOME} | wc -l") == "3", "current, agent, environment"

        gone = run_document(bare, document, {**bare_parameters(), "Action": "Uninstall"})
        assert gone.status is Status.SUCCESS, gone
        for path in ("/opt/resiliency-probe", "/etc/resiliency-probe", STATE):
            assert not bare.exists(path)
