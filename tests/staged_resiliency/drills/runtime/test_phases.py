"""Single calls of phases, where whole runs don't come."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import experiments, fault_end, phase_records, phases, run_lock
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.messages import PhaseInput, Result, RunName
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.recorder import journal_key
from staged_resiliency.drills.runtime.store import Store
from tests.staged_resiliency.drills import plans
from tests.staged_resiliency.drills.account import Account, account
from tests.staged_resiliency.drills.service import START, Script

RUN = RunName("arn", "run-1")


def call(phase: str, plan: Plan = plans.SHUTDOWN, **results: Result) -> PhaseInput:
    """A call of a phase."""
    return PhaseInput(phase, plan, RUN, results, {})


def ready(made: Account) -> Result:
    """What the preflight of the run says, which has the lock."""
    assert (
        run_lock.take(Store(made.world.aws, plans.SHUTDOWN.journal), RUN.execution, made.world)
        is None
    )
    return Result(True, False, made.service.now, None, "")


def test_an_occurrence_of_the_schedule_starts_one_run() -> None:
    due = replace(call(names.PREFLIGHT), occurrence="2026-11-03T18:00:00Z")
    again = replace(due, run=RunName("arn:again", "run-2"))
    before = "the run that was due at 2026-11-03T18:00:00Z was started before: arn"
    with account(plans.SHUTDOWN, Script(alarms_on=(plans.DB_ALARM,))) as made:
        for _ in range(2):  # as where the first answer was lost
            assert "is already in ALARM" in phases.preflight(due, made.world).told
        result = phases.preflight(again, made.world)
        assert (result.go, result.told) == (False, before)
        later = replace(again, occurrence="2026-12-01T18:00:00Z")
        assert "is already in ALARM" in phases.preflight(later, made.world).told


def test_without_an_experiment_there_is_nothing_to_observe() -> None:
    with account() as made:
        result = phases.observe(call(names.OBSERVE), made.world)
    assert (result.go, result.again) == (False, False)


def test_what_was_seen_before_a_call_failed_is_left_behind() -> None:
    with account() as made:
        made.service.errors["StartExperiment"] = ["AccessDeniedException"]
        with pytest.raises(AwsError, match="AccessDenied"):
            phases.inject(call(names.INJECT, preflight=ready(made)), made.world)
        assert any(key.endswith("-inject.json") for key in made.objects())


def test_a_failure_is_told_also_where_nothing_can_be_left_behind() -> None:
    with account() as made:
        made.service.errors["StartExperiment"] = ["AccessDeniedException"]
        last = ready(made)
        made.service.errors["PutObject"] = ["SlowDown"]
        with pytest.raises(AwsError, match="AccessDenied"):
            phases.inject(call(names.INJECT, preflight=last), made.world)
        assert [each["lost"] for each in made.log if "lost" in each]


def test_a_run_that_is_redriven_injects_nothing() -> None:
    """It goes on where it was, days after its preflight, its verdict, and its lock."""
    with account() as made:
        store = Store(made.world.aws, plans.SHUTDOWN.journal)
        last = ready(made)
        store.put(journal_key("shutdown", RUN.name), "{}")
        store.put("lock.json", '{"execution": "arn:of:another"}')
        made.service.now += plans.SHUTDOWN.timeouts.fresh + 1
        result = phases.inject(call(names.INJECT, preflight=last), made.world)
        assert made.service.ordered == []
        (left,) = phase_records.load(store, plans.SHUTDOWN, RUN.name)
    told = (
        "the run must not go on: its preflight was too long ago; its verdict is recorded; it does "
        "not hold the lock of bookstore's drills; start a new one"
    )
    assert (result.go, result.told, left.cut_short) == (False, told, told)


def test_an_experiment_that_ends_without_having_acted_injected_nothing() -> None:
    with account(plans.SHUTDOWN, Script(initiating=5)) as made:
        experiments.start(replace(plans.SHUTDOWN, enabled=False), RUN.execution, made.world)
        made.service.now += 60
        result = phases.inject(call(names.INJECT, preflight=ready(made)), made.world)
    assert (result.go, result.again) == (False, False)
    assert result.told == "experiment EXP00000 is completed without an action"


def test_a_leashed_experiment_that_fails_tells_why() -> None:
    plan = replace(plans.SHUTDOWN, enabled=False)
    with account(plan, Script(fails_after=1)) as made:
        result = phases.inject(call(names.INJECT, plan, preflight=ready(made)), made.world)
    assert result.told == "the experiment is failed: Scripted."


def test_a_phase_remembers_when_it_began() -> None:
    with account(plans.SHUTDOWN, Script(initiating_forever=True)) as made:
        result = phases.inject(call(names.INJECT, preflight=ready(made)), made.world)
        assert result.again
        assert made.service.now == START + plans.SHUTDOWN.call_seconds
        again = phases.inject(call(names.INJECT, inject=result), made.world)
    assert again.began_at == START
    assert again.experiment == result.experiment


def test_the_end_of_a_blackhole_is_told_by_what_ended_it() -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=10)) as made:
        experiments.start(plan, RUN.execution, made.world)
        injected = START + 10
        made.service.now = START + 60
        first = fault_end.push(plan, RUN.execution, None, injected, made.world)
        assert (first.over, first.told) == (False, "experiment EXP00000 is running")
        made.service.now = START + 120
        second = fault_end.push(plan, RUN.execution, None, injected, made.world)
        assert (second.over, second.told) == (
            False,
            "bookstore-api-blue lets port 5432 go in 190 s",
        )
        made.service.now = START + 320
        third = fault_end.push(plan, RUN.execution, None, injected, made.world)
        assert (third.over, third.fault_ended_at) == (True, START + 320)


def test_the_end_of_the_fault_needs_no_look() -> None:
    """Whatever a look fails with, the fault is ended."""

    def broken(name: str) -> Sequence[str]:
        raise OverflowError("a length beyond all sizes")

    with account() as made:
        started = experiments.start(plans.SHUTDOWN, RUN.execution, made.world)
        made.service.now += 30
        last = Result(True, False, START, started.id, "")
        blind = replace(made.world, resolve=broken)
        result = phases.end_fault(call(names.END_FAULT, inject=last), blind)
        while result.again:
            result = phases.end_fault(call(names.END_FAULT, inject=last, end=result), blind)
        assert not made.service.broken
        assert result.told == f"instance {plans.INSTANCE} runs"
        assert [each for each in made.log if each["event"] == "a look failed"]


SILENT = {each: ["InternalServerException"] * 999 for each in ("GetExperiment", "ListExperiments")}


@pytest.mark.parametrize("known", [None, "EXP00000"])
def test_the_host_is_started_after_its_time_though_fis_can_not_be_asked(known: str | None) -> None:
    plan = plans.SHUTDOWN
    late = plan.fault_seconds + fault_end.LATE_SECONDS
    with account(plan, Script(initiating=0, fis_starts_instance=False)) as made:
        experiments.start(plan, RUN.execution, made.world)
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now = START + late - 1
        with pytest.raises(AwsError, match="InternalServerException"):
            fault_end.push(plan, RUN.execution, known, START, made.world)
        made.service.now = START + late
        first = fault_end.push(plan, RUN.execution, known, None, made.world, begun_by=START)
        assert (first.over, made.service.started_by_hand) == (False, START + late)
        made.service.now += made.service.script.boot
        last = fault_end.push(plan, RUN.execution, known, START, made.world)
        assert (last.over, last.told) == (True, f"instance {plans.INSTANCE} runs")


def test_without_fis_a_host_is_not_started_that_nobody_may_have_stopped() -> None:
    with account() as made:
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now += 99_999
        with pytest.raises(AwsError, match="InternalServerException"):
            fault_end.push(plans.SHUTDOWN, RUN.execution, None, None, made.world)


def test_without_fis_a_blackhole_is_over_after_its_time() -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=0)) as made:
        experiments.start(plan, RUN.execution, made.world)
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now += plan.fault_seconds + fault_end.LATE_SECONDS
        found = fault_end.push(plan, RUN.execution, "EXP00000", START, made.world)
        assert (found.over, found.told) == (True, "the time of the fault is over")


def test_the_host_of_an_experiment_that_does_not_stop_is_started_after_its_time() -> None:
    plan = plans.SHUTDOWN
    with account(plan, Script(initiating=0, stop_takes=None)) as made:
        experiments.start(plan, RUN.execution, made.world)
        made.service.now = START + 60
        first = fault_end.push(plan, RUN.execution, "EXP00000", None, made.world)
        assert first.told == "experiment EXP00000 is running"
        made.service.now = START + plan.fault_seconds + fault_end.LATE_SECONDS
        second = fault_end.push(plan, RUN.execution, "EXP00000", None, made.world)
        assert not second.over
        assert second.told == (
            f"experiment EXP00000 is stopping; instance {plans.INSTANCE} is stopped"
        )
        assert made.service.started_by_hand == made.service.now


def test_an_experiment_that_fis_can_not_tell_of_is_taken_as_it_was() -> None:
    with account() as made:
        started = experiments.start(plans.SHUTDOWN, RUN.execution, made.world)
        made.service.now += 30
        made.service.errors["GetExperiment"] = []
        last = Result(True, False, START, started.id, "")
        made.service.timers.append(
            (START + 35, lambda: made.service.errors.update(GetExperiment=["Throttling"]))
        )
        result = phases.observe(call(names.OBSERVE, inject=last), made.world)
        assert result.again
        assert [each for each in made.log if each["event"] == "FIS can't be asked"]
