"""One attempt to reach a target: what it uses, its progress and its failure."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import time
from typing import Callable

from .journal import printable
from .loop import Loop
from .resolver import Resolver

TLS_CONTEXT_SECONDS = 3600.0

DNS = "dns"
REFUSED = "refused"
TIMEOUT = "timeout"
UNREACHABLE = "unreachable"
TLS = "tls"
STATUS = "status"
MISMATCH = "mismatch"
CLASSES = (DNS, REFUSED, TIMEOUT, UNREACHABLE, TLS, STATUS, MISMATCH)

_RESETS = (
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.EPIPE,
    errno.ENOTCONN,  # TLS asks for the peer's address, which a reset connection no longer has
)


class Tools:
    """The loop, resolver, wall clock (seconds since 1970) and TLS context of all attempts."""

    def __init__(
        self,
        loop: Loop,
        resolver: Resolver | None = None,
        wall: Callable[[], float] = time.time,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self.loop = loop
        self.resolver = resolver or Resolver(loop)
        self.wall = wall
        self._make_tls = tls
        self._contexts: dict[str | None, tuple[ssl.SSLContext, float]] = {}

    def context(self, ca_file: str | None = "") -> ssl.SSLContext:
        """Return the context of TLS connections: the system's authorities, those of a file, or any.

        Reading the authorities takes 20 ms, so they are read once an hour: the host's may change.
        """
        now = self.loop.clock()
        found = self._contexts.get(ca_file)
        if found is None or now - found[1] > TLS_CONTEXT_SECONDS:
            found = self._contexts[ca_file] = self._new_context(ca_file), now
        return found[0]

    def _new_context(self, ca_file: str | None) -> ssl.SSLContext:
        if ca_file:
            try:
                return ssl.create_default_context(cafile=ca_file)
            except OSError as error:
                reason = error.strerror or getattr(error, "reason", None)
                raise Failure(TLS, f"the authorities in {ca_file}: {reason}") from None
        if ca_file is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        return self._make_tls()


class Attempt:
    """One sample in progress: when it began, and what it waits for."""

    __slots__ = ("answered", "began", "certificate_days", "minute", "stage", "tools")

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.began = tools.loop.clock()
        self.minute = int(tools.wall() // 60) * 60  # its start, in seconds since 1970
        self.answered: float | None = None  # where closing the connection takes time too
        self.certificate_days: int | None = None  # for which the certificate is still valid
        self.stage = ""  # what the attempt waits for, for the journal


class Failure(Exception):  # noqa: N818 - an outcome, not an error of this program
    """The target did not answer as expected.

    ``kind`` is one of ``CLASSES``, a dimension of the failures' metric; ``detail`` says what
    happened, in printable ASCII for the journal.
    """

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        self.detail = printable(detail)
        super().__init__(f"{kind} ({self.detail})")

    @classmethod
    def from_errno(cls, number: int) -> Failure:
        """Classify an error number of a socket."""
        if number in _RESETS:
            return cls(REFUSED, os.strerror(number))
        if number == errno.ETIMEDOUT:
            return cls(TIMEOUT, os.strerror(number))
        return cls(UNREACHABLE, os.strerror(number))

    @classmethod
    def from_error(cls, error: Exception) -> Failure:
        """Classify whatever a check raises, an error of this program included."""
        if isinstance(error, Failure):
            return error
        if isinstance(error, ssl.SSLError):
            reason = getattr(error, "verify_message", None) or getattr(error, "reason", None)
            return cls(TLS, reason or "the connection ended within the handshake")
        if isinstance(error, (socket.gaierror, UnicodeError)):
            return cls(DNS, getattr(error, "strerror", None) or "the name can't be encoded")
        if isinstance(error, OSError) and error.errno is not None:
            return cls.from_errno(error.errno)
        return cls(UNREACHABLE, f"{type(error).__name__}: {error}")
