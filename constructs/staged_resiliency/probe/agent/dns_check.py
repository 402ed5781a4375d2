"""DNS check: a server answers a name, and with what is expected."""

from __future__ import annotations

import ipaddress
import itertools
import secrets
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from . import dns_message
from .attempt import Attempt
from .checks import Check
from .failure import DNS, MISMATCH, Failure, of_error
from .loop import readable
from .sockets import connect, receive_exactly, send

RESOLV_CONF = Path("/etc/resolv.conf")
_PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class DnsCheck(Check):
    """Asks a DNS server, over UDP and, when the answer does not fit, over TCP.

    Attributes:
        host: The name to ask for.
        kind: ``A``, ``AAAA`` or ``CNAME``.
        expected: Must be among the answers, unless empty.
        server: Address of the server; the servers of /etc/resolv.conf, in turns, when empty.
        port: Its port.
    """

    host: str
    kind: str = "A"
    expected: str = ""
    server: str = ""
    port: int = 53

    @property
    def place(self) -> str:
        """Name and type, and the server where one is given."""
        return f"{self.host}/{self.kind}" + (f"@{self.server}" if self.server else "")

    async def run(self, sample: Attempt) -> str:
        """Ask until a server answers; one that says it can't is left for the next."""
        servers = [self.server] if self.server else system_servers()
        number = secrets.randbelow(65_536)
        question = dns_message.question(number, self.host, self.kind)
        failed: dict[str, str] = {}
        turns = itertools.cycle(servers)
        while True:  # the deadline ends it
            server = next(turns)
            sample.stage = f"asking {server}"
            try:
                answer = await self._over_udp(server, question, number)
                if answer is not None and answer.truncated:
                    answer = await self._over_tcp(sample, server, question, number)
            except (OSError, Failure) as error:
                failed[server] = of_error(error).detail
            else:
                if answer is not None and answer.rcode not in dns_message.ASK_ANOTHER:
                    return self._checked(answer)
                if answer is not None:
                    failed[server] = dns_message.RCODES[answer.rcode]
            if len(failed) == len(set(servers)):
                told = ", ".join(f"{server}: {reason}" for server, reason in failed.items())
                raise Failure(DNS, told)

    async def _over_udp(
        self, server: str, question: bytes, number: int
    ) -> dns_message.Answer | None:
        """The answer; None when none came in a while. Connected, so that others can't answer."""
        with socket.socket(_family(server), socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.connect((server, self.port))
            sock.send(question)
            while await readable(sock, _PATIENCE_SECONDS):
                try:
                    answer = dns_message.answer(sock.recv(65_535), number, self.host, self.kind)
                except (ValueError, BlockingIOError):
                    continue  # not what was asked for; the right one may still come
                if answer is not None:
                    return answer
        return None

    async def _over_tcp(
        self, sample: Attempt, server: str, question: bytes, number: int
    ) -> dns_message.Answer:
        sock = await connect(sample, [(_family(server), server)], self.port)
        sample.stage = f"asking {server} over TCP"
        try:
            await send(sock, struct.pack("!H", len(question)) + question)
            (size,) = struct.unpack("!H", await receive_exactly(sock, 2))
            data = await receive_exactly(sock, size)
            answer = dns_message.answer(data, number, self.host, self.kind)
        except ValueError as error:
            raise Failure(DNS, f"no DNS message ({error})") from None
        finally:
            sock.close()
        if answer is None:
            raise Failure(DNS, "answers another question")
        return answer

    def _checked(self, answer: dns_message.Answer) -> str:
        if answer.rcode:
            name = dns_message.RCODES.get(answer.rcode, f"code {answer.rcode}")
            raise Failure(DNS, f"{name} for {self.host}")
        if not answer.values:
            raise Failure(DNS, f"{self.host} has no {self.kind} record")
        told = ", ".join(answer.values)
        if self.expected and _canonical(self.expected) not in answer.values:
            raise Failure(MISMATCH, f"answers {told} and not {self.expected}")
        return told


def system_servers() -> list[str]:
    """The name servers that the host uses."""
    try:
        lines = RESOLV_CONF.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver"]
    return [server for server in found if _is_address(server)] or ["127.0.0.1"]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _canonical(value: str) -> str:
    return str(ipaddress.ip_address(value)) if _is_address(value) else value.rstrip(".").lower()


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET
