"""Two designs side by side: each number before, after, and by how much it grew."""

import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from resiliency.failover_model.comparison import (
    Compared,
    compare,
    comparison_json,
    print_comparison,
)
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.graph import FailoverGraph
from resiliency.failover_model.simulation import Verdict, failover_times
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
DB = probe_alarm("db-connectivity")
CDN = probe_alarm("cdn-connectivity")
BEFORE = failover_times(graph_of(pair_of(STATUS), DB), outages=50)
AFTER = failover_times(
    graph_of(pair_of(all_of(STATUS, healthy(peer_alarm())), ttl_seconds=10), CDN), outages=50
)


def of(kind: FaultKind, dependency: str | None = None) -> Compared:
    (found,) = (each for each in compare(BEFORE, AFTER) if each.fault == Fault(kind, dependency))
    return found


def test_each_number_of_a_fault_has_its_difference() -> None:
    found = of(FaultKind.HOST_STOPPED)
    assert found.before is not None
    assert found.after is not None
    assert found.before.total is not None
    assert found.after.total is not None
    difference = found.difference("p95")
    assert difference == found.after.total.p95 - found.before.total.p95
    assert difference < -60


def test_never_and_absent_have_none() -> None:
    assert of(FaultKind.ENDPOINT_DEAD).difference("median") is None
    gone, new = (
        of(FaultKind.DEPENDENCY_BLACKHOLED, "db"),
        of(FaultKind.DEPENDENCY_BLACKHOLED, "cdn"),
    )
    assert gone.after is None
    assert new.before is None
    assert gone.difference("p95") is new.difference("p95") is None


def test_a_design_against_itself_differs_in_nothing() -> None:
    for each in compare(BEFORE, BEFORE):
        assert each.before == each.after
        assert each.difference("worst") in (0, None)


def test_single_names_are_held_against_each_other_whatever_they_are() -> None:
    renamed = replace(pair_of(STATUS), name="staging.example.com")
    other = failover_times(graph_of(renamed), outages=50)
    found = compare(BEFORE, other)[0]
    assert found.record == "staging.example.com"
    assert found.before is not None
    assert found.after is not None


def test_of_several_names_each_is_held_against_itself() -> None:
    shop = pair_of(STATUS)
    books = replace(shop, name="books.example.com")
    two = failover_times(FailoverGraph([shop, books], []), outages=5)
    one = failover_times(graph_of(books), outages=5)
    found = [each for each in compare(two, one) if each.fault.kind is FaultKind.HOST_STOPPED]
    assert [(each.record, each.after is not None) for each in found] == [
        ("shop.example.com", False),
        ("books.example.com", True),
    ]


def printed(before: Sequence[Verdict], after: Sequence[Verdict]) -> str:
    console = Console(file=StringIO(), width=160)
    print_comparison(compare(before, after), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "shop.example.com A: seconds until clients reach the secondary",
        "never → ",
        "never → absent",
        "absent → never",
        "before endpoint dead: never, as no deciding signal (shop-blue-StatusCheckFailed)",
        "after dependency blackholed: cdn: never, as only shop-blue-cdn-connectivity-failed",
    ],
)
def test_the_report_has_this_text(text: str) -> None:
    assert text in printed(BEFORE, AFTER)


def test_the_difference_that_is_shown_is_that_of_the_numbers_shown() -> None:
    lines = printed(BEFORE, AFTER).splitlines()
    (line,) = (line for line in lines if "host stopped" in line)
    for cell in line.split("│")[2:6]:
        before, _, rest = cell.strip().partition(" → ")
        after, _, grown = rest.partition(" ")
        assert int(after) - int(before) == int(grown.strip("()"))


def test_what_stays_as_it_is_is_printed_once() -> None:
    assert "never → never" not in printed(BEFORE, BEFORE)


def test_programs_get_both_sides_and_the_difference() -> None:
    document = json.loads(json.dumps(comparison_json(compare(BEFORE, AFTER), seed=0)))
    first = document["compared"][0]
    assert (first["fault"], first["record"]) == ("host stopped", "shop.example.com")
    assert first["difference"]["p95"] == pytest.approx(
        first["after"]["total"]["p95"] - first["before"]["total"]["p95"], abs=0.11
    )
    (gone,) = (each for each in document["compared"] if each["dependency"] == "db")
    assert gone["after"] is None
    assert gone["difference"] == {"best": None, "median": None, "p95": None, "worst": None}


def test_an_endpoint_check_is_held_against_none() -> None:
    before = failover_times(graph_of(pair_of(None)), outages=20)
    after = failover_times(graph_of(pair_of(endpoint())), outages=20)
    (dead,) = (
        each for each in compare(before, after) if each.fault.kind is FaultKind.ENDPOINT_DEAD
    )
    assert dead.before is not None
    assert dead.before.never == "the primary has no health check, so it always answers"
    assert dead.after is not None
    assert dead.after.total is not None
