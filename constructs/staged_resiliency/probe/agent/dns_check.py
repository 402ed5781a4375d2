"""DNS check, with the DNS messages it needs (RFC 1035), as instances have no DNS library."""

from __future__ import annotations

import ipaddress
import itertools
import re
import secrets
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .attempt import DNS, MISMATCH, Attempt, Failure
from .checks import Check
from .loop import readable
from .sockets import address_family, connect, ip_version, receive_exactly, send

RESOLV_CONF = Path("/etc/resolv.conf")
RECORD_TYPES = {"A": 1, "CNAME": 5, "AAAA": 28}
_ADDRESS_BYTES = {"A": 4, "AAAA": 16}
_INTERNET = 1
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
_RCODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_SERVER_ERRORS = (1, 2, 4, 5)  # about the server and not the name, so another server is asked
_MAX_LABELS, _MAX_NAME_BYTES, _MAX_RECORDS = 128, 255, 256
_UNUSUAL = re.compile(r"[^A-Za-z0-9_-]")
_UDP_TIMEOUT_SECONDS = 1.0


class Answer(NamedTuple):
    """A server's answer.

    ``values`` are the addresses or names of the type in question, in lower case, of the name in
    question and of those that it is an alias of.
    """

    rcode: int  # 0 for a success
    truncated: bool  # the server must be asked again over TCP
    values: list[str]


@dataclass(frozen=True)
class DnsCheck(Check):
    """Asks a DNS server, over UDP and, when the answer is truncated, over TCP."""

    host: str
    type: str = "A"  # one of RECORD_TYPES
    answer: str = ""  # must be among the answers, unless empty
    server: str = ""  # the servers of /etc/resolv.conf, in turns, when empty
    port: int = 53

    @property
    def label(self) -> str:
        """Name and type, and the server where one is given."""
        return f"{self.host}/{self.type}" + (f"@{self.server}" if self.server else "")

    async def run(self, attempt: Attempt) -> str:
        """Ask until a server answers; skip those that report an error of their own."""
        servers = [self.server] if self.server else system_servers()
        number = secrets.randbelow(65_536)
        question = encode_question(number, self.host, self.type)
        errors: dict[str, str] = {}
        turns = itertools.cycle(servers)
        while True:  # the deadline ends it
            server = next(turns)
            attempt.stage = f"asking {server}"
            try:
                answer = await self._ask_over_udp(server, question, number)
                if answer is not None and answer.truncated:
                    answer = await self._ask_over_tcp(attempt, server, question, number)
            except (OSError, Failure) as error:
                errors[server] = Failure.from_error(error).detail
            else:
                if answer is not None and answer.rcode not in _SERVER_ERRORS:
                    return self._require(answer)
                if answer is not None:
                    errors[server] = _RCODES[answer.rcode]
            if len(errors) == len(set(servers)):
                raise Failure(DNS, ", ".join(f"{each}: {why}" for each, why in errors.items()))

    async def _ask_over_udp(self, server: str, question: bytes, number: int) -> Answer | None:
        """Ask once; None without an answer in time. Connected, so that no other host answers."""
        with socket.socket(address_family(server), socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((server, self.port))
            sock.send(question)
            while await readable(sock, _UDP_TIMEOUT_SECONDS):
                try:
                    answer = parse_answer(sock.recv(65_535), number, self.host, self.type)
                except (ValueError, BlockingIOError):
                    continue  # not an answer to this question; the right one may still come
                if answer is not None:
                    return answer
        return None

    async def _ask_over_tcp(
        self, attempt: Attempt, server: str, question: bytes, number: int
    ) -> Answer:
        sock = await connect(attempt, [(address_family(server), server)], self.port)
        attempt.stage = f"asking {server} over TCP"
        try:
            await send(sock, struct.pack("!H", len(question)) + question)
            (size,) = struct.unpack("!H", await receive_exactly(sock, 2))
            data = await receive_exactly(sock, size)
            answer = parse_answer(data, number, self.host, self.type)
        except ValueError as error:
            raise Failure(DNS, f"not a DNS message ({error})") from None
        finally:
            sock.close()
        if answer is None:
            raise Failure(DNS, "answers another question")
        return answer

    def _require(self, answer: Answer) -> str:
        """Raise unless the DNS server answered without an error and with the expected value."""
        if answer.rcode:
            name = _RCODES.get(answer.rcode, f"code {answer.rcode}")
            raise Failure(DNS, f"{name} for {self.host}")
        if not answer.values:
            raise Failure(DNS, f"{self.host} has no {self.type} record")
        values = ", ".join(answer.values)
        if self.answer and _canonical(self.answer) not in answer.values:
            raise Failure(MISMATCH, f"answers {values} and not {self.answer}")
        return values


def system_servers() -> list[str]:
    """Return the addresses of the name servers that the host uses."""
    try:
        lines = RESOLV_CONF.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return [server for server in found if ip_version(server)] or ["127.0.0.1"]


def _canonical(value: str) -> str:
    return str(ipaddress.ip_address(value)) if ip_version(value) else value.rstrip(".").lower()


# --- DNS messages


def encode_question(number: int, name: str, record_type: str) -> bytes:
    """Encode the message that asks for records of a name."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    header = struct.pack("!6H", number, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + encoded + struct.pack("!2H", RECORD_TYPES[record_type], _INTERNET)


def parse_answer(data: bytes, number: int, name: str, record_type: str) -> Answer | None:
    """Parse a message, or return None when it does not answer this question.

    Raises ValueError for anything that is not a DNS message.
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
        question = (_canonical(name), RECORD_TYPES[record_type], _INTERNET)
        if (asked, *struct.unpack_from("!2H", data, at)) != question:
            return None
        if rcode or truncated:  # the rest may be cut anywhere
            return Answer(rcode, truncated, [])
        return Answer(0, False, _values(data, at + 4, answers, asked, record_type))
    except (struct.error, IndexError):
        raise ValueError("it is cut short") from None


def _values(data: bytes, at: int, count: int, asked: str, record_type: str) -> list[str]:
    if count > _MAX_RECORDS:
        raise ValueError(f"{count} records")
    values = []
    names = {asked}
    wanted = RECORD_TYPES[record_type]
    for _ in range(count):
        owner, at = _name(data, at)
        found, internet, _, size = struct.unpack_from("!HHIH", data, at)
        at += 10
        content = data[at : at + size]
        if len(content) != size:
            raise ValueError("a record is cut short")
        alias = found == RECORD_TYPES["CNAME"]
        if internet == _INTERNET and owner in names and (alias or found == wanted):
            value = _name(data, at)[0] if alias else _address(content, record_type)
            if alias:
                names.add(value)
            if found == wanted:
                values.append(value)
        at += size
    return values


def _name(data: bytes, at: int) -> tuple[str, int]:
    """Return the name at a position in lower case, and the position after it."""
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
            labels.append(_UNUSUAL.sub(_escape, label).lower())
            at += 1 + size
            length += 1 + size
            if length > _MAX_NAME_BYTES:
                break
    raise ValueError("a name that is too long or has no end")


def _address(content: bytes, record_type: str) -> str:
    if len(content) != _ADDRESS_BYTES[record_type]:
        raise ValueError(f"an address of {len(content)} bytes")
    return str(ipaddress.ip_address(content))


def _escape(unusual: re.Match[str]) -> str:
    """Escape as zone files do, so that a dot within a label does not separate labels."""
    return f"\\{ord(unusual[0]):03d}"
