"""Runs whose functions or whose calls of AWS fail, and runs that are aborted."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from staged_resiliency.drills.runtime import states as names
from tests.fake_aws import plans
from tests.fake_aws.account import FunctionError, account, throttled, timed_out
from tests.fake_aws.simulation import Script
from tests.staged_resiliency.drills.runtime.runs import BLACKHOLE, SHUTDOWN, verdict

PHASES = (
    names.PREFLIGHT,
    names.STEADY_STATE,
    names.INJECT,
    names.OBSERVE,
    names.END_FAULT,
    names.FAILBACK,
    names.STEADY_AGAIN,
    names.RECORD,
)
# Those whose work is more than what they observed; of others it is all the same whether a call that
# is lost has done it.
CHANGING = (names.INJECT, names.END_FAULT, names.RECORD)
# What can become of one call of a function; a time-out comes after its work.
KINDS: Mapping[str, Callable[[], Exception]] = {
    "throws": lambda: FunctionError("scripted"),
    "times out": timed_out,
    "is throttled": throttled,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_functions_that_fail_once_in_each_phase_change_nothing(kind: str) -> None:
    def fail(phase: str, count: int) -> None:
        if count == 0:
            raise KINDS[kind]()

    with account(SHUTDOWN) as made:
        setattr(made, "after" if kind == "times out" else "before", fail)
        assert made.run() == "SUCCEEDED"
        assert verdict(made)["status"] == "passed"
        assert {phase for phase in PHASES if made.phases.count(phase) > 1} == set(PHASES)
        assert len(made.service.experiments) == 1


ALWAYS = {
    names.PREFLIGHT: ("SUCCEEDED", "aborted", "no fault was injected: preflight failed"),
    names.STEADY_STATE: ("SUCCEEDED", "aborted", "no fault was injected: steady failed"),
    names.INJECT: ("SUCCEEDED", "aborted", "inject failed"),  # also where a fault was injected
    names.OBSERVE: ("SUCCEEDED", "aborted", "observe failed"),
    names.END_FAULT: ("FAILED", "failed", "THE FAULT MAY STILL BE THERE"),
    names.FAILBACK: ("SUCCEEDED", "aborted", "failback failed"),
    names.STEADY_AGAIN: ("SUCCEEDED", "aborted", "steady_again failed"),
    names.RECORD: ("FAILED", "aborted", "the run was failed"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phase", "when"),
    [
        *((phase, "before") for phase in PHASES),
        *((phase, "after") for phase in (*CHANGING, names.OBSERVE)),
    ],
)
def test_a_function_that_fails_always_leaves_no_fault_behind(phase: str, when: str) -> None:
    early = "throws" if PHASES.index(phase) % 2 else "is throttled"

    def fail(called: str, count: int) -> None:
        if called == phase:
            raise KINDS["times out" if when == "after" else early]()

    with account(SHUTDOWN) as made:
        setattr(made, when, fail)
        status = made.run()
        found = verdict(made)
    if phase == names.RECORD and when == "after":
        # The verdict was recorded; only Step Functions never received the result.
        assert (status, found["status"]) == ("FAILED", "passed")
        return
    if phase == names.END_FAULT and when == "after":
        # It left behind that the fault is over, before its answer was lost.
        assert (status, found["status"]) == ("SUCCEEDED", "aborted")
        assert "end failed: States.Timeout" in found["message"]
        return
    if phase == names.INJECT:
        # Where the order got through, the fault is in the journal though its answer was lost.
        assert (made.service.fault_at is None) == (when == "before")
        assert ("no fault was injected" in found["message"]) == (when == "before")
    expected = ALWAYS[phase]
    assert (status, found["status"]) == expected[:2]
    assert expected[2] in found["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phase", "when"),
    [*((phase, "before") for phase in CHANGING), *((phase, "after") for phase in PHASES)],
)
def test_a_run_that_is_aborted_in_any_state_is_cleaned_up(phase: str, when: str) -> None:
    with account(SHUTDOWN) as made:
        assert made.finish(made.start_aborted(phase, when=when)) == "ABORTED"
        found = verdict(made)
    # An abort does not stop the function that runs; so the verdict of Record is there already.
    assert found["status"] == ("passed" if phase == names.RECORD else "aborted")
    if phase != names.RECORD:
        assert "the run was aborted" in found["message"]


def test_a_blackhole_of_an_aborted_run_is_watched_to_its_end() -> None:
    with account(BLACKHOLE, Script(detect=120, clients_move=None)) as made:
        assert made.finish(made.start_aborted(names.OBSERVE)) == "ABORTED"
        assert verdict(made)["message"] == "the run was aborted"


def test_an_experiment_that_is_started_while_the_cleanup_waits_is_stopped_too() -> None:
    """The function that starts it outlives the abort, and is slow."""
    given = {
        "clientToken": "late",
        "experimentTemplateId": plans.TEMPLATE,
        "experimentOptions": {"actionsMode": "run-all"},
        "tags": {"staged-resiliency:run": plans.EXECUTION},
    }
    with account(SHUTDOWN, Script(list_lags=20)) as made:

        def slow() -> None:
            made.stop(plans.EXECUTION)
            made.aborted = True
            made.service.after(100, lambda: made.service.StartExperiment(given))
            raise FunctionError("its answer is lost")

        made.before_phase(names.INJECT, slow)
        assert made.run() == "ABORTED"
        assert verdict(made)["status"] == "aborted"
    assert len(made.service.experiments) == 1


@pytest.mark.slow
def test_a_run_that_takes_too_long_as_a_whole_is_cleaned_up() -> None:
    with account(SHUTDOWN) as made:
        held, left = threading.Event(), threading.Event()

        def hang() -> None:
            held.wait(60)
            left.set()
            raise FunctionError("too late")

        made.before_phase(names.OBSERVE, hang)
        execution = made.start(made.machine(SHUTDOWN, TimeoutSeconds=1))
        described = made.wait(execution)
        assert described["status"] == "TIMED_OUT"
        made.clean_up(described)
        assert verdict(made)["message"] == "the run was timed out"
        held.set()
        assert left.wait(60)


THROTTLED = "ThrottlingException"
# Each in one run with others that other phases ask first, as a phase is tried four times.
REFUSALS: Mapping[str, Mapping[str, str]] = {
    "alarms, DNS, start, stop and metrics": {
        "DescribeAlarms": "Throttling",
        "TestDNSAnswer": THROTTLED,
        "StartExperiment": THROTTLED,
        "StopExperiment": THROTTLED,
        "PutMetricData": THROTTLED,
    },
    "the list of experiments, their state and messages": {
        "ListExperiments": THROTTLED,
        "GetExperiment": THROTTLED,
        "Publish": "ThrottledException",
    },
    "instances": {"DescribeInstances": "RequestLimitExceeded"},
    "objects": {"PutObject": "SlowDown"},
}


@pytest.mark.slow
@pytest.mark.parametrize("refusals", REFUSALS.values(), ids=REFUSALS)
def test_apis_that_refuse_a_few_times_change_nothing(refusals: Mapping[str, str]) -> None:
    plan = replace(SHUTDOWN, sample_seconds=10)  # steady within a minute all the same
    with account(plan) as made:
        made.service.errors.update({each: [code] * 2 for each, code in refusals.items()})
        assert made.run() == "SUCCEEDED"
        assert [each for each in refusals if made.service.errors[each]] == []
        assert verdict(made)["status"] == "passed"
