"""Templates are found in files and folders, and verdicts are shown to people and programs."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from resiliency.errors import UserError
from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.graph import Metric
from resiliency.failover_model.report import print_timing, timing_json
from resiliency.failover_model.simulation import Verdict, failover_times
from resiliency.failover_model.template_files import read_templates
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import (
    all_of,
    graph_of,
    hand_written,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)

YAML = """
Resources:
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub "${Service}-status"
      Namespace: AWS/EC2
      MetricName: StatusCheckFailed
      Dimensions: [{ Name: InstanceId, Value: !Ref Instance }]
      Statistic: Maximum
      ComparisonOperator: GreaterThanOrEqualToThreshold
      Threshold: 1
      Period: 60
      EvaluationPeriods: 1
  Check:
    Type: AWS::Route53::HealthCheck
    Properties:
      HealthCheckConfig:
        Type: CLOUDWATCH_METRIC
        AlarmIdentifier: { Name: !Join ["-", [!Ref Service, status]], Region: eu-west-1 }
        InsufficientDataHealthStatus: Unhealthy
  Records:
    Type: AWS::Route53::RecordSetGroup
    Properties:
      HostedZoneName: example.com.
      RecordSets:
        - { Name: shop.example.com, Type: A, TTL: 60, SetIdentifier: a, Failover: PRIMARY,
            HealthCheckId: !GetAtt Check.HealthCheckId, ResourceRecords: [192.0.2.1] }
        - { Name: shop.example.com, Type: A, TTL: 60, SetIdentifier: b, Failover: SECONDARY,
            ResourceRecords: [!ImportValue { "Fn::Sub": "${Service}-green" }] }
Outputs:
  Green: { Value: 192.0.2.2, Export: { Name: !Sub "${Service}-green" } }
"""


def test_yaml_with_short_forms_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(YAML, encoding="utf-8")
    (pair,) = read_graph(read_templates([file])).pairs
    assert pair.secondary.values == ("192.0.2.2",)
    assert pair.primary.health_check is not None


def test_json_is_read_whatever_the_files_name(tmp_path: Path) -> None:
    file = tmp_path / "site.template"
    file.write_text(json.dumps(hand_written()), encoding="utf-8")
    assert len(read_graph(read_templates([file])).pairs) == 1


def test_a_folder_is_what_cdk_synth_wrote(tmp_path: Path) -> None:
    (tmp_path / "site.json").write_text(json.dumps(hand_written()), encoding="utf-8")
    artifact = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "site.json"}}
    manifest = {"artifacts": {"site": artifact}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert list(read_templates([tmp_path])) == ["site"]


def test_a_folder_without_an_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run `npx cdk synth` first"):
        read_templates([tmp_path])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no template: it is not an object"),
        (b"just words", "is no template: it is not an object"),
        (b"[1, 2]", "is no template: it is not an object"),
        (b'{"Resources": ', "is neither JSON nor YAML (Expecting value"),
        (b"a: [1", "is neither JSON nor YAML (while parsing"),
        (b"a: !!python/object:os.system 1", "is neither JSON nor YAML (could not determine"),
        (b"\xff\xfe\x00", "can't be read ("),
        (b'{"a":' * 100_000, "is neither JSON nor YAML ("),
    ],
    ids=["empty", "words", "list", "half", "bad YAML", "code", "bytes", "deep"],
)
def test_a_file_that_is_no_template_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_bytes(content)
    with pytest.raises(TemplateError, match=re.escape(f"{file}: ") + ".*" + re.escape(message)):
        read_graph(read_templates([file]))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"gone\.yaml: is not there"):
        read_templates([tmp_path / "gone.yaml"])


def verdicts() -> list[Verdict]:
    db = probe_alarm("db-connectivity")
    check = all_of(unhealthy(status_alarm()), healthy(peer_alarm()))
    return [
        *failover_times(graph_of(pair_of(check), db), outages=10),
        *failover_times(graph_of(pair_of(unhealthy(db), ttl_seconds=10), db), outages=10),
    ]


def printed(shown: Sequence[Verdict]) -> str:
    """What people see, as one line."""
    file = StringIO()
    print_timing(shown, Assumptions(), Console(file=file, width=140))
    return " ".join(file.getvalue().split())


@pytest.mark.parametrize(
    "text",
    [
        "shop.example.com A, TTL 60 s",
        "shop.example.com A, TTL 10 s",
        "(best and worst of 10 outages per fault)",
        "host stopped",
        "never dependency blackholed: db: clients stay, as only shop-blue-db-connectivity-failed",
        "stays probe dead: clients stay",
        "moves probe dead: clients are moved though they were served",
        "assumed: a request every",
        "Clients are those whose resolvers honor the TTL",
        "message an alarm on HealthCheckStatus fires after: host stopped ",
    ],
)
def test_the_report_has_this_text(text: str) -> None:
    assert text in printed(verdicts())


def test_a_move_of_some_outages_only_is_printed() -> None:
    some = replace(verdicts()[0], moved=4)
    assert "(only 40% of outages)" in printed([some])


def test_programs_get_every_number_and_what_it_rests_on() -> None:
    told = json.loads(json.dumps(timing_json(verdicts(), Assumptions(), seed=0)))
    assert told["seed"] == 0
    assert told["assumptions"]["checkers"]["assumed"] is True
    first = told["verdicts"][0]
    assert (first["fault"], first["ttl_seconds"], first["moved"]) == ("host stopped", 60, 10)
    assert first["total"]["best"] <= first["total"]["p95"] <= first["total"]["worst"]
    assert set(first["parts"]) == {"detect", "decide", "propagate", "cache"}
    never = next(each for each in told["verdicts"] if each["never"])
    assert (never["total"], never["parts"], never["moved"]) == (None, {}, 0)


def test_a_bare_equals_sign_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources: {A: {Type: x, Properties: {Sign: =}}}", encoding="utf-8")
    template = read_templates([file])[str(file)]
    assert template["Resources"]["A"]["Properties"] == {"Sign": "="}


def test_a_target_whose_health_is_left_out_is_named() -> None:
    pair = pair_of(unhealthy(status_alarm()))
    alias = replace(pair, primary=replace(pair.primary, evaluates_target=True))
    found = failover_times(graph_of(alias), outages=10)
    assert (
        "left out shop.example.com A: EvaluateTargetHealth of the primary's alias is left out, as "
        "the templates do not describe its target; it may move clients sooner"
    ) in printed(found)
    told = timing_json(found, Assumptions(), seed=0)
    assert {tuple(each["left_out"]) for each in told["verdicts"]} == {("EvaluateTargetHealth",)}


def test_a_pair_that_only_its_targets_health_decides_is_unknown_not_never() -> None:
    pair = pair_of(None)
    alias = replace(pair, primary=replace(pair.primary, evaluates_target=True))
    found = failover_times(graph_of(alias), outages=10)
    told = printed(found)
    assert "unknown host stopped: not known, as EvaluateTargetHealth of" in told
    assert "never" not in told


def test_a_pair_that_a_metric_of_somebody_else_decides_is_unknown_not_never() -> None:
    orders = replace(status_alarm(), metric=Metric("Shop", "orders"))
    told = printed(failover_times(graph_of(pair_of(unhealthy(orders))), outages=10))
    assert "unknown host stopped: not known, as the model does not know how the fault shows" in told
    assert "never" not in told
