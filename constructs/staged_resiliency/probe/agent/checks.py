"""What a target is asked. Each check is a class; its fields are its settings.

``run`` returns what was seen, in a few words, or raises a ``Failure`` or whatever sockets and TLS
raise; ``failure.of_error`` classifies it. The deadline is the loop's.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .attempt import Attempt
from .failure import TLS, Failure
from .resolver import Addresses
from .sockets import connect, handshake

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Check(ABC):
    """One way to ask a target."""

    @property
    @abstractmethod
    def place(self) -> str:
        """What is asked, as the journal names it."""

    @abstractmethod
    async def run(self, sample: Attempt) -> str:
        """Ask once; what was seen, in a few words."""


@dataclass(frozen=True)
class TcpCheck(Check):
    """Connects.

    Attributes:
        host: DNS name or address.
        port: TCP port.
        family: ``ipv4`` or ``ipv6``: which addresses of a name are used. They are tried in the
            resolver's order, one after the other.
    """

    host: str
    port: int
    family: str = "ipv4"

    @property
    def place(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @cached_property
    def _literal(self) -> Addresses | None:
        """The address itself, where the host is one."""
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return None
        return [(socket.AF_INET6 if address.version == 6 else socket.AF_INET, str(address))]

    async def connected(self, sample: Attempt) -> socket.socket:
        """A connection to the host."""
        addresses = self._literal
        if addresses is None:
            sample.stage = f"looking up {self.host}"
            family = FAMILIES[self.family]
            addresses = await sample.tools.resolver.addresses(self.host, family)
        return await connect(sample, addresses, self.port)

    async def run(self, sample: Attempt) -> str:
        """Connect and close."""
        (await self.connected(sample)).close()
        return "connected"


@dataclass(frozen=True)
class TlsCheck(TcpCheck):
    """Connects and shakes hands; the certificate must be trusted, valid, and for the name.

    Attributes:
        server_name: The name that the certificate must have; the host unless given.
        days_to_expiry: Fails when the certificate is valid for fewer days.
    """

    server_name: str = ""
    days_to_expiry: int = 0

    async def connected(self, sample: Attempt) -> ssl.SSLSocket:
        """A TLS connection to the host."""
        sock = await super().connected(sample)
        name = (self.server_name or self.host).rstrip(".")  # certificates have no last dot
        tls = await handshake(sample, sock, sample.tools.tls, name)
        try:
            days = self._days_left(tls, sample)
            if days < self.days_to_expiry:
                wanted = f"fewer than {self.days_to_expiry}"
                raise Failure(TLS, f"the certificate ends in {days} days, {wanted}")
        except BaseException:
            tls.close()
            raise
        return tls

    async def run(self, sample: Attempt) -> str:
        """Connect, shake hands, close."""
        tls = await self.connected(sample)
        try:
            return f"{tls.version()}, certificate for {self._days_left(tls, sample)} days"
        finally:
            tls.close()

    @staticmethod
    def _days_left(tls: ssl.SSLSocket, sample: Attempt) -> int:
        certificate: Any = tls.getpeercert() or {}
        try:
            end = ssl.cert_time_to_seconds(certificate["notAfter"])
        except (KeyError, ValueError):
            raise Failure(TLS, "the certificate does not say when it ends") from None
        return int((end - sample.tools.wall()) // 86_400)
