"""Effects of a change on failover times, on the cost, and on the messages that people get."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from resiliency.cost_estimate import monthly_costs
from resiliency.failover_model.comparison import Compared, compare
from resiliency.failover_model.report import without_time
from resiliency.failover_model.simulation import Verdict, failover_times
from resiliency.review.changes import Change, items_of, labels, properties
from resiliency.review.findings import Finding, Level, Topic, explaining
from resiliency.review.protection import ALARM
from resiliency.review.sides import Sides

_SUBSCRIPTION: Final = "AWS::SNS::Subscription"
_NOTHING: Final = Decimal(0)
_OBJECTIVE: Final = "RecoveryTimeSeconds"


def compared_times(sides: Sides, outages: int) -> Sequence[Compared]:
    """Return the failover times of each fault before and after; empty without a pair."""
    before, after = sides.graphs
    first = failover_times(before, outages=outages, seed=0)
    same = before == after
    second = first if same else failover_times(after, outages=outages, seed=0)
    return compare(first, second) if first or second else ()


def time_findings(compared: Sequence[Compared], sides: Sides) -> Iterator[Finding]:
    """Find faults after which clients move later, sooner, or no longer at all."""
    objectives = [
        seconds
        for stack in sides.after
        if isinstance(seconds := stack.template.get("Metadata", {}).get(_OBJECTIVE), int)
    ]
    for each in compared:
        before, after = each.before, each.after
        if after is None or (before is not None and _times(before) == _times(after)):
            continue
        old = "no such fault" if before is None else _times(before)
        text = f"{each.record} {each.record_type}, {each.fault}: {old} → {_times(after)}"
        level = Level.NOTE
        if before is not None and before.total and not after.total and each.fault.hurts:
            level, text = Level.DANGER, f"{text}: clients no longer move, as {after.never}"
        elif (each.difference("p95") or 0) > 0:
            level = Level.WARNING
        missed = [one for one in objectives if after.meets(one) is False and after.total]
        if missed and before is not None and before.meets(missed[0]):
            level, text = Level.DANGER, f"{text}, which misses the objective of {missed[0]} s"
        yield Finding(level, Topic.TIME, "", text)


def _times(verdict: Verdict) -> str:
    total = verdict.total
    if total is None:
        return without_time(verdict)
    return f"median {total.median:.0f} s, p95 {total.p95:.0f} s"


def cost_findings(sides: Sides) -> Iterator[Finding]:
    """Find what a month costs more or less; stacks that stay deployed still cost."""
    try:
        before, after = (
            {each.what: each.monthly for each in monthly_costs(stacks)}
            for stacks in (sides.before, [*sides.after, *sides.left])
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        text = "not estimated: a template has values that its resource types do not have"
        yield Finding(Level.NOTE, Topic.COST, "", text)
        return
    grown = {
        what: after.get(what, _NOTHING) - before.get(what, _NOTHING) for what in {**before, **after}
    }
    if round(sum(grown.values()), 2) == 0:
        return
    items = ", ".join(f"{what} {more:+.2f}" for what, more in grown.items() if more)
    yield Finding(
        Level.NOTE,
        Topic.COST,
        "",
        f"{sum(grown.values()):+.2f} US dollars a month at list prices, "
        f"{sum(after.values()):.2f} in all ({items})",
    )


def message_findings(sides: Sides) -> Iterator[Finding]:
    """Find messages that people get because of the deployment itself."""
    for change in sides.of(_SUBSCRIPTION):
        if change.is_new and properties(change.after).get("Protocol") == "email":
            text = (
                f"{properties(change.after).get('Endpoint')} gets an e-mail of SNS, and no alarm "
                "until its link is followed"
            )
            yield explaining(Topic.MESSAGES, [change], text)
    alarms = [each for each in sides.of(ALARM) if _notifies(each, "AlarmActions")]
    firing = [each for each in alarms if _fires_without_data(each, sides)]
    yield from _alike(firing, "until the metric has data, people are notified of", Level.WARNING)
    recovering = [each for each in alarms if each.is_new and _notifies(each, "OKActions")]
    text = "once created, people are notified of the OK of"
    yield from _alike(recovering, text, Level.NOTE)


def _fires_without_data(change: Change, sides: Sides) -> bool:
    given = properties(change.after)
    known, after = (graph.alarms for graph in sides.graphs)
    metrics = {each.metric for each in known}
    return (
        given.get("TreatMissingData") == "breaching"
        and "WarmUpConfiguration" not in given
        and any(
            each.name == given.get("AlarmName")
            and each.metric not in metrics
            and not each.metric.namespace.startswith("AWS/")
            for each in after
        )
    )


def _alike(changes: Sequence[Change], text: str, level: Level) -> Iterator[Finding]:
    for stack in dict.fromkeys(each.stack.name for each in changes):
        names = labels([each for each in changes if each.stack.name == stack])
        yield Finding(level, Topic.MESSAGES, stack, f"{text} {names}")


def _notifies(change: Change, key: str) -> bool:
    given = properties(change.after)
    return given.get("ActionsEnabled") is not False and bool(items_of(given.get(key)))
