"""Sends single HTTP requests as clients and health checkers do, within a deadline."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


async def ask(
    place: tuple[str, int],
    host: str,
    path: str,
    seconds: float,
    *,
    after_connecting: float | None = None,
) -> Answer:
    """Send one GET request; deadlines are in seconds here.

    All of it must be done in ``seconds``; or else, with ``after_connecting``, the connection, and
    the answer so much later. Raises OSError if there is no answer, in time or at all; the message
    says why.
    """

    async def whole() -> Answer:
        return await _exchange(*await asyncio.open_connection(*place), host, path)

    if after_connecting is None:
        return await _in_time(whole(), seconds)
    streams = await _in_time(asyncio.open_connection(*place), seconds)
    return await _in_time(_exchange(*streams, host, path), after_connecting)


async def _in_time(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        raise OSError("no answer in time") from None


async def connect(place: tuple[str, int], seconds: float) -> None:
    """Open a connection and close it; OSError if there is none, in time or at all."""
    _, writer = await _in_time(asyncio.open_connection(*place), seconds)
    writer.close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str
) -> Answer:
    try:
        writer.write(
            f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: rehearsal\r\n\r\n".encode()
        )
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
            raise OSError("the connection ended without an answer")
        return Answer(int(words[1]), body)
    finally:
        writer.close()
