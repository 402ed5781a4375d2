"""How long a failover takes and what a month costs after a change, in a review."""

from dataclasses import replace

from resiliency.review.findings import Level
from tests.resiliency.review.stacks import (
    alarm,
    configured,
    pair,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
)


def test_an_objective_that_a_change_misses_is_a_danger() -> None:
    before, after = stack(pair()), stack(pair(TTL="3600"))
    after = replace(after, template={**after.template, "Metadata": {"RecoveryTimeSeconds": 600}})
    found = reviewed_stacks([before], [after]).findings
    dangers = [each for each in found if each.level is Level.DANGER]
    assert dangers
    assert all("which misses the objective of 600 s" in each.text for each in dangers)


def test_a_fault_after_which_clients_no_longer_move_is_a_danger() -> None:
    found = texts(reviewed(pair(), configured(pair(), Disabled=True)), "time")
    assert any(each.startswith("danger") and "clients no longer move" in each for each in found)


def test_what_a_month_costs_more() -> None:
    assert texts(reviewed({}, {"A": alarm("a")}), "cost") == [
        "note +0.40 US dollars a month at list prices, 0.40 in all (alarms +0.10, custom metrics "
        "of probes, and one of all drills of a service +0.30)"
    ]
    assert texts(reviewed({"A": alarm("a")}, {"A": alarm("b")}), "cost") == []
