"""Checks of servers by their own protocol: MySQL, PostgreSQL, Redis, and exchanges of text.

The kernel completes TCP connections also for a program that hangs, so a connection alone does not
show that a server works. Each check ends as the protocol requires, so that servers count no error.
"""

from __future__ import annotations

import socket
import struct
from abc import abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from .attempt import MISMATCH, STATUS, TLS, Attempt, Failure
from .checks import TcpCheck, TlsCheck
from .sockets import close_orderly, receive, receive_exactly, send

MAX_BYTES = 65_536  # of one message, or of all that is received in an exchange
_PIECE_BYTES = 16_384
_MAX_MESSAGES = 100  # until a session begins; far more than any server sends


@dataclass(frozen=True)
class ServerCheck(TlsCheck):
    """Connects, perhaps by TLS, and exchanges messages with the server."""

    tls: bool = False

    async def run(self, attempt: Attempt) -> str:
        """Connect, exchange messages, and close the connection."""
        connection = Connection(attempt, await TcpCheck.connect(self, attempt))
        try:
            attempt.stage = "waiting for the server's answer"
            answer = await self.exchange(connection)
            attempt.answered = attempt.tools.loop.clock()
            await close_orderly(connection.sock)
            return answer
        finally:
            connection.sock.close()

    @abstractmethod
    async def exchange(self, connection: Connection) -> str:
        """Exchange messages, and return a short text about the answer."""

    async def start_tls(self, connection: Connection, *, verify: bool = True) -> None:
        """Continue by TLS; without ``verify`` any certificate will do."""
        connection.sock = await self.secured(connection.attempt, connection.sock, verify=verify)
        connection.attempt.stage = "waiting for the server's answer"


class Connection:
    """A connection, which may change from plain text to TLS, and the attempt that uses it."""

    def __init__(self, attempt: Attempt, sock: socket.socket) -> None:
        self.attempt = attempt
        self.sock = sock


# --- MySQL and MariaDB: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html

_MYSQL_SSL = 0x800
# Long password, protocol 4.1, secure connection, authentication plugins.
_MYSQL_CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000
_MYSQL_UTF8 = 33
_MYSQL_PLUGIN = b"mysql_native_password"
_MYSQL_QUIT = b"\x01\x00\x00\x00\x01"
_OK, _MORE, _SWITCH, _ERROR = 0, 1, 0xFE, 0xFF


@dataclass(frozen=True)
class MysqlCheck(ServerCheck):
    """Logs in as a user without a password, and logs out: MySQL and MariaDB.

    A connection that ends before the login counts as an error of this host, and after
    ``max_connect_errors`` of them the server refuses the host.
    """

    port: int = 3306
    user: str = ""

    async def exchange(self, connection: Connection) -> str:
        """Log in and out."""
        number, greeting = await _mysql_packet(connection.sock)
        if greeting[:1] == bytes([_ERROR]):
            raise _mysql_error(greeting)
        version, nul, rest = greeting[1:].partition(b"\0")
        if greeting[:1] != b"\x0a" or not nul or len(rest) < 15:
            raise Failure(MISMATCH, f"not a greeting of MySQL: {greeting[:40]!r}")
        capabilities = _MYSQL_CAPABILITIES
        if self.tls:
            if not struct.unpack_from("<H", rest, 13)[0] & _MYSQL_SSL:
                raise Failure(TLS, "the server does not offer TLS")
            capabilities |= _MYSQL_SSL
        head = struct.pack("<IIB23x", capabilities, MAX_BYTES, _MYSQL_UTF8)
        if self.tls:
            number += 1
            await send(connection.sock, _mysql_framed(number, head))
            await self.start_tls(connection)
        login = head + self.user.encode() + b"\0\0" + _MYSQL_PLUGIN + b"\0"
        await send(connection.sock, _mysql_framed(number + 1, login))
        for _ in range(_MAX_MESSAGES):
            number, answer = await _mysql_packet(connection.sock)
            if answer[0] == _OK:
                await send(connection.sock, _MYSQL_QUIT)
                return f"logged in, version {version.decode('ascii', 'replace')}"
            if answer[0] == _ERROR:
                raise _mysql_error(answer)
            if answer[0] == _SWITCH:  # to another plugin, for which no password is the same
                await send(connection.sock, _mysql_framed(number + 1, b""))
            elif answer[0] != _MORE:
                break
        raise Failure(MISMATCH, f"not an answer of MySQL: {answer[:40]!r}")


async def _mysql_packet(sock: socket.socket) -> tuple[int, bytes]:
    """Receive a packet; return its number and its content, which is not empty."""
    head = await receive_exactly(sock, 4)
    size = int.from_bytes(head[:3], "little")
    if not 0 < size <= MAX_BYTES:
        raise Failure(MISMATCH, f"not a packet of MySQL: {head!r}")
    return head[3], await receive_exactly(sock, size)


def _mysql_framed(number: int, content: bytes) -> bytes:
    return struct.pack("<I", len(content) | (number & 0xFF) << 24) + content


def _mysql_error(packet: bytes) -> Failure:
    code = int.from_bytes(packet[1:3], "little")
    text = packet[9:] if packet[3:4] == b"#" else packet[3:]
    return Failure(STATUS, f"error {code}: {text.decode('utf-8', 'replace')}")


# --- PostgreSQL: https://www.postgresql.org/docs/current/protocol-message-formats.html

_POSTGRESQL_SSL = struct.pack(">II", 8, 80_877_103)
_POSTGRESQL_VERSION = 3 << 16
_POSTGRESQL_TERMINATE = b"X\x00\x00\x00\x04"


@dataclass(frozen=True)
class PostgresqlCheck(ServerCheck):
    """Asks for TLS and, with a user, begins a session, without a password.

    Without a user the check ends once the server has answered and, where it has TLS, after the
    handshake. With one it ends where the server asks for the password: it accepts sessions then.
    """

    port: int = 5432
    user: str = ""
    database: str = ""  # that of the user's name, when empty

    async def exchange(self, connection: Connection) -> str:
        """Ask for TLS, and begin a session where there is a user."""
        await send(connection.sock, _POSTGRESQL_SSL)
        answer = await receive_exactly(connection.sock, 1)
        if answer == b"S":
            await self.start_tls(connection, verify=self.tls)
        elif answer != b"N":
            raise Failure(MISMATCH, f"not an answer of PostgreSQL: {answer!r}")
        elif self.tls:
            raise Failure(TLS, "the server does not offer TLS")
        with_tls = "with TLS" if answer == b"S" else "without TLS"
        if not self.user:
            return f"answered, {with_tls}"
        return f"{await self._session(connection)}, {with_tls}"

    async def _session(self, connection: Connection) -> str:
        database = self.database or self.user
        names = f"user\0{self.user}\0database\0{database}\0\0".encode()
        start = struct.pack(">II", 8 + len(names), _POSTGRESQL_VERSION) + names
        await send(connection.sock, start)
        for _ in range(_MAX_MESSAGES):
            kind, content = await _postgresql_message(connection.sock)
            if kind == b"E":
                raise _postgresql_error(content)
            if kind == b"R" and content[:4] != bytes(4):
                return "asked for the password"
            if kind == b"Z":
                await send(connection.sock, _POSTGRESQL_TERMINATE)
                return "ready for queries"
        raise Failure(MISMATCH, f"not an answer of PostgreSQL: {kind + content[:40]!r}")


async def _postgresql_message(sock: socket.socket) -> tuple[bytes, bytes]:
    head = await receive_exactly(sock, 5)
    (size,) = struct.unpack_from(">I", head, 1)
    if not 4 <= size <= MAX_BYTES:
        raise Failure(MISMATCH, f"not a message of PostgreSQL: {head!r}")
    return head[:1], await receive_exactly(sock, size - 4)


def _postgresql_error(content: bytes) -> Failure:
    fields = {field[:1]: field[1:].decode("utf-8", "replace") for field in content.split(b"\0")}
    return Failure(STATUS, f"{fields.get(b'C', 'error')}: {fields.get(b'M', '')}")


# --- Redis: https://redis.io/docs/latest/develop/reference/protocol-spec/

_REDIS_PING = b"*1\r\n$4\r\nPING\r\n"
_MAX_REDIS_BYTES = 512


@dataclass(frozen=True)
class RedisCheck(ServerCheck):
    """Sends PING. A server that wants a password first has answered, which passes too."""

    port: int = 6379

    async def exchange(self, connection: Connection) -> str:
        """Send PING and read the answer."""
        if self.tls:
            await self.start_tls(connection)
        await send(connection.sock, _REDIS_PING)
        line = bytearray()
        while b"\r\n" not in line:
            piece = await receive(connection.sock, _MAX_REDIS_BYTES)
            if not piece or len(line) >= _MAX_REDIS_BYTES:
                raise Failure(MISMATCH, f"not an answer of Redis: {bytes(line[:40])!r}")
            line += piece
        answer = bytes(line).partition(b"\r\n")[0].decode("utf-8", "replace")
        if answer.startswith(("+PONG", "-NOAUTH ")):
            return answer[1:]
        if answer.startswith("-"):
            raise Failure(STATUS, answer[1:])
        raise Failure(MISMATCH, f"not an answer of Redis: {answer[:40]!r}")


# --- Any protocol of lines, such as SMTP


class Step(NamedTuple):
    """Text to send, text to wait for, and whether TLS begins after it; each may be left out."""

    send: str = ""
    expect: str = ""
    starttls: bool = False


@dataclass(frozen=True)
class ExchangeCheck(ServerCheck):
    """Sends texts and waits for texts, step by step."""

    port: int = 0  # always given
    steps: tuple[Step, ...] = ()

    async def exchange(self, connection: Connection) -> str:
        """Take each step; what was received is searched once, in its order."""
        if self.tls:
            await self.start_tls(connection)
        left = bytearray()
        received = 0
        for step in self.steps:
            if step.send:
                await send(connection.sock, step.send.encode())
            # The line is read to its end before TLS begins, as it may arrive in parts.
            for text in (step.expect, "\n" if step.starttls else ""):
                while text.encode() not in left:
                    piece = await receive(connection.sock, _PIECE_BYTES)
                    received += len(piece)
                    if not piece or received > MAX_BYTES:
                        problem = "the connection ended" if not piece else "too much was received"
                        raise Failure(MISMATCH, f"{problem} without {text!r}: {bytes(left[:60])!r}")
                    left += piece
                if text:
                    del left[: left.index(text.encode()) + len(text.encode())]
            if step.starttls:
                if left:  # which somebody between may have inserted
                    raise Failure(MISMATCH, f"text before TLS: {bytes(left[:60])!r}")
                await self.start_tls(connection)
        return "answered as expected"
