"""One small snapshot per stack, to be read as a whole when it changes.

Values are asserted one by one elsewhere; here hashes are scrubbed, so that only meaning shows, and
the probe's document and the drills' code and definitions are left out, since they are made of files
that are reviewed as such.
`pytest --snapshot-update tests/stacks` writes them anew.
"""

import json
import re
from collections.abc import Mapping

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support import Template

_HASHES = re.compile(r"(?<=[A-Za-z])(?:[0-9A-F]{8})+(?=[\"/]|$)")


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def _scrubbed(template: Template) -> object:
    scrubbed = json.loads(_HASHES.sub("", json.dumps(template)))
    for resource in scrubbed["Resources"].values():
        if resource["Type"] == "AWS::SSM::Document":
            resource["Properties"]["Content"] = "..."
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = "..."
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            resource["Properties"]["DefinitionString"] = "..."
    return scrubbed


def test_the_failover_stack(failover_template: Template, snapshot: SnapshotAssertion) -> None:
    assert _scrubbed(failover_template) == snapshot


def test_the_probe_stack(probe_template: Template, snapshot: SnapshotAssertion) -> None:
    assert _scrubbed(probe_template) == snapshot


def test_the_drills_stack(drills_template: Template, snapshot: SnapshotAssertion) -> None:
    assert _scrubbed(drills_template) == snapshot


def test_the_failover_alarm_stack(
    example_templates: Mapping[str, Template], snapshot: SnapshotAssertion
) -> None:
    assert _scrubbed(example_templates["bookstore-production-failover-alarm"]) == snapshot


def test_the_notifications_stack(
    notifications_template: Template, snapshot: SnapshotAssertion
) -> None:
    assert _scrubbed(notifications_template) == snapshot
