"""The processor's time grows with what comes, whatever the size of its pieces."""

import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from staged_resiliency.probe.agent.dns_check import encode_question, parse_answer
from staged_resiliency.probe.agent.http_check import MAX_BODY_BYTES, Body, HttpCheck, _read_head
from staged_resiliency.probe.agent.sockets import receive_exactly
from tests.cases import cases
from tests.staged_resiliency.probe.agent.hostile.asking import Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.dns_server import CNAME, message, record
from tests.staged_resiliency.probe.agent.hostile.http_answers import NO_TEXT, OK, chunks
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, serving


class Trickle:
    """A socket on which one byte comes at a time."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def recv(self, _most: int) -> bytes:
        return bytes([next(self._bytes)])


def completed(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The value of a coroutine that never has to wait."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


def seconds_of(work: Callable[[], object]) -> float:
    """The processor's time that something takes, the best of three."""
    found = []
    for _ in range(3):
        start = time.thread_time()
        work()
        found.append(time.thread_time() - start)
    return min(found)


def read_head(size: int) -> None:
    data = OK + b"X: " + b"a" * (size - len(OK) - 7) + b"\r\n\r\n"
    answer = completed(_read_head(Trickle(data), bytearray()))  # type: ignore[arg-type]
    assert answer.status == 200


def read_body(size: int) -> None:
    body = Body(b"bookstore", is_chunked=False, length=None)
    for _ in range(size):
        body.add(b"b")


def read_chunks(size: int) -> None:
    body = Body(b"bookstore", is_chunked=True, length=None)
    for byte in chunks(b"b" * 500, end=b"") * (size // 507):
        body.add(bytes([byte]))


def read_exactly(size: int) -> None:
    data = completed(receive_exactly(Trickle(b"b" * size), size))  # type: ignore[arg-type]
    assert len(data) == size


@cases(
    ("work", "most"),
    {
        "message of DNS": (read_exactly, 65_535),
        "head": (read_head, 32_000),
        "body": (read_body, 65_536),
        "chunks": (read_chunks, 65_536),
    },
)
def test_single_bytes_cost_no_more_than_their_number(
    work: Callable[[int], None], most: int
) -> None:
    little, much = seconds_of(lambda: work(most // 8)), seconds_of(lambda: work(most))
    assert much < 16 * little + 0.02, f"{most // 8} bytes: {little} s, {most} bytes: {much} s"
    assert much < 1


def test_64_kb_in_pieces_of_a_few_bytes_are_read_within_the_deadline() -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(OK + b"\r\n")
        for _ in range(MAX_BODY_BYTES // 8):
            peer.sock.send(b"aaaaaaaa")
        peer.hold()

    with serving(script) as server:
        result = ask(HttpCheck(HOST, server.port, text="bookstore"))
    assert_ends(result, Expected("mismatch", NO_TEXT))


def test_frames_of_one_byte_cost_little() -> None:
    def read() -> None:
        body = Body(b"bookstore", is_chunked=True, length=None)
        while not body.ended:
            body.add(b"1\r\na\r\n" * 2730)

    assert seconds_of(read) < 1


def test_names_that_are_as_long_as_can_be_cost_little() -> None:
    query = encode_question(1, "db.example.com", "CNAME")
    long = b"".join(b"\x01\x1b" for _ in range(120)) + b"\0"
    data = message(query, record(CNAME, long), *[record(CNAME, b"\xc0\x2c")] * 200)

    def read() -> None:
        answer = parse_answer(data, 1, "db.example.com", "CNAME")
        assert answer is not None
        assert len(answer.values) == 201

    assert seconds_of(read) < 0.2


def test_a_message_that_is_all_pointers_costs_little() -> None:
    query = encode_question(1, "db.example.com", "A")
    chain = b"".join(b"\xc0" + bytes([32 + 2 * n]) for n in range(1, 100))
    data = message(query, chain, *[record(CNAME, b"\xc0\x20")] * 254)

    def read() -> None:
        with pytest.raises(ValueError, match=r"no end|cut short"):
            parse_answer(data, 1, "db.example.com", "A")

    assert seconds_of(read) < 0.2
