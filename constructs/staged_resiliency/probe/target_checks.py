"""How a target is checked: one class per kind of check."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Final, Literal, TypeVar, get_args

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, require_one_of

Family = Literal["ipv4", "ipv6"]
"""Which addresses of a name are used."""
RecordType = Literal["A", "AAAA", "CNAME"]
"""The type of record that a DNS check looks up."""

_T = TypeVar("_T", str, int)
_DNS_PORT: Final = 53
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443
# What the agent assumes for a setting that is left out; None for those not listed.
_AGENT_DEFAULTS: Final[Mapping[str, object]] = {
    "status": (),
    "days_to_expiry": 0,
    "family": "ipv4",
}


class TargetCheck(ABC):
    """One way to check a target; use one of the kinds below.

    A sample is one attempt, with one deadline for name lookup, connection, handshake and answer.
    """

    @abstractmethod
    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it, without defaults."""


@dataclass(frozen=True, slots=True)
class _ConnectionCheck(TargetCheck):
    """A check over a TCP connection; its fields are the agent's settings, in the same order."""

    _kind: ClassVar[str]

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it, without defaults."""
        settings: dict[str, object] = {"check": self._kind}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != _AGENT_DEFAULTS.get(each.name):
                settings[each.name] = list(value) if isinstance(value, tuple) else value
        return settings


@dataclass(frozen=True, slots=True)
class TcpCheck(_ConnectionCheck):
    """Passes when a TCP connection is made.

    Attributes:
        host: DNS name or address.
        port: TCP port.
        family: Which addresses of a name are used, ``ipv4`` or ``ipv6``; ``ipv4`` unless given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    _kind: ClassVar = "tcp"
    host: str
    port: int
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_connection(self, self.host, self.port, self.family)


@dataclass(frozen=True, slots=True)
class TlsCheck(_ConnectionCheck):
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

    _kind: ClassVar = "tls"
    host: str
    port: int = _HTTPS_PORT
    server_name: str | None = None
    days_to_expiry: int = 0
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_connection(self, self.host, self.port, self.family)
        _check_certificate(self, self.server_name, self.days_to_expiry)


@dataclass(frozen=True, slots=True)
class HttpCheck(_ConnectionCheck):
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

    _kind: ClassVar = "http"
    host: str
    port: int = _HTTP_PORT
    path: str = "/"
    host_header: str | None = None
    status: Sequence[int] = ()
    text: str | None = None
    family: Family = "ipv4"

    def __post_init__(self) -> None:
        """Validate the values."""
        _check_connection(self, self.host, self.port, self.family)
        _check_request(self, self.path, self.host_header, self.status, self.text)


@dataclass(frozen=True, slots=True)
class HttpsCheck(_ConnectionCheck):
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

    _kind: ClassVar = "https"
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
        _check_connection(self, self.host, self.port, self.family)
        _check_request(self, self.path, self.host_header, self.status, self.text)
        _check_certificate(self, self.server_name, self.days_to_expiry)


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
        _checked(self, "host", self.host, probe_validation.name_to_look_up)
        require_one_of("DnsCheck", "record_type", self.record_type, get_args(RecordType))
        if self.answer is not None:
            _checked(self, "answer", self.answer, self._answer_of_type)
        if self.server is not None:
            _checked(self, "server", self.server, probe_validation.dns_server)
        elif self.port != _DNS_PORT:
            raise InvalidInputError(
                "DnsCheck: port: applies only together with server; give server, or leave port out"
            )
        _checked(self, "port", self.port, validation.port)

    def _answer_of_type(self, answer: str) -> str:
        return probe_validation.dns_answer(answer, self.record_type)

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        settings = {
            "check": "dns",
            "host": self.host,
            "type": self.record_type,
            "answer": self.answer,
            "server": self.server,
            "port": None if self.port == _DNS_PORT else self.port,
        }
        return {name: value for name, value in settings.items() if value is not None}


def _checked(check: TargetCheck, name: str, value: _T, rule: Callable[[_T], _T]) -> None:
    """Replace a value by its canonical form, so that one target has one configuration."""
    object.__setattr__(check, name, checked(type(check).__name__, name, value, rule))


def _check_connection(check: TargetCheck, host: str, port: int, family: str) -> None:
    _checked(check, "host", host, validation.dns_name_or_address)
    _checked(check, "port", port, validation.port)
    require_one_of(type(check).__name__, "family", family, get_args(Family))
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
