"""The document of the CloudWatch agent, run by a shell beside a stand-in for the agent."""

import json
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency import CloudWatchAgentConfiguration, ProcessesByCommand, ProcessesByName
from staged_resiliency.probe.cloudwatch_document import document_content
from tests.cases import cases
from tests.e2e.machine.command_document import resolved
from tests.staged_resiliency.probe import cloudwatch_agent
from tests.staged_resiliency.probe.cloudwatch_agent import ConflictError, merged
from tests.support import Data

pytestmark = pytest.mark.slow

EVERYTHING = CloudWatchAgentConfiguration(
    memory=True,
    disks=["/", "/var/lib"],
    processes=[ProcessesByName("java"), ProcessesByCommand("celery worker")],
)


@dataclass
class Host:
    """A directory in which the stand-in is the agent, and runs of the document's script there."""

    home: Path
    name: str = "AmazonCloudWatch-shop"

    def __post_init__(self) -> None:
        self.folder = self.home / "etc/amazon-cloudwatch-agent.d"
        for each in (self.folder, self.home / "bin", self.home / "store"):
            each.mkdir(parents=True)
        source = Path(cloudwatch_agent.__file__).read_text(encoding="utf-8")
        self.program("bin/amazon-cloudwatch-agent-ctl", f"#!{sys.executable} -ISB\n{source}")
        running = self.home / "running"
        self.program("systemctl", f'#!/bin/sh\n[ "$1" = is-active ] && [ -f {running} ]\n')
        self.store(EVERYTHING)

    def program(self, name: str, text: str) -> None:
        (self.home / name).write_text(text, encoding="utf-8")
        (self.home / name).chmod(0o755)

    def store(self, configuration: CloudWatchAgentConfiguration) -> None:
        """Deploy a configuration: its parameter, and the digest of the next run."""
        (self.home / "store" / self.name).write_text(configuration.rendered(), encoding="utf-8")
        self.digest = configuration.digest

    def has(self, name: str, configuration: Data) -> None:
        """Give the agent a configuration of the team."""
        (self.folder / name).write_text(json.dumps(configuration, indent=2), encoding="utf-8")

    def run(self, state: Any = "present") -> subprocess.CompletedProcess[str]:
        digest = {"Digest": self.digest} if state == "present" else {}
        step = resolved_shell(state, {"Parameter": self.name, **digest})
        script = step.replace("/opt/aws/amazon-cloudwatch-agent", str(self.home)).replace(
            "PATH=/usr/sbin", f"PATH={self.home}:/usr/sbin"
        )
        return subprocess.run(
            ["sh"], input=script, capture_output=True, text=True, check=False, cwd=self.home
        )

    @property
    def running(self) -> Data | None:
        """The configuration with which the agent runs; None where it does not."""
        file = self.home / "running"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

    @property
    def calls(self) -> int:
        file = self.home / "calls"
        return len(file.read_text(encoding="utf-8").splitlines()) if file.exists() else 0


def resolved_shell(state: Any, given: Data) -> str:
    """The script of the document's last step, which is the one that a shell runs."""
    content = dict(document_content(state))
    (step,) = resolved({**content, "mainSteps": content["mainSteps"][-1:]}, given)
    return step.script


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "agent")


LOGS: Data = {
    "logs": {"logs_collected": {"files": {"collect_list": [{"file_path": "/var/log/shop.log"}]}}}
}
BY_INSTANCE: Data = {"append_dimensions": {"InstanceId": "${aws:InstanceId}"}}


def metrics(**more: Any) -> Data:
    return {"metrics": {"metrics_collected": {"cpu": {"measurement": ["usage_idle"]}}, **more}}


def test_a_new_agent_runs_with_the_configuration(host: Host) -> None:
    done = host.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{host.name}: added\n", "")
    assert host.running == json.loads(EVERYTHING.rendered())


def test_an_agent_that_has_the_configuration_is_not_restarted(host: Host) -> None:
    host.run()
    calls = host.calls
    done = host.run()
    assert (done.returncode, done.stdout) == (0, f"{host.name}: unchanged\n")
    assert host.calls == calls


def test_an_agent_that_stopped_is_started(host: Host) -> None:
    host.run()
    (host.home / "running").unlink()
    assert host.run().returncode == 0
    assert host.running is not None


def test_a_changed_configuration_takes_the_place_of_the_former(host: Host) -> None:
    host.run()
    host.store(CloudWatchAgentConfiguration(memory=True))
    assert host.run().returncode == 0
    assert host.running is not None
    assert set(host.running["metrics"]["metrics_collected"]) == {"mem"}


@pytest.mark.parametrize("others", [LOGS, metrics(**BY_INSTANCE)])
def test_configurations_of_others_stay_as_they_are(host: Host, others: Data) -> None:
    host.has("file_shop.json", others)
    assert host.run().returncode == 0
    assert host.running == merged([others, json.loads(EVERYTHING.rendered())])
    before = (host.folder / "file_shop.json").read_text(encoding="utf-8")
    assert json.loads(before) == others


IMAGE = {"ImageId": "${aws:ImageId}"}


@pytest.mark.parametrize(
    "others",
    [
        metrics(),
        metrics(append_dimensions=IMAGE),
        metrics(append_dimensions={**BY_INSTANCE["append_dimensions"], **IMAGE}),
        cloudwatch_agent.DEFAULT,
    ],
)
@pytest.mark.parametrize(
    "file", ["etc/amazon-cloudwatch-agent.d/default", "etc/amazon-cloudwatch-agent.json"]
)
def test_metrics_with_other_dimensions_are_not_touched(host: Host, others: Data, file: str) -> None:
    (host.home / file).write_text(json.dumps(others), encoding="utf-8")
    done = host.run()
    assert done.returncode == 1
    assert done.stderr == (
        f"{host.home}/{file} has metrics, and not append_dimensions with InstanceId alone: "
        "dimensions of metrics would change, so nothing was changed\n"
    )
    assert host.calls == 0


@cases(
    ("others", "where"),
    {
        "namespace": (metrics(**BY_INSTANCE, namespace="Shop"), "metrics/namespace"),
        "measurement": (
            metrics(**BY_INSTANCE, metrics_collected={"mem": {"measurement": ["total"]}}),
            "metrics/metrics_collected/mem",
        ),
    },
)
def test_what_the_agent_refuses_to_merge_leaves_it_as_it_was(
    host: Host, others: Data, where: str
) -> None:
    host.has("file_shop.json", others)
    done = host.run()
    name = where.rpartition("/")[2]
    assert done.returncode == 1
    assert done.stderr == (
        f"The agent refused {host.name} and keeps what it had: Under path : /{where} | Error : "
        f"Different values are specified for {name}\n"
    )
    assert [each.name for each in host.folder.iterdir()] == ["file_shop.json"]
    with pytest.raises(ConflictError):
        merged([others, json.loads(EVERYTHING.rendered())])


def test_a_parameter_with_other_content_than_the_deployed_one_fails(host: Host) -> None:
    host.digest = sha256(b"other").hexdigest()
    done = host.run()
    assert (done.returncode, done.stderr) == (
        1,
        f"{host.name} does not have the content that was deployed; run this again\n",
    )


def test_a_missing_parameter_fails_with_the_agents_reason(host: Host) -> None:
    (host.home / "store" / host.name).unlink()
    done = host.run()
    assert done.returncode == 1
    assert "No such file" in done.stdout
    assert done.stderr == (
        f"The agent refused {host.name} and keeps what it had: [Errno 2] No such file or "
        f"directory: '{host.home}/store/{host.name}'\n"
    )


def test_an_agent_without_another_configuration_stops_when_this_one_goes(host: Host) -> None:
    host.run()
    done = host.run("absent")
    assert (done.returncode, done.stdout) == (0, f"{host.name}: removed\n")
    assert host.running is None
    assert host.run("absent").stdout == f"{host.name}: not there\n"


def test_an_agent_with_another_configuration_goes_on_with_that(host: Host) -> None:
    host.has("file_shop.json", LOGS)
    host.run()
    assert host.run("absent").returncode == 0
    assert host.running == LOGS


@pytest.mark.parametrize(("state", "more"), [("present", {"Digest": "a" * 64}), ("absent", {})])
def test_shellcheck_has_nothing_to_say(state: str, more: Data) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [shellcheck, "--shell=sh", "--exclude=SC2016,SC2034", "-"],
        input=resolved_shell(state, {"Parameter": "AmazonCloudWatch-shop", **more}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
