"""The beginning of an HTTP body, searched for a text as it comes."""

from __future__ import annotations

import re

from .failure import MISMATCH, Failure

MAX_BODY_BYTES = 65_536
# A chunk of one byte takes six, so that all of the body is seen even so.
_MAX_RAW_BYTES = 6 * MAX_BODY_BYTES
_MAX_LINE_BYTES = 1024
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
# From the end of a chunk to the beginning of the next, whole and bare as it nearly always is: in
# one step, since a body may be chunks of one byte.
_USUAL = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})\r\n")


class Body:
    """Takes pieces of any size, and looks at each byte about once.

    Args:
        text: What is looked for, in the first 64 KB.
        chunked: Whether the body comes in chunks.
        length: Bytes of the body; None when its end is that of the connection.

    Attributes:
        found: Whether the text was there.
        ended: Whether no more of the body comes, or counts.
    """

    def __init__(self, text: bytes, *, chunked: bool, length: int | None) -> None:
        self.found = False
        self.ended = length == 0
        self._text = text
        self._chunked = chunked
        self._most = MAX_BODY_BYTES if length is None else min(length, MAX_BODY_BYTES)
        self._body = bytearray()
        self._raw = 0
        self._chunk = 0  # bytes that are left of the chunk
        self._line = b""  # what is there of the line before a chunk
        self._between = False  # the line that ends a chunk comes before that of the next

    def add(self, piece: bytes) -> None:
        """Take what came; an empty piece is the end of the connection.

        Raises:
            Failure: It is not in chunks where it should be.
        """
        self._raw += len(piece)
        if not piece or self._raw > _MAX_RAW_BYTES:
            self.ended = True
        if self._chunked:
            self._add_chunks(piece)
        else:
            self._keep(piece)

    def _add_chunks(self, piece: bytes) -> None:
        at, kept = 0, bytearray()
        while at < len(piece) and not self.ended and len(kept) < self._most:
            if self._chunk:
                part = piece[at : at + self._chunk]
                self._chunk -= len(part)
                at += len(part)
                kept += part
            elif self._between and (usual := _USUAL.match(piece, at)) and not self._line:
                self._chunk = int(usual[1], 16)
                self.ended = not self._chunk
                at = usual.end()
            else:
                at = self._add_line(piece, at)
        self._keep(kept)

    def _add_line(self, piece: bytes, at: int) -> int:
        """Take what is there of a line between chunks, and return where the rest begins."""
        end = piece.find(b"\n", at, at + _MAX_LINE_BYTES)
        after = end + 1 or at + _MAX_LINE_BYTES
        self._line += piece[at:after]
        if end >= 0:
            self._begin_chunk(self._line.strip())
            self._line = b""
        elif len(self._line) >= _MAX_LINE_BYTES:
            raise Failure(MISMATCH, f"a chunk with more than {_MAX_LINE_BYTES} bytes before it")
        return after

    def _begin_chunk(self, line: bytes) -> None:
        if self._between:
            sound, self._between = not line, False
        else:
            size = line.partition(b";")[0].strip()
            sound = _SIZE.fullmatch(size) is not None
            self._chunk = int(size, 16) if sound else 0
            self._between = sound
            self.ended = sound and not self._chunk
        if not sound:
            raise Failure(MISMATCH, f"no size of a chunk but {line[:40]!r}")

    def _keep(self, part: bytes | bytearray) -> None:
        first = max(0, len(self._body) - len(self._text) + 1)
        self._body += part[: self._most - len(self._body)]
        self.found = self.found or self._body.find(self._text, first) >= 0
        self.ended = self.ended or len(self._body) >= self._most
