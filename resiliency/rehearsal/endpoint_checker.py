"""Runs Route 53's health checkers of an endpoint, with real requests to the service here."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from resiliency.failover_model.graph import EndpointCheck
from resiliency.failover_model.health_check_timeline import (
    CONNECT_SECONDS,
    CONNECT_SECONDS_TCP,
    RESPONSE_SECONDS,
)
from resiliency.rehearsal.aws_state import Checker
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.http_client import ask, connect

LEAST_DEADLINE_SECONDS: Final = 0.5
"""In seconds here, so that a busy machine is not taken for an endpoint that is down."""


async def run_checkers(
    check: EndpointCheck,
    place: tuple[str, int],
    host: str,
    path: str,
    phases: Sequence[float],
    clock: Clock,
    on_change: Callable[[Sequence[Checker]], None],
) -> None:
    """Send requests forever, each checker in its own phase, independent of the others.

    Phases are seconds of the service until a checker's first request. ``on_change`` gets all
    checkers, each time that one changes its status.
    """
    checkers = [Checker(check.failure_threshold) for _ in phases]

    async def run_one(checker: Checker, phase: float) -> None:
        await asyncio.sleep(clock.real(phase))
        while True:
            former = checker.healthy
            checker.count(await answers_checker(check, place, host, path, clock))
            if checker.healthy is not former:
                on_change(checkers)
            await asyncio.sleep(clock.real(check.interval_seconds))

    await asyncio.gather(*(run_one(*each) for each in zip(checkers, phases, strict=True)))


async def answers_checker(
    check: EndpointCheck, place: tuple[str, int], host: str, path: str, clock: Clock
) -> bool:
    """Whether the endpoint answers a health checker: with 2xx or 3xx, or for TCP by connecting."""

    def real(seconds: float) -> float:
        return max(LEAST_DEADLINE_SECONDS, clock.real(seconds))

    try:
        if check.connects_only:
            await connect(place, real(CONNECT_SECONDS_TCP))
            return True
        answer = await ask(
            place, host, path, real(CONNECT_SECONDS), after_connecting=real(RESPONSE_SECONDS)
        )
    except OSError:
        return False
    return 200 <= answer.status < 400
