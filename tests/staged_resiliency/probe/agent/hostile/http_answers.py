"""HTTP answers as servers should not give them, and how a sample of each must end."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from staged_resiliency.probe.agent.http_check import MAX_BODY_BYTES
from tests.staged_resiliency.probe.agent.hostile.asking import WELL
from tests.staged_resiliency.probe.agent.hostile.servers import Peer, Script

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PAUSE = 0.02
SEQUENCE = b"\x1b]0;owned\x07\x1b[31mred\x1b[0m"


def after_request(*pieces: bytes, then: Callable[[Peer], None] = Peer.end) -> Script:
    """Hears the request, sends pieces, each as one read, and ends."""

    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(*pieces, pause=PAUSE if len(pieces) > 1 else 0)
        then(peer)

    return script


def and_hold(*pieces: bytes) -> Script:
    """The same, and the connection stays open."""
    return after_request(*pieces, then=Peer.hold)


def and_reset(*pieces: bytes) -> Script:
    """The same, and the connection breaks."""
    return after_request(*pieces, b"", then=Peer.reset)


def and_drip(start: bytes, drip: bytes) -> Script:
    """The same, and the rest comes byte by byte."""
    return after_request(start, then=lambda peer: peer.drip(drip))


def and_flood(start: bytes, flood: bytes) -> Script:
    """The same, and the rest comes as fast as it is taken, without an end."""
    return after_request(start, then=lambda peer: peer.flood(flood))


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


@dataclass(frozen=True)
class Row:
    """What a server does to which check, and how the sample must end."""

    name: str
    script: Script
    kind: str
    detail: str
    settings: dict[str, Any] = field(default_factory=dict)


TEXT: dict[str, Any] = {"text": "bookstore"}
WAITING = r"waiting for the answer: no answer within 0\.2 s"
READING = r"reading the body: no answer within 0\.2 s"
NO_TEXT = "status 200 without the text 'bookstore'"
FOUND = "status 200 with the text"
ENDED = "the connection ended after "
NO_HTTP = "not an HTTP answer: "


def ending(
    kind: str, detail: str, scripts: Mapping[str, Script], settings: dict[str, Any] | None = None
) -> list[Row]:
    """What several servers do that must end alike."""
    return [Row(name, script, kind, detail, settings or {}) for name, script in scripts.items()]


def with_text(scripts: Mapping[str, Script]) -> list[Row]:
    """Answers in which the text is found."""
    return ending(WELL, FOUND, scripts, TEXT)


def without_text(scripts: Mapping[str, Script]) -> list[Row]:
    """Answers in which it is not."""
    return ending("mismatch", NO_TEXT, scripts, TEXT)


def mismatches(scripts: Mapping[str, tuple[Script, str]]) -> list[Row]:
    """Answers that are no HTTP, each with the detail of its mismatch."""
    return [Row(name, script, "mismatch", detail) for name, (script, detail) in scripts.items()]


INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
CONNECTIONS = [
    *ending(
        "timeout",
        WAITING,
        {
            "silence": and_hold(),
            "silence, not even reading": Peer.hold,
            "drip of the head": and_drip(b"", OK * 99),
            "drip of a header": and_drip(OK, b"X-A: " + b"a" * 999),
            "interim answer alone": and_hold(INTERIM),
        },
    ),
    *ending(
        "timeout",
        READING,
        {
            "drip of the body": and_drip(OK + b"\r\n", b"a" * 999),
            "drip of chunks": and_drip(CHUNKED, chunks(b"a") * 99),
            "length beyond what comes": and_hold(OK + b"Content-Length: 99\r\n\r\nbook"),
            "chunks without an end": and_hold(CHUNKED + chunks(b"a", end=b"")),
            "huge chunk and silence": and_hold(CHUNKED + b"ffffffffffffffff\r\nbook"),
        },
        TEXT,
    ),
    *ending(
        "refused",
        "Connection reset by peer",
        {
            "reset after the request": and_reset(),
            "reset within the head": and_reset(OK),
            "reset within the body": and_reset(OK + b"Content-Length: 99\r\n\r\n", b"book"),
        },
        TEXT,
    ),
    Row("reset at once", Peer.reset, "refused", "Connection reset by peer|Broken pipe"),
    Row("end at once", Peer.end, "mismatch", f"{ENDED}b''"),
    Row("end after the request", after_request(), "mismatch", f"{ENDED}b''"),
]

HEADS = [
    *mismatches(
        {
            "endless headers": (and_flood(OK, b"X-A: a\r\n"), "headers of more than .* bytes"),
            "one header without an end": (
                and_flood(OK + b"X-A: ", b"a" * 4096),
                "headers of more than 32768 bytes",
            ),
            "status line without an end": (
                and_flood(b"HTTP/1.1 200 ", b"O" * 4096),
                "headers of more than 32768 bytes",
            ),
            "hundreds of headers": (
                after_request(OK + b"X-A: a\r\n" * 300 + b"\r\n"),
                r"the headers can't be parsed \(got more than 100 headers\)",
            ),
            "head that is cut": (after_request(OK + b"Content-Le"), f"{ENDED}b'HTTP/1.1 200 .*"),
            "another protocol": (and_hold(b"SSH-2.0-OpenSSH_9.2\r\n"), f"{NO_HTTP}b'SSH-2.0-.*"),
            "a TLS alert": (and_hold(b"\x15\x03\x01\x00\x02\x02\x46"), rf"{NO_HTTP}b'\\x15.*"),
            "zeros": (and_flood(b"", b"\0" * 4096), rf"{NO_HTTP}b'[\\x0]+\.\.\."),
            "HTTP/2": (after_request(b"HTTP/2 200 OK\r\n\r\n"), f"{NO_HTTP}b'HTTP/2 .*"),
            "only line feeds": (and_flood(b"", b"\n" * 4096), rf"{NO_HTTP}b'(\\n)+'"),
        }
    ),
    Row(
        "HTTP/0.9",
        after_request(b"<html>bookstore</html>"),
        "mismatch",
        f"{NO_HTTP}b'<html>.*",
        TEXT,
    ),
    *(
        Row(
            f"status {status!r}",
            after_request(b"HTTP/1.1 " + status + b" OK\r\n\r\n"),
            "mismatch",
            r"not an HTTP answer: b.HTTP/1.1 .*",
        )
        for status in (b"two", b"+200", b"2_00", b"-200", b"99", b"20000", b"\xb2\xb0\xb0", b"")
    ),
    *ending(
        WELL,
        "status 200",
        {
            "bytes of no character": after_request(b"HTTP/1.1 200 \xff\xfe\r\n\xff: \xfe\r\n\r\n"),
            "no reason": after_request(b"HTTP/1.1 200\r\n\r\n"),
            "head in single bytes": after_request(*(bytes([byte]) for byte in OK + b"\r\n")),
        },
    ),
    *with_text(
        {
            "line feeds alone": after_request(b"HTTP/1.0 200 OK\nX: a\n\nbookstore"),
            "line ends mixed": after_request(OK + b"X: a\n\r\nbookstore"),
            "empty line in the body": after_request(b"HTTP/1.0 200 OK\n\nbookstore\r\n\r\n"),
        }
    ),
]

STATUSES = [
    *mismatches(
        {
            "endless interim answers": (and_flood(b"", INTERIM), "headers of more than .* bytes"),
            "garbage after an interim answer": (
                and_hold(INTERIM + b"SSH-2.0"),
                f"{NO_HTTP}b'SSH.*",
            ),
        }
    ),
    *(
        Row(name, and_hold(b"HTTP/1.1 " + answer + b"\r\n\r\n"), "status", f"status {detail}")
        for name, (answer, detail) in {
            "server error": (b"503 Busy", "503"),
            "status that is not there": (b"999 No", "999"),
            "switching protocols": (b"101 Go", "101"),
            "reason with an escape sequence": (b"500 " + SEQUENCE, "500"),
            "redirect to nowhere": (b"302 Found", "302"),
            "redirect": (
                b"301 Moved\r\nLocation: https://www.example.com/",
                r"301, a redirect to https://www\.example\.com/",
            ),
            "redirect with an escape sequence": (
                b"302 Found\r\nLocation: /" + SEQUENCE,
                r"302, a redirect to /\?\]0;owned\?\?\[31mred\?\[0m",
            ),
            "redirect with a line of its own": (
                b"302 Found\r\nLocation: /\r\n <3>disk on fire",
                r"302, a redirect to /\?\? <3>disk on fire",
            ),
            "redirect with carriage returns": (
                b"302 Found\r\nLocation: /a\rb\x85c\x0bd",
                "302, a redirect to /a.*",
            ),
            "redirect to a long place": (
                b"302 Found\r\nLocation: /" + b"a" * 9999,
                r"302, a redirect to /a{130}\.\.\.",
            ),
        }.items()
    ),
    Row(
        "well but not as wanted",
        after_request(OK + b"\r\n"),
        "status",
        "status 200",
        {"status": (204,)},
    ),
    Row(
        "failure that is wanted",
        after_request(b"HTTP/1.1 404 No\r\n\r\n"),
        WELL,
        "status 404",
        {"status": (404,)},
    ),
    Row("interim answer first", after_request(INTERIM + OK + b"\r\n"), WELL, "status 200"),
    Row(
        "interim answer in another piece", after_request(INTERIM, OK + b"\r\n"), WELL, "status 200"
    ),
    Row(
        "early hints first",
        after_request(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + OK + b"\r\nbookstore"),
        WELL,
        FOUND,
        TEXT,
    ),
    Row(
        "no content",
        after_request(b"HTTP/1.1 204 No\r\n\r\n"),
        "mismatch",
        "status 204 without .*",
        TEXT,
    ),
]

BORDER = b"a" * (MAX_BODY_BYTES - len(b"bookstore"))
BODIES = [
    *with_text(
        {
            "text in two reads": after_request(OK + b"\r\n", b"book", b"store"),
            "text in single bytes": after_request(
                OK + b"\r\n", *(bytes([b]) for b in b"bookstore")
            ),
            "text and then silence": and_hold(OK + b"\r\n", b"a bookst", b"ore"),
            "text at the border": and_flood(OK + b"\r\n" + BORDER + b"bookstore", b"a" * 9999),
            "negative length": after_request(OK + b"Content-Length: -1\r\n\r\nbookstore"),
            "length of no number": after_request(OK + b"Content-Length: ten\r\n\r\nbookstore"),
            "absurd length": and_hold(
                OK + b"Content-Length: " + b"9" * 6000 + b"\r\n\r\nbookstore"
            ),
        }
    ),
    Row(
        "text of which a character is cut",
        after_request(OK + b"\r\n", b"\xc3", b"\xbc"),
        WELL,
        FOUND,
        {"text": "ü"},
    ),
    Row(
        "no text, which is not ASCII",
        after_request(OK + b"\r\nnothing"),
        "mismatch",
        r"status 200 without the text '\?\?\?'",
        {"text": "日本語"},
    ),
    *without_text(
        {
            "text over the border": after_request(OK + b"\r\n" + BORDER + b"abookstore"),
            "text after the border": after_request(OK + b"\r\n" + BORDER * 2 + b"bookstore"),
            "text after the border, within its length": after_request(
                OK + b"Content-Length: 200000\r\n\r\n" + BORDER * 2 + b"bookstore"
            ),
            "text in the headers alone": after_request(OK + b"X: bookstore\r\n\r\n"),
            "10 MB": after_request(OK + b"\r\n" + b"a" * 10_000_000),
            "body without an end": and_flood(OK + b"\r\n", b"a" * 9999),
            "compressed though not asked for": after_request(
                OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"bookstore" * 99)
            ),
            "cut before its length": after_request(OK + b"Content-Length: 99\r\n\r\nbook"),
            "text beyond the length": and_hold(OK + b"Content-Length: 4\r\n\r\nbookstore"),
            "length of nothing": and_hold(OK + b"Content-Length: 0\r\n\r\nbookstore"),
            "two lengths, of which the first counts": and_hold(
                OK + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nbookstore"
            ),
        }
    ),
    Row(
        "body without an end that nobody reads",
        and_flood(OK + b"\r\n", b"a" * 9999),
        WELL,
        "status 200",
    ),
]

CHUNKS = [
    *with_text(
        {
            "text over chunks": after_request(CHUNKED + chunks(b"book", b"st", b"ore")),
            "text over chunks and reads": after_request(
                CHUNKED, b"4", b"\r\nbo", b"ok\r\n", b"5;x=y\r", b"\nstor", b"e\r\n"
            ),
            "text in chunks, then silence": and_hold(CHUNKED, chunks(b"bookstore", end=b"")),
            "data that look like the end": after_request(
                CHUNKED, b"e\r\n0\r\n\r\n", b"bookstore\r\n0\r\n\r\n"
            ),
            "frame between the text": after_request(CHUNKED + b"1\r\nb\r\n8;\r\nookstore\r\n"),
            "huge chunk": after_request(CHUNKED + b"ffffffffffffffff\r\nbookstore"),
        }
    ),
    *without_text(
        {
            "text in a frame alone": after_request(CHUNKED + b"1;bookstore\r\na\r\n0\r\n\r\n"),
            "end and then silence": and_hold(CHUNKED + chunks(b"a")),
            "trailers without an end": and_flood(CHUNKED + b"0\r\n", b"X: a\r\n"),
            "chunk that is cut": after_request(CHUNKED + b"9\r\nbook"),
            "chunks of one byte": and_flood(CHUNKED, b"1\r\na\r\n" * 999),
            "more frames than data": and_flood(CHUNKED, (b"1;" + b"x" * 1000 + b"\r\na\r\n") * 9),
        }
    ),
    *(
        Row(
            f"chunk of {size!r}",
            and_hold(CHUNKED + size + b"\r\nbookstore"),
            "mismatch",
            "not the size of a chunk: b.*",
            TEXT,
        )
        for size in (b"zz", b"-9", b"0x9", b"+9", b"", b"9 9", b"1" * 17, SEQUENCE)
    ),
    Row(
        "data longer than their chunk",
        and_hold(CHUNKED + b"4\r\nbookstore\r\n"),
        "mismatch",
        "not the size of a chunk: b'store'",
        TEXT,
    ),
    Row(
        "extension without an end",
        and_flood(CHUNKED + b"4;", b"x" * 4096),
        "mismatch",
        "more than 1024 bytes before a chunk",
        TEXT,
    ),
]

ROWS = [*CONNECTIONS, *HEADS, *STATUSES, *BODIES, *CHUNKS]
