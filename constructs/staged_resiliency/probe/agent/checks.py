"""How a target is checked. Each check is a class; its fields are its settings.

``run`` returns a short text about the answer, or raises: a ``Failure``, or whatever sockets and
TLS raise, which ``Failure.from_error`` classifies. The loop keeps the deadline.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .attempt import TLS, Attempt, Failure
from .resolver import Addresses
from .sockets import address_family, closed_on_error, connect, handshake

FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class Check(ABC):
    """One way to check a target."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The target as the journal names it."""

    @abstractmethod
    async def run(self, attempt: Attempt) -> str:
        """Check once, and return a short text about the answer."""


@dataclass(frozen=True)
class TcpCheck(Check):
    """Connects by TCP to the first address of its family that accepts.

    The addresses of a name are tried in the resolver's order, one after the other.
    """

    host: str
    port: int
    family: str = "ipv4"

    @property
    def label(self) -> str:
        """Host and port."""
        return f"{self.url_host}:{self.port}"

    @property
    def url_host(self) -> str:
        """The host as URLs have it: an IPv6 address in brackets."""
        is_ipv6 = self._literal is not None and self._literal[0][0] == socket.AF_INET6
        return f"[{self.host}]" if is_ipv6 else self.host

    @cached_property
    def _literal(self) -> Addresses | None:
        """The address itself, where the host is one."""
        try:
            return [(address_family(self.host), str(ipaddress.ip_address(self.host)))]
        except ValueError:
            return None

    async def connect(self, attempt: Attempt) -> socket.socket:
        """Connect to the host."""
        addresses = self._literal
        if addresses is None:
            attempt.stage = f"looking up {self.host}"
            family = FAMILIES[self.family]
            addresses = await attempt.tools.resolver.addresses(self.host, family)
        return await connect(attempt, addresses, self.port)

    async def run(self, attempt: Attempt) -> str:
        """Open a connection and close it."""
        (await self.connect(attempt)).close()
        return "connected"


@dataclass(frozen=True)
class TlsCheck(TcpCheck):
    """Does a TLS handshake; the certificate must be trusted, valid, and for the name."""

    port: int = 443
    server_name: str = ""  # the host, when empty
    days_to_expiry: int = 0  # the fewest for which the certificate must still be valid
    ca_file: str = ""  # authorities in PEM; the system's, when empty

    async def connect(self, attempt: Attempt) -> ssl.SSLSocket:
        """Connect to the host by TLS."""
        return await self.secured(attempt, await super().connect(attempt))

    async def secured(
        self, attempt: Attempt, sock: socket.socket, *, verify: bool = True
    ) -> ssl.SSLSocket:
        """Do the TLS handshake on a connection, and check the certificate."""
        with closed_on_error(sock):
            context = attempt.tools.context(self.ca_file if verify else None)
        name = (self.server_name or self.host).rstrip(".")  # certificates have no last dot
        tls = await handshake(attempt, sock, context, name)
        if verify:
            with closed_on_error(tls):
                days = attempt.certificate_days = self._days_left(tls, attempt)
                if days < self.days_to_expiry:
                    required = f"fewer than {self.days_to_expiry}"
                    raise Failure(TLS, f"the certificate expires in {days} days, {required}")
        return tls

    async def run(self, attempt: Attempt) -> str:
        """Open a connection, do the TLS handshake, and close the connection."""
        tls = await self.connect(attempt)
        version = tls.version()
        tls.close()
        return f"{version}, certificate for {attempt.certificate_days} days"

    @staticmethod
    def _days_left(tls: ssl.SSLSocket, attempt: Attempt) -> int:
        certificate: Any = tls.getpeercert() or {}
        try:
            end = ssl.cert_time_to_seconds(certificate["notAfter"])
        except (KeyError, ValueError):
            raise Failure(TLS, "the certificate has no expiry date") from None
        return int((end - attempt.tools.wall()) // 86_400)
