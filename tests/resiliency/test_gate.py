"""`resiliency gate`: when a pipeline goes on, and when it stops."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resiliency import junit
from resiliency.drill_cli.aws import GATE_NEEDS, NEEDS, action
from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime.plan import Plan
from tests import journals
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.command import NOW, CommandAccount, bookstore, phase_record
from tests.fake_aws.simulation import ApiError
from tests.iam_findings import actions_of
from tests.resiliency.conftest import Printed, Resiliency
from tests.resiliency.drill_cli.conftest import enter
from tests.support import ROOT

DAY = 86_400.0
STACK = "bookstore-production-failover"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CommandAccount]:
    """The account with the example's drills, both with faults; the shutdown passed 3 days ago."""
    with bookstore() as found:
        enter(monkeypatch, found)
        monkeypatch.chdir(tmp_path)
        # moto's state machines have no update that is quick: the dry run is replaced.
        assert found.resources is not None
        dry = ("AWS::StepFunctions::StateMachine", found.machines["db-blackhole"])
        found.resources.remove(dry)
        passed(found, "shutdown", 3.5)
        yield found


@pytest.fixture
def gate(resiliency: Resiliency) -> Resiliency:
    """The command, with the service and its environment filled in."""

    def run(*words: str | Path, status: int = 0) -> Printed:
        given = ("bookstore", "production", "--region", "us-west-2", *words)
        return resiliency("gate", *given, status=status)

    return run


def passed(account: CommandAccount, drill: str, days_ago: float, name: str = "run-0") -> None:
    script = replace(journals.STOPPED, experiment=drill, kind="drill")
    account.record(journals.run_of(script, injected_at=NOW - days_ago * DAY), name)


def failed(account: CommandAccount, drill: str, days_ago: float, name: str = "run-1") -> None:
    script = replace(journals.LATE, experiment=drill, kind="drill")
    account.record(journals.run_of(script, injected_at=NOW - days_ago * DAY), name)


def checks(out: str) -> dict[str, Any]:
    """The checks of the command's JSON, by name."""
    return {each["name"]: each for each in json.loads(out)["checks"]}


def test_the_gate_opens_where_every_drill_passed_lately_and_nothing_runs(
    made: CommandAccount, gate: Resiliency
) -> None:
    out = gate().out
    assert out.splitlines()[-1] == "go on: all 3 checks of bookstore in production passed"
    assert "after the last change, on 2026-09-04" in " ".join(out.split())


def test_a_pass_counts_for_whole_days_of_freshness(made: CommandAccount, gate: Resiliency) -> None:
    gate("--freshness", "3", status=0)
    out = gate("--freshness", "2", status=1).out
    assert "it passed 3 d ago" in out
    assert out.splitlines()[-1] == "stop: 1 of 3 checks of bookstore in production did not pass"


@cases(("days", "status"), {"35 days": (35.5, 0), "36 days": (36.5, 1)})
def test_a_pass_counts_35_days_by_default(
    days: float, status: int, made: CommandAccount, gate: Resiliency
) -> None:
    passed(made, "shutdown", days)
    gate(status=status)


@cases(
    "changed",
    {
        "an alarm of the failover stack": plans.STATUS_ALARM,
        "the drill's template": plans.TEMPLATE,
        "the probe's association": "association",
        "the CloudWatch agent's association": "agents-association",
    },
)
def test_a_pass_on_an_earlier_deployment_does_not_count_unless_asked(
    changed: str, made: CommandAccount, gate: Resiliency
) -> None:
    assert made.resources is not None
    made.resources.append(("AWS::FIS::ExperimentTemplate", plans.TEMPLATE))
    made.stacks["bookstore-production-probe"] = [("AWS::SSM::Association", "association")]
    made.stacks["bookstore-production-cloudwatch-agent"] = [
        ("AWS::SSM::Association", "agents-association")
    ]
    gate(status=0)
    made.changed[changed] = NOW - 2 * DAY
    out = " ".join(gate(status=1).out.split())
    assert "it passed on 2026-10-31" in out
    assert f"before {changed} of bookstore-production-" in out
    assert "was changed on 2026-11-01 19:30:00 UTC" in out
    gate("--any-deployment", status=0)


@cases(
    "changed",
    {
        "the dashboard": "bookstore-production",
        "the template of another drill": plans.OTHER_TEMPLATE,
    },
)
def test_a_change_that_no_failover_depends_on_leaves_the_pass_valid(
    changed: str, made: CommandAccount, gate: Resiliency
) -> None:
    assert made.resources is not None
    made.resources.append(("AWS::FIS::ExperimentTemplate", plans.OTHER_TEMPLATE))
    made.changed[changed] = NOW - DAY
    gate(status=0)


def test_a_run_that_began_before_a_change_and_ended_after_it_does_not_count(
    made: CommandAccount, gate: Resiliency
) -> None:
    made.changed[plans.STATUS_ALARM] = NOW - 3.5 * DAY + 100
    gate(status=1)


def test_a_failure_since_the_pass_stops(made: CommandAccount, gate: Resiliency) -> None:
    failed(made, "shutdown", 1)
    found = checks(gate("--json", status=1).out)["drill shutdown"]
    assert found["status"] == "failed"
    assert found["message"].startswith("its last run failed, on 2026-11-02")


def test_an_aborted_run_since_the_pass_changes_nothing(
    made: CommandAccount, gate: Resiliency
) -> None:
    aborted = dict(journals.aborted_run(began_at=NOW - DAY), experiment="shutdown")
    made.record(aborted, "run-1")
    gate(status=0)


def test_a_drill_that_never_passed_a_dry_run_and_an_unreadable_run_stop(
    made: CommandAccount, gate: Resiliency
) -> None:
    assert made.resources is not None
    dry = ("AWS::StepFunctions::StateMachine", made.machines["db-blackhole"])
    made.resources.append(dry)
    made.deploy(plans.STANDBY_SHUTDOWN)
    made.put("journals/shutdown/run-1.json", "{")
    found = checks(gate("--json", status=1).out)
    assert found["drill db-blackhole"]["status"] == "dry run"
    assert found["drill standby-shutdown"]["message"] == "it has never passed"
    assert "can't be read" in found["drill shutdown"]["message"]


def test_a_drill_that_runs_stops(made: CommandAccount, gate: Resiliency) -> None:
    run = made.begin("shutdown", "run-9")
    assert checks(gate("--json", status=1).out)["no drill runs"]["message"] == f"running: {run.arn}"


def test_a_drill_of_another_service_on_the_same_instance_stops_until_its_fault_is_over(
    made: CommandAccount, gate: Resiliency
) -> None:
    other: Plan = replace(plans.SHUTDOWN, service="other")
    assert lock.take(other, "arn:of-the-other", made.context) == ""
    message = checks(gate("--json", status=1).out)["no drill runs"]["message"]
    assert message == "running: arn:of-the-other"
    # Another drill must wait some minutes more, a swap need not.
    lock.release(other.instances, "arn:of-the-other", made.service.now + 900, made.context)
    gate(status=0)
    lock.take(other, "arn:of-the-other", made.context)


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]
)
def test_a_stack_that_is_being_changed_stops(
    status: str, made: CommandAccount, gate: Resiliency
) -> None:
    made.stack_status[STACK] = status
    message = checks(gate("--json", status=1).out)["no deployment runs"]["message"]
    assert message == f"{STACK} is in {status}"


def test_run_starts_a_drill_and_passes_with_its_verdict(
    made: CommandAccount, gate: Resiliency
) -> None:
    def end() -> None:
        name = made.runs[-1].arn.rsplit(":", 1)[1]
        passed(made, "shutdown", 0, name)
        made.runs[-1].end("SUCCEEDED", made.service.now)

    made.service.after(30, end)
    made.changed[plans.STATUS_ALARM] = NOW
    printed = gate("--run", "shutdown", "--json")
    assert checks(printed.out)["drill shutdown"]["status"] == "passed"
    assert "Started arn:aws:states" in printed.err


def test_run_of_a_drill_that_is_aborted_stops_with_its_reason(
    made: CommandAccount, gate: Resiliency
) -> None:
    def end() -> None:
        name = made.runs[-1].arn.rsplit(":", 1)[1]
        made.record({**journals.aborted_run(began_at=NOW), "experiment": "shutdown"}, name)
        made.runs[-1].end("SUCCEEDED", made.service.now)

    made.service.after(30, end)
    done = gate("--run", "shutdown", "--json", "--junit", "junit.xml", status=1)
    found = checks(done.out)["drill shutdown"]
    assert found["status"] == "aborted"
    assert "is already in ALARM" in found["message"]
    assert found["mend"] == "resiliency drill report bookstore production shutdown shows its runs"


def test_ctrl_c_while_a_drill_runs_leaves_it_and_says_how_to_stop_it(
    made: CommandAccount, gate: Resiliency
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    made.service.after(5, interrupt)
    printed = gate("--run", "shutdown", status=3)
    assert "aws stepfunctions stop-execution" in printed.out
    assert printed.err == "gate: interrupted before all checks were made\n"


def test_run_of_a_dry_run_stops(made: CommandAccount, gate: Resiliency) -> None:
    def end() -> None:
        name = made.runs[-1].arn.rsplit(":", 1)[1]
        verdict = {"status": "dry run", "message": "Nothing was injected.", "judgements": []}
        run = {**journals.aborted_run(began_at=NOW), "experiment": "shutdown", "verdict": verdict}
        made.record(run, name)
        made.runs[-1].end("SUCCEEDED", made.service.now)

    made.service.after(30, end)
    found = checks(gate("--run", "shutdown", "--json", status=1).out)["drill shutdown"]
    assert (found["status"], found["message"]) == ("dry run", "Nothing was injected.")
    assert found["mend"].startswith("set `enabled: true`")


def test_run_starts_nothing_while_a_deployment_runs(made: CommandAccount, gate: Resiliency) -> None:
    made.stack_status[STACK] = "UPDATE_IN_PROGRESS"
    gate("--run", "shutdown", status=1)
    assert made.runs == []


def test_each_kind_of_error_has_its_exit_status(made: CommandAccount, gate: Resiliency) -> None:
    assert "did you mean shutdown?" in gate("--run", "shutdwon", status=2).err
    for words in (["--freshness", "0"], ["--run", "shutdown", "--rehearse"]):
        gate(*words, status=2)
    made.refuse("cloudformation", "DescribeStacks", ApiError("AccessDenied"))
    assert "may not cloudformation:DescribeStacks" in gate("--junit", "junit.xml", status=3).err
    assert ET.parse("junit.xml").find(".//error") is not None
    made.refuse("s3", "ListObjectsV2", KeyboardInterrupt())
    made.answers.pop(("cloudformation", "DescribeStacks"))
    made.answers[("cloudformation", "DescribeStacks")] = made.describe_stacks
    assert gate(status=3).err == "gate: interrupted before all checks were made\n"
    del made.answers["s3", "ListObjectsV2"]
    done = gate("--junit", "no-folder/junit.xml", status=3)
    assert done.err == "no-folder/junit.xml: can't be written (No such file or directory)\n"
    del made.stacks[STACK]
    assert "does not exist" in gate(status=3).err


def test_it_fits_into_sixty_columns_without_colours(
    made: CommandAccount, gate: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = gate("--freshness", "1", status=1).out
    assert "\x1b" not in out
    lines = out.splitlines()[:-1]
    assert max(len(each) for each in lines if not each.startswith("-> ")) <= 60


def test_only_what_the_policy_allows_is_called(made: CommandAccount, gate: Resiliency) -> None:
    gate(status=0)
    assert set(made.calls) == set(GATE_NEEDS)
    made.calls.clear()

    def end() -> None:
        name = made.runs[-1].arn.rsplit(":", 1)[1]
        made.put(f"runs/shutdown/{name}/phases/1.json", phase_record("Preflight", NOW, []))
        passed(made, "shutdown", 0, name)
        made.runs[-1].end("SUCCEEDED", made.service.now)

    made.service.after(30, end)
    gate("--run", "shutdown")
    assert set(made.calls) <= {*GATE_NEEDS, *NEEDS["start"]}
    identity = ("sts", "GetCallerIdentity")
    reads = {action(*each) for each in GATE_NEEDS if each != identity}
    assert actions_of("gate.json") == reads
    starts = {action(*each) for each in NEEDS["start"] if each != identity}
    assert actions_of("gate.json", "gate-run.json") == reads | starts


def test_junit_counts_and_escapes(made: CommandAccount, gate: Resiliency) -> None:
    failed(made, "shutdown", 1)
    gate("--junit", "junit.xml", status=1)
    (suite,) = ET.parse("junit.xml").getroot()
    assert suite.attrib["tests"] == "3"
    assert suite.attrib["failures"] == "1"
    text = junit.document("s", [junit.Case("<&>", failure="\x00 ]]> \ud800")], 1).decode()
    case = ET.fromstring(text).find(".//testcase")
    assert case is not None
    assert case.attrib["name"] == "<&>"


def test_the_document_shows_the_commands_own_output(
    made: CommandAccount, gate: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.deploy(plans.STANDBY_SHUTDOWN)
    passed(made, "standby-shutdown", 3.5)
    passed(made, "shutdown", 1.0, "run-2")
    made.changed[plans.STATUS_ALARM] = NOW - 2 * DAY
    monkeypatch.setenv("COLUMNS", "96")
    out = "\n".join(each.rstrip() for each in gate(status=1).out.splitlines())
    document = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
    assert f"```\n{out}\n```" in document, out
