"""Runs go on while another release is deployed: what it reads and ends of the former one's runs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import handlers, states
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import fault_over_key
from staged_resiliency.experiment.json_codec import DataError
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.fake_aws.simulation import Script

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=20, call_seconds=200)

# What a plan had before fields were added to it: all fields that have no default.
FIRST_PLAN: dict[str, Any] = {
    "service": "bookstore",
    "environment": "production",
    "drill": "shutdown",
    "region": "us-west-2",
    "fault": "stop_instance",
    "target": "bookstore-api-blue",
    "active": {
        "name": "bookstore-api-blue",
        "instance_id": "i-0ab55a49288f1da24",
        "addresses": ["54.213.54.171"],
        "reached_at": "54.213.54.171",
    },
    "standby": {
        "name": "bookstore-api-green",
        "instance_id": None,
        "addresses": ["52.11.79.9"],
        "reached_at": "52.11.79.9",
    },
    "dependency": None,
    "port": None,
    "record": {"name": "bookstore.pingpublications.com", "hosted_zone_id": "Z2EHK3FAEUNRMI"},
    "endpoint": {"scheme": "http", "port": 80, "path": "/version/"},
    "objective_seconds": 360,
    "fault_seconds": 600,
    "hypothesis": [
        {
            "expects": "clients move",
            "record": "bookstore.pingpublications.com",
            "to": "bookstore-api-green",
            "within_seconds": 360,
        }
    ],
    "alarms": ["bookstore-api-blue-StatusCheckFailed"],
    "expected_alarms": [],
    "guard_alarms": ["bookstore-api-green-probe-silent"],
    "experiment_template_id": "EXT1a2b3c4d5e6f7",
    "experiment_templates": ["EXT1a2b3c4d5e6f7"],
    "enabled": True,
    "journal_bucket": "bookstore-production-drills",
    "topic_arn": "arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS",
    "namespace": "Bookstore",
    "timeouts": {
        "preflight": 60,
        "steady": 60,
        "inject": 300,
        "observe": 600,
        "end": 1200,
        "failback": 720,
        "record": 120,
    },
    "window": {"days": ["TUE"], "from_hour": 9, "to_hour": 17, "timezone": "UTC"},
}


def test_the_first_releases_plan_is_read_for_ever() -> None:
    """A run that began with it goes on with the functions of this release."""
    plan = Plan.from_json(FIRST_PLAN)
    assert plan.fault_seconds == 600
    assert plan.timeouts.end == 1200


def test_a_plan_of_a_later_release_is_read_without_what_is_unknown() -> None:
    later = {**plans.SHUTDOWN.to_json(), "colour": "blue"}
    later["window"] = {**later["window"], "weeks": [1]}
    assert Plan.from_json(json.loads(json.dumps(later))) == plans.SHUTDOWN


def unreadable(plan: Plan = SHUTDOWN) -> dict[str, Any]:
    """A plan with an expectation that this release does not know."""
    document: dict[str, Any] = json.loads(json.dumps(plan.to_json()))
    document["hypothesis"] = [{"expects": "luck"}]
    return document


def bare(plan: Plan = SHUTDOWN) -> dict[str, Any]:
    """A plan of a form that this release does not know, but for the template and the instance."""
    known = unreadable(plan)
    return {
        "experiment_template_id": known["experiment_template_id"],
        "target": known["target"],
        "active": {"name": known["active"]["name"], "instance_id": known["active"]["instance_id"]},
        "faults": [{"kind": "stop", "minutes": 10}],
        "fault": "flood",
        "fault_seconds": "PT10M",
        "enabled": {"by": "ops"},
        "topic_arn": ["arn:1", "arn:2"],
    }


def test_ending_reads_what_it_can_of_a_plan() -> None:
    with pytest.raises(DataError):
        Plan.from_json(unreadable())
    assert Ending.from_plan(unreadable()) == SHUTDOWN.ending
    assert Ending.from_plan(bare()) == Ending(
        plans.SHUTDOWN.experiment_template_id, plans.INSTANCE, host=plans.BLUE
    )


@pytest.mark.parametrize("key", ["experiment_template_id", "target", "active"])
def test_ending_needs_the_template_and_the_instance(key: str) -> None:
    wrong: tuple[object, ...] = (None, [], {}, {**bare(), key: None}, {**bare(), key: "red"})
    for document in wrong[: 4 if key == "experiment_template_id" else 5]:
        with pytest.raises(DataError):
            Ending.from_plan(document)


@pytest.mark.parametrize("plan", [unreadable(), bare()], ids=["an expectation", "all but these"])
def test_a_release_that_can_not_read_the_plan_ends_the_fault_all_the_same(
    plan: dict[str, Any],
) -> None:
    """It is deployed while the fault lasts."""
    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        execution = made.start_aborted(states.OBSERVE)
        made.wait(execution)
        assert made.service.broken
        event = {
            "phase": states.END_FAULT,
            "state": {"plan": plan, "run": {"execution": execution, "name": "run-1"}},
        }
        result = handlers.end(event, None)
        for _ in range(30):
            if not result["again"]:
                break
            event["state"]["end"] = result  # type: ignore[index]
            result = handlers.end(event, None)
        assert not made.service.broken
        assert made.service.running == []
        recorded = fault_over_key("shutdown", "run-1") in made.objects()
        assert recorded == ("journal_bucket" in plan)


@pytest.mark.parametrize("phase", [states.OBSERVE, states.RECORD])
def test_no_other_phase_goes_on_without_its_plan(phase: str) -> None:
    event = {
        "phase": phase,
        "state": {"plan": unreadable(), "run": {"execution": "arn", "name": "run-1"}},
    }
    with account(), pytest.raises(DataError, match="found 'luck'"):
        handlers.end(event, None)


def test_an_unknown_phase_is_an_error() -> None:
    state = {"plan": SHUTDOWN.to_json(), "run": {"execution": "arn", "name": "run-1"}}
    with account(), pytest.raises(DataError, match="'Dance' is not one of Preflight"):
        handlers.end(json.loads(json.dumps({"phase": "Dance", "state": state})), None)
