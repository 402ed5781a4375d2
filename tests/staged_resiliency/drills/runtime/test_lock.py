"""The lock of instances: one run at a time, of whatever service, and a pause after it."""

from dataclasses import replace
from typing import Any

import pytest

from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.durations import COOL_DOWN_SECONDS
from tests.fake_aws import plans
from tests.fake_aws.account import Account

FIRST, SECOND = "arn:of:first", "arn:of:second"
GREEN = "i-0123456789abcdef0"
PAIR = plans.STANDBY_SHUTDOWN
OTHER_SERVICE = replace(
    plans.SHUTDOWN,
    service="orders",
    active=replace(plans.SHUTDOWN.active, name="orders-blue", instance_id=GREEN),
    target="orders-blue",
)


def test_services_that_share_an_instance_have_one_lock(made: Account) -> None:
    assert lock.take(PAIR, FIRST, made.context) == ""
    held = lock.take(OTHER_SERVICE, SECOND, made.context)
    assert held == f"{GREEN}: another drill is running: {FIRST}"
    assert not lock.holds(OTHER_SERVICE, SECOND, made.context)
    assert lock.holds(PAIR, FIRST, made.context)


def test_a_run_takes_its_lock_again_and_releases_nobody_elses(made: Account) -> None:
    assert lock.take(PAIR, FIRST, made.context) == ""
    assert lock.take(PAIR, FIRST, made.context) == ""
    lock.release(PAIR.instances, SECOND, 0.0, made.context)
    assert lock.holds(PAIR, FIRST, made.context)


def test_the_next_run_waits_for_the_pause_after_the_last_one(made: Account) -> None:
    lock.take(PAIR, FIRST, made.context)
    free_from = made.service.now + COOL_DOWN_SECONDS
    lock.release(PAIR.instances, FIRST, free_from, made.context)
    assert not lock.holds(PAIR, FIRST, made.context)
    assert lock.take(PAIR, SECOND, made.context) == (
        f"{GREEN}: the last drill, {FIRST}, ended only just now; start the next one after 18:15 UTC"
    )
    made.service.now = free_from
    assert lock.take(PAIR, SECOND, made.context) == ""


def test_of_two_that_take_a_free_lock_at_once_one_gets_it(made: Account) -> None:
    real, done = made.context.aws, list[str]()

    def slow(service: str, operation: str, **given: Any) -> object:
        if operation == "PutParameter" and not done:
            done.append("taken")
            assert lock.take(plans.SHUTDOWN, SECOND, made.context) == ""
        return real(service, operation, **given)

    context = replace(made.context, aws=slow)  # type: ignore[arg-type]
    lost = lock.take(plans.SHUTDOWN, FIRST, context)
    assert lost == f"{plans.INSTANCE}: another drill has just started"
    assert lock.holds(plans.SHUTDOWN, SECOND, made.context)


def test_who_gets_one_lock_of_two_keeps_neither(made: Account) -> None:
    # Of the pair's two instances the second in order is taken by another service.
    first, second = PAIR.instances
    service = replace(OTHER_SERVICE, active=replace(OTHER_SERVICE.active, instance_id=second))
    lock.take(service, FIRST, made.context)
    assert lock.take(PAIR, SECOND, made.context).startswith(second)
    free = replace(OTHER_SERVICE, active=replace(OTHER_SERVICE.active, instance_id=first))
    assert lock.take(free, "arn:of:third", made.context) == ""


def test_a_lock_that_nobody_released_expires(made: Account) -> None:
    lock.take(PAIR, FIRST, made.context)
    made.service.now += PAIR.timeouts.run + lock.EXPIRY_SECONDS - 1
    assert lock.take(PAIR, SECOND, made.context)
    made.service.now += 1
    assert lock.take(PAIR, SECOND, made.context) == ""


def parameters(made: Account) -> list[str]:
    """All locks that are kept of the first instance."""
    path = f"/staged-resiliency/drill-locks/{plans.INSTANCE}"
    found = made.client("ssm").get_parameters_by_path(Path=path)["Parameters"]
    return sorted(each["Name"].rpartition("/")[2] for each in found)


def test_old_locks_are_deleted_but_for_the_one_before(made: Account) -> None:
    for number in range(5):
        assert lock.take(plans.SHUTDOWN, f"arn:{number}", made.context) == ""
        lock.release(plans.SHUTDOWN.instances, f"arn:{number}", 0.0, made.context)
    assert parameters(made) == ["4", "5"]


def test_a_lock_that_can_not_be_read_is_an_error_and_one_that_is_no_lock_is_free(
    made: Account,
) -> None:
    made.service.errors["GetParametersByPath"] = ["AccessDeniedException"]
    with pytest.raises(AwsError, match="AccessDenied"):
        lock.take(PAIR, FIRST, made.context)
    name = f"/staged-resiliency/drill-locks/{plans.INSTANCE}/7"
    made.client("ssm").put_parameter(Name=name, Value="?", Type="String")
    assert lock.take(plans.SHUTDOWN, FIRST, made.context) == ""
    assert parameters(made) == ["7", "8"]


def test_a_lock_that_can_not_be_released_holds_up_no_verdict(made: Account) -> None:
    lock.take(PAIR, FIRST, made.context)
    made.service.errors["PutParameter"] = ["AccessDeniedException"] * 2
    lock.release(PAIR.instances, FIRST, 0.0, made.context)
    assert lock.holds(PAIR, FIRST, made.context)
