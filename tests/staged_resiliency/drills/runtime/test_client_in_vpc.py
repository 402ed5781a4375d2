"""Drills of private hosts: a function in their VPC observes clients, and the others call it."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import (
    client_view,
    context,
    drill_status,
    fis,
    network,
    phases,
    preflight,
    states,
)
from staged_resiliency.drills.runtime.context import AwsError
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.states import PhaseInput, RunName
from staged_resiliency.experiment.observations import Source, of
from tests.fake_aws import plans
from tests.fake_aws.account import Account, Answer, Parameters, account
from tests.fake_aws.simulation import START, ApiError, Script

INVOKE = ("lambda", "Invoke")


def nothing(name: str) -> Sequence[str]:
    raise AssertionError(f"{name} does not exist outside the VPC")


def nobody(address: str, endpoint: Endpoint, host: str) -> str:
    raise AssertionError(f"{address} can't be reached outside the VPC")


@pytest.fixture
def private() -> Iterator[Account]:
    """An account whose functions can neither resolve the names nor reach the hosts themselves."""
    with account(plans.IN_VPC) as made:
        made.context = replace(made.context, resolve=nothing, ask=nobody)
        yield made


def test_a_poll_observes_what_clients_in_the_vpc_see(private: Account) -> None:
    found = client_view.poll(plans.IN_VPC, private.context)
    assert (found.client, found.reason) == (plans.BLUE, f"at {plans.BLUE_ADDRESS}")
    assert found.dns == found.resolved == (plans.BLUE_ADDRESS,)
    assert [each.value for each in of(found.observations, Source.DNS)] == [plans.BLUE_ADDRESS]
    assert [each.value for each in of(found.observations, Source.HOST)] == [plans.GREEN]
    assert ("route53", "TestDNSAnswer") not in private.calls


def test_the_time_that_a_host_takes_is_that_of_the_host_and_not_of_the_call() -> None:
    plan = replace(plans.DEGRADE, client_function=plans.CLIENT_FUNCTION)
    with account(plan, Script(initiating=0, degraded_answers_take=0.6)) as made:
        fis.start_experiment(plan, "arn", made.context)
        simulated = made.service.Invoke

        def slow_call(given: Parameters) -> Answer:
            made.service.sleep(1)
            return simulated(dict(given))

        made.answers[INVOKE] = slow_call
        (client,) = of(client_view.poll(plan, made.context).observations, Source.CLIENT)
    assert client.seconds == 0.6


@pytest.mark.slow
def test_a_whole_run_passes(private: Account) -> None:
    assert private.run() == "SUCCEEDED"
    journal = private.journal()
    assert journal["verdict"]["status"] == "passed"
    assert ("route53", "TestDNSAnswer") not in private.calls


def test_the_standby_is_asked_in_the_vpc_before_a_run(private: Account) -> None:
    assert preflight.inspect(plans.IN_VPC, "arn", private.context).standby == plans.GREEN


@pytest.mark.slow
def test_no_run_starts_while_the_function_is_idle(private: Account) -> None:
    private.refuse(*INVOKE, ApiError("ResourceNotReadyException", "The function is inactive"))
    private.run()
    assert private.service.experiments == []
    assert "ResourceNotReadyException" in private.journal()["verdict"]["message"]


@pytest.mark.slow
def test_a_drill_that_no_longer_sees_clients_ends_its_fault(private: Account) -> None:
    gone = ApiError("EC2AccessDeniedException")
    private.before_phase(states.OBSERVE, lambda: private.refuse(*INVOKE, gone))
    assert private.run() == "SUCCEEDED"
    assert private.journal()["verdict"]["status"] != "passed"
    assert not private.service.broken
    assert private.service.now < START + plans.IN_VPC.fault_seconds


@pytest.mark.slow
def test_a_run_that_saw_no_clients_while_its_fault_ended_does_not_pass() -> None:
    """Polls that fail are ignored then, and clients may have had no service meanwhile."""
    plan = replace(
        plans.RDS_FAILOVER,
        client_function=plans.CLIENT_FUNCTION,
        sample_seconds=25,
        call_seconds=900,
    )
    script = Script(clients_move=None, failover_takes=600, needs_database=True, detect=None)
    with account(plan, script) as made:

        def lost(phase: str, count: int) -> None:
            made.answers.pop(INVOKE, None)
            if phase == states.END_FAULT:
                made.refuse(*INVOKE, ApiError("TooManyRequestsException"))
            if phase == states.OBSERVE:  # the database is lost only just after it
                script.needs_database = False
            elif phase == states.END_FAULT:
                script.needs_database = True

        made.before = lost
        made.run()
        said = made.journal()["verdict"]
    assert said["status"] == "failed"
    assert "clients were not observed for " in said["message"]


def test_a_fault_is_ended_first_of_all_and_without_the_vpc(private: Account) -> None:
    plan, made = plans.IN_VPC, private
    started = fis.start_experiment(plan, "arn", made.context)
    made.service.now += 60
    made.refuse(*INVOKE, ApiError("ENINotReadyException"))
    made.calls.clear()
    call = PhaseInput(states.END_FAULT, plan, RunName("arn", "run-1"), {}, {})
    while phases.end_fault(call, made.context).again:
        pass
    (experiment,) = made.service.experiments
    assert (experiment.id, experiment.stopped_at) == (started.id, START + 60)
    assert made.calls.index(("fis", "StopExperiment")) < made.calls.index(INVOKE)
    assert not made.service.broken


def test_what_fails_in_the_function_is_no_answer_of_a_host(private: Account) -> None:
    private.answers[INVOKE] = lambda _: {
        "StatusCode": 200,
        "FunctionError": "Unhandled",
        "Payload": io.BytesIO(b'{"errorMessage": "Task timed out after 9.00 seconds"}'),
    }
    with pytest.raises(AwsError, match=r"Unhandled: arn:.*:client: .*timed out after 9\.00"):
        client_view.poll(plans.IN_VPC, private.context)


def test_the_function_is_called_each_day_so_that_it_stays_active(private: Account) -> None:
    event = replace(plans.SCHEDULES, drills=(), client_function=plans.CLIENT_FUNCTION).to_json()
    drill_status.publish(event, private.context)
    assert private.calls == [INVOKE]
    private.refuse(*INVOKE, ApiError("AccessDeniedException"))
    with pytest.raises(drill_status.StatusUnavailableError, match="the client in the VPC: Access"):
        drill_status.publish(event, private.context)


def test_the_function_waits_for_hosts_and_its_callers_wait_for_it() -> None:
    takes = network.RESOLVE_SECONDS + network.DEADLINE_SECONDS
    assert takes < functions.CLIENT.timeout_seconds < context.READ_TIMEOUT_SECONDS


def test_the_steady_state_names_the_resolver_that_was_asked() -> None:
    with account(plans.IN_VPC, Script(dns=(plans.GREEN_ADDRESS,))) as made:
        view = client_view.poll(plans.IN_VPC, made.context)
    expected = f"the resolver of the VPC answers {plans.GREEN_ADDRESS}, not {plans.BLUE_ADDRESS}"
    assert client_view.not_steady(plans.IN_VPC, view) == expected
