"""Any head is read or refused, and the text found in a body's first 64 KB, however it comes."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.attempt import Failure
from staged_resiliency.probe.agent.http_check import MAX_BODY_BYTES, Body, _body, _parse_head
from staged_resiliency.probe.agent.journal import printable
from tests.staged_resiliency.probe.agent.hostile.http_answers import chunks

FEW = st.text("ab", max_size=40).map(str.encode)
TEXTS = st.text("ab", min_size=1, max_size=4).map(str.encode)
CUTS = st.lists(st.integers(0, 400), max_size=20)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Data cut at places, without empty pieces, and the end."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    cut = [data[start:end] for start, end in pairwise(places)]
    return [*cut, b""]


def read(body: Body, data: bytes, cuts: list[int]) -> bool:
    """Whether the text is found."""
    for piece in pieces(data, cuts):
        if not body.ended and not body.found:
            body.add(piece)
    return body.found


@given(FEW, TEXTS, CUTS)
def test_a_body_is_searched_however_it_is_cut(data: bytes, text: bytes, cuts: list[int]) -> None:
    assert read(Body(text, is_chunked=False, length=None), data, cuts) == (text in data)


@given(FEW, TEXTS, CUTS, st.integers(0, 50))
def test_what_is_beyond_the_length_does_not_count(
    data: bytes, text: bytes, cuts: list[int], length: int
) -> None:
    assert read(Body(text, is_chunked=False, length=length), data, cuts) == (text in data[:length])


@given(st.lists(FEW.filter(bool), max_size=8), TEXTS, CUTS, st.binary(max_size=5))
def test_chunks_are_put_together_however_they_are_cut(
    parts: list[bytes], text: bytes, cuts: list[int], rest: bytes
) -> None:
    body = Body(text, is_chunked=True, length=None)
    assert read(body, chunks(*parts) + rest, cuts) == (text in b"".join(parts))
    assert body.ended or body.found


@given(st.lists(st.binary(max_size=60), max_size=8), st.booleans())
def test_any_bytes_are_searched_or_refused(parts: list[bytes], chunked: bool) -> None:
    body = Body(b"ab", is_chunked=chunked, length=None)
    try:
        for part in parts:
            body.add(part)
    except Failure as failure:
        message = str(failure)
    else:
        message = "mismatch" if chunked or b"ab" in b"".join(parts) or not body.found else ""
    assert message.startswith("mismatch")
    assert message.isascii()


@given(st.integers(-9, 9), st.integers(1, 20_000))
def test_the_text_counts_when_its_last_byte_is_within_64_kb(over: int, size: int) -> None:
    text = b"bookstore"
    data = b"." * (MAX_BODY_BYTES - len(text) + over) + text + b"." * 9
    cuts = list(range(0, len(data), size))
    assert read(Body(text, is_chunked=False, length=None), data, cuts) == (over <= 0)


@given(st.binary(max_size=200))
@example(b"Location: /\xff\r\n")
def test_any_head_is_read_or_refused(lines: bytes) -> None:
    try:
        head = _parse_head(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n")
    except Failure as failure:
        message = str(failure)
    else:
        message = f"mismatch {printable(head.headers.get('Location'))}"
        _body(head, "text")
    assert message.startswith("mismatch")
    assert message.isascii()
