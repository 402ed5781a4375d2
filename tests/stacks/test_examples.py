"""The examples run as they stand."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, Template, resources_of


def _run(name: str, folder: Path) -> Template:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / name],
        env={**os.environ, "CDK_OUTDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template: Template = json.loads((folder / "shop-failover.template.json").read_bytes())
    return template


@pytest.mark.parametrize(
    ("example", "resource_type", "count"),
    [
        ("one_statement.py", "AWS::CloudWatch::Alarm", 2),
        ("one_statement.py", "AWS::Route53::HealthCheck", 1),
        ("one_statement.py", "AWS::Route53::RecordSetGroup", 1),
        ("own_signals.py", "AWS::CloudWatch::Alarm", 4),
        ("own_signals.py", "AWS::Route53::HealthCheck", 4),
        ("own_signals.py", "AWS::Route53::RecordSetGroup", 1),
        ("probe.py", "AWS::SSM::Document", 2),
        ("probe.py", "AWS::SSM::Association", 2),
        ("probe.py", "AWS::IAM::ManagedPolicy", 2),
        ("probe.py", "AWS::CloudWatch::Alarm", 8),
        ("probe.py", "AWS::Route53::HealthCheck", 4),
        ("drills.py", "AWS::FIS::ExperimentTemplate", 2),
        ("drills.py", "AWS::StepFunctions::StateMachine", 2),
        ("drills.py", "AWS::Scheduler::Schedule", 3),
        ("drills.py", "AWS::Lambda::Function", 9),
        ("drills.py", "AWS::CloudWatch::Alarm", 7),
        ("drills.py", "AWS::CloudWatch::Dashboard", 1),
    ],
)
def test_an_example_makes(
    example: str, resource_type: str, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    template = _templates.get(example) or _run(example, tmp_path_factory.mktemp("example"))
    _templates[example] = template
    assert len(resources_of(template, resource_type)) == count


_templates: dict[str, Template] = {}
