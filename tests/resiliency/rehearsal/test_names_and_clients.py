"""The DNS server, the service on a host, and the client that asks both all the time."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest

from resiliency.rehearsal.client_process import Settings, StubResolver, request_forever
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.http_client import ask
from resiliency.rehearsal.name_server import NameServer, Zone
from resiliency.rehearsal.service_process import Service
from staged_resiliency.experiment.observations import NO_ANSWER

NAME = "shop.example.com"
BLUE, GREEN = "52.11.79.8", "52.11.79.9"


@pytest.fixture
def zone() -> Zone:
    return Zone(NAME, "A", 60, [BLUE])


@pytest.fixture
def service() -> Iterator[tuple[str, int]]:
    """Address and port of the service of a host."""
    listening = socket.create_server(("127.0.0.1", 0))
    place: tuple[str, int] = listening.getsockname()
    server = Service(listening, "shop-blue", "/version/")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield place
    server.shutdown()
    thread.join()
    server.server_close()


def settings(server: tuple[str, int], place: tuple[str, int], **more: float) -> Settings:
    return Settings(NAME, "A", server, {BLUE: place}, "/version/", **more)


@asynccontextmanager
async def served(zone: Zone) -> AsyncIterator[tuple[str, int]]:
    """The place of a server of the zone."""
    server = NameServer(zone)
    try:
        yield await server.start()
    finally:
        server.close()


async def requested(
    given: Settings, clock: Clock, answers: list[tuple[str, str]], until: Callable[[], bool]
) -> None:
    """Let the client make requests, and keep what it says, until that is enough."""
    task = asyncio.get_running_loop().create_task(
        request_forever(given, clock, lambda _, who, why: answers.append((who, why)))
    )
    limit = time.monotonic() + 30
    while not until() and time.monotonic() < limit:
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def asked(zone: Zone, name: str = NAME, kind: str = "A") -> dns.message.Message:
    answer = zone.answer(dns.message.make_query(name, kind).to_wire())
    assert answer is not None
    return dns.message.from_wire(answer)


def test_the_name_answers_with_its_addresses_and_the_records_ttl(zone: Zone) -> None:
    answer = asked(zone, "Shop.Example.com")
    assert answer.flags & dns.flags.AA
    (rrset,) = answer.answer
    assert (rrset.ttl, [data.to_text() for data in rrset]) == (60, [BLUE])


def test_the_name_has_nothing_of_another_type(zone: Zone) -> None:
    answer = asked(zone, kind="AAAA")
    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer


def test_other_names_are_refused(zone: Zone) -> None:
    answer = asked(zone, "other.example.com")
    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA


def test_what_is_no_query_gets_no_answer(zone: Zone) -> None:
    assert zone.answer(b"nothing") is None
    answer = dns.message.make_response(dns.message.make_query(NAME, "A"))
    assert zone.answer(answer.to_wire()) is None


def test_the_server_answers_and_outlives_nonsense(zone: Zone) -> None:
    async def run() -> str:
        query = dns.message.make_query(NAME, "A")
        async with served(zone) as (host, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
                noise.sendto(b"nothing", (host, port))
            answer = await dns.asyncquery.udp(query, host, 5, port)
        return str(answer.answer[0][0].to_text())

    assert asyncio.run(run()) == BLUE


def test_the_service_says_which_host_it_is_at_its_path_alone(service: tuple[str, int]) -> None:
    found = asyncio.run(ask(service, NAME, "/version/?again", 5))
    assert found.status == 200
    assert json.loads(found.body) == {"environment": "shop-blue", "version": 7}
    assert asyncio.run(ask(service, NAME, "/", 5)).status == 404


def test_what_is_no_http_is_no_answer() -> None:
    async def run() -> None:
        async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(close, "127.0.0.1", 0)
        async with server:
            with pytest.raises(OSError, match=r"without an answer|reset"):
                await ask(server.sockets[0].getsockname()[:2], NAME, "/", 5)

    asyncio.run(run())


def test_the_resolver_keeps_an_answer_for_its_ttl_and_no_longer(
    zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    clock = Clock(1, 0, 0, 0)

    async def run() -> list[str]:
        nonlocal now
        found = []
        async with served(zone) as place:
            given = settings(place, place, floor_seconds=10, cache_seconds=5)
            resolver = StubResolver(given, clock)
            for at, address in ((100.0, BLUE), (164.0, GREEN), (166.0, GREEN)):
                now = at
                zone.addresses = [address]
                found.append(await resolver.address())
        return found

    monkeypatch.setattr(Clock, "now", lambda _: now)
    assert asyncio.run(run()) == [BLUE, BLUE, GREEN]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["other.example.com", None])
def test_a_name_that_can_t_be_resolved_is_reported(zone: Zone, name: str | None) -> None:
    async def run() -> None:
        async with served(zone) as place:
            closed = ("127.0.0.1", 1)
            asking = Settings(name or NAME, "A", place if name else closed, {}, "/")
            with pytest.raises(OSError, match=r"can't be resolved|refused"):
                await StubResolver(asking, Clock.starting(1)).address()

    asyncio.run(run())


@pytest.mark.slow
def test_the_client_records_who_served_it_or_why_nobody_did(
    zone: Zone, service: tuple[str, int]
) -> None:
    answers: list[tuple[str, str]] = []

    def until() -> bool:
        zone.addresses = [GREEN] if answers else [BLUE]
        return bool(answers) and answers[-1][0] == NO_ANSWER

    async def run() -> None:
        async with served(zone) as place:
            places = {BLUE: service, GREEN: ("127.0.0.1", 1)}
            given = Settings(NAME, "A", place, places, "/version/", interval_seconds=5)
            await requested(given, Clock.starting(100), answers, until)

    asyncio.run(run())
    assert answers[0] == ("shop-blue", "")
    assert answers[-1][0] == NO_ANSWER
    assert answers[-1][1]


def test_a_service_that_answers_otherwise_does_not_serve(
    zone: Zone, service: tuple[str, int]
) -> None:
    answers: list[tuple[str, str]] = []

    async def run() -> None:
        async with served(zone) as place:
            wrong = Settings(NAME, "A", place, {BLUE: service}, "/elsewhere")
            await requested(wrong, Clock.starting(20), answers, lambda: bool(answers))

    asyncio.run(run())
    assert answers[0] == (NO_ANSWER, "status 404")


def test_settings_survive_the_way_to_another_process() -> None:
    given = settings(("127.0.0.1", 53), ("127.0.0.2", 80), floor_seconds=3)
    assert Settings.from_json(given.to_json()) == given
