"""DNS messages: a question, and the answers to it (RFC 1035).

Written out because instances have no DNS library; it reads no more than the check needs.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from typing import NamedTuple

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28}
_SIZES = {"A": 4, "AAAA": 16}
_INTERNET = 1
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
_MAX_LABELS, _MAX_NAME_BYTES = 128, 255
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_MAX_RECORDS = 256
RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
ASK_ANOTHER = (1, 2, 4, 5)
"""Codes that speak of the server and not of the name."""


class Answer(NamedTuple):
    """What a server said.

    Attributes:
        rcode: 0 when it answered.
        truncated: Whether it must be asked over TCP.
        values: Addresses or names of the type asked for, in lower case; of the name asked for and
            of those that it is another name of.
    """

    rcode: int
    truncated: bool
    values: list[str]


def question(number: int, name: str, kind: str) -> bytes:
    """The message that asks for records of a name."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    header = struct.pack("!6H", number, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + encoded + struct.pack("!2H", TYPES[kind], _INTERNET)


def answer(data: bytes, number: int, name: str, kind: str) -> Answer | None:
    """A message read; None when it does not answer this question.

    Raises:
        ValueError: It is no sound DNS message.
    """
    try:
        got, flags, questions, answers, _, _ = struct.unpack_from("!6H", data)
        truncated, rcode = bool(flags & _TRUNCATED), flags & 0xF
        if got != number or not flags & _RESPONSE:
            return None
        if rcode and not questions:  # servers that refuse need not repeat the question
            return Answer(rcode, False, [])
        if questions != 1:
            return None
        asked, at = _name(data, 12)
        if (asked, *struct.unpack_from("!2H", data, at)) != (_folded(name), TYPES[kind], _INTERNET):
            return None
        if rcode or truncated:  # then what is there may be cut anywhere
            return Answer(rcode, truncated, [])
        return Answer(0, False, _values(data, at + 4, answers, asked, kind))
    except (struct.error, IndexError):
        raise ValueError("it is cut short") from None


def _values(data: bytes, at: int, count: int, asked: str, kind: str) -> list[str]:
    if count > _MAX_RECORDS:
        raise ValueError(f"{count} records")
    values = []
    names = {asked}
    for _ in range(count):
        owner, at = _name(data, at)
        found, internet, _, size = struct.unpack_from("!HHIH", data, at)
        at += 10
        content = data[at : at + size]
        if len(content) != size:
            raise ValueError("a record is cut short")
        alias = found == TYPES["CNAME"]
        if internet == _INTERNET and owner in names and (alias or found == TYPES[kind]):
            value = _name(data, at)[0] if alias else _address(content, kind)
            if alias:
                names.add(value)
            if found == TYPES[kind]:
                values.append(value)
        at += size
    return values


def _name(data: bytes, at: int) -> tuple[str, int]:
    """A name in lower case, and where the message goes on after it."""
    labels: list[str] = []
    after = length = 0
    for _ in range(_MAX_LABELS):
        size = data[at]
        if size >= 0xC0:  # a pointer to a former name
            after = after or at + 2
            at = ((size & 0x3F) << 8) | data[at + 1]
        elif size >= 0x40:
            raise ValueError("a label of an unknown kind")
        elif size == 0:
            return ".".join(labels) or ".", after or at + 1
        else:
            label = data[at + 1 : at + 1 + size].decode("latin-1")
            labels.append(_ODD.sub(_escaped, label).lower())
            at += 1 + size
            length += 1 + size
            if length > _MAX_NAME_BYTES:
                break
    raise ValueError("a name that is too long or has no end")


def _address(content: bytes, kind: str) -> str:
    if len(content) != _SIZES[kind]:
        raise ValueError(f"an address of {len(content)} bytes")
    return str(ipaddress.ip_address(content))


def _escaped(odd: re.Match[str]) -> str:
    """As zone files write it, so that a dot within a label is none between labels."""
    return f"\\{ord(odd[0]):03d}"


def _folded(name: str) -> str:
    return name.rstrip(".").lower()
