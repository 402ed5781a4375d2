"""Names are looked up in threads: one that hangs delays no other."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.resolver import Resolver
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import eventually

DB = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]


class Lookup:
    """Stands for ``getaddrinfo``: names may hang until they are let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.hanging: dict[str, threading.Event] = {}
        self.errors: dict[str, Exception] = {}

    def __call__(self, name: str, port: None, family: int, kind: int) -> Any:
        self.asked.append((name, family))
        if name in self.hanging:
            self.hanging[name].wait(10)
        if name in self.errors:
            raise self.errors[name]
        return DB


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def lookup() -> Iterator[Lookup]:
    lookup = Lookup()
    yield lookup
    for event in lookup.hanging.values():
        event.set()


class Asker:
    """Asks a resolver, and turns the loop until something is so."""

    def __init__(self, loop: Loop, resolver: Resolver) -> None:
        self.loop = loop
        self.resolver = resolver
        self.answers: list[tuple[str, Any]] = []

    def ask(self, name: str, family: int = socket.AF_INET, seconds: float = 5) -> None:
        def done(value: Any, error: Exception | None) -> None:
            self.answers.append((name, error or value))

        self.loop.start(self.resolver.addresses(name, family), seconds, done)

    def until(self, found: Callable[[], object]) -> None:
        def look() -> object:
            self.loop.call_at(self.loop.clock() + 0.005, lambda: None)
            self.loop.turn()
            return found()

        eventually(look)


@pytest.fixture
def asker(loop: Loop, lookup: Lookup) -> Asker:
    return Asker(loop, Resolver(loop, lookup))


def test_the_addresses_of_a_name_come_with_their_family(asker: Asker) -> None:
    asker.ask("db.example.com")
    asker.until(lambda: asker.answers)
    assert asker.answers == [("db.example.com", [(socket.AF_INET, "192.0.2.7")])]


def test_a_name_that_hangs_delays_no_other_name(asker: Asker, lookup: Lookup) -> None:
    lookup.hanging["hangs"] = threading.Event()
    asker.ask("hangs")
    asker.until(lambda: lookup.asked)
    asker.ask("db.example.com")
    asker.until(lambda: asker.answers)
    assert [name for name, _ in asker.answers] == ["db.example.com"]
    lookup.hanging["hangs"].set()
    asker.until(lambda: len(asker.answers) == 2)


def test_all_who_ask_for_a_name_that_hangs_share_one_lookup(asker: Asker, lookup: Lookup) -> None:
    lookup.hanging["hangs"] = threading.Event()
    for _ in range(20):
        asker.ask("hangs")
    asker.ask("hangs", socket.AF_INET6)
    asker.until(lambda: len(lookup.asked) == 2)
    assert sorted(lookup.asked) == [("hangs", socket.AF_INET), ("hangs", socket.AF_INET6)]
    lookup.hanging["hangs"].set()
    asker.until(lambda: len(asker.answers) == 21)


def test_a_name_is_looked_up_anew_each_time(asker: Asker, lookup: Lookup) -> None:
    for _ in range(2):
        asker.answers.clear()
        asker.ask("db.example.com")
        asker.until(lambda: asker.answers)
    assert len(lookup.asked) == 2
    assert asker.resolver._threads == 1


@cases(
    "error",
    {
        "no such name": socket.gaierror(-2, "Name or service not known"),
        "a name that can't be encoded": UnicodeError("label too long"),
    },
)
def test_what_a_lookup_raises_is_raised_to_who_asked(
    asker: Asker, lookup: Lookup, error: Exception
) -> None:
    lookup.errors["db.example.com"] = error
    asker.ask("db.example.com")
    asker.until(lambda: asker.answers)
    assert asker.answers == [("db.example.com", error)]


def test_a_lookup_that_ends_after_the_deadline_resumes_nobody(asker: Asker, lookup: Lookup) -> None:
    lookup.hanging["hangs"] = threading.Event()
    asker.ask("hangs", seconds=0.01)
    asker.until(lambda: asker.answers)
    lookup.hanging["hangs"].set()
    asker.until(lambda: not asker.resolver._futures)
    assert len(asker.answers) == 1


def test_a_name_is_looked_up_once_a_thread_can_be_had_again(asker: Asker) -> None:
    usual = threading.stack_size(2**46)  # no machine can start a thread with so much
    try:
        asker.ask("db.example.com", seconds=0.01)
    finally:
        threading.stack_size(usual)
    asker.until(lambda: asker.answers)
    asker.ask("db.example.com")
    asker.until(lambda: len(asker.answers) == 2)
    assert asker.answers[1] == ("db.example.com", [(socket.AF_INET, "192.0.2.7")])


def test_the_systems_own_resolver_is_asked_unless_another_is_given(loop: Loop) -> None:
    asker = Asker(loop, Resolver(loop))
    asker.ask("localhost")
    asker.until(lambda: asker.answers)
    assert asker.answers[0][1][0] == (socket.AF_INET, "127.0.0.1")
