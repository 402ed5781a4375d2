"""Verdicts of the model are shown to people and programs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from resiliency.failover_model.assumptions import Assumptions
from resiliency.failover_model.graph import Metric
from resiliency.failover_model.report import print_timing, timing_json
from resiliency.failover_model.simulation import Verdict, failover_times
from tests.resiliency.failover_model.support import (
    all_of,
    graph_of,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)


def verdicts() -> list[Verdict]:
    db = probe_alarm("db-connectivity")
    check = all_of(unhealthy(status_alarm()), healthy(peer_alarm()))
    return [
        *failover_times(graph_of(pair_of(check), db), outages=10),
        *failover_times(graph_of(pair_of(unhealthy(db), ttl_seconds=10), db), outages=10),
    ]


def printed(shown: Sequence[Verdict]) -> str:
    """What people see, as one line."""
    file = StringIO()
    print_timing(shown, Assumptions(), Console(file=file, width=140))
    return " ".join(file.getvalue().split())


@pytest.mark.parametrize(
    "text",
    [
        "shop.example.com A, TTL 60 s",
        "shop.example.com A, TTL 10 s",
        "(best and worst of 10 outages per fault)",
        "host stopped",
        "never dependency blackholed: db: clients stay, as only shop-blue-db-connectivity-failed",
        "stays probe dead: clients stay",
        "moves probe dead: clients are moved though they were served",
        "assumed: a request every",
        "Clients are those whose resolvers honor the TTL",
        "message an alarm on HealthCheckStatus fires after: host stopped ",
    ],
)
def test_the_report_has_this_text(text: str) -> None:
    assert text in printed(verdicts())


def test_a_move_of_some_outages_only_is_printed() -> None:
    some = replace(verdicts()[0], moved=4)
    assert "(only 40% of outages)" in printed([some])


def test_programs_get_every_number_and_what_it_rests_on() -> None:
    document = json.loads(json.dumps(timing_json(verdicts(), Assumptions(), seed=0)))
    assert document["seed"] == 0
    assert document["assumptions"]["checkers"]["assumed"] is True
    first = document["verdicts"][0]
    assert (first["fault"], first["ttl_seconds"], first["moved"]) == ("host stopped", 60, 10)
    assert first["total"]["best"] <= first["total"]["p95"] <= first["total"]["worst"]
    assert set(first["parts"]) == {"detect", "decide", "propagate", "cache"}
    never = next(each for each in document["verdicts"] if each["never"])
    assert (never["total"], never["parts"], never["moved"]) == (None, {}, 0)


def test_a_target_whose_health_is_left_out_is_named() -> None:
    pair = pair_of(unhealthy(status_alarm()))
    alias = replace(pair, primary=replace(pair.primary, evaluates_target=True))
    found = failover_times(graph_of(alias), outages=10)
    assert (
        "left out shop.example.com A: EvaluateTargetHealth of the primary's alias is left out, as "
        "the templates do not describe its target; it may move clients sooner"
    ) in printed(found)
    document = timing_json(found, Assumptions(), seed=0)
    assert {tuple(each["left_out"]) for each in document["verdicts"]} == {("EvaluateTargetHealth",)}


def test_a_pair_that_only_its_targets_health_decides_is_unknown_not_never() -> None:
    pair = pair_of(None)
    alias = replace(pair, primary=replace(pair.primary, evaluates_target=True))
    found = failover_times(graph_of(alias), outages=10)
    text = printed(found)
    assert "unknown host stopped: not known, as EvaluateTargetHealth of" in text
    assert "never" not in text


def test_a_pair_that_a_metric_of_somebody_else_decides_is_unknown_not_never() -> None:
    orders = replace(status_alarm(), metric=Metric("Shop", "orders"))
    text = printed(failover_times(graph_of(pair_of(unhealthy(orders))), outages=10))
    assert "unknown host stopped: not known, as the model does not know how the fault shows" in text
    assert "never" not in text
