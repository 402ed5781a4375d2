"""Route 53's health checkers, asking for real."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from resiliency.failover_model.graph import EndpointCheck
from resiliency.rehearsal.aws_state import Checker
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.dependencies import Dependency
from resiliency.rehearsal.endpoint_checker import answers_checker, run_checkers
from resiliency.rehearsal.sockets import BlackholeSocket


@asynccontextmanager
async def checked(
    kind: str, threshold: int, phases: Sequence[float], *, status: int = 200
) -> AsyncIterator[tuple[Dependency, list[list[bool]]]]:
    """An endpoint, and what each of its checkers said after each request."""
    leaf = EndpointCheck(
        "endpoint", kind, "52.11.79.8", interval_seconds=10, failure_threshold=threshold
    )
    found: list[list[bool]] = []

    def tell(checkers: Sequence[Checker]) -> None:
        found.append([each.healthy for each in checkers])

    endpoint = Dependency({"check": "http", "host": "x", "status": [status]}, "127.0.0.1")
    endpoint.start()
    task = asyncio.get_running_loop().create_task(
        run_checkers(leaf, endpoint.place, "x", "/", phases, Clock.starting(200), tell)
    )
    yield endpoint, found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    endpoint.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["HTTP", "TCP"])
def test_checkers_find_an_endpoint_unhealthy_and_healthy_again(kind: str) -> None:
    async def run() -> list[list[bool]]:
        async with checked(kind, 2, [0, 3]) as (endpoint, found):
            endpoint.blackhole()
            while len(found) < 2:
                await asyncio.sleep(0.02)
            endpoint.recover()
            while len(found) < 4:
                await asyncio.sleep(0.02)
        return found

    found = asyncio.run(asyncio.wait_for(run(), 60))
    assert found[1] == [False, False]
    assert found[3] == [True, True]


def test_an_endpoint_that_answers_with_an_error_is_unhealthy() -> None:
    async def run() -> list[list[bool]]:
        async with checked("HTTP", 1, [0], status=500) as (_, found):
            while not found:
                await asyncio.sleep(0.02)
        return found

    assert asyncio.run(asyncio.wait_for(run(), 60))[0] == [False]


def answers(kind: str, *, full: bool, scale: float) -> tuple[bool, float]:
    """Whether a service that hangs answers a checker, and after how many seconds here."""

    async def run() -> tuple[bool, float]:
        listening = BlackholeSocket("127.0.0.1")
        if full:
            listening.shut()
        leaf = EndpointCheck("endpoint", kind, "52.11.79.8")
        began = time.monotonic()
        answered = await answers_checker(leaf, listening.place, "x", "/", Clock.starting(scale))
        listening.close()
        return answered, time.monotonic() - began

    return asyncio.run(asyncio.wait_for(run(), 60))


@pytest.mark.slow
def test_a_tcp_check_sees_nothing_of_a_service_that_hangs_until_its_queue_is_full() -> None:
    answered, _ = answers("TCP", full=False, scale=200)
    assert answered
    answered, _ = answers("TCP", full=True, scale=200)
    assert not answered


@pytest.mark.slow
def test_an_http_check_waits_two_seconds_for_the_response_after_it_connected() -> None:
    answered, seconds = answers("HTTP", full=False, scale=2)
    assert not answered
    assert 0.9 < seconds < 3  # it does not wait for the connection's 4 seconds too
