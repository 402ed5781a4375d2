"""`resiliency review`: its output in each form, and its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from resiliency import cli
from resiliency.commands.review import LEVELS
from resiliency.review.findings import Level
from tests.resiliency.conftest import Resiliency
from tests.resiliency.review.describe_change_set import described
from tests.resiliency.review.stacks import alarm, pair, resource, reviewed, stack


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(folder: str, resources: Any, file: str = "site.template.json") -> str:
    """A folder of one template, as ``cdk synth`` names it."""
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / file).write_text(json.dumps({"Resources": resources}))
    return folder


def test_two_folders_that_are_equal_have_no_findings(resiliency: Resiliency) -> None:
    before, after = write("before", {"A": alarm()}), write("after", {"A": alarm()})
    done = resiliency("review", before, after, "--fail-on", "note")
    assert done.out == "no findings; resources: no changes\n"


@pytest.mark.parametrize(
    ("after", "level", "status"),
    [
        ({}, "danger", 1),
        ({**pair(), "A": alarm("a", TreatMissingData="ignore")}, "danger", 0),
        ({**pair(), "A": resource("KMS::Key")}, "warning", 0),
        ({**pair(), "A": resource("KMS::Key")}, "note", 1),
    ],
)
def test_the_exit_status_is_that_of_the_level_asked_for(
    after: Any, level: str, status: int
) -> None:
    after = after or {"Key": resource("KMS::Key")}
    arguments = [write("before", pair()), write("after", after)]
    assert cli.main(["review", *arguments, "--fail-on", level]) == status


def test_text_fits_in_60_columns_without_colour(
    resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    write("before", pair())
    write("after", {"Alarm": alarm("a-name-of-an-alarm-that-is-longer-than-the-line-" + "x" * 40)})
    printed = resiliency("review", "before", "after", status=1).out
    assert "\x1b" not in printed
    long = [each for each in printed.splitlines() if len(each) > 60]
    assert all("a-name-of-an-alarm" in each and " " not in each.strip() for each in long)
    assert printed.startswith(
        "Clients: names without an answer, and clients sent elsewhere\n"
        "  site\n"
        "    danger  site.example.com A has no answer any more in\n"
        "            zone Z1\n"
        "            → keep the old name alive, for example as an\n"
        "            alias of the new one\n"
        "\n"
    )


def test_names_in_templates_cant_write_to_the_terminal_or_into_the_comment(
    resiliency: Resiliency,
) -> None:
    write("before", {"Key": resource("KMS::Key")})
    hostile = "\x1b[2J| <img src=x> [a](http://b) @team `x`"
    write("after", {"Key": resource("KMS::Key"), "A": resource("SNS::Topic", TopicName=hostile)})
    assert "\x1b" not in resiliency("review", "before", "after").out
    printed = resiliency("review", "before", "after", "--markdown").out
    assert "\x1b" not in printed
    (line,) = [each for each in printed.splitlines() if "add Topic" in each]
    assert line == (
        "- **note** **site:** add Topic \\\\x1b\\[2J\\| \\<img src=x\\> \\[a\\](http://b) "
        "@\u200bteam \\`x\\`"
    )


def test_markdown_is_a_comment_for_a_pull_request(resiliency: Resiliency) -> None:
    write("before", pair())
    write("after", {"Key": resource("KMS::Key")})
    done = resiliency("review", "before", "after", "--markdown", status=1)
    assert done.out.startswith(
        "## What this change does\n\n"
        "1 danger, 1 warning, 3 notes; resources: 4 remove, 1 add\n\n"
        "### Clients: names without an answer, and clients sent elsewhere\n\n"
        "- **danger** **site:** site.example.com A has no answer any more in zone Z1  \n"
        "  → keep the old name alive, for example as an alias of the new one\n"
    )


def test_json_has_findings_and_changes(resiliency: Resiliency) -> None:
    write("before", {"A": alarm("a")})
    write("after", {"A": alarm("a", Threshold=2)})
    done = resiliency("review", "before", "after", "--json")
    assert json.loads(done.out) == {
        "findings": [
            {
                "level": "note",
                "topic": "rest",
                "stack": "site",
                "text": "modify Alarm a (Threshold)",
                "advice": "",
                "resources": ["A"],
            }
        ],
        "changes": [
            {
                "stack": "site",
                "logical_id": "A",
                "type": "AWS::CloudWatch::Alarm",
                "action": "modify",
                "properties": ["Threshold"],
            }
        ],
        "failover_times": [],
    }


def test_json_has_failover_times() -> None:
    times = reviewed(pair(), pair(TTL="10")).to_json()["failover_times"]
    assert isinstance(times, list)
    medians = {each["fault"]: each["difference"]["median"] for each in times}
    assert medians["dependency blackholed"] < 0


def test_a_change_set_needs_the_templates_after_it_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, after = stack({"A": alarm("a")}), stack({"A": alarm("b")})
    Path("review.json").write_text(json.dumps(described(before, after)))
    write("after", {"A": alarm("b")})
    status = cli.main(["review", "after", "--change-set", "review.json", "--fail-on", "warning"])
    assert (status, "Alarm a → b is replaced" in capsys.readouterr().out) == (1, True)


def test_yaml_and_single_templates_are_read(resiliency: Resiliency) -> None:
    Path("before.yaml").write_text("Resources:\n  Key: { Type: AWS::KMS::Key }\n")
    Path("more").mkdir()
    Path("more/before.yml").write_text("Resources:\n  Other: { Type: AWS::KMS::Key }\n")
    assert "add Key Other" in resiliency("review", "before.yaml", "more").out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["after"], 2, "resiliency review: 1 given; give two folders, before and after"),
        (
            ["after", "after", "--deployed"],
            2,
            "resiliency review: 2 given; give one folder, the one after",
        ),
        (
            ["after", "after", "--profile", "ops"],
            2,
            "--profile: applies only with --deployed; give both",
        ),
        (["none", "after"], 2, "none: does not exist; give a folder that `npx cdk synth` wrote"),
        (["empty", "after"], 2, "empty: holds no templates; give a folder that `npx cdk synth`"),
        (["broken.json", "after"], 3, "broken.json: is neither JSON nor YAML"),
        (["other.json", "after"], 3, "other: is no template: it has no Resources"),
        (["listed.json", "after"], 3, "listed: Resources: is no object of objects"),
        (["wrong.json", "after"], 3, "wrong: A: Properties: is no object"),
        (["typeless.json", "after"], 3, "typeless: A: Type: is no text; a resource has a type"),
        (["after", "--change-set", "none.json"], 3, "none.json: can't be read"),
    ],
)
def test_what_cant_be_asked_is_one_line(
    arguments: list[str], status: int, message: str, resiliency: Resiliency
) -> None:
    write("after", {"Key": resource("KMS::Key")})
    Path("empty").mkdir()
    Path("broken.json").write_text("{")
    Path("other.json").write_text("{}")
    Path("wrong.json").write_text('{"Resources": {"A": {"Type": "X", "Properties": [1]}}}')
    Path("typeless.json").write_text('{"Resources": {"A": {"Type": ["X"]}}}')
    Path("listed.json").write_text('{"Resources": []}')
    printed = resiliency("review", *arguments, status=status)
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert printed.err.count("\n") == 1


def test_templates_of_another_form_give_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    strange = {
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Dimensions": 1}},
        "C": {"Type": "AWS::SSM::Association", "Properties": {"Targets": [1], "Parameters": 2}},
        "D": {"Type": "AWS::Route53::RecordSetGroup", "Properties": {"RecordSets": [3]}},
        "E": {"Type": "AWS::IAM::Role", "Properties": {"Policies": {"Statement": [None]}}},
        "F": {"Type": "AWS::Scheduler::Schedule", "Properties": {"Target": 1}},
        "G": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": 3}},
        "H": {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [3, "a"], "TopicName": 5}},
        "I": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": {"StopConditions": [1]}},
        "J": {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": 1}},
        "K": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": {"Action": 1}}}},
    }
    write("before", {"Z": resource("KMS::Key")})
    write("after", strange)
    for sides in (["before", "after"], ["after", "before"], ["after", "after"]):
        assert cli.main(["review", *sides]) in (0, 1)
        assert "Traceback" not in capsys.readouterr().err


def test_the_levels_of_the_command_are_those_of_findings() -> None:
    assert tuple(each.value for each in Level) == LEVELS
