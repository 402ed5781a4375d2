"""How a target is checked: one class per kind of check."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal

Family = Literal["ipv4", "ipv6"]
"""Which addresses of a name are used."""
RecordType = Literal["A", "AAAA", "CNAME"]
"""The type of record that a DNS check looks up."""

_T = TypeVar("_T", str, int)
_DNS_PORT: Final = 53
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443


class TargetCheck(ABC):
    """One way to check a target; use one of the kinds below.

    A sample is one attempt, with one deadline for name lookup, connection, handshake and answer.
    """

    @abstractmethod
    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it, without defaults."""


@dataclass(frozen=True, slots=True)
class TcpCheck(TargetCheck):
    """Passes when a TCP connection is made.

    Attributes:
        host: DNS name or address.
        port: TCP port.
        family: Which addresses of a name are used, ``ipv4`` or ``ipv6``; ``ipv4`` unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    host: str
    port: int
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_place(self, self.host, self.port, self.family)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        return _given(check="tcp", host=self.host, port=self.port, family=_other(self.family))


@dataclass(frozen=True, slots=True)
class TlsCheck(TargetCheck):
    """Passes when a TLS handshake succeeds: the certificate is trusted, valid, and for the name.

    Attributes:
        host: DNS name or address.
        port: TCP port; 443 unless given.
        server_name: Name that the certificate must have; the host unless given.
        days_to_expiry: Fails when the certificate is valid for fewer days, 0 to 3650; 0 unless
            given.
        family: Which addresses of a name are used, ``ipv4`` or ``ipv6``; ``ipv4`` unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    host: str
    port: int = _HTTPS_PORT
    server_name: str | None = None
    days_to_expiry: int = 0
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_place(self, self.host, self.port, self.family)
        _check_certificate(self, self.server_name, self.days_to_expiry)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        return _given(
            check="tls",
            host=self.host,
            port=self.port,
            server_name=self.server_name,
            days_to_expiry=self.days_to_expiry or None,
            family=_other(self.family),
        )


@dataclass(frozen=True, slots=True)
class HttpCheck(TargetCheck):
    """Sends GET over HTTP; passes with an expected status and, if given, the text in the answer.

    Redirects are not followed: a 3xx is a status like any other.

    Attributes:
        host: DNS name or address.
        port: TCP port; 80 unless given.
        path: Path and query of the request; ``/`` unless given.
        host_header: Value of the Host header; the host unless given, with a port that is not the
            scheme's default.
        status: Statuses that pass; any 2xx unless given.
        text: Text that the first 64 KB of the answer's body must hold, 1 to 255 printable
            characters; only the status counts unless given.
        family: Which addresses of a name are used, ``ipv4`` or ``ipv6``; ``ipv4`` unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    host: str
    port: int = _HTTP_PORT
    path: str = "/"
    host_header: str | None = None
    status: Sequence[int] = ()
    text: str | None = None
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_place(self, self.host, self.port, self.family)
        _check_request(self, self.path, self.host_header, self.status, self.text)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        return _given(
            check="http",
            host=self.host,
            port=self.port,
            path=self.path,
            host_header=self.host_header,
            status=list(self.status) or None,
            text=self.text,
            family=_other(self.family),
        )


@dataclass(frozen=True, slots=True)
class HttpsCheck(TargetCheck):
    """Sends GET over HTTPS; passes with a valid certificate and, as ``HttpCheck``, status and text.

    Redirects are not followed: a 3xx is a status like any other.

    Attributes:
        host: DNS name or address.
        port: TCP port; 443 unless given.
        path: Path and query of the request; ``/`` unless given.
        host_header: Value of the Host header; the host unless given, with a port that is not the
            scheme's default.
        status: Statuses that pass; any 2xx unless given.
        text: Text that the first 64 KB of the answer's body must hold, 1 to 255 printable
            characters; only the status counts unless given.
        server_name: Name that the certificate must have; the host unless given.
        days_to_expiry: Fails when the certificate is valid for fewer days, 0 to 3650; 0 unless
            given.
        family: Which addresses of a name are used, ``ipv4`` or ``ipv6``; ``ipv4`` unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    host: str
    port: int = _HTTPS_PORT
    path: str = "/"
    host_header: str | None = None
    status: Sequence[int] = ()
    text: str | None = None
    server_name: str | None = None
    days_to_expiry: int = 0
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_place(self, self.host, self.port, self.family)
        _check_request(self, self.path, self.host_header, self.status, self.text)
        _check_certificate(self, self.server_name, self.days_to_expiry)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        return _given(
            check="https",
            host=self.host,
            port=self.port,
            path=self.path,
            host_header=self.host_header,
            status=list(self.status) or None,
            text=self.text,
            server_name=self.server_name,
            days_to_expiry=self.days_to_expiry or None,
            family=_other(self.family),
        )


@dataclass(frozen=True, slots=True)
class DnsCheck(TargetCheck):
    """Looks up a DNS record; passes when there is one and, if given, ``answer`` is among them.

    Attributes:
        host: DNS name to look up.
        record_type: ``A``, ``AAAA`` or ``CNAME``; ``A`` unless given.
        answer: Value that must be among the answers; any answer passes unless given.
        server: Address of the DNS server; the host's own servers unless given.
        port: Port of ``server``; 53 unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    host: str
    record_type: RecordType = "A"
    answer: str | None = None
    server: str | None = None
    port: int = _DNS_PORT

    def __post_init__(self) -> None:
        """Validate the values."""
        _checked(self, "host", self.host, probe_validation.name_to_ask_for)
        if self.record_type not in ("A", "AAAA", "CNAME"):
            raise InvalidInputError(
                f"DnsCheck: record_type: {validation.shown(self.record_type)} is not allowed; "
                "allowed: A, AAAA, CNAME"
            )
        if self.answer is not None:
            kind = self.record_type
            _checked(
                self, "answer", self.answer, lambda text: probe_validation.dns_answer(text, kind)
            )
        if self.server is not None:
            _checked(self, "server", self.server, probe_validation.dns_server)
        elif self.port != _DNS_PORT:
            raise InvalidInputError(
                "DnsCheck: port: applies only together with server; give server, or leave port out"
            )
        _checked(self, "port", self.port, validation.port)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        return _given(
            check="dns",
            host=self.host,
            type=self.record_type,
            answer=self.answer,
            server=self.server,
            port=None if self.port == _DNS_PORT else self.port,
        )


def _checked(check: TargetCheck, name: str, value: _T, rule: Callable[[_T], _T]) -> None:
    """Replace a value by its canonical form, so that one target has one configuration."""
    object.__setattr__(check, name, checked(type(check).__name__, name, value, rule))


def _check_place(check: TargetCheck, host: str, port: int, family: str) -> None:
    _checked(check, "host", host, validation.dns_name_or_address)
    _checked(check, "port", port, validation.port)
    if family not in ("ipv4", "ipv6"):
        raise InvalidInputError(
            f"{type(check).__name__}: family: {validation.shown(family)} is not allowed; "
            "allowed: ipv4, ipv6"
        )
    if family != "ipv4" and is_literal(host) and probe_validation.is_address(host):
        raise InvalidInputError(
            f"{type(check).__name__}: family: goes with names; {validation.shown(host)} is an "
            "address"
        )


def _check_request(
    check: TargetCheck, path: str, host_header: str | None, status: Sequence[int], text: str | None
) -> None:
    _checked(check, "path", path, validation.url_path)
    if host_header is not None:
        _checked(check, "host_header", host_header, validation.domain_name)
    for each in status:
        checked(type(check).__name__, "status", each, probe_validation.status)
    # A tuple: frozen, and equal to another of the same statuses.
    object.__setattr__(check, "status", tuple(status))
    if text is not None:
        _checked(check, "text", text, probe_validation.body_text)


def _check_certificate(check: TargetCheck, server_name: str | None, days_to_expiry: int) -> None:
    if server_name is not None:
        _checked(check, "server_name", server_name, validation.dns_name_or_address)
    _checked(check, "days_to_expiry", days_to_expiry, probe_validation.days_to_expiry)


def _other(family: Family) -> Family | None:
    """Return the family unless it is the agent's default."""
    return None if family == "ipv4" else family


def _given(**settings: object) -> Mapping[str, object]:
    return {name: value for name, value in settings.items() if value is not None}
