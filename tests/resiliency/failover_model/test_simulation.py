"""Outages: their parts, their spread over phases, and why some never end by failover."""

from dataclasses import replace

import pytest

from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import Effect, Fault, FaultKind
from resiliency.failover_model.graph import (
    BasicHealthCheck,
    FailoverGraph,
    HealthCheck,
    Metric,
    Pair,
)
from resiliency.failover_model.overrides import parse_assumptions
from resiliency.failover_model.simulation import (
    PARTS,
    Percentiles,
    Verdict,
    _affordable,
    _simulate,
    failover_times,
)
from tests.cases import cases
from tests.resiliency.failover_model.support import (
    all_of,
    endpoint,
    graph_of,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)

STATUS = unhealthy(status_alarm())
PEER = healthy(peer_alarm())
DB = unhealthy(probe_alarm("db-connectivity"))


def verdict_of(graph: FailoverGraph, kind: FaultKind, outages: int = 200) -> Verdict:
    (found,) = (v for v in failover_times(graph, outages=outages) if v.fault.kind is kind)
    return found


def total(graph: FailoverGraph, kind: FaultKind, outages: int = 200) -> Percentiles:
    found = verdict_of(graph, kind, outages).total
    assert found is not None
    return found


def p95(check: HealthCheck, kind: FaultKind) -> float:
    return total(graph_of(pair_of(check)), kind, 1000).p95


@pytest.mark.parametrize(("periods", "moved"), [(2, range(150, 200)), (5, range(1))])
def test_a_database_that_fails_over_sends_clients_to_a_host_that_lost_it_too(
    periods: int, moved: range
) -> None:
    """With as many periods as ``check`` asks for it moves nobody."""
    pair = pair_of(unhealthy(probe_alarm("db-connectivity", periods)))
    fault = Fault(FaultKind.DATABASE_FAILED_OVER, "db")
    graph = graph_of(pair)
    assert fault not in [each.fault for each in failover_times(graph, outages=1)]
    (found,) = failover_times(graph, outages=200, only=[fault], also=[fault])
    assert found.moved in moved
    assert found.meets(600) is None  # no failover helps
    if not found.moved:
        assert found.never is not None
        assert "fails for a minute or two, which is not enough" in found.never


def test_the_same_seed_gives_the_same_numbers_and_another_one_others() -> None:
    graph = graph_of(pair_of(all_of(STATUS, PEER)))
    first = failover_times(graph, outages=50, seed=7)
    assert failover_times(graph, outages=50, seed=7) == first
    assert failover_times(graph, outages=50, seed=8) != first


def test_people_are_notified_once_the_new_status_was_published_and_read() -> None:
    def times(**changes: Range) -> Verdict:
        graph = graph_of(pair_of(PEER))
        assumptions = replace(Assumptions(), **changes)
        found = failover_times(
            graph, outages=50, assumptions=assumptions, only=[Fault(FaultKind.ENDPOINT_DEAD)]
        )
        return found[0]

    def median(verdict: Verdict) -> float:
        assert verdict.message is not None
        return verdict.message.median

    none = Range(0, 0, "", "")
    least, usual = times(health_metric_delay=none), times()
    later = times(health_metric_delay=Range(1000, 1000, "", ""))
    assert least.total == usual.total == later.total
    new_status = usual.parts["detect"].best + usual.parts["decide"].best
    assert new_status < median(least) < median(usual)
    assert median(later) == pytest.approx(median(least) + 1000)
    assert times(health_metric_delay=none).message == least.message
    harmless = verdict_of(graph_of(pair_of(PEER)), FaultKind.PROBE_DEAD, 10)
    assert harmless.message is None


def test_the_faults_wanted_are_simulated_with_the_numbers_they_have_among_all() -> None:
    graph = graph_of(pair_of(all_of(STATUS, PEER)))
    some = [Fault(FaultKind.ENDPOINT_DEAD), Fault(FaultKind.HOST_IMPAIRED)]
    found = failover_times(graph, outages=50, only=some)
    assert [verdict.fault.kind for verdict in found] == [
        FaultKind.HOST_IMPAIRED,
        FaultKind.ENDPOINT_DEAD,
    ]
    assert all(verdict in failover_times(graph, outages=50) for verdict in found)


def test_the_parts_of_an_outage_are_within_their_bounds() -> None:
    verdict = verdict_of(graph_of(pair_of(STATUS)), FaultKind.HOST_STOPPED, 1000)
    assert verdict.total is not None
    assert tuple(verdict.parts) == PARTS
    assert verdict.moved == verdict.outages == 1000
    assert all(spread.best >= 0 for spread in verdict.parts.values())
    assert verdict.parts["propagate"].worst <= 30
    assert verdict.parts["cache"].worst <= 60
    # Three whole minutes must be silent, whatever the phase: never faster than two of them.
    assert verdict.total.best > 120
    assert verdict.total.worst <= sum(spread.worst for spread in verdict.parts.values())


def test_a_shorter_ttl_shortens_the_cache_down_to_what_resolvers_keep_anyway() -> None:
    usual = graph_of(pair_of(STATUS, ttl_seconds=60))
    short = graph_of(pair_of(STATUS, ttl_seconds=10))
    worst = [
        verdict_of(graph, FaultKind.HOST_STOPPED).parts["cache"].worst for graph in (usual, short)
    ]
    assert 50 < worst[0] <= 60
    assert 10 < worst[1] <= 30


def test_a_client_that_caches_adds_to_the_cache() -> None:
    stubborn = replace(Assumptions(), client_cache=Range(300, 300, "seconds", "a test"))
    verdict = failover_times(graph_of(pair_of(STATUS)), outages=20, assumptions=stubborn)[0]
    # What is left of the client's cache is anything up to all of it.
    cache = verdict.parts["cache"]
    assert cache.best < 150 < cache.worst < 360


def test_a_share_of_clients_may_be_behind_resolvers_that_stretch_ttls() -> None:
    def outcome(*words: str) -> Percentiles:
        given = parse_assumptions(words)
        verdict = failover_times(graph_of(pair_of(STATUS)), outages=1000, assumptions=given)[0]
        return verdict.parts["cache"]

    usual = outcome()
    few = outcome("stretching_share=0.04", "stretched_ttl=3600")
    some = outcome("stretching_share=0.087", "stretched_ttl=3600")
    assert usual.worst <= 60
    assert few.p95 < 120 < 3000 < few.worst
    assert few.median == pytest.approx(usual.median, abs=5)
    assert some.p95 > 600
    assert outcome("stretched_ttl=3600") == usual


def test_a_peer_finds_a_stopped_host_sooner_than_its_silence() -> None:
    assert (
        p95(all_of(STATUS, PEER), FaultKind.HOST_STOPPED) < p95(STATUS, FaultKind.HOST_STOPPED) - 60
    )


def test_fast_endpoint_checks_find_a_dead_endpoint_sooner_than_slow_ones() -> None:
    slow, fast = endpoint(), endpoint(interval_seconds=10)
    assert p95(fast, FaultKind.ENDPOINT_DEAD) < p95(slow, FaultKind.ENDPOINT_DEAD) - 30


def test_more_periods_decide_later() -> None:
    slow = unhealthy(probe_alarm("db-connectivity", 5))
    graphs = [graph_of(pair_of(check), check.alarm) for check in (DB, slow)]
    two, five = (total(graph, FaultKind.DEPENDENCY_BLACKHOLED) for graph in graphs)
    assert five.best > two.best + 120


def test_one_healthy_child_of_two_is_enough_where_the_threshold_says_so() -> None:
    graph = graph_of(pair_of(all_of(STATUS, PEER, threshold=1)))
    both = total(graph, FaultKind.HOST_STOPPED)
    alone = total(graph_of(pair_of(STATUS)), FaultKind.HOST_STOPPED)
    assert both.median == pytest.approx(alone.median, abs=30)  # the slower one decides


def test_a_calculated_health_check_can_be_inverted() -> None:
    twice = all_of(all_of(STATUS, inverted=True), inverted=True)
    assert verdict_of(graph_of(pair_of(twice)), FaultKind.HOST_STOPPED).moved == 200


def test_a_signal_that_turns_now_and_then_moves_some_outages_only() -> None:
    # An endpoint that is judged by very late or very early data alone is a matter of phase.
    late = replace(Assumptions(), status_metric_delay=Range(0, 300, "seconds", "a test"))
    verdicts = failover_times(graph_of(pair_of(STATUS)), outages=200, assumptions=late)
    assert 0 < verdicts[0].moved < 200


UNKNOWN = unhealthy(status_alarm(name="queue", metric=Metric("Shop", "queue-length")))
ALIAS = replace(pair_of(None).primary, evaluates_target=True)


@cases(
    ("pair", "kind", "reason"),
    {
        "no health check": (
            pair_of(None),
            FaultKind.HOST_STOPPED,
            "the primary has no health check, so it always answers",
        ),
        "alias": (
            replace(pair_of(None), primary=ALIAS),
            FaultKind.HOST_STOPPED,
            "EvaluateTargetHealth of the primary's alias is left out, as the templates do not "
            "describe its target, and nothing else decides",
        ),
        "disabled": (
            pair_of(unhealthy(status_alarm(), disabled=True)),
            FaultKind.HOST_STOPPED,
            "shop-blue-StatusCheckFailed is disabled, which counts as healthy",
        ),
        "disabled child, and another that is not needed": (
            pair_of(all_of(unhealthy(status_alarm(), disabled=True), PEER, threshold=1)),
            FaultKind.HOST_STOPPED,
            "shop-blue-StatusCheckFailed falls silent, but is disabled; "
            "shop-blue-peer-connectivity-failed fails after its deadline, which is not enough to "
            "change the answer",
        ),
        "not among the signals that decide": (
            pair_of(STATUS),
            FaultKind.DEPENDENCY_BLACKHOLED,
            "only shop-blue-db-connectivity-failed would show it, which does not decide "
            "(shop-blue-StatusCheckFailed does)",
        ),
        "no signal shows it": (
            pair_of(STATUS),
            FaultKind.ENDPOINT_DEAD,
            "no deciding signal (shop-blue-StatusCheckFailed) shows it",
        ),
        "no host is named": (
            pair_of(endpoint()),
            FaultKind.DEPENDENCY_BLACKHOLED,
            "no deciding signal (endpoint) shows it",
        ),
        "silence is health": (
            pair_of(healthy(status_alarm())),
            FaultKind.HOST_STOPPED,
            "shop-blue-StatusCheckFailed falls silent, and insufficient data counts as Healthy",
        ),
        "unknown metric": (
            pair_of(UNKNOWN),
            FaultKind.HOST_STOPPED,
            "the model does not know how the fault shows in queue",
        ),
        "unknown metric beside a known one": (
            pair_of(all_of(UNKNOWN, healthy(status_alarm()))),
            FaultKind.HOST_STOPPED,
            "shop-blue-StatusCheckFailed falls silent, and insufficient data counts as Healthy",
        ),
        "inverted, but not concerned": (
            pair_of(all_of(STATUS, unhealthy(peer_alarm(), inverted=True), threshold=1)),
            FaultKind.PROBE_DEAD,
            "only shop-blue-db-connectivity-failed would show it, which does not decide "
            "(shop-blue-StatusCheckFailed, shop-blue-peer-connectivity-failed does)",
        ),
        "inverted": (
            pair_of(unhealthy(status_alarm(), inverted=True)),
            FaultKind.HOST_STOPPED,
            "the secondary answers even while all is well",
        ),
        "inverted child": (
            pair_of(
                all_of(
                    unhealthy(status_alarm(), inverted=True), endpoint(disabled=True), threshold=1
                )
            ),
            FaultKind.HOST_STOPPED,
            "shop-blue-StatusCheckFailed falls silent, but is inverted; "
            "endpoint fails after its deadline, but is disabled",
        ),
    },
)
def test_never_comes_with_its_reason(pair: Pair, kind: FaultKind, reason: str) -> None:
    verdict = verdict_of(graph_of(pair, probe_alarm("db-connectivity")), kind, 20)
    assert (verdict.moved, verdict.total, verdict.parts) == (0, None, {})
    assert verdict.never == reason


def test_with_both_hosts_unhealthy_the_primary_answers() -> None:
    down = unhealthy(status_alarm(name="down", threshold=0.0))
    verdict = verdict_of(graph_of(pair_of(STATUS, down)), FaultKind.HOST_STOPPED, 20)
    assert verdict.never == (
        "shop-blue-StatusCheckFailed falls silent, which is not enough to change the answer"
    )


def test_a_dead_probe_moves_clients_where_its_silence_is_failure() -> None:
    verdict = verdict_of(graph_of(pair_of(DB)), FaultKind.PROBE_DEAD, 20)
    assert verdict.moved == 20
    assert not verdict.fault.hurts


def test_an_inverted_signal_that_recovers_too_late_lets_clients_go_for_a_while() -> None:
    # The peer is unhealthy about a minute before the inverted status check turns healthy.
    late = all_of(unhealthy(status_alarm(), inverted=True), PEER, threshold=1)
    assert verdict_of(graph_of(pair_of(late)), FaultKind.HOST_STOPPED).moved > 100


def test_no_outage_is_no_measurement() -> None:
    with pytest.raises(ValueError, match="0 outages are too few; give 1 or more"):
        failover_times(graph_of(pair_of(STATUS)), outages=0)


def test_a_spread_names_durations_that_occurred() -> None:
    assert Percentiles.of([float(n) for n in range(100, 0, -1)]) == Percentiles(1, 50, 95, 100)
    assert Percentiles.of([7.0]) == Percentiles(7, 7, 7, 7)


@pytest.mark.parametrize(
    ("period", "periods"), [(60, 1000), (3600, 24), (86_400, 1)], ids=["1000 min", "24 h", "1 d"]
)
def test_of_an_alarm_that_evaluates_hours_fewer_outages_are_simulated(
    period: int, periods: int
) -> None:
    alarm = status_alarm(
        period_seconds=period, evaluation_periods=periods, datapoints_to_alarm=periods
    )
    effects: dict[BasicHealthCheck, Effect] = {unhealthy(alarm): Effect.IMPAIRED}
    assert 50 <= _affordable(2_000, effects, Assumptions()) < 2_000
    assert _affordable(10, effects, Assumptions()) == 10


def test_of_usual_alarms_all_outages_are_simulated() -> None:
    alarm = status_alarm(period_seconds=300, evaluation_periods=5)
    assert _affordable(2_000, {unhealthy(alarm): Effect.SILENT}, Assumptions()) == 2_000


def test_services_that_differ_in_names_alone_are_simulated_once() -> None:
    one = graph_of(pair_of(all_of(STATUS, PEER)))
    other_status = unhealthy(status_alarm(name="bank-green-StatusCheckFailed"))
    other_peer = healthy(replace(peer_alarm(), name="bank-green-peer"))
    pair = replace(pair_of(all_of(other_status, other_peer)), name="bank.example.com")
    _simulate.cache_clear()
    first = failover_times(one, outages=20)
    runs = _simulate.cache_info().misses
    second = failover_times(graph_of(pair), outages=20)
    assert _simulate.cache_info().misses == runs
    assert [each.total for each in first] == [each.total for each in second]
    assert second[0].pair.name == "bank.example.com"


def test_services_that_differ_in_what_matters_are_not() -> None:
    designs = [
        pair_of(STATUS),
        pair_of(STATUS, ttl_seconds=10),
        pair_of(unhealthy(status_alarm(evaluation_periods=2, datapoints_to_alarm=2))),
        pair_of(unhealthy(status_alarm(), inverted=True)),
        pair_of(all_of(STATUS, endpoint(), threshold=1)),
        pair_of(unhealthy(probe_alarm("heartbeat"))),
    ]
    _simulate.cache_clear()
    for pair in designs:
        failover_times(graph_of(pair), outages=5, only=[Fault(FaultKind.HOST_STOPPED)])
    assert _simulate.cache_info().misses == len(designs)
