"""Any sound drills are what the APIs take and the functions read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills.runtime.plan import Plan
from tests.properties import fewer_examples
from tests.stacks.deployed_drills import (
    EXPERIMENT,
    MACHINE,
    deployed,
    experiment_request,
)
from tests.staged_resiliency.api_model import problems_of
from tests.support import Data, example, resources_of, synthesize

MINUTES, WEEKS = st.integers(0, 59), st.integers(1, 4)


@st.composite
def sections(draw: st.DrawFn) -> Data:
    """Sound drill sections of a service with two instances."""
    days = draw(st.lists(st.sampled_from(["MON", "TUE", "WED", "THU", "FRI"]), unique=True,
                         min_size=1, max_size=3))  # fmt: skip
    zone = draw(st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kathmandu"]))
    drills: Data = {
        "objective_seconds": draw(st.integers(120, 900)),
        "enabled": draw(st.booleans()),
        "notify_passed": draw(st.booleans()),
    }
    for day in days:
        fault = draw(st.sampled_from(["stop_instance", "blackhole", "degrade", "rds_failover"]))
        keys: dict[str, Data] = {
            "stop_instance": {},
            "blackhole": {"scope": draw(st.sampled_from(["dependency", "port"]))},
            "degrade": {
                "response_milliseconds": draw(st.integers(1, 4000)),
                **draw(
                    st.fixed_dictionaries({"loss_percent": st.integers(1, 5)})
                    | st.fixed_dictionaries({"delay_milliseconds": st.integers(1, 500)})
                ),
            },
        }
        when = {
            "schedule": f"cron({draw(MINUTES)} 10 ? * {day}#{draw(WEEKS)} *)",
            "timezone": zone,
        }
        if fault == "rds_failover":
            key = draw(st.sampled_from(["db_instance", "db_cluster"]))
            drills[f"on-{day.lower()}"] = {
                "fault": fault,
                "dependency": "store",
                key: f"shop-{day.lower()}",
                **when,
            }
            continue
        drills[f"on-{day.lower()}"] = {
            "fault": fault,
            "host": "active"
            if fault == "degrade"
            else draw(st.sampled_from(["active", "standby"])),
            "duration_minutes": draw(st.integers(15, 240)),
            "duration_reason": "Any sound duration.",
            **when,
            **keys[fault],
            **(
                {"dependency": draw(st.sampled_from(["db", "cdn"]))}
                if fault != "stop_instance"
                else {}
            ),
        }
    return drills


@pytest.mark.slow
@fewer_examples(17)
@given(sections(), st.sampled_from([["status"], ["status", "db"], ["endpoint", "peer"]]))
def test_any_sound_drills_are_what_the_apis_take_and_the_functions_read(
    drills: Data, signals: list[str]
) -> None:
    def edit(env: Data) -> None:
        env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
        env["failover_on"] = signals
        env["dependencies"]["store"] = {"label": "S", "host": "store.example.com", "port": 3306}
        for drill in drills.values():  # which would send clients to the broken host
            if "peer" in signals and isinstance(drill, dict) and drill.get("dependency") == "cdn":
                drill["host"] = "active"
        env["drills"] = drills

    template = synthesize([example(edit)])["bookstore-production-drills"]
    asked = {name for name, drill in drills.items() if isinstance(drill, dict)}
    found = set()
    for resource in resources_of(template, MACHINE).values():
        machine = deployed(resource["Properties"], template, drills=sorted(asked))
        states = json.loads(machine["DefinitionString"])["States"]
        plan = Plan.from_json(states["Plan"]["Result"]["plan"])
        assert not set(plan.guard_alarms) & set(plan.expected_alarms)
        assert 1 <= len(plan.guard_alarms) <= 5
        lasts = drills[plan.drill].get("duration_minutes", 2) * 60
        set_up = 60 if plan.fault.runs_on_host else 0
        assert plan.fault_seconds == min(lasts + set_up, 720 * 60)
        found.add(plan.drill)
    assert found == asked
    for resource in resources_of(template, EXPERIMENT).values():
        request = experiment_request(
            deployed(resource["Properties"], template, drills=sorted(asked))
        )
        assert problems_of("fis", "CreateExperimentTemplate", request) == []
