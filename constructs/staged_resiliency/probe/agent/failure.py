"""Why a target did not answer as it should."""

from __future__ import annotations

import errno
import os
import socket
import ssl

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
    errno.ENOTCONN,  # TLS asks who the peer is, which a reset connection does not know
)


class Failure(Exception):  # noqa: N818 - an outcome, not an error of this program
    """A target did not answer as it should.

    Attributes:
        kind: One of ``CLASSES``; a dimension of the failures' metric.
        detail: What was seen, for the journal; printable ASCII.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind} ({shown(detail)})")
        self.kind = kind
        self.detail = shown(detail)


def shown(text: object, most: int = 160) -> str:
    """A text of somebody else as the journal may hold it: printable ASCII on one line, short."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in str(text)[: most + 1])
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


def of_errno(number: int) -> Failure:
    """The failure that an error number of a socket stands for."""
    if number in _RESETS:
        return Failure(REFUSED, os.strerror(number))
    if number == errno.ETIMEDOUT:
        return Failure(TIMEOUT, os.strerror(number))
    return Failure(UNREACHABLE, os.strerror(number))


def of_error(error: Exception) -> Failure:
    """The failure that an exception of a socket, of TLS or of a lookup stands for."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, ssl.SSLError):
        told = getattr(error, "verify_message", None) or getattr(error, "reason", None)
        return Failure(TLS, told or "the connection ended within the handshake")
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return Failure(DNS, getattr(error, "strerror", None) or "the name can't be encoded")
    if isinstance(error, OSError) and error.errno is not None:
        return of_errno(error.errno)
    return Failure(UNREACHABLE, f"{type(error).__name__}: {error}")
