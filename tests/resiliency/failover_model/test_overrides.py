"""Assumptions as given on the command line and by templates, and what rests on them."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from resiliency.errors import UserError
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.explanations import sensitive_to
from resiliency.failover_model.faults import Effect, FaultKind
from resiliency.failover_model.graph import BasicHealthCheck, FailoverGraph, Pair, Probe
from resiliency.failover_model.overrides import (
    FROM_TEMPLATES,
    assumptions_for_pair,
    parse_assumptions,
)
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file.timing_graph import deciding_graph
from tests.cases import cases
from tests.resiliency.failover_model.support import (
    all_of,
    endpoint,
    hand_written,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)
from tests.support import Data, example

KNOWN = ", ".join(sorted(name for name, _ in Assumptions().ranges()))


def test_a_range_and_a_number_are_taken() -> None:
    given = parse_assumptions(["resolver_floor=0:300", "checkers=8"])
    assert (given.resolver_floor.low, given.resolver_floor.high) == (0, 300)
    assert (given.checkers.low, given.checkers.high) == (8, 8)
    assert given.checkers.basis == "given with --assume"
    assert given.status_check == Assumptions().status_check


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("resolver_floor", "is no assumption; give one like resolver_floor=0:300"),
        ("ttl=5", f"'ttl' is no assumption; known: {KNOWN}"),
        ("checkers=2", "checkers is given twice; give it once"),
        ("client_cache=long", "'long' is neither a number nor two like 0:300"),
        ("client_cache=1:", "'1:' is neither a number nor two like 0:300"),
        ("client_cache=9:1", "9 to 1 is not a range; give 0 <= low <= high"),
        ("client_cache=nan", "nan to nan is not a range; give 0 <= low <= high"),
        ("evaluation_interval=0", "evaluation_interval of 0 to 0; allowed: 1 to 3600"),
        ("probe_timeout=61", "probe_timeout of 61 to 61; allowed: 0 to 60"),
        ("client_cache=inf", "client_cache of inf to inf; allowed: 0 to 604800"),
    ],
)
def test_what_can_not_be_assumed_is_refused(word: str, reason: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_assumptions(["checkers=1", word])
    assert str(raised.value) == f"--assume {word}: {reason}"


@pytest.mark.parametrize("name", [name for name, _ in Assumptions().ranges()])
def test_the_least_and_the_most_of_each_assumption_can_be_simulated(name: str) -> None:
    check = all_of(unhealthy(status_alarm()), healthy(peer_alarm()), endpoint())
    with pytest.raises(UserError, match="allowed: ") as raised:
        parse_assumptions([f"{name}=1e9"])
    least, most = str(raised.value).rpartition("allowed: ")[2].split(" to ")
    graph = FailoverGraph([pair_of(check)], [])
    for bound in (least, most):
        given = parse_assumptions([f"{name}={bound}"])
        assert len(failover_times(graph, outages=3, assumptions=given)) == 5


def test_evaluations_far_apart_decide_late() -> None:
    graph = FailoverGraph([pair_of(unhealthy(status_alarm()))], [])
    usual, rare = (
        failover_times(graph, outages=200, assumptions=parse_assumptions(words))[0].total
        for words in ([], ["evaluation_interval=300"])
    )
    assert usual is not None
    assert rare is not None
    assert rare.worst > usual.worst + 120


PROBE = Probe("Shop", 30, 10)


@cases(
    "pair",
    {
        "it decides": pair_of(healthy(peer_alarm())),
        "it watches the same host": pair_of(unhealthy(status_alarm())),
    },
)
def test_what_templates_say_of_the_probe_replaces_defaults(pair: Pair) -> None:
    graph = FailoverGraph([pair], [probe_alarm("db-connectivity")], [Probe("Other", 1, 1), PROBE])
    found = assumptions_for_pair(graph, pair, Assumptions())
    assert (found.probe_interval.low, found.probe_interval.high) == (30, 30)
    assert (found.probe_timeout.low, found.probe_timeout.high) == (10, 10)
    assert found.probe_interval.basis == FROM_TEMPLATES
    assert not found.probe_interval.assumed


def test_a_probe_of_another_service_changes_no_assumption() -> None:
    pair = pair_of(healthy(peer_alarm()))
    graph = FailoverGraph([pair], [], [Probe("Other", 30, 10)])
    assert assumptions_for_pair(graph, pair, Assumptions()) == Assumptions()


def test_what_somebody_gives_stays() -> None:
    pair = pair_of(healthy(peer_alarm()))
    given = parse_assumptions(["probe_interval=20"])
    found = assumptions_for_pair(FailoverGraph([pair], [], [PROBE]), pair, given)
    assert found.probe_interval.low == 20
    assert found.probe_timeout.low == 10


def test_a_probe_that_asks_rarely_finds_a_dead_endpoint_later() -> None:
    def times(seconds: int) -> float:
        def edit(environment: Data) -> None:
            environment["failover_on"] = ["peer"]
            environment["probe"] = {"interval_seconds": seconds}

        service = example(edit)
        graph = deciding_graph(service, service.environments["production"])
        verdicts = failover_times(graph, outages=500)
        (dead,) = (each for each in verdicts if each.fault.kind is FaultKind.ENDPOINT_DEAD)
        return dead.parts["detect"].median

    assert times(60) > times(10) + 15


def association(configuration: object, **more: Any) -> Mapping[str, Data]:
    template = hand_written()
    template["Resources"]["Probe"] = {
        "Type": "AWS::SSM::Association",
        "Properties": {
            "Parameters": {"Action": ["Install"], "Configuration": [configuration], **more}
        },
    }
    return {"site": template}


def encoded(content: object) -> str:
    return b64encode(json.dumps(content).encode()).decode()


SOUND = {"namespace": "Shop", "interval_seconds": 20, "timeout_seconds": 2.5}


def test_a_probe_is_read_from_its_association() -> None:
    assert read_graph(association(encoded(SOUND))).probes == [Probe("Shop", 20, 2.5)]


@cases(
    "configuration",
    {
        "what only the deployment knows": {"Ref": "Configuration"},
        "no base64": "no base64!",
        "no JSON": b64encode(b"{").decode(),
        "too deep": b64encode(b"[" * 100_000).decode(),
        "no object": encoded([1]),
        "no namespace": encoded({**SOUND, "namespace": 1}),
        "interval in words": encoded({**SOUND, "interval_seconds": "10"}),
        "interval that is true": encoded({**SOUND, "interval_seconds": True}),
        "interval of over a minute": encoded({**SOUND, "interval_seconds": 61}),
        "timeout of nothing": encoded({**SOUND, "timeout_seconds": 0}),
        "timeout of NaN": encoded({**SOUND, "timeout_seconds": float("nan")}),
    },
)
def test_an_association_of_something_else_is_read_as_no_probe(configuration: object) -> None:
    assert read_graph(association(configuration)).probes == []


def test_a_probe_that_is_uninstalled_is_not_read() -> None:
    assert read_graph(association(encoded(SOUND), Action=["Uninstall"])).probes == []


STATUS = unhealthy(status_alarm())
DB = unhealthy(probe_alarm("db-connectivity"))


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ({STATUS: Effect.SILENT}, {"extra_periods", "status_metric_delay"}),
        (
            {unhealthy(status_alarm(period_seconds=300)): Effect.SILENT},
            {"extra_long_periods", "status_metric_delay"},
        ),
        ({STATUS: Effect.IMPAIRED}, {"status_metric_delay", "status_check"}),
        (
            {DB: Effect.SILENT},
            {"extra_periods", "custom_metric_delay", "probe_interval", "probe_batch"},
        ),
        (
            {DB: Effect.UNANSWERED},
            {"custom_metric_delay", "probe_interval", "probe_batch", "probe_timeout"},
        ),
    ],
)
def test_a_time_rests_on_what_its_signals_need(
    effects: dict[BasicHealthCheck, Effect], expected: set[str]
) -> None:
    always = {
        "evaluation_interval",
        "health_check_uptake",
        "dns_propagation",
        "client_cache",
    }
    found = sensitive_to(pair_of(STATUS), {**effects, endpoint(): Effect.NONE}, Assumptions())
    assert set(found) == expected | always
    assert found == [name for name, _ in Assumptions().ranges() if name in found]


def test_an_endpoint_rests_on_its_checkers_alone_and_a_disabled_one_on_nothing() -> None:
    effects: dict[BasicHealthCheck, Effect] = {
        endpoint(): Effect.REFUSED,
        endpoint("192.0.2.9", disabled=True): Effect.REFUSED,
    }
    found = sensitive_to(pair_of(None), effects, Assumptions())
    assert found == ["checkers", "health_check_uptake", "dns_propagation", "client_cache"]


def test_a_resolvers_floor_matters_above_the_ttl_only() -> None:
    stretched = replace(Assumptions(), resolver_floor=Range(0, 300, "seconds", "a test"))
    effects: dict[BasicHealthCheck, Effect] = {endpoint(): Effect.REFUSED}
    assert "resolver_floor" in sensitive_to(pair_of(None), effects, stretched)
    assert "resolver_floor" not in sensitive_to(pair_of(None), effects, Assumptions())
    assert "resolver_floor" in sensitive_to(pair_of(None, ttl_seconds=10), effects, Assumptions())
