"""Templates are found in files and folders, whoever made them, or refused."""

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_route53 as route53

from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.faults import FaultKind
from resiliency.failover_model.graph import AlarmCheck
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_files import read_templates
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import TEMPLATES, hand_written


def test_what_the_cdks_own_constructs_make_is_followed(tmp_path: Path) -> None:
    """They make the same from TypeScript as from Python."""
    app = App(outdir=str(tmp_path))
    stack = Stack(app, "Shop")
    zone = route53.HostedZone(stack, "Zone", zone_name="example.com")
    alarm = cloudwatch.Alarm(
        stack,
        "Alarm",
        metric=cloudwatch.Metric(
            namespace="AWS/EC2",
            metric_name="StatusCheckFailed",
            dimensions_map={"InstanceId": "i-0123456789abcdef0"},
            statistic="Maximum",
            period=Duration.minutes(1),
        ),
        threshold=1,
        evaluation_periods=2,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    status = route53.HealthCheck(
        stack,
        "Status",
        type=route53.HealthCheckType.CLOUDWATCH_METRIC,
        alarm_identifier=route53.AlarmIdentifier(name=alarm.alarm_name, region="eu-west-1"),
        insufficient_data_health_status=route53.InsufficientDataHealthStatusEnum.UNHEALTHY,
    )
    for role, address, decides in (
        (route53.Failover.PRIMARY, "192.0.2.1", status),
        (route53.Failover.SECONDARY, "192.0.2.2", None),
    ):
        route53.ARecord(
            stack,
            f"Record{role.name}",
            zone=zone,
            record_name="shop",
            target=route53.RecordTarget.from_ip_addresses(address),
            ttl=Duration.seconds(30),
            failover=role,
            health_check=decides,
        )
    app.synth()
    graph = read_graph(read_templates([tmp_path]))
    (pair,) = graph.pairs
    assert (pair.name, pair.primary.ttl_seconds) == ("shop.example.com", 30)
    check = pair.primary.health_check
    assert isinstance(check, AlarmCheck)
    assert check.alarm.evaluation_periods == 2
    assert check.insufficient_data is InsufficientData.UNHEALTHY
    verdicts = failover_times(graph, outages=20)
    (stopped,) = (each for each in verdicts if each.fault.kind is FaultKind.HOST_STOPPED)
    assert stopped.moved == 20


def test_a_template_of_the_serverless_application_model_is_followed() -> None:
    graph = read_graph(read_templates([TEMPLATES / "sam.yaml"]))
    (pair,) = graph.pairs
    assert (pair.name, pair.primary.ttl_seconds) == ("shop.example.com", 30)
    assert pair.secondary.values == ("192.0.2.2",)
    check = pair.primary.health_check
    assert isinstance(check, AlarmCheck)
    assert (check.label, check.alarm.name) == ("BlueStatusCheck", "shop-prod-blue-status")
    assert check.alarm.evaluation_periods == 2
    assert failover_times(graph, outages=20)[0].moved == 20


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


def test_a_bare_equals_sign_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources: {A: {Type: x, Properties: {Sign: =}}}", encoding="utf-8")
    template = read_templates([file])[str(file)]
    assert template["Resources"]["A"]["Properties"] == {"Sign": "="}
