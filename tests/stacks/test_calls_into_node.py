"""How often a tree of constructs calls into Node, of which the time of synthesis is a multiple."""

import pytest
from jsii._kernel.providers.process import ProcessProvider

from resiliency.service_file import Service
from stacks.application import add_stacks
from tests.support import app_as_by_the_cli, example

_CALLS = ("create", "get", "set", "invoke", "sget", "sinvoke")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of the calls so far."""
    made: list[str] = []

    def counted(kind: str) -> None:
        call = getattr(ProcessProvider, kind)

        def count(provider: ProcessProvider, request: object) -> object:
            made.append(kind)
            return call(provider, request)

        monkeypatch.setattr(ProcessProvider, kind, count)

    for kind in _CALLS:
        counted(kind)
    return made


@pytest.mark.slow
def test_three_drills_take_few_calls(calls: list[str]) -> None:
    def calls_of(service: Service) -> int:
        calls.clear()
        add_stacks(app_as_by_the_cli(), [service])
        return len(calls)

    added = calls_of(example(whole=True)) - calls_of(example())
    # 51 constructs and resources; more than these mean that something is asked again and again.
    assert 100 < added <= 145
