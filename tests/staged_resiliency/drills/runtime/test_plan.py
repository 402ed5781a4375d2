"""Plans become documents and come back; what is wrong with a document is one line."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime.durations import LATE_SECONDS, Timeouts
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    Expectation,
)
from staged_resiliency.experiment.json_codec import DataError
from tests.cases import cases
from tests.fake_aws import plans

OPTIONAL = ("client_function", "database", "gremlin", "origin")
ATTACK = GremlinAttack("team", "arn:secret", "shutdown", ("-d", "1"), {"a": "b"}, {"c": "d"})


@cases(
    ("plan", "optional"),
    {
        "shutdown": (plans.SHUTDOWN, ""),
        "blackhole": (plans.BLACKHOLE, ""),
        "dry run": (plans.DRY_SHUTDOWN, ""),
        "of private hosts": (plans.IN_VPC, "client_function"),
        "failover of a database": (plans.RDS_FAILOVER, "database"),
        "by Gremlin": (replace(plans.SHUTDOWN, gremlin=ATTACK), "gremlin"),
        "of a distribution's origin": (plans.DENY_ORIGIN, "origin"),
    },
)
def test_a_plan_comes_back_as_it_was_and_names_what_others_do_not_have(
    plan: Plan, optional: str
) -> None:
    document = json.loads(json.dumps(plan.to_json()))
    assert Plan.from_json(document) == plan
    assert Ending.from_plan(document) == plan.ending
    assert [key for key in OPTIONAL if key in document] == ([optional] if optional else [])


def test_the_input_of_schedules_comes_back_as_it_was() -> None:
    assert (
        DrillSchedules.from_json(json.loads(json.dumps(plans.SCHEDULES.to_json())))
        == plans.SCHEDULES
    )


def test_strings_may_be_anything_while_a_template_is_made() -> None:
    token = "${Token[TOKEN.123]}"
    document = json.loads(json.dumps(plans.SHUTDOWN.to_json()))
    document["experiment_template_id"] = document["namespace"] = token
    assert Plan.from_json(document).namespace == token


def test_the_target_host_is_one_of_the_pair() -> None:
    assert plans.SHUTDOWN.target_host is plans.SHUTDOWN.active


def test_a_stopped_host_is_let_go_early_and_a_blackhole_is_not() -> None:
    assert plans.SHUTDOWN.ends_early
    assert not plans.BLACKHOLE.ends_early


Edit = Callable[[dict[str, Any]], object]
BAD: tuple[tuple[str, Edit], ...] = (
    ("plan: service is missing", lambda doc: doc.pop("service")),
    ("plan: service: found 7; must be a text", lambda doc: doc.update(service=7)),
    (
        "plan: fault: found 'flood'; must be stop_instance, blackhole, degrade, rds_failover or "
        "deny_origin",
        lambda doc: doc.update(fault="flood"),
    ),
    ("plan: fault: found null; must be", lambda doc: doc.update(fault=None)),
    ("plan: port: found '80'; must be a whole number", lambda doc: doc.update(port="80")),
    ("plan: enabled: found 1; must be true or false", lambda doc: doc.update(enabled=1)),
    ("plan: fault_seconds: found true; must be", lambda doc: doc.update(fault_seconds=True)),
    ("plan: fault_seconds: found 1.5; must be", lambda doc: doc.update(fault_seconds=1.5)),
    (
        "plan: objective_seconds: found '6'; must be a number",
        lambda doc: doc.update(objective_seconds="6"),
    ),
    ("plan: alarms: found 'a'; must be a list", lambda doc: doc.update(alarms="a")),
    ("plan: alarms[1]: found 7; must be a text", lambda doc: doc.update(alarms=["a", 7])),
    ("plan: active: found 'blue'; must be an object", lambda doc: doc.update(active="blue")),
    ("plan: active.name is missing", lambda doc: doc["active"].pop("name")),
    (
        "plan: window.from_hour: found 'nine'; must be a whole number",
        lambda doc: doc["window"].update(from_hour="nine"),
    ),
    ("plan: hypothesis is missing", lambda doc: doc.pop("hypothesis")),
    (
        "plan: hypothesis[0].expects: found 'luck'; must be clients move",
        lambda doc: doc.update(hypothesis=[{"expects": "luck"}]),
    ),
    (
        "plan: hypothesis: is empty; a drill that can't fail proves nothing",
        lambda doc: doc.update(hypothesis=[]),
    ),
    (
        "plan: target: found 'red'; must be bookstore-api-blue or bookstore-api-green",
        lambda doc: doc.update(target="red"),
    ),
    (
        "plan: bookstore-api-green: instance_id is missing; the fault needs it",
        lambda doc: doc.update(target="bookstore-api-green"),
    ),
    ("plan: region: found {'a': ", lambda doc: doc.update(region={"a": "b" * 99})),
)


@pytest.mark.parametrize(("message", "edit"), BAD, ids=[row[0] for row in BAD])
def test_an_invalid_plan_is_reported(message: str, edit: Edit) -> None:
    document = json.loads(json.dumps(plans.SHUTDOWN.to_json()))
    edit(document)
    with pytest.raises(DataError) as raised:
        Plan.from_json(document)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("document", [None, [], "plan", {}])
def test_an_invalid_document_is_reported(document: object) -> None:
    with pytest.raises(DataError):
        Plan.from_json(document)
    with pytest.raises(DataError):
        DrillSchedules.from_json(document)


def test_a_whole_number_is_a_number() -> None:
    document = json.loads(json.dumps(plans.SHUTDOWN.to_json()))
    document["objective_seconds"] = 360
    found = Plan.from_json(document).objective_seconds
    assert (found, type(found)) == (360, float)


def test_a_preflight_is_valid_for_less_than_half_an_hour() -> None:
    assert plans.SHUTDOWN.timeouts.preflight_valid <= 1800


def test_phases_last_longer_than_what_they_expect_so_that_a_verdict_says_how_late_it_was() -> None:
    during: list[Expectation] = [
        ClientsMove("shop.example.com", "shop-green"),
        AlarmFires("shop-blue", 500),
    ]
    after: list[Expectation] = [
        ClientsReturn("shop.example.com", "shop-blue", 700),
        AlarmRecovers("shop-blue", 800),
    ]
    timeouts = Timeouts.of(300, [*during, *after], 360)
    assert (timeouts.observe, timeouts.failback) == (500 + LATE_SECONDS, 800 + 120)
    assert Timeouts.of(300, during[:1], 360).observe == 360 + LATE_SECONDS
    assert Timeouts.of(900, [*during, *after[:1]], 360).observe == 900
    assert Timeouts.of(300, during, 360).failback == 600
    assert Timeouts.of(300, during, 360, late_seconds=1800).end == 300 + 1800 + 600
