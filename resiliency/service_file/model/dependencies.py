"""What hosts need: how it is checked, its alarms, and its failover."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from resiliency.service_file.model.alarms import ConnectivityAlarmSettings
from resiliency.service_file.model.endpoint import CheckerSettings, Protocol
from resiliency.service_file.model.values import (
    BodyText,
    DomainName,
    DomainNameOrAddress,
    HostedZoneId,
    IntervalSeconds,
    Line,
    Port,
    Section,
    UrlPath,
)
from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import alarm_settings, limits, network_names

DependencyProtocol = Literal[
    "tcp", "tls", "http", "https", "mysql", "postgresql", "redis", "exchange", "dns"
]

# The port of a check that gives none; a rule asks for one where there is no standard port.
_STANDARD_PORTS: Final[Mapping[str, int]] = {
    **{"http": 80, "https": 443, "dns": 53},
    **{"mysql": 3306, "postgresql": 5432, "redis": 6379},
}

UserName = Annotated[str, AfterValidator(probe_validation.user_name)]
ExchangedText = Annotated[str, AfterValidator(probe_validation.exchanged_text)]
HeaderName = Annotated[str, AfterValidator(probe_validation.header_name)]
HeaderValue = Annotated[str, AfterValidator(probe_validation.header_value)]


class ExchangeStep(Section):
    """One step of the check `exchange`: a text to send, and a text to wait for."""

    send: ExchangedText | None = Field(
        default=None, description="Text to send, with the ends of its lines."
    )
    expect: ExchangedText | None = Field(
        default=None, description="Text to wait for, after what former steps found."
    )
    starttls: bool = Field(
        default=False, description="Begin TLS after the line that has the expected text."
    )


class DependencyCheck(Section):
    """How the probe checks a dependency. Each key applies to some of the protocols."""

    protocol: DependencyProtocol = Field(
        default="tcp",
        description="tcp connects; tls completes a handshake; http and https request a path; mysql "
        "(also MariaDB) logs in as a user without a password; postgresql requests TLS or begins a "
        "session; redis (also Valkey) sends PING; exchange sends and expects texts; dns queries a "
        "DNS server for the host's name.",
    )
    interval_seconds: IntervalSeconds | None = Field(
        default=None,
        description="Seconds between two samples; those of the probe unless given.",
    )
    timeout_seconds: float | None = Field(
        default=None,
        description="Seconds that a sample may take; those of the probe unless given.",
    )
    method: Literal["GET", "HEAD", "OPTIONS", "POST"] = Field(
        default="GET", description="Method of the request, which has no body (http, https)."
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default={},
        description="Further headers of the request (http, https). No secrets: templates and hosts "
        "show them.",
        examples=[{"X-Probe": "bookstore"}],
    )
    user: UserName | None = Field(
        default=None,
        description="Account without a password and without privileges (mysql), or role that may "
        "log in (postgresql).",
        examples=["resiliency_probe"],
    )
    database: UserName | None = Field(
        default=None,
        description="Database of the session (postgresql); that of the user's name unless given.",
    )
    steps: Annotated[list[ExchangeStep], Field(min_length=1)] | None = Field(
        default=None, description="What is sent and expected, in order (exchange)."
    )
    tls: bool = Field(
        default=False,
        description="Require TLS and check the certificate (mysql, postgresql, redis, exchange).",
    )
    ca_file: Annotated[str, AfterValidator(probe_validation.file_on_host)] | None = Field(
        default=None,
        description="Path on the hosts of a file with the trusted authorities in PEM, with TLS; "
        "those of the system unless given.",
        examples=["/etc/ssl/shop-ca.pem"],
    )
    path: UrlPath = Field(default="/", description="Path and query to request (http, https).")
    status: Annotated[list[Annotated[int, Field(ge=100, le=599)]], Field(min_length=1)] | None = (
        Field(
            default=None,
            description="Statuses that count as healthy (http, https); any 2xx unless given. "
            "Redirects are not followed.",
            examples=[[200, 204]],
        )
    )
    text: BodyText | None = Field(
        default=None,
        description="Text that the first 64 KB of the response must contain (http, https).",
        examples=["pong"],
    )
    host_header: DomainName | None = Field(
        default=None,
        description="Host header (http, https); the host unless given.",
        examples=["search.example.com"],
    )
    server_name: DomainNameOrAddress | None = Field(
        default=None,
        description="Name that the certificate must have (tls, https); the host unless given.",
        examples=["search.example.com"],
    )
    days_to_expiry: int = Field(
        default=0,
        ge=0,
        le=limits.MAX_DAYS_TO_EXPIRY,
        description="The check fails when the certificate is valid for fewer days (tls, https).",
    )
    type: Literal["A", "AAAA", "CNAME"] = Field(
        default="A", description="Record type to query (dns)."
    )
    answer: str | None = Field(
        default=None,
        description="Value that must be among the answers (dns); any answer is healthy unless "
        "given.",
        examples=["10.0.0.5"],
    )
    server: Annotated[str, AfterValidator(probe_validation.dns_server)] | None = Field(
        default=None,
        description="Address of the DNS server, with the dependency's port or 53 (dns); the "
        "host's own servers unless given.",
        examples=["10.0.0.2"],
    )
    family: Literal["ipv4", "ipv6"] = Field(
        default="ipv4",
        description="Address family to connect to (all but dns); the other one is not tried.",
    )


class LatencyAlarm(Section):
    """An alarm on a dependency's latency, for each host. It can't decide the failover."""

    above_milliseconds: Annotated[float, Field(gt=0)] = Field(
        description="Milliseconds above which a period breaches.", examples=[250]
    )
    statistic: Literal["Average", "Maximum", "p50", "p90", "p95", "p99"] = Field(
        default="Average",
        description="Statistic over a period; the percentiles p.. need percentiles: true.",
    )
    period_seconds: Annotated[int, AfterValidator(alarm_settings.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=5, description="Consecutive periods that must breach."
    )


class Latency(Section):
    """The latency of a dependency as a metric, and perhaps an alarm on it."""

    percentiles: bool = Field(
        default=False,
        description="Publish single values, so that alarms and dashboards can use percentiles.",
    )
    alarm: LatencyAlarm | None = Field(
        default=None, description="Settings of an alarm for each host; none unless given."
    )


class Certificate(Section):
    """The days for which a dependency's certificate is still valid, and perhaps an alarm."""

    alarm_days: Annotated[int, Field(ge=1, le=limits.MAX_DAYS_TO_EXPIRY)] | None = Field(
        default=None,
        description="Fewest days without an alarm for each host; no alarm unless given.",
        examples=[14],
    )


class DependencyTarget(Section):
    """A target to which a dependency's name leads, by a CNAME record or an alias."""

    dns_name: DomainName = Field(
        description="DNS name, of a CloudFront distribution for example.",
        examples=["d111111abcdef8.cloudfront.net"],
    )
    hosted_zone_id: HostedZoneId | None = Field(
        default=None,
        description="Hosted zone id of the target, Z2FDTNDATAQYW2 for CloudFront: makes an alias "
        "record in place of a CNAME record. Both targets need one, or neither.",
        examples=["Z2FDTNDATAQYW2"],
    )


class PrimaryCheck(CheckerSettings):
    """How Route 53 health checkers check the primary of a dependency, by its own name."""

    protocol: Protocol = Field(
        default="https",
        description="http and https request the path, at port 80 or 443; tcp only connects, to the "
        "dependency's port.",
    )
    path: UrlPath = Field(
        default="/",
        description="Path that is requested, of a status file for example.",
        examples=["/status.txt"],
    )


class DependencyFailover(Section):
    """Two targets of a dependency's own name: the secondary answers when the primary fails."""

    primary: DependencyTarget = Field(description="The target while it is healthy.")
    secondary: DependencyTarget = Field(
        description="The target otherwise; it must answer for the dependency's name."
    )
    decided_by: Literal["primary", "hosts"] = Field(
        default="primary",
        description="primary: Route 53's health checkers check the primary. hosts: the probes of "
        "both hosts check it, and it counts as healthy while either host reaches it.",
    )
    check: PrimaryCheck = Field(
        default=PrimaryCheck(), description="How it is checked, where primary decides."
    )
    ttl_seconds: int = Field(
        default=60,
        ge=0,
        le=limits.MAX_TTL_SECONDS,
        description="How long resolvers keep an answer. Above 60 every failover is slower.",
    )

    @property
    def is_alias(self) -> bool:
        """Whether the records are aliases."""
        return self.primary.hosted_zone_id is not None


class Dependency(Section):
    """A system that the hosts must reach to serve."""

    label: Line = Field(description="Display name in alarm texts.", examples=["Database"])
    host: DomainNameOrAddress = Field(
        description="DNS name or address of the dependency; with protocol dns the name to look up.",
        examples=["db.bookstore.pingpublications.com"],
    )
    port: Port | None = Field(
        default=None,
        description="Port of the dependency; 80 for http, 443 for https unless given.",
        examples=[5432],
    )
    check: DependencyCheck = Field(
        default=DependencyCheck(),
        description="How the probe checks it; a TCP connection unless given.",
    )
    latency: Latency | None = Field(
        default=None,
        description="Also publish how long samples take that succeed, as metric "
        "<dependency>-latency in milliseconds.",
        examples=[{"alarm": {"above_milliseconds": 250}}],
    )
    certificate: Certificate | None = Field(
        default=None,
        description="Also publish for how many days the certificate is still valid, as metric "
        "<dependency>-certificate-days.",
        examples=[{"alarm_days": 14}],
    )
    alarm: ConnectivityAlarmSettings = Field(
        default=ConnectivityAlarmSettings(), description="Settings of its alarms."
    )
    failover: DependencyFailover | None = Field(
        default=None,
        description="Makes failover records for the dependency's own name; none unless given.",
    )

    @property
    def primary(self) -> "Dependency | None":
        """The primary as a dependency that the hosts check; None where they decide nothing.

        It is asked by its own name, and for the dependency's: after a failover the dependency's
        name leads to the secondary.
        """
        failover, check = self.failover, self.check
        if failover is None or failover.decided_by != "hosts":
            return None
        names_asked = {
            "host_header": ("http", "https"),
            "server_name": ("tls", "https"),
        }
        asked = {
            key: getattr(check, key) or self.host
            for key, protocols in names_asked.items()
            if check.protocol in protocols
        }
        return Dependency(
            label=f"{self.label} (primary)",
            host=failover.primary.dns_name,
            port=self.port,
            check=check.model_copy(update=asked),
            alarm=self.alarm,
        )

    @property
    def checked_port(self) -> int:
        """The port that the probe connects to: the given one, or the protocol's own."""
        return self.port or _STANDARD_PORTS[self.check.protocol]

    @property
    def checked_address(self) -> str | None:
        """The name or address that the probe connects to; None where it queries DNS."""
        if self.check.protocol == "dns":
            return None
        return network_names.dns_name_or_address(self.host)
