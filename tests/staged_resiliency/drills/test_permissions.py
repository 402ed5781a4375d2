"""Each function needs of AWS just what it says that it needs."""

from dataclasses import replace

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import handlers, lock
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.cleanup import EVENT_SECONDS, FaultNotOverError
from staged_resiliency.drills.runtime.scheduled_tasks import WATCHDOG_TASK
from tests.fake_aws import plans
from tests.fake_aws.account import FunctionError, account
from tests.fake_aws.simulation import EBS_KEY, START, Script, StartedExperiment

SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=25, call_seconds=900)
BLACKHOLE = replace(plans.BLACKHOLE, sample_seconds=25, call_seconds=900)
IN_VPC = replace(plans.IN_VPC, sample_seconds=25, call_seconds=900)


@pytest.mark.slow
def test_functions_call_what_they_declare_and_nothing_else() -> None:
    used: dict[str, set[str]] = {}

    def note(more: dict[str, set[str]]) -> None:
        for name, actions in more.items():
            used.setdefault(name, set()).update(actions)

    with account(SHUTDOWN, Script(fis_starts_instance=False)) as made:
        machine = made.machine(SHUTDOWN)
        assert made.finish(made.start(machine)) == "SUCCEEDED"
        # A second one, as the lock is there already; it is aborted, and so cleaned up.
        execution = plans.EXECUTION.replace("run-1", "run-2")
        made.service.experiments.clear()
        made.service.started_by_hand = None
        made.service.now += 3600

        def abort(phase: str, count: int) -> None:
            if phase == names.OBSERVE:
                made.stop(execution)

        made.after = abort
        made.start(machine, "run-2")
        assert made.finish(execution) == "ABORTED"
        made.clean_up_missed()
        made.function = "end"
        watched = replace(
            plans.SCHEDULES,
            task=WATCHDOG_TASK,
            drills=(replace(plans.SCHEDULES.drills[0], state_machine_arn=machine),),
        )
        handlers.end(watched.to_json(), None)
        note(made.used)
    with account(SHUTDOWN, Script(stop_takes=6000)) as made:
        # Aborted before anything is known of the experiment, which does not end for long.
        made.after = abort
        execution = made.start(made.machine(SHUTDOWN))
        made.clean_up(made.wait(execution))
        made.service.now += EVENT_SECONDS
        with pytest.raises(FaultNotOverError):
            made.clean_up_missed()
        assert made.journal()["verdict"]["status"] == "failed"
        note(made.used)
    with account(SHUTDOWN) as made:

        def lost(phase: str, count: int) -> None:
            if phase == names.INJECT:
                raise FunctionError("its answer is lost")

        made.after = lost
        assert made.run() == "SUCCEEDED"
        note(made.used)
    for plan in (BLACKHOLE, replace(SHUTDOWN, enabled=False), IN_VPC):
        with account(plan, Script(detect=120, clients_move=None)) as made:
            assert made.run() == "SUCCEEDED"
            note(made.used)
    # What the preflight asks only where it matters.
    wary = replace(SHUTDOWN, change_calendars=("arn:freeze",))
    with account(wary, Script(volume_keys=(EBS_KEY,), calendars_closed=("arn:freeze",))) as made:
        by_hand = StartedExperiment("EXP9", "t", plans.TEMPLATE, {}, False, START - 30)
        made.service.experiments.append(by_hand)
        assert made.run() == "SUCCEEDED"
        note(made.used)
    with account() as made:
        made.function = "observe"
        for each in range(3):
            assert lock.take(SHUTDOWN, f"arn:{each}", made.context) == ""
            lock.release(SHUTDOWN.instances, f"arn:{each}", 0.0, made.context)
        note(made.used)
    declared = {
        each.name: {permission.action for permission in each.permissions} for each in functions.ALL
    }
    assert used.keys() == declared.keys()
    assert {name: sorted(used[name] ^ declared[name]) for name in used} == {
        name: [] for name in used
    }


def test_each_permission_is_stated_once() -> None:
    for each in functions.ALL:
        assert len(set(each.permissions)) == len(each.permissions)
