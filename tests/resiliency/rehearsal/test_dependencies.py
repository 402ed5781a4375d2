"""Stand-ins of dependencies: they answer as the probe's checks want it, or swallow everything."""

import asyncio
import json
import socket
import time
from typing import Any

import dns.asyncquery
import dns.exception
import dns.message
import pytest

from resiliency.rehearsal.dependencies import Dependency, dns_answer, http_answer, redirected_check
from resiliency.rehearsal.http_client import ask, connect
from resiliency.rehearsal.sockets import BlackholeSocket, loopback_addresses
from staged_resiliency.probe.agent.checks import Check
from staged_resiliency.probe.agent.config import parse
from tests.staged_resiliency.probe.agent.hostile.asking import BRIEF, PATIENT
from tests.staged_resiliency.probe.agent.hostile.asking import ask as ask_as_the_probe

TCP = {"metric": "db-connectivity", "check": "tcp", "host": "db.example.com", "port": 5432}
HTTP = {"check": "http", "host": "cdn.example.com", "port": 80, "status": [204, 200]}
DNS = {"check": "dns", "host": "name.example.com", "type": "A", "answer": "10.0.0.1"}
PLACE = ("127.0.0.2", 4000)


def test_a_check_asks_the_stand_in_in_its_place() -> None:
    assert redirected_check(TCP, PLACE) == {**TCP, "host": "127.0.0.2", "port": 4000}


@pytest.mark.parametrize(("kind", "plain"), [("tls", "tcp"), ("https", "http")])
def test_tls_is_left_out_with_all_that_is_about_it(kind: str, plain: str) -> None:
    given = {**HTTP, "check": kind, "server_name": "x.example.com", "days_to_expiry": 7}
    found = redirected_check({**given, "family": "ipv6"}, PLACE)
    assert found["check"] == plain
    assert not {"server_name", "days_to_expiry", "family"} & found.keys()


def test_tls_alone_is_left_out_of_the_protocol_of_a_server() -> None:
    check = {"metric": "db-connectivity", "check": "mysql", "host": "db.example.com", "port": 3306}
    more = {"user": "probe", "interval_seconds": 5, "latency": "values"}
    of_tls = {"tls": True, "ca_file": "/ca.pem", "certificate": True}
    found = redirected_check({**check, **more, **of_tls}, PLACE)
    assert found == {**check, **more, "host": "127.0.0.2", "port": 4000}


SERVERS: dict[str, dict[str, Any]] = {
    "mysql": {"user": "probe", "tls": True},
    "postgresql": {},
    "postgresql, a session": {"user": "probe", "database": "shop", "tls": True},
    "redis": {},
    "exchange": {
        "steps": [
            {"expect": "220 "},
            {"send": "EHLO probe\r\n", "expect": "250 "},
            {"send": "STARTTLS\r\n", "expect": "220 ", "starttls": True},
            {"send": "QUIT\r\n", "expect": "221 "},
        ]
    },
    "http": {"text": "fine"},
    "tcp": {},
}


def stand_in(server: str) -> tuple[Dependency, Check]:
    """A stand-in, and the probe's check of it."""
    asked = {"check": server.partition(",")[0], "host": "db.example.com", "port": 3306}
    check = {"metric": "db-connectivity", **asked, **SERVERS[server]}
    dependency = Dependency(check, "127.0.0.1")
    content = {"service": "shop", "namespace": "Shop", "targets": [dependency.check()]}
    (target,) = parse(json.dumps(content).encode()).targets
    return dependency, target.check


@pytest.mark.parametrize("server", SERVERS)
def test_the_probe_finds_a_server_well_until_it_hangs(server: str) -> None:
    dependency, check = stand_in(server)

    async def run() -> list[bool]:
        async def found(seconds: float = PATIENT) -> bool:
            result = await asyncio.to_thread(ask_as_the_probe, check, seconds)
            return result.failure is None

        dependency.start()
        try:
            answers = [await found()]
            dependency.hang()
            answers.append(await found(BRIEF))
            dependency.recover()
            return [*answers, await found()]
        finally:
            dependency.close()

    # The kernel connects for a server that hangs, which tcp can't notice.
    assert asyncio.run(run()) == [True, server == "tcp", True]


LATE = 0.05


@pytest.mark.parametrize("server", [each for each in SERVERS if each != "tcp"])
def test_a_degraded_server_answers_late(server: str) -> None:
    dependency, check = stand_in(server)

    async def run() -> tuple[bool, float]:
        dependency.start()
        dependency.degrade(LATE)
        began = time.monotonic()
        try:
            result = await asyncio.to_thread(ask_as_the_probe, check, PATIENT)
        finally:
            dependency.close()
        return result.failure is None, time.monotonic() - began

    well, took = asyncio.run(run())
    assert well
    assert took >= LATE


def test_an_http_check_still_asks_for_the_same_name() -> None:
    assert redirected_check(HTTP, PLACE)["host_header"] == "cdn.example.com"
    assert redirected_check({**HTTP, "host_header": "other"}, PLACE)["host_header"] == "other"


def test_a_dns_check_asks_the_stand_in_for_the_same_name() -> None:
    assert redirected_check(DNS, PLACE) == {**DNS, "server": "127.0.0.2", "port": 4000}


def test_the_answer_has_the_status_and_the_text_that_are_wanted() -> None:
    assert http_answer(HTTP).startswith(b"HTTP/1.1 204 ")
    assert http_answer(HTTP).endswith(b"\r\n\r\n")
    assert http_answer({"text": "fine"}).endswith(b"\r\n\r\nfine")
    assert http_answer({}).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (DNS, "10.0.0.1"),
        ({"type": "AAAA"}, "2001:db8::1"),
        ({"type": "CNAME", "answer": "other.example.com"}, "other.example.com."),
        ({}, "192.0.2.1"),
    ],
)
def test_the_dns_answer_is_the_one_that_is_wanted(check: dict[str, Any], expected: str) -> None:
    query = dns.message.make_query("name.example.com", check.get("type", "A"))
    answer = dns.message.from_wire(dns_answer(check, query.to_wire()))
    assert [data.to_text() for data in answer.answer[0]] == [expected]


async def _reachable(place: tuple[str, int], seconds: float = 10) -> bool:
    try:
        await connect(place, seconds)
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_a_blackholed_dependency_swallows_connections_until_it_recovers() -> None:
    async def run() -> list[bool]:
        dependency = Dependency(TCP, "127.0.0.1")
        dependency.start()
        try:
            found = [await _reachable(dependency.place)]
            dependency.blackhole()
            found += [await _reachable(dependency.place, 0.3) for _ in range(2)]
            dependency.recover()
            found.append(await _reachable(dependency.place))
        finally:
            dependency.close()
        return found

    assert asyncio.run(run()) == [True, False, False, True]


def test_an_http_dependency_answers_whoever_asks() -> None:
    async def run() -> tuple[int, bytes]:
        dependency = Dependency({"check": "http", "host": "x", "text": "fine"}, "127.0.0.1")
        dependency.start()
        try:
            await connect(dependency.place, 1)  # and goes away
            answer = await ask(dependency.place, "x", "/", 5)
        finally:
            dependency.close()
        return answer.status, answer.body

    assert asyncio.run(run()) == (200, b"fine")


@pytest.mark.slow
def test_a_dns_dependency_answers_until_it_is_blackholed() -> None:
    async def run() -> list[str]:
        dependency = Dependency(DNS, "127.0.0.1")
        assert dependency.check()["server"] == "127.0.0.1"
        dependency.start()
        query = dns.message.make_query("name.example.com", "A")
        found = []
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
                noise.sendto(b"nothing", dependency.place)
            for act, seconds in ((dependency.recover, 10), (dependency.blackhole, 0.5)):
                act()
                host, port = dependency.place
                try:
                    answer = await dns.asyncquery.udp(query, host, seconds, port)
                    found.append(answer.answer[0][0].to_text())
                except dns.exception.Timeout:
                    found.append("nothing")
        finally:
            dependency.close()
        return found

    assert asyncio.run(run()) == ["10.0.0.1", "nothing"]


def test_a_shut_door_drops_what_nobody_took() -> None:
    door = BlackholeSocket("127.0.0.1")
    with socket.create_connection(door.place) as waiting:
        door.shut()
        waiting.settimeout(2)
        try:
            rest = waiting.recv(1)
        except ConnectionResetError:
            rest = b""
        assert rest == b""
    door.close()


def test_hosts_have_addresses_of_their_own_where_loopback_has_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loopback_addresses() == ("127.0.0.2", "127.0.0.3")

    def refuse(*_: object) -> None:
        raise OSError("no such address")

    monkeypatch.setattr(socket, "create_server", refuse)
    assert loopback_addresses() == ("127.0.0.1", "127.0.0.1")
