"""Drills that are derived from constructs expect what drills of a service file expect."""

from collections.abc import Callable, Mapping

import pytest

from resiliency.service_file.mapping import pair_of, watched_alarms
from stacks.application import add_stacks
from stacks.probe import ProbeStack
from staged_resiliency import DrillTarget
from tests.support import Data, app_as_by_the_cli, example


def _both_ids(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"


def _peer_and_endpoint(env: Data) -> None:
    _both_ids(env)
    env["failover_on"] = ["endpoint", "peer", "db"]
    env["endpoint"]["check"] = {"protocol": "tcp"}
    env["endpoint"]["ttl_seconds"] = 30
    env["probe"] = {"interval_seconds": 20, "timeout_seconds": 3}
    env["dependencies"]["db"]["check"] = {"interval_seconds": 30, "timeout_seconds": 9}
    env["dependencies"]["db"]["alarm"] = {"evaluation_periods": 3, "missing_data": "breaching"}
    env["dependencies"]["cdn"]["alarm"] = {"evaluation_periods": 5, "datapoints_to_alarm": 3}
    env["dependencies"]["cdn"]["latency"] = {"alarm": {"above_milliseconds": 250}}


EDITS: Mapping[str, Callable[[Data], object]] = {
    "the example": lambda env: None,
    "both instances": _both_ids,
    "other signals": _peer_and_endpoint,
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_target_of_a_failover_is_that_of_the_service_file(edit: str) -> None:
    service = example(EDITS[edit])
    environment = service.environments["production"]
    app = app_as_by_the_cli()
    (stack,) = add_stacks(app, [service])
    (probe,) = (each for each in app.node.children if isinstance(each, ProbeStack))
    connectivity = [alarm for pair in stack.connectivity_alarms.values() for alarm in pair.values()]
    target = DrillTarget.of(
        stack.failover,
        environment="production",
        namespace=service.metric_namespace,
        objective_seconds=540,
        alarms=[*connectivity, *stack.peer_alarms.values(), *probe.silence_alarms.values()],
        probe=probe.agent.configuration,
    )
    assert set(target.watched_alarms) == set(watched_alarms(environment))
    assert len(target.watched_alarms) == len(target.alarms)
    assert target.pair == pair_of(environment)
    assert target.stack == stack.stack_name
    assert (target.active.name, target.active.address) == ("bookstore-api-blue", "54.213.54.171")
    assert target.standby.planned.instance_id == environment.hosts.green.instance_id
