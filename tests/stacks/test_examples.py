"""The examples run as they stand."""

import json
import runpy
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import aws_cdk
import pytest

from tests.support import ROOT, Template, resources_of


def _run(example: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Template:
    """The template of an example, which runs as ``__main__``, in this process for its Node.

    tests/e2e/test_wheel.py runs examples in processes of their own.
    """
    monkeypatch.setattr(aws_cdk, "App", partial(aws_cdk.App, outdir=str(folder)))
    runpy.run_path(str(example), run_name="__main__")
    template: Template = json.loads((folder / "shop-failover.template.json").read_bytes())
    return template


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "counts"),
    [
        (
            "one_statement.py",
            {
                "AWS::CloudWatch::Alarm": 2,
                "AWS::Route53::HealthCheck": 1,
                "AWS::Route53::RecordSet": 2,
            },
        ),
        (
            "own_signals.py",
            {
                "AWS::CloudWatch::Alarm": 4,
                "AWS::Route53::HealthCheck": 4,
                "AWS::Route53::RecordSet": 2,
            },
        ),
        (
            "probe.py",
            {
                "AWS::SSM::Document": 2,
                "AWS::SSM::Association": 2,
                "AWS::IAM::ManagedPolicy": 2,
                "AWS::CloudWatch::Alarm": 8,
                "AWS::Route53::HealthCheck": 4,
            },
        ),
        (
            "load_balancers.py",
            {
                "AWS::ElasticLoadBalancingV2::LoadBalancer": 2,
                "AWS::CloudWatch::Alarm": 2,
                "AWS::Route53::HealthCheck": 1,
                "AWS::Route53::RecordSet": 2,
            },
        ),
        (
            "own_topic.py",
            {"AWS::SNS::Subscription": 2, "AWS::SQS::QueuePolicy": 1, "AWS::KMS::Key": 1},
        ),
        (
            "several_services.py",
            {
                "AWS::CloudWatch::Alarm": 2,
                "AWS::Route53::HealthCheck": 1,
                "AWS::Route53::RecordSet": 4,
            },
        ),
        (
            "drills.py",
            {
                "AWS::FIS::ExperimentTemplate": 3,
                "AWS::StepFunctions::StateMachine": 3,
                "AWS::Scheduler::Schedule": 5,
                "AWS::Lambda::Function": 3,
                "AWS::CloudWatch::Alarm": 11,
                "AWS::CloudWatch::Dashboard": 1,
            },
        ),
    ],
)
def test_an_example_makes(
    example: str, counts: Mapping[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = _run(ROOT / "examples" / example, tmp_path, monkeypatch)
    assert {kind: len(resources_of(template, kind)) for kind in counts} == counts


def test_every_example_is_tested_and_listed() -> None:
    names = {path.name for path in (ROOT / "examples").glob("*.py")}
    tested = Path(__file__).read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert {name for name in names if f'"{name}"' not in tested} == set()
    assert {name for name in names if f"examples/{name})" not in guide} == set()
