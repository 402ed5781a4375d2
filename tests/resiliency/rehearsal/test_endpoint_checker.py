"""Route 53's health checkers, asking for real."""

import asyncio
from collections.abc import Sequence

import pytest

from resiliency.failover_model.graph import EndpointCheck
from resiliency.rehearsal.aws_state import Checker
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.dependencies import Dependency
from resiliency.rehearsal.endpoint_checker import run_checkers


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["HTTP", "TCP"])
def test_checkers_find_an_endpoint_unhealthy_and_healthy_again(kind: str) -> None:
    leaf = EndpointCheck("endpoint", kind, "52.11.79.8", interval_seconds=10, failure_threshold=2)

    async def run() -> list[list[bool]]:
        found: list[list[bool]] = []

        def tell(checkers: Sequence[Checker]) -> None:
            found.append([each.healthy for each in checkers])

        endpoint = Dependency({"check": "http", "host": "x"}, "127.0.0.1")
        endpoint.start()
        clock = Clock.starting(200)
        task = asyncio.get_running_loop().create_task(
            run_checkers(leaf, endpoint.place, "x", "/", [0, 3], clock, tell)
        )
        endpoint.blackhole()
        while len(found) < 2:
            await asyncio.sleep(0.02)
        endpoint.recover()
        while len(found) < 4:
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        endpoint.close()
        return found

    found = asyncio.run(asyncio.wait_for(run(), 60))
    assert found[1] == [False, False]
    assert found[3] == [True, True]


def test_an_endpoint_that_answers_with_an_error_is_unhealthy() -> None:
    leaf = EndpointCheck("endpoint", "HTTP", "52.11.79.8", interval_seconds=10, failure_threshold=1)

    async def run() -> bool:
        found: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        endpoint = Dependency({"check": "http", "host": "x", "status": [500]}, "127.0.0.1")
        endpoint.start()
        task = asyncio.get_running_loop().create_task(
            run_checkers(
                leaf,
                endpoint.place,
                "x",
                "/",
                [0],
                Clock.starting(200),
                lambda checkers: found.set_result(checkers[0].healthy),
            )
        )
        healthy = await found
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        endpoint.close()
        return healthy

    assert asyncio.run(asyncio.wait_for(run(), 60)) is False
