"""An authoritative DNS server for one name, over UDP."""

import asyncio

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


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


class NameServer(asyncio.DatagramProtocol):
    """A DNS server for one zone, on a loopback port."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> tuple[str, int]:
        """Start listening; return address and port."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self._transport = transport
        place: tuple[str, int] = transport.get_extra_info("sockname")[:2]
        return place

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a query."""
        answer = self._zone.answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()
