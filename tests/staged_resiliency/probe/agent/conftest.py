"""What all tests of the agent share."""

import pytest

from staged_resiliency.probe.agent import agent


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count how often agents settle, and collect no garbage: all tests' objects would be visited.

    It would also take back what ``pytest_collection_finish`` has the collector skip.
    """
    calls: list[str] = []
    monkeypatch.setattr(agent, "settle", lambda: calls.append("settled"))
    return calls
