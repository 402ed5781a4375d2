"""How a target is checked: one class per kind of check."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar, Final, Literal, TypeVar, get_args

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, require_one_of

Family = Literal["ipv4", "ipv6"]
"""Which addresses of a name are used."""
RecordType = Literal["A", "AAAA", "CNAME"]
"""The type of record that a DNS check looks up."""

Method = Literal["GET", "HEAD", "OPTIONS", "POST"]
"""The method of an HTTP request."""
Latency = Literal["statistics", "values"]
"""How the latency of a target is published: statistic sets, or single values for percentiles."""

_T = TypeVar("_T", str, int)
_DNS_PORT: Final = 53
_HTTP_PORT: Final = 80
_HTTPS_PORT: Final = 443
# What the agent assumes for a setting that is left out; None for those not listed.
_AGENT_DEFAULTS: Final[Mapping[str, object]] = {
    "status": (),
    "days_to_expiry": 0,
    "certificate": False,
    "tls": False,
    "method": "GET",
    "headers": {},
    "family": "ipv4",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCheck(ABC):
    """One way to check a target; use one of the kinds below.

    A sample is one attempt, with one deadline for name lookup, connection, handshake and answer.

    Attributes:
        interval_seconds: Seconds between two samples, a divisor of 60; those of the configuration
            unless given.
        timeout_seconds: Deadline of a sample in seconds, below the interval; that of the
            configuration unless given.
        latency: Also publish the milliseconds of each sample that passes, as metric
            ``<dependency>-latency``: as ``statistics``, or as single ``values``, which alarms on
            percentiles need; not published unless given.
    """

    interval_seconds: int | None = None
    timeout_seconds: float | None = None
    latency: Latency | None = None

    @property
    def publishes_more(self) -> bool:
        """Whether the check has settings that only checks of dependencies may have."""
        given = (self.interval_seconds, self.timeout_seconds, self.latency)
        return given != (None, None, None) or bool(getattr(self, "certificate", False))

    @abstractmethod
    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it, without defaults."""


@dataclass(frozen=True, slots=True)
class _ConnectionCheck(TargetCheck):
    """A check over a TCP connection; its fields are the agent's settings."""

    _kind: ClassVar[str]

    def rendered(self) -> Mapping[str, object]:
        """Return the check as the agent's configuration has it."""
        settings: dict[str, object] = {"check": self._kind}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != _AGENT_DEFAULTS.get(each.name):
                settings[each.name] = _rendered(value)
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
        ca_file: Path on the host of a file with the trusted authorities in PEM; those of the
            system unless given.
        certificate: Also publish for how many days the certificate is still valid, as metric
            ``<dependency>-certificate-days``; not published unless true.

    Raises:
        InvalidInputError: A value is not valid.
    """

    _kind: ClassVar = "tls"
    host: str
    port: int = _HTTPS_PORT
    server_name: str | None = None
    days_to_expiry: int = 0
    family: Family = "ipv4"
    ca_file: str | None = None
    certificate: bool = False

    def __post_init__(self) -> None:
        _check_connection(self, self.host, self.port, self.family)
        _check_certificate(self)


@dataclass(frozen=True, slots=True)
class HttpCheck(_ConnectionCheck):
    """Sends a request over HTTP; passes with an expected status and, if given, the text.

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
        method: Method of the request, which has no body; GET unless given.
        headers: Further headers by name, in place of the usual ones of the same name. Their values
            can be read in the template and on the host: no secrets.

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
    method: Method = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_connection(self, self.host, self.port, self.family)
        _check_request(self)


@dataclass(frozen=True, slots=True)
class HttpsCheck(_ConnectionCheck):
    """Sends a request over HTTPS; passes with a valid certificate, status and text.

    The settings of the request are those of ``HttpCheck``, those of TLS are those of ``TlsCheck``.

    Attributes:
        host: DNS name or address.
        port: TCP port; 443 unless given.

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
    method: Method = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    ca_file: str | None = None
    certificate: bool = False

    def __post_init__(self) -> None:
        _check_connection(self, self.host, self.port, self.family)
        _check_request(self)
        _check_certificate(self)


@dataclass(frozen=True, slots=True)
class _ServerCheck(_ConnectionCheck):
    """A check of a server by its own protocol, in plain text or by TLS."""

    tls: bool = field(default=False, kw_only=True)
    server_name: str | None = field(default=None, kw_only=True)
    days_to_expiry: int = field(default=0, kw_only=True)
    ca_file: str | None = field(default=None, kw_only=True)
    certificate: bool = field(default=False, kw_only=True)
    family: Family = field(default="ipv4", kw_only=True)

    def _check_server(self, host: str, port: int, *, by_tls: bool) -> None:
        _check_connection(self, host, port, self.family)
        _check_certificate(self)
        for name in ("server_name", "days_to_expiry", "ca_file", "certificate"):
            if getattr(self, name) and not by_tls:
                raise InvalidInputError(
                    f"{type(self).__name__}: {name}: applies only with TLS; give tls=True"
                )


@dataclass(frozen=True, slots=True)
class MysqlCheck(_ServerCheck):
    """Passes when a user without a password can log in to MySQL or MariaDB.

    A connection that ends before a login counts as an error: after ``max_connect_errors`` of them,
    100 by default, the server refuses the host. So the check logs in and out. It needs an account
    without a password and without privileges: ``CREATE USER resiliency_probe@'10.0.%'``.
    The settings of TLS are those of ``TlsCheck``, for use with ``tls``.

    Attributes:
        host: DNS name or address.
        user: Name of the account.
        port: TCP port; 3306 unless given.
        tls: Log in by TLS; the certificate must be trusted, valid, and for the name; not unless
            given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    _kind: ClassVar = "mysql"
    host: str
    user: str
    port: int = 3306

    def __post_init__(self) -> None:
        self._check_server(self.host, self.port, by_tls=self.tls)
        _checked(self, "user", self.user, probe_validation.user_name)


@dataclass(frozen=True, slots=True)
class PostgresqlCheck(_ServerCheck):
    """Passes when PostgreSQL answers a request for TLS and, with a user, begins a session.

    Without ``user`` also a server passes that is starting up or has no connection left. The
    settings of TLS are those of ``TlsCheck``, for use with ``tls``.

    Attributes:
        host: DNS name or address.
        port: TCP port; 5432 unless given.
        user: Name of a role that may log in from the host. The check sends no password: it passes
            where the server asks for it, or where the session begins without.
        database: Name of the database; that of the user's name unless given.
        tls: Require TLS and check the certificate; without, TLS is used where the server has it,
            with any certificate.

    Raises:
        InvalidInputError: A value is not valid.
    """

    _kind: ClassVar = "postgresql"
    host: str
    port: int = 5432
    user: str | None = None
    database: str | None = None

    def __post_init__(self) -> None:
        self._check_server(self.host, self.port, by_tls=self.tls)
        for name, value in (("user", self.user), ("database", self.database)):
            if value is not None:
                _checked(self, name, value, probe_validation.user_name)
        if self.database is not None and self.user is None:
            raise InvalidInputError("PostgresqlCheck: database: applies only together with user")


@dataclass(frozen=True, slots=True)
class RedisCheck(_ServerCheck):
    """Passes when Redis or Valkey answers PING, or asks for a password.

    The settings of TLS are those of ``TlsCheck``, for use with ``tls``.

    Attributes:
        host: DNS name or address.
        port: TCP port; 6379 unless given.
        tls: Connect by TLS; the certificate must be trusted, valid, and for the name; not unless
            given.

    Raises:
        InvalidInputError: A value is not valid.
    """

    _kind: ClassVar = "redis"
    host: str
    port: int = 6379

    def __post_init__(self) -> None:
        self._check_server(self.host, self.port, by_tls=self.tls)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an ``ExchangeCheck``.

    Attributes:
        send: Text to send, with the ends of its lines; nothing unless given.
        expect: Text to wait for, after what former steps found; nothing unless given.
        starttls: Begin TLS after the line that holds ``expect``; not unless given.
    """

    send: str | None = None
    expect: str | None = None
    starttls: bool = False


@dataclass(frozen=True, slots=True)
class ExchangeCheck(_ServerCheck):
    r"""Passes when a server answers texts as expected, such as one for SMTP.

    The settings of TLS are those of ``TlsCheck``, for use where TLS begins.

    Attributes:
        host: DNS name or address.
        port: TCP port.
        steps: What is sent and expected, in order; the last one should log out, as servers log
            clients that merely leave.
        tls: Connect by TLS; not unless given. For TLS within the exchange see ``Step``.

    Raises:
        InvalidInputError: A value is not valid.

    Example:
        >>> check = ExchangeCheck(
        ...     "mail.example.com", 25, [Step(expect="220 "), Step("QUIT\r\n", "221 ")]
        ... )
        >>> check.rendered()["steps"]
        [{'expect': '220 '}, {'send': 'QUIT\r\n', 'expect': '221 '}]
    """

    _kind: ClassVar = "exchange"
    host: str
    port: int
    steps: Sequence[Step]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        starts_tls = [step.starttls for step in self.steps]
        self._check_server(self.host, self.port, by_tls=self.tls or any(starts_tls))
        if not self.steps:
            raise InvalidInputError(
                "ExchangeCheck: steps: is empty; give one like Step(expect=...)"
            )
        if self.tls + sum(starts_tls) > 1:
            raise InvalidInputError("ExchangeCheck: steps: TLS can begin once")
        for step in self.steps:
            for text in (step.send, step.expect):
                if text is not None:
                    checked("ExchangeCheck", "steps", text, probe_validation.exchanged_text)


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
        _checked(self, "port", self.port, network_names.port)

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
            "interval_seconds": self.interval_seconds,
            "timeout_seconds": self.timeout_seconds,
            "latency": self.latency,
        }
        return {name: value for name, value in settings.items() if value is not None}


def _checked(check: TargetCheck, name: str, value: _T, rule: Callable[[_T], _T]) -> None:
    """Replace a value by its canonical form, so that one target has one configuration."""
    object.__setattr__(check, name, checked(type(check).__name__, name, value, rule))


def _check_connection(check: TargetCheck, host: str, port: int, family: str) -> None:
    _checked(check, "host", host, network_names.dns_name_or_address)
    _checked(check, "port", port, network_names.port)
    require_one_of(type(check).__name__, "family", family, get_args(Family))
    if family != "ipv4" and is_literal(host) and network_names.is_address(host):
        raise InvalidInputError(
            f"{type(check).__name__}: family: goes with names; {validation.shown(host)} is an "
            "address"
        )


def _check_request(check: HttpCheck | HttpsCheck) -> None:
    _checked(check, "path", check.path, network_names.url_path)
    if check.host_header is not None:
        _checked(check, "host_header", check.host_header, network_names.domain_name)
    for each in check.status:
        checked(type(check).__name__, "status", each, probe_validation.status)
    # A tuple: frozen, and equal to another of the same statuses.
    object.__setattr__(check, "status", tuple(check.status))
    if check.text is not None:
        _checked(check, "text", check.text, probe_validation.body_text)
    require_one_of(type(check).__name__, "method", check.method, get_args(Method))
    if check.method == "HEAD" and check.text is not None:
        raise InvalidInputError(
            f"{type(check).__name__}: text: can't be found with method HEAD, whose answer has no "
            "body; give GET, or leave text out"
        )
    for name, value in check.headers.items():
        checked(type(check).__name__, "headers", name, probe_validation.header_name)
        checked(type(check).__name__, "headers", value, probe_validation.header_value)


def _check_certificate(check: TlsCheck | HttpsCheck | _ServerCheck) -> None:
    if check.server_name is not None:
        _checked(check, "server_name", check.server_name, network_names.dns_name_or_address)
    _checked(check, "days_to_expiry", check.days_to_expiry, probe_validation.days_to_expiry)
    if check.ca_file is not None:
        _checked(check, "ca_file", check.ca_file, probe_validation.file_on_host)


def _rendered(value: object) -> object:
    if isinstance(value, tuple):
        return [_rendered(each) for each in value]
    if isinstance(value, Step):
        step = {"send": value.send, "expect": value.expect, "starttls": value.starttls or None}
        return {name: given for name, given in step.items() if given is not None}
    return dict(value) if isinstance(value, Mapping) else value
