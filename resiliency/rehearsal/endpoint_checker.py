"""Route 53's health checkers of an endpoint, which really ask the service here."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from resiliency.failover_model.graph import EndpointCheck
from resiliency.rehearsal.aws_state import Checker
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.http_client import ask, connect

CONNECT_SECONDS: Final = 4.0
RESPONSE_SECONDS: Final = 2.0
CONNECT_SECONDS_TCP: Final = 10.0
"""Deadlines of a health checker.

Source: Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

LEAST_DEADLINE_SECONDS: Final = 0.5
"""In seconds here, so that a busy machine does not look like an endpoint that is down."""


async def run_checkers(
    leaf: EndpointCheck,
    place: tuple[str, int],
    host: str,
    path: str,
    phases: Sequence[float],
    clock: Clock,
    tell: Callable[[Sequence[Checker]], None],
) -> None:
    """Ask for ever, each checker at its own moments, without regard to the others.

    Args:
        leaf: The health check.
        place: Where the endpoint's stand-in listens.
        host: Name that is asked for.
        path: Path that is asked for.
        phases: When each checker first asks, in seconds of the service.
        clock: The rehearsal's.
        tell: Told what all found, each time that one changes its mind.
    """
    checkers = [Checker(leaf.failure_threshold) for _ in phases]

    async def check(checker: Checker, phase: float) -> None:
        await asyncio.sleep(clock.real(phase))
        while True:
            former = checker.healthy
            checker.take(await _answers(leaf, place, host, path, clock))
            if checker.healthy is not former:
                tell(checkers)
            await asyncio.sleep(clock.real(leaf.interval_seconds))

    await asyncio.gather(*(check(*each) for each in zip(checkers, phases, strict=True)))


async def _answers(
    leaf: EndpointCheck, place: tuple[str, int], host: str, path: str, clock: Clock
) -> bool:
    """Whether the endpoint answers as a health checker wants it: with 2xx or 3xx, or at all."""
    try:
        if leaf.kind == "TCP":
            await connect(place, max(LEAST_DEADLINE_SECONDS, clock.real(CONNECT_SECONDS_TCP)))
            return True
        seconds = CONNECT_SECONDS + RESPONSE_SECONDS
        answer = await ask(place, host, path, max(LEAST_DEADLINE_SECONDS, clock.real(seconds)))
    except OSError:
        return False
    return 200 <= answer.status < 400
