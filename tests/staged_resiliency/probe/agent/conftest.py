"""What all tests of the agent share."""

from collections.abc import Iterator

import pytest

from staged_resiliency.probe.agent import agent
from tests.staged_resiliency.probe.agent.support import VirtualHost


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often agents settle, and collect no garbage: all tests' objects would be visited.

    It would also take back what ``pytest_collection_finish`` has the collector skip.
    """
    calls: list[str] = []
    monkeypatch.setattr(agent, "settle", lambda: calls.append("settled"))
    return calls


@pytest.fixture
def world() -> Iterator[VirtualHost]:
    with VirtualHost() as world:
        yield world
