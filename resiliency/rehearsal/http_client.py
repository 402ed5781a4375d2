"""Sends single HTTP requests as clients and health checkers do, within a deadline."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes


async def ask(place: tuple[str, int], host: str, path: str, seconds: float) -> Answer:
    """Send one GET request; the deadline is in seconds here.

    Raises OSError if there is no answer, in time or at all; the message says why.
    """
    try:
        return await asyncio.wait_for(_ask(place, host, path), seconds)
    except asyncio.TimeoutError:
        raise OSError("no answer in time") from None


async def connect(place: tuple[str, int], seconds: float) -> None:
    """Open a connection and close it; OSError if there is none, in time or at all."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(*place), seconds)
    except asyncio.TimeoutError:
        raise OSError("no connection in time") from None
    writer.close()


async def _ask(place: tuple[str, int], host: str, path: str) -> Answer:
    reader, writer = await asyncio.open_connection(*place)
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
