"""Each function needs of AWS just what it says that it needs."""

from dataclasses import replace

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import handlers
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import LEFT_SECONDS, FaultNotOverError
from tests.staged_resiliency.drills import plans
from tests.staged_resiliency.drills.account import FunctionError, account, throttled
from tests.staged_resiliency.drills.service import Script

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=20, call_seconds=110)
BLACKHOLE = replace(plans.BLACKHOLE, sample_seconds=20, call_seconds=110)


@pytest.mark.slow
def test_functions_call_what_they_declare_and_nothing_else() -> None:
    used: dict[str, set[str]] = {}

    def note(more: dict[str, set[str]]) -> None:
        for name, actions in more.items():
            used.setdefault(name, set()).update(actions)

    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        machine = made.machine(SHUTDOWN)
        assert made.finish(made.start(machine)) == "SUCCEEDED"
        # A second one, as the lock is there already; it is aborted, and so swept.
        execution = "arn:aws:states:us-west-2:123456789012:execution:shutdown:run-2"
        made.service.ordered.clear()
        made.service.started_by_hand = None
        made.service.now += 3600

        def abort(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                made.stop(execution)

        made.after = abort
        made.start(machine, "run-2")
        assert made.finish(execution) == "ABORTED"
        made.sweep_left(machine)
        made.function = "watchdog"
        watched = replace(
            plans.WATCH,
            drills=(replace(plans.WATCH.drills[0], state_machine_arn=machine),),
        )
        handlers.watchdog(watched.to_json(), None)
        note(made.used)
    with account(SHUTDOWN, Script(stop_takes=6000)) as made:
        # Aborted before anything is known of the experiment, which does not end for long.
        execution = "arn:aws:states:us-west-2:123456789012:execution:shutdown:run-1"
        made.after = abort
        execution = made.start(made.machine(SHUTDOWN))
        made.sweep(made.wait(execution))
        made.service.now += LEFT_SECONDS
        with pytest.raises(FaultNotOverError):
            made.sweep_left(machine)
        assert made.journal()["verdict"]["status"] == "failed"
        note(made.used)
    with account(SHUTDOWN) as made:

        def lost(phase: str, count: int) -> None:
            if phase == names.INJECT:
                raise FunctionError("its answer is lost")

        made.after = lost
        assert made.finish(made.start(made.machine(SHUTDOWN))) == "SUCCEEDED"
        note(made.used)
    for plan in (BLACKHOLE, replace(SHUTDOWN, enabled=False)):
        with account(plan, Script(detect=120, clients_move=None)) as made:
            assert made.finish(made.start(made.machine(plan))) == "SUCCEEDED"
            note(made.used)
    declared = {
        each.name: {permission.action for permission in each.permissions} for each in functions.ALL
    }
    assert used == declared


def test_permissions_are_told_once() -> None:
    for each in functions.ALL:
        assert len(set(each.permissions)) == len(each.permissions)


def test_what_stands_for_lambda_is_throttled_as_lambda_is() -> None:
    with pytest.raises(type(throttled()), match="TooManyRequestsException"):
        raise throttled()
