"""Checks every target once, for ``--once``.

A host that does not know its own name checks all peers, perhaps itself too; a peer that fails does
not count then.
"""

from __future__ import annotations

from collections.abc import Sequence

from .attempt import Tools
from .config import PEER_METRIC, Config, Target
from .journal import printable
from .metric_statistics import Series
from .sampler import Result, Sampler

_PEER = f"{PEER_METRIC} of "


def results_of_one_round(config: Config, tools: Tools, host: str) -> list[Result]:
    """Sample every target and peer, all at the same time, and close the loop.

    ``host`` is this host's name, empty where it is unknown. A host that is not a peer checks none.
    """
    results: list[Result] = []
    targets = [*config.targets]
    if not host or host in config.peers:
        targets += [
            Target(_PEER + peer, check) for peer, check in config.peers.items() if peer != host
        ]

    def record(result: Result) -> None:
        results.append(result)
        if len(results) == len(targets):
            tools.loop.stop()

    for target in targets:
        series, pace = Series(target.metric, ()), config.pace_of(target)
        Sampler(tools, series, target.check, *pace, record).take()
    if targets:
        tools.loop.run()
    tools.loop.close()
    order = {id(target.check): number for number, target in enumerate(targets)}
    return sorted(results, key=lambda result: order[id(result.sampler.check)])


def is_failing(results: Sequence[Result], host: str) -> bool:
    """Return whether a target failed, or a peer that is not this host."""
    return any(
        result.failure and (host or not result.sampler.series.metric.startswith(_PEER))
        for result in results
    )


def table(results: Sequence[Result]) -> str:
    """Format the results as aligned columns."""
    rows = [("METRIC", "TARGET", "VALUE", "TIME", "ANSWER")]
    for result in results:
        rows.append(
            (
                result.sampler.series.metric,
                result.sampler.check.label,
                "0" if result.failure else "1",
                f"{result.seconds * 1000:.0f} ms",
                printable(result.failure or result.answer),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]])
        for row in rows
    )
