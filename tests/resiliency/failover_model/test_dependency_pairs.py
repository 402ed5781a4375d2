"""The failover of a dependency's own name: ours, and the recipes that also watch the secondary."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from resiliency.failover_model.faults import Effect, Fault, FaultKind, effect
from resiliency.failover_model.graph import (
    AlarmCheck,
    EndpointCheck,
    FailoverGraph,
    HealthCheck,
    Metric,
    Pair,
    Record,
)
from resiliency.failover_model.simulation import Verdict, failover_times
from tests.resiliency.failover_model.support import all_of, graph_of, probe_alarm, unhealthy

CDN, BUCKET = "d111111abcdef8.cloudfront.net", "images.shop.example.s3.eu-west-1.amazonaws.com"


def endpoint(address: str) -> EndpointCheck:
    return EndpointCheck(address, "HTTPS", address)


def seen_by(host: str) -> AlarmCheck:
    """A health check on what a host's probe says of the primary."""
    return unhealthy(probe_alarm("images-primary-connectivity", host=host))


BLUE, GREEN = seen_by("shop-blue"), seen_by("shop-green")


def pair(decides: HealthCheck) -> Pair:
    """The pair of a dependency's own name."""
    primary, secondary = Record((CDN,), 60, decides), Record((BUCKET,), 60)
    return Pair("images.shop.example", "CNAME", primary, secondary, dependency="images")


def decided_by(*checks: HealthCheck, threshold: int = 1) -> FailoverGraph:
    decides = checks[0] if len(checks) == 1 else all_of(*checks, threshold=threshold)
    return graph_of(pair(decides), BLUE.alarm, GREEN.alarm)


OURS_BY_ENDPOINT = decided_by(endpoint(CDN))
OURS_BY_HOSTS = decided_by(BLUE, GREEN)
RECIPE_BY_ENDPOINTS = decided_by(endpoint(CDN), endpoint(BUCKET), threshold=2)
RECIPE_BY_HOSTS = decided_by(BLUE, GREEN, threshold=2)


def verdicts(of: FailoverGraph) -> Mapping[FaultKind, Verdict]:
    found = {each.fault: each for each in failover_times(of, outages=50)}
    assert {fault.dependency for fault in found} == {"images"}
    return {fault.kind: verdict for fault, verdict in found.items()}


@pytest.mark.parametrize("ours", [OURS_BY_ENDPOINT, OURS_BY_HOSTS])
def test_clients_leave_a_primary_that_is_lost_and_no_other(ours: FailoverGraph) -> None:
    found = dict(verdicts(ours))
    lost = found.pop(FaultKind.PRIMARY_LOST)
    assert (lost.moved, lost.never) == (50, None)
    assert lost.fault.hurts
    assert FaultKind.SECONDARY_LOST in found
    for verdict in found.values():
        assert verdict.moved == 0, str(verdict.fault)
        assert not verdict.fault.hurts


def test_a_primary_that_hosts_see_is_not_left_because_one_host_is_cut_off() -> None:
    assert verdicts(OURS_BY_HOSTS)[FaultKind.HOST_CUT_OFF].never == (
        f"{GREEN.label} fails after its deadline, which is not enough to change the answer"
    )
    assert FaultKind.HOST_CUT_OFF not in verdicts(OURS_BY_ENDPOINT)


def test_an_alarm_of_the_hosts_own_shows_nothing_of_a_lost_secondary() -> None:
    metric = Metric("Shop", "errors", (("Host", "shop-blue"),))
    own = replace(BLUE.alarm, name="errors", metric=metric)
    beside = replace(OURS_BY_HOSTS, alarms=[*OURS_BY_HOSTS.alarms, own])
    never = verdicts(beside)[FaultKind.SECONDARY_LOST].never
    assert never == f"no deciding signal ({BLUE.label}, {GREEN.label}) shows it"


def test_the_recipe_moves_clients_to_a_secondary_that_is_itself_lost() -> None:
    """A threshold of two over both targets requires the secondary, too, to be healthy."""
    found = verdicts(RECIPE_BY_ENDPOINTS)
    assert found[FaultKind.PRIMARY_LOST].moved == 50
    assert found[FaultKind.SECONDARY_LOST].moved == 50


def test_the_recipe_moves_all_clients_because_one_host_is_cut_off() -> None:
    """A threshold of two over both hosts requires each of them to reach the primary."""
    found = verdicts(RECIPE_BY_HOSTS)
    assert found[FaultKind.PRIMARY_LOST].moved == 50
    assert found[FaultKind.HOST_CUT_OFF].moved == 50
    assert found[FaultKind.SECONDARY_LOST].moved == 0


def test_what_another_metric_shows_of_the_primary_is_not_guessed() -> None:
    lost = Fault(FaultKind.PRIMARY_LOST, "images")
    assert effect(lost, BLUE, pair(BLUE), of_primary=True) is Effect.UNANSWERED
    elsewhere = replace(BLUE, alarm=replace(BLUE.alarm, metric=Metric("Shop", "orders")))
    assert effect(lost, elsewhere, pair(BLUE), of_primary=True) is Effect.UNKNOWN


def test_faults_of_hosts_are_not_those_of_a_dependencys_own_name() -> None:
    kinds = {each.fault.kind for each in failover_times(OURS_BY_HOSTS, outages=1)}
    assert kinds == {FaultKind.PRIMARY_LOST, FaultKind.SECONDARY_LOST, FaultKind.HOST_CUT_OFF}
