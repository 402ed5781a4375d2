"""Asks every target once and prints a table.

A host does not ask itself as a peer, but it may not know its name: then it asks all of them, and no
answer of a peer tells whether this host is well.
"""

from __future__ import annotations

from collections.abc import Sequence

from .attempt import Tools
from .checks import Check
from .config import Config
from .failure import shown
from .metric_statistics import Series
from .sampler import Result, Sampler

_PEER = "peer-connectivity of "


def results_of_one_round(config: Config, tools: Tools, host: str) -> list[Result]:
    """One sample of every target and peer, all at the same time; it uses the loop up.

    Args:
        config: What is asked.
        tools: Loop, resolver and wall clock.
        host: This host's name, which asks the other peers if it is one; empty where it is unknown.
    """
    found: list[Result] = []
    asked: list[tuple[str, Check]] = [*config.targets]
    if not host or host in config.peers:
        asked += [(_PEER + peer, check) for peer, check in config.peers.items() if peer != host]

    def record(result: Result) -> None:
        found.append(result)
        if len(found) == len(asked):
            tools.loop.stop()

    for metric, check in asked:
        timeout = config.timeout_seconds
        Sampler(tools, Series(metric, ()), check, config.interval_seconds, timeout, record).take()
    if asked:
        tools.loop.run()
    tools.loop.close()
    order = {id(check): number for number, (_, check) in enumerate(asked)}
    return sorted(found, key=lambda result: order[id(result.sampler.check)])


def is_failing(results: Sequence[Result], host: str) -> bool:
    """Whether a target failed, or a peer that is not this host."""
    return any(
        result.failure and (host or not result.sampler.series.metric.startswith(_PEER))
        for result in results
    )


def table(results: Sequence[Result]) -> str:
    """The results as aligned columns."""
    rows = [("METRIC", "TARGET", "VALUE", "TIME", "ANSWER")]
    for result in results:
        rows.append(
            (
                result.sampler.series.metric,
                result.sampler.check.place,
                "0" if result.failure else "1",
                f"{result.seconds * 1000:.0f} ms",
                shown(result.failure or result.answer),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]])
        for row in rows
    )
