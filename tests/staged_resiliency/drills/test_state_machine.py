"""The state machine as data: valid, and without a way around the end of the fault."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.state_machine import definition
from tests.fake_aws import plans

ARNS = {
    each.name: f"arn:aws:lambda:us-west-2:123456789012:function:{each.name}"
    for each in functions.ALL
}
PLANS = (plans.SHUTDOWN, plans.BLACKHOLE, plans.DRY_SHUTDOWN)


def states_of(plan: Plan = plans.SHUTDOWN) -> Mapping[str, Mapping[str, Any]]:
    """The states of a drill's machine."""
    found: Mapping[str, Mapping[str, Any]] = definition(plan, ARNS)["States"]
    return found


def tasks() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The states that call a function."""
    return ((name, each) for name, each in states_of().items() if each["Type"] == "Task")


def next_states(state: Mapping[str, Any]) -> set[str]:
    """Where a state can lead to."""
    found = {state[key] for key in ("Next", "Default") if key in state}
    found |= {each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ()))}
    return found


def reachable(start: str, *, without: str = "") -> set[str]:
    """States that can follow one, where another is taken away."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found or name == without:
            continue
        found.add(name)
        waiting += next_states(states_of()[name])
    return found


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.drill)
def test_it_is_valid_for_the_schema_of_the_states_language(plan: Plan) -> None:
    schema = json.loads(
        resources.files("cfnlint")
        .joinpath("data/schemas/other/step_functions/statemachine.json")
        .read_text()
    )
    jsonschema.Draft7Validator(schema).validate(definition(plan, ARNS))


def test_every_state_is_reached_and_leads_to_one_that_there_is() -> None:
    assert reachable(definition(plans.SHUTDOWN, ARNS)["StartAt"]) == states_of().keys()
    for state in states_of().values():
        assert next_states(state) <= states_of().keys()


def test_no_way_leads_from_the_injection_to_the_record_but_by_the_end_of_the_fault() -> None:
    assert states.RECORD in reachable(states.INJECT)
    assert states.RECORD not in reachable(states.INJECT, without=states.END_FAULT)


def test_every_task_has_a_timeout_longer_than_a_call_of_a_phase() -> None:
    for name, task in tasks():
        assert task["TimeoutSeconds"] > plans.SHUTDOWN.call_seconds + 60, name
        # A call that hangs must not hold up the end of a fault for long.
        assert task["TimeoutSeconds"] <= 180, name


def test_every_task_is_tried_again_and_but_for_the_record_caught() -> None:
    for name, task in tasks():
        assert task["Retry"][0]["ErrorEquals"] == ["States.ALL"], name
        # The end of the fault is tried for minutes, since nothing else in the run ends it.
        least = 10 if name == states.END_FAULT else 3
        assert task["Retry"][0]["MaxAttempts"] >= least
        assert ("Catch" in task) == (name != states.RECORD)


def test_the_whole_run_has_a_timeout_longer_than_its_phases_together() -> None:
    timeouts = plans.SHUTDOWN.timeouts
    together = sum(
        (
            timeouts.preflight,
            timeouts.steady,
            timeouts.inject,
            timeouts.observe,
            timeouts.end,
            timeouts.failback,
            timeouts.steady,
            timeouts.record,
        )
    )
    assert definition(plans.SHUTDOWN, ARNS)["TimeoutSeconds"] > together


def test_a_call_watches_for_less_than_its_function_may_take() -> None:
    # A look may take as long as its slowest request, beyond the time of the call.
    for each in functions.ALL:
        assert plans.SHUTDOWN.call_seconds + 60 <= each.timeout_seconds
        assert plans.SHUTDOWN.timeouts.steady + 20 <= each.timeout_seconds


def test_a_run_with_a_fault_that_is_announced_waits_and_checks_again() -> None:
    found = states_of(replace(plans.SHUTDOWN, notice_seconds=1800))
    assert found["Notice"] == {
        "Type": "Wait",
        "Seconds": 1800,
        "Next": states.PREFLIGHT_AGAIN,
    }
    assert next_states(found[f"{states.PREFLIGHT}: then"]) == {states.ANNOUNCE, states.RECORD}
    assert next_states(found[f"{states.PREFLIGHT_AGAIN}: then"]) == {
        states.STEADY_STATE,
        states.RECORD,
    }
    assert "Notice" not in states_of(replace(plans.DRY_SHUTDOWN, notice_seconds=1800))
    assert "Notice" not in states_of()


def test_its_first_state_holds_the_plan() -> None:
    document = definition(plans.SHUTDOWN, ARNS)
    assert document["StartAt"] == states.PLAN
    result = json.loads(json.dumps(document["States"][states.PLAN]["Result"]))
    assert Plan.from_json(result["plan"]) == plans.SHUTDOWN


def test_other_partitions_have_their_own_integration() -> None:
    document = definition(plans.SHUTDOWN, ARNS, partition="aws-cn")
    resource = document["States"][states.PREFLIGHT]["Resource"]
    assert resource == "arn:aws-cn:states:::lambda:invoke"


def test_the_definition_needs_each_function_by_name() -> None:
    with pytest.raises(KeyError, match="observe"):
        definition(plans.SHUTDOWN, {})


def test_functions_are_named_after_their_handlers() -> None:
    assert len({each.name for each in functions.ALL}) == len(functions.ALL)
    for each in functions.ALL:
        assert each.handler == f"staged_resiliency.drills.runtime.handlers.{each.name}"
        assert each.timeout_seconds <= 900
