"""The watchdog publishes the status of each drill, from its journals."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from staged_resiliency.drills.runtime import drill_status, handlers
from staged_resiliency.drills.runtime.scheduled_tasks import WATCHDOG_TASK, DrillSchedules
from staged_resiliency.drills.runtime.store import journal_key
from staged_resiliency.experiment.json_codec import DataError
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account

DAY = 86_400.0
NOW = datetime.now(timezone.utc).timestamp()  # moto stamps what is written with the real time


@pytest.fixture
def made() -> Iterator[Account]:
    """An account with a drill that was just deployed."""
    with account(now=NOW + 40.5 * DAY) as found:
        yield found


def schedules(made: Account) -> DrillSchedules:
    """The input of the watchdog's schedule, with the account's only drill."""
    machine = made.machine(plans.SHUTDOWN)
    return replace(
        plans.SCHEDULES,
        task=WATCHDOG_TASK,
        drills=(replace(plans.SCHEDULES.drills[0], state_machine_arn=machine),),
    )


def put(made: Account, name: str, text: str) -> None:
    """Leave a journal."""
    made.put(journal_key("shutdown", name), text)


def verdict(status: str) -> str:
    """A journal, as far as the watchdog reads it."""
    return json.dumps({"verdict": {"status": status}})


def published(made: Account) -> dict[str, float]:
    """What the watchdog publishes."""
    handlers.end(schedules(made).to_json(), None)
    return dict(made.metrics())


def test_a_drill_that_never_ran_counts_from_its_deployment(made: Account) -> None:
    found = published(made)
    assert found == {"drill-days-since-passed": 40, "drill-score": 0}


def test_a_passed_drill_expires(made: Account) -> None:
    put(made, "run-1", verdict("passed"))
    assert published(made)["drill-score"] == 75
    made.service.now = NOW + 3.5 * DAY
    found = published(made)
    assert found["drill-score"] == 100
    assert found["drill-days-since-passed"] == 3


def test_what_is_not_a_journal_is_logged_and_left_out(made: Account) -> None:
    for name, text in (
        ("a", "no JSON"),
        ("b", "[]"),
        ("c", '{"verdict": {}}'),
        ("deep", "[" * 100_000),
    ):
        put(made, name, text)
    put(made, "d", verdict("failed"))
    assert published(made)["drill-score"] == 50
    assert sum(each["event"] == "not a journal" for each in made.log) == 4


def test_journals_are_read_back_to_the_last_one_that_passed(
    made: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1", "2", "3"):
        put(made, name, verdict("passed"))
    drill = schedules(made).drills[0]
    assert len(list(drill_status.outcomes(schedules(made), drill, made.context))) == 1
    put(made, "4", verdict("aborted"))
    monkeypatch.setattr(drill_status, "MAX_JOURNALS", 1)
    assert len(list(drill_status.outcomes(schedules(made), drill, made.context))) == 1


def test_journals_of_other_drills_are_left_alone(made: Account) -> None:
    made.put(journal_key("shutdown-of-green", "run-1"), verdict("passed"))
    assert published(made)["drill-score"] == 0


def test_without_drills_nothing_is_published(made: Account) -> None:
    handlers.end(replace(plans.SCHEDULES, drills=()).to_json(), None)
    assert made.metrics() == []


def test_a_drill_whose_status_is_unavailable_silences_no_other(made: Account) -> None:
    given = schedules(made)
    (known,) = given.drills
    new = replace(known, name="new", state_machine_arn=f"{known.state_machine_arn}-new")
    put(made, "run-1", verdict("failed"))
    with pytest.raises(
        drill_status.StatusUnavailableError, match=r"^new: StateMachineDoesNotExist: "
    ):
        handlers.end(replace(given, drills=(new, known)).to_json(), None)
    assert dict(made.metrics())["drill-score"] == 50
    assert len(made.metrics()) == 2


def test_journals_that_can_not_be_read_silence_no_other_drill(made: Account) -> None:
    given = schedules(made)
    (known,) = given.drills
    made.service.errors["ListObjectsV2"] = ["AccessDenied"]
    with pytest.raises(drill_status.StatusUnavailableError, match=r"^shutdown: AccessDenied: "):
        handlers.end(replace(given, drills=(known, replace(known, name="x"))).to_json(), None)
    assert len(made.metrics()) == 2


def test_an_invalid_event_is_reported(made: Account) -> None:
    with pytest.raises(DataError, match="event: service is missing"):
        handlers.end({"task": WATCHDOG_TASK}, None)
