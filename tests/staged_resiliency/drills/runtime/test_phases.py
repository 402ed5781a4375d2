"""Single calls of phases, where whole runs don't come."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import fault, fis, lock, phases
from staged_resiliency.drills.runtime import states as names
from staged_resiliency.drills.runtime.client_view import STEADY_POLLS
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.durations import RULE_LATE_SECONDS
from staged_resiliency.drills.runtime.ending import FaultToEnd
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.network import UnansweredError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import PhaseInput, PhaseResult, RunName
from staged_resiliency.drills.runtime.store import Store, journal_key, load_records
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import COMMAND, START, Script

RUN = RunName("arn", "run-1")


def call(phase: str, plan: Plan = plans.SHUTDOWN, **results: PhaseResult) -> PhaseInput:
    return PhaseInput(phase, plan, RUN, results, {})


def ready(made: Account) -> PhaseResult:
    """The result of the preflight of the run, which holds the lock."""
    assert lock.take(made.service.plan, RUN.execution, made.context) == ""
    return PhaseResult(True, False, made.service.now, None, "")


def end_of_fault(
    made: Account, experiment: str | None = None, injected_at: float | None = START
) -> fault.FaultEndStatus:
    """What becomes of the fault of the account's plan now."""
    to_end = FaultToEnd(made.service.plan.ending, RUN.execution, experiment, injected_at)
    return fault.advance_fault_end(to_end, made.context)


def test_an_occurrence_of_the_schedule_starts_one_run() -> None:
    due = replace(call(names.PREFLIGHT), occurrence="2026-11-03T18:00:00Z")
    again = replace(due, run=RunName("arn:again", "run-2"))
    before = "the run that was due at 2026-11-03T18:00:00Z was started before: arn"
    with account(plans.SHUTDOWN, Script(alarms_on=(plans.DB_ALARM,))) as made:
        for _ in range(2):  # as where the first answer was lost
            assert "is already in ALARM" in phases.preflight(due, made.context).message
        result = phases.preflight(again, made.context)
        assert (result.go, result.message) == (False, before)
        later = replace(again, occurrence="2026-12-01T18:00:00Z")
        assert "is already in ALARM" in phases.preflight(later, made.context).message


def test_without_an_experiment_there_is_nothing_to_observe(made: Account) -> None:
    result = phases.observe(call(names.OBSERVE), made.context)
    assert (result.go, result.again) == (False, False)


def test_a_state_is_steady_after_polls_in_a_row(made: Account) -> None:
    asked: list[str] = []

    def every_second(address: str, endpoint: Endpoint, host: str) -> str:
        asked.append(address)
        if len(asked) % 2:
            return plans.BLUE
        raise UnansweredError("reset")

    flapping = replace(made.context, ask=every_second, resolve=lambda name: [plans.BLUE_ADDRESS])
    result = phases.steady_state(call(names.STEADY_STATE), flapping)
    assert not result.go
    assert len(asked) > 2 * STEADY_POLLS


def test_the_observations_of_a_call_that_fails_are_recorded(made: Account) -> None:
    made.service.errors["StartExperiment"] = ["AccessDeniedException"]
    with pytest.raises(AwsError, match="AccessDenied"):
        phases.inject(call(names.INJECT, preflight=ready(made)), made.context)
    assert any(key.endswith("-inject.json") for key in made.objects())


def test_a_failure_is_reported_even_where_nothing_can_be_recorded(made: Account) -> None:
    made.service.errors["StartExperiment"] = ["AccessDeniedException"]
    last = ready(made)
    made.service.errors["PutObject"] = ["SlowDown"]
    with pytest.raises(AwsError, match="AccessDenied"):
        phases.inject(call(names.INJECT, preflight=last), made.context)
    assert [each["not_saved"] for each in made.log if "not_saved" in each]


def test_a_run_that_is_redriven_injects_nothing(made: Account) -> None:
    """It goes on where it was, days after its preflight, its verdict, and its lock."""
    store = Store(made.context.aws, plans.SHUTDOWN.journal_bucket)
    last = ready(made)
    store.put_new(journal_key("shutdown", RUN.name), "{}")
    lock.release(plans.SHUTDOWN.instances, RUN.execution, 0.0, made.context)
    assert lock.take(plans.SHUTDOWN, "arn:of:another", made.context) == ""
    made.service.now += plans.SHUTDOWN.timeouts.preflight_valid + 1
    result = phases.inject(call(names.INJECT, preflight=last), made.context)
    assert made.service.experiments == []
    (record,) = load_records(store, "shutdown", RUN.name)
    message = (
        "the run must not continue: its preflight was too long ago; its verdict is recorded; it "
        "does not hold the lock of its instances; start a new one"
    )
    assert (result.go, result.message, record.cut_short) == (False, message, message)


def test_the_last_preflight_counts_of_a_run_that_announced_itself(made: Account) -> None:
    first = replace(ready(made), began_at=START - plans.SHUTDOWN.timeouts.preflight_valid - 1)
    once = call(names.INJECT, preflight=first)
    assert "its preflight was too long ago" in phases.inject(once, made.context).message
    again = PhaseResult(True, False, START, None, "")
    twice = call(names.INJECT, preflight=first, preflight_again=again)
    assert phases.inject(twice, made.context).message == "experiment EXP00000"


def test_without_a_preflight_nothing_is_injected(made: Account) -> None:
    ready(made)
    result = phases.inject(call(names.INJECT), made.context)
    assert "its preflight was too long ago" in result.message
    assert made.service.experiments == []


def test_an_experiment_that_ends_without_having_acted_injected_nothing() -> None:
    with account(plans.SHUTDOWN, Script(initiating=5)) as made:
        fis.start_experiment(replace(plans.SHUTDOWN, enabled=False), RUN.execution, made.context)
        made.service.now += 60
        result = phases.inject(call(names.INJECT, preflight=ready(made)), made.context)
    assert (result.go, result.again) == (False, False)
    assert result.message == "experiment EXP00000 is completed without an action"


def test_the_experiment_of_a_dry_run_that_fails_says_why() -> None:
    plan = replace(plans.SHUTDOWN, enabled=False)
    with account(plan, Script(fails_after=1)) as made:
        result = phases.inject(call(names.INJECT, plan, preflight=ready(made)), made.context)
    assert result.message == "the experiment is failed: Scripted."


def test_a_phase_remembers_when_it_began() -> None:
    with account(plans.SHUTDOWN, Script(initiating_forever=True)) as made:
        result = phases.inject(call(names.INJECT, preflight=ready(made)), made.context)
        assert result.again
        assert made.service.now == START + plans.SHUTDOWN.call_seconds
        again = phases.inject(call(names.INJECT, inject=result), made.context)
    assert again.began_at == START
    assert again.experiment == result.experiment


def test_clients_that_do_not_come_back_are_observed_for_a_limited_time() -> None:
    plan = replace(plans.SHUTDOWN, sample_seconds=60)
    with account(plan, Script(dns=(plans.GREEN_ADDRESS,))) as made:
        result = phases.failback(call(names.FAILBACK, plan), made.context)
        while result.again:
            again = call(names.FAILBACK, plan, failback=result)
            result = phases.failback(again, made.context)
        assert (result.go, made.service.now) == (False, START + plan.timeouts.failback)


def test_a_blackhole_ends_when_the_host_opens_the_port() -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=10, command_known=False)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        injected = START + 10
        made.service.now = START + 60
        first = end_of_fault(made, injected_at=injected)
        assert (first.over, first.message) == (False, "experiment EXP00000 is running")
        made.service.now = START + 120
        second = end_of_fault(made, injected_at=injected)
        assert (second.over, second.message) == (
            False,
            "bookstore-api-blue removes the rule in 190 s",
        )
        made.service.now = START + 320
        third = end_of_fault(made, injected_at=injected)
        assert (third.over, third.fault_ended_at) == (True, START + 320)


def test_a_blackhole_lasts_as_long_as_its_command_however_slow_the_packages() -> None:
    """FIS completes its action after its time; the rule begins only with the packages there."""
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=10, packages_take=480)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        injected = START + 10
        for at in (320, 780):  # FIS is done at 310, the rule goes at 790
            made.service.now = START + at
            found = end_of_fault(made, injected_at=injected)
            assert not found.over, at
        assert found.message == f"command {COMMAND} is InProgress on {plans.BLUE}"
        made.service.now = START + 795
        found = end_of_fault(made, injected_at=injected)
        assert (found.over, found.fault_ended_at) == (True, START + 795)
        assert found.message == "the rule on the host is removed"


def test_the_fault_lasts_while_its_command_runs_however_long_that_is() -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=0, packages_take=5_000)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.now = START + plan.fault_seconds + RULE_LATE_SECONDS
        found = end_of_fault(made)
        assert found.message == f"command {COMMAND} is InProgress on {plans.BLUE}"
        assert not found.over
        made.service.now = START + 5_000 + plan.fault_seconds
        assert end_of_fault(made).over


@pytest.mark.parametrize(
    ("status", "runs"),
    [
        ("Pending", True),
        ("InProgress", True),
        ("Delayed", True),
        ("Cancelling", True),
        ("Success", False),
        ("Cancelled", False),
        ("TimedOut", False),
        ("Failed", False),
    ],
)
def test_a_command_runs_until_systems_manager_says_that_it_has_ended(
    status: str, runs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plans.BLACKHOLE
    answer = {"CommandInvocations": [{"CommandId": COMMAND, "Status": status}]}
    with account(plan, Script(initiating=0)) as made:
        monkeypatch.setattr(made.service, "ListCommandInvocations", lambda given: answer)
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.now = START + plan.fault_seconds
        found = end_of_fault(made)
    assert found.over is not runs


def test_an_experiment_that_is_listed_late_is_stopped_where_its_start_failed() -> None:
    with account(plans.SHUTDOWN, Script(list_lags=30)) as made:
        fis.start_experiment(plans.SHUTDOWN, RUN.execution, made.context)
        lost = replace(call(names.END_FAULT), errors={"inject": "its answer is lost"})
        result = phases.end_fault(lost, made.context)
        while result.again:
            again = {**lost.results, "end": result}
            result = phases.end_fault(replace(lost, results=again), made.context)
        assert made.service.running == []
        assert not made.service.broken


def test_a_host_that_is_still_stopping_is_not_started_yet() -> None:
    """EC2 refuses that."""
    plan = plans.SHUTDOWN
    with account(plan, Script(initiating=0, instance={"State": {"Name": "stopping"}})) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.now = START + plan.fault_seconds + 60
        found = end_of_fault(made)
        assert (found.over, found.message) == (False, f"instance {plans.INSTANCE} is stopping")
        assert made.service.started_by_hand is None


@pytest.mark.parametrize("silent", [False, True], ids=["FIS answers", "FIS does not answer"])
def test_a_command_that_can_not_be_followed_may_last_for_a_limited_time(*, silent: bool) -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=0, packages_take=480)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.errors["ListCommandInvocations"] = ["AccessDeniedException"] * 9
        if silent:
            made.service.errors["GetExperiment"] = ["InternalServerException"] * 9
        bound = START + plan.fault_seconds + RULE_LATE_SECONDS
        made.service.now = bound - 1
        first = end_of_fault(made, "EXP00000")
        assert not first.over
        assert first.message.startswith(f"the command on {plans.BLUE} can't be followed: Access")
        made.service.now = bound
        last = end_of_fault(made, "EXP00000")
        assert last.over


def test_the_end_of_the_fault_needs_no_poll(made: Account) -> None:
    """Whatever a poll fails with, the fault is ended."""

    def broken(name: str) -> Sequence[str]:
        raise OverflowError("a length beyond all sizes")

    started = fis.start_experiment(plans.SHUTDOWN, RUN.execution, made.context)
    made.service.now += 30
    last = PhaseResult(True, False, START, started.id, "")
    blind = replace(made.context, resolve=broken)
    result = phases.end_fault(call(names.END_FAULT, inject=last), blind)
    while result.again:
        result = phases.end_fault(call(names.END_FAULT, inject=last, end=result), blind)
    assert not made.service.broken
    assert result.message == f"instance {plans.INSTANCE} is running"
    assert [each for each in made.log if each["event"] == "a poll failed"]


SILENT = {each: ["InternalServerException"] * 999 for each in ("GetExperiment", "ListExperiments")}


@pytest.mark.parametrize("known", [None, "EXP00000"])
def test_the_host_is_started_after_its_time_though_fis_can_not_be_asked(known: str | None) -> None:
    plan = plans.SHUTDOWN
    late = plan.fault_seconds + 60
    with account(plan, Script(initiating=0, fis_starts_instance=False)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now = START + late - 1
        with pytest.raises(AwsError, match="InternalServerException"):
            end_of_fault(made, known)
        made.service.now = START + late
        unknown = FaultToEnd(plan.ending, RUN.execution, known, begun_by=START)
        first = fault.advance_fault_end(unknown, made.context)
        assert (first.over, made.service.started_by_hand) == (False, START + late)
        made.service.now += made.service.script.boot
        last = end_of_fault(made, known)
        assert (last.over, last.message) == (True, f"instance {plans.INSTANCE} is running")


def test_where_the_injection_is_lost_the_time_of_the_fault_counts_from_the_next_phase() -> None:
    plan = plans.SHUTDOWN
    with account(plan, Script(initiating=0, fis_starts_instance=False)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now = START + plan.fault_seconds + 60
        began = PhaseResult(False, True, START, None, "")
        phases.end_fault(call(names.END_FAULT, end=began), made.context)
        assert made.service.started_by_hand == START + plan.fault_seconds + 60


def test_without_fis_a_host_is_not_started_that_nobody_may_have_stopped(made: Account) -> None:
    made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
    made.service.now += 99_999
    to_end = FaultToEnd(plans.SHUTDOWN.ending, RUN.execution)
    with pytest.raises(AwsError, match="InternalServerException"):
        fault.advance_fault_end(to_end, made.context)


def test_without_fis_a_blackhole_is_over_after_its_time() -> None:
    plan = plans.BLACKHOLE
    with account(plan, Script(initiating=0)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.errors.update({key: [*codes] for key, codes in SILENT.items()})
        made.service.now += plan.fault_seconds + 60
        found = end_of_fault(made, "EXP00000")
        assert (found.over, found.message) == (True, "the time of the fault is over")


def test_the_host_of_an_experiment_that_does_not_stop_is_started_after_its_time() -> None:
    plan = plans.SHUTDOWN
    with account(plan, Script(initiating=0, stop_takes=None)) as made:
        fis.start_experiment(plan, RUN.execution, made.context)
        made.service.now = START + 60
        first = end_of_fault(made, "EXP00000", injected_at=None)
        assert first.message == "experiment EXP00000 is running"
        made.service.now = START + plan.fault_seconds + 60
        second = end_of_fault(made, "EXP00000", injected_at=None)
        assert not second.over
        assert second.message == (
            f"experiment EXP00000 is stopping; instance {plans.INSTANCE} is stopped"
        )
        assert made.service.started_by_hand == made.service.now


def test_an_experiment_that_can_not_be_asked_for_is_taken_as_it_was(made: Account) -> None:
    started = fis.start_experiment(plans.SHUTDOWN, RUN.execution, made.context)
    made.service.now += 30
    made.service.errors["GetExperiment"] = []
    last = PhaseResult(True, False, START, started.id, "")
    made.service.timers.append(
        (START + 35, lambda: made.service.errors.update(GetExperiment=["Throttling"]))
    )
    result = phases.observe(call(names.OBSERVE, inject=last), made.context)
    assert result.again
    assert [each for each in made.log if each["event"] == "the experiment can't be asked for"]
