"""An authoritative DNS server for one name, over UDP and TCP."""

import asyncio
import struct
from collections.abc import Callable
from typing import Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_LENGTH: Final = struct.Struct("!H")


class Zone:
    """The record of the name, with its current addresses; its TTL is in seconds of the service."""

    def __init__(self, name: str, record_type: str, ttl_seconds: int, addresses: list[str]) -> None:
        self.addresses = addresses
        self._name = dns.name.from_text(name)
        self._type = dns.rdatatype.from_text(record_type)
        self._ttl = ttl_seconds

    def answer(self, wire: bytes) -> bytes | None:
        """Return the answer to a query; None where the bytes are no query."""
        try:
            query = dns.message.from_wire(wire)
            if query.flags & dns.flags.QR or not query.question:
                return None
            answer = dns.message.make_response(query)
        except (dns.exception.DNSException, ValueError):
            return None
        question = query.question[0]
        answer.flags |= dns.flags.AA
        if question.name != self._name or question.rdclass != dns.rdataclass.IN:
            answer.flags &= ~dns.flags.AA
            answer.set_rcode(dns.rcode.REFUSED)
        elif question.rdtype == self._type:
            answer.answer.append(
                dns.rrset.from_text_list(
                    question.name, self._ttl, question.rdclass, self._type, self.addresses
                )
            )
        return answer.to_wire()


class NameServer:
    """Answers for a zone on one loopback port, by UDP and TCP."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> tuple[str, int]:
        """Start to listen; return address and port."""
        loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        place: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._zone.answer), local_addr=place
        )
        return place

    def close(self) -> None:
        """Stop to listen."""
        if self._transport is not None:
            self._transport.close()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
                answer = self._zone.answer(await reader.readexactly(length))
                if answer is None:
                    return
                writer.write(_LENGTH.pack(len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
