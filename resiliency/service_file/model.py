"""The service file as types: the settings that a team gives for its service.

Every name carries its unit, and every default is written here alone. Each value is checked by
``staged_resiliency.shared.validation``; rules that compare several values are in ``rules``.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from resiliency.failover_model import overrides
from staged_resiliency.drills import schedule as schedules
from staged_resiliency.drills.database_faults import DATABASE_FAILOVER_MINUTES
from staged_resiliency.drills.faults import MAX_DELAY_MILLISECONDS, MAX_RESPONSE_MILLISECONDS
from staged_resiliency.probe import cloudwatch_configuration, probe_validation
from staged_resiliency.probe.configuration import (
    DEFAULT_INTERVAL_SECONDS,
    DEFAULT_STATSD_METRICS,
    DEFAULT_STATSD_PORT,
    DEFAULT_TIMEOUT_SECONDS,
)
from staged_resiliency.shared import limits, names, validation
from staged_resiliency.shared.hosts import Color

MissingDataName = Literal["cloudwatch_default", "breaching", "not_breaching", "ignore"]
Protocol = Literal["http", "https", "tcp"]
DependencyProtocol = Literal[
    "tcp", "tls", "http", "https", "mysql", "postgresql", "redis", "exchange", "dns"
]

# Signals that are not a dependency's name; a dependency can't take these names.
BUILT_IN_SIGNALS: Final = ("status", "endpoint", "peer")

# The port of a check that gives none; a rule asks for one where there is no standard port.
_STANDARD_PORTS: Final[Mapping[str, int]] = {
    **{"http": 80, "https": 443, "dns": 53},
    **{"mysql": 3306, "postgresql": 5432, "redis": 6379},
}

# Faults of an objective that are not a dependency's name.
HOST: Final = "host"
ENDPOINT: Final = "endpoint"

Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
MIN_OBJECTIVE_SECONDS: Final = 60
MAX_OBJECTIVE_SECONDS: Final = 3600
WORKDAYS: Final[tuple[Day, ...]] = ("MON", "TUE", "WED", "THU", "FRI")

# Patterns and lists for editors; the checks decide and explain.
Slug = Annotated[
    str,
    AfterValidator(validation.slug),
    WithJsonSchema({"type": "string", "pattern": validation.SLUG}),
]
AccountId = Annotated[
    str,
    AfterValidator(validation.account_id),
    WithJsonSchema({"type": "string", "pattern": validation.ACCOUNT_ID}),
]
Region = Annotated[
    str,
    AfterValidator(validation.region),
    WithJsonSchema({"type": "string", "enum": list(limits.ALARM_REGIONS)}),
]
RdsIdentifier = Annotated[str, AfterValidator(validation.rds_identifier)]
InstanceId = Annotated[
    str,
    AfterValidator(validation.instance_id),
    WithJsonSchema({"type": "string", "pattern": validation.INSTANCE_ID}),
]
HostedZoneId = Annotated[
    str,
    AfterValidator(validation.hosted_zone_id),
    WithJsonSchema({"type": "string", "pattern": validation.HOSTED_ZONE_ID}),
]
SubnetId = Annotated[
    str,
    AfterValidator(validation.subnet_id),
    WithJsonSchema({"type": "string", "pattern": validation.SUBNET_ID}),
]
SecurityGroupId = Annotated[
    str,
    AfterValidator(validation.security_group_id),
    WithJsonSchema({"type": "string", "pattern": validation.SECURITY_GROUP_ID}),
]
Line = Annotated[str, Field(max_length=200), AfterValidator(validation.one_line)]
Port = Annotated[int, Field(ge=1, le=65535)]
DomainName = Annotated[str, AfterValidator(validation.domain_name)]
DomainNameOrAddress = Annotated[str, AfterValidator(validation.dns_name_or_address)]
UrlPath = Annotated[str, AfterValidator(validation.url_path)]
BodyText = Annotated[
    str,
    Field(min_length=1, max_length=limits.MAX_SEARCH_TEXT_CHARACTERS),
    AfterValidator(probe_validation.body_text),
]
Statistic = Annotated[
    str,
    AfterValidator(validation.failover_statistic),
    WithJsonSchema({"type": "string", "enum": list(limits.FAILOVER_STATISTICS)}),
]
BucketName = Annotated[
    str,
    AfterValidator(probe_validation.bucket_name),
    WithJsonSchema({"type": "string", "pattern": probe_validation.BUCKET_NAME}),
]
RoleName = Annotated[
    str,
    AfterValidator(probe_validation.role_name),
    WithJsonSchema({"type": "string", "pattern": probe_validation.ROLE_NAME}),
]
IntervalSeconds = Annotated[
    int,
    AfterValidator(probe_validation.interval_seconds),
    WithJsonSchema({"type": "integer", "enum": list(probe_validation.INTERVALS_SECONDS)}),
]
CheckerRegion = Literal[
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
]
GremlinName = Annotated[str, AfterValidator(validation.gremlin_name)]
TagKey = Annotated[str, AfterValidator(validation.tag_key)]
TagValue = Annotated[str, AfterValidator(validation.tag_value)]


class Section(BaseModel):
    """A mapping in the file: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _subscription(value: str) -> str:
    """Check a subscriber by its form: an ARN, a URL, a phone number or an e-mail address."""
    if value.startswith("arn:") and value.split(":")[2:3] == ["lambda"]:
        return validation.function_arn(value)
    if value.startswith("arn:"):
        return validation.queue_arn(value)
    if "://" in value:
        return validation.https_url(value)
    if value.startswith("+"):
        return validation.phone_number(value)
    if "@" in value:
        return validation.email_address(value)
    raise ValueError(
        f"{validation.shown(value)} is not a subscriber; give an e-mail address, an https URL, "
        "the ARN of an SQS queue or a Lambda function, or a phone number like +15555550100"
    )


class Notifications(Section):
    """Where alarms are sent: a topic to create, or an existing one."""

    topic_name: Annotated[str, AfterValidator(validation.topic_name)] | None = Field(
        default=None,
        description="Name of the SNS topics to create: one in the environment's region for its "
        "alarms, and one in us-east-1 for the alarm on failovers. Services that give the same name "
        "in the same account and region share the topic.",
        examples=["PingPublicationsSNS"],
    )
    topic_arn: Annotated[str, AfterValidator(validation.topic_arn)] | None = Field(
        default=None,
        description="ARN of an existing topic, instead of topic_name. Its policy and key must "
        "allow CloudWatch to publish.",
        examples=["arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"],
    )
    more_topics: Annotated[
        list[Annotated[str, AfterValidator(validation.topic_arn)]],
        Field(max_length=limits.MAX_ALARM_ACTIONS - 1),
    ] = Field(
        default=[],
        description="ARNs of more existing topics, of this account or another one: alarms notify "
        "those of their own region. The alarm on failovers is in us-east-1.",
        examples=[["arn:aws:sns:us-east-1:210987654321:operations"]],
    )
    subscriptions: list[Annotated[str, AfterValidator(_subscription)]] = Field(
        default=[],
        description="Who receives the messages of topic_name or topic_arn: e-mail addresses, "
        "https URLs, ARNs of SQS queues and Lambda functions, phone numbers.",
        examples=[["ops@example.com"]],
    )
    recovery: bool = Field(
        default=False,
        description="Also send a message when an alarm returns to OK. The alarm on failovers "
        "always does.",
    )
    tags: dict[TagKey, TagValue] = Field(
        default={},
        description="Tags of the stacks of topic_name; equal where services share it.",
    )


class HostedZone(Section):
    """The Route 53 hosted zone that holds the endpoint's record."""

    name: DomainName = Field(description="Name of the zone.", examples=["pingpublications.com"])
    id: HostedZoneId | None = Field(
        default=None,
        description="Id of the zone. Without it the zone is looked up by name at synth, which "
        "needs credentials.",
        examples=["Z2EHK3FAEUNRMI"],
    )
    private: bool = Field(
        default=False,
        description="Whether the zone is a private one, which answers in its VPCs alone; such a "
        "zone needs its id.",
    )


class CheckerSettings(Section):
    """Settings of a health check that Route 53's health checkers make."""

    interval_seconds: Literal[10, 30] = Field(
        default=30, description="Seconds between two requests of one checker; 10 costs extra."
    )
    failure_threshold: int = Field(
        default=3,
        ge=1,
        le=limits.MAX_FAILURE_THRESHOLD,
        description="Failed requests in a row after which the health check is unhealthy.",
    )
    regions: Annotated[list[CheckerRegion], Field(min_length=limits.MIN_CHECKER_REGIONS)] | None = (
        Field(
            default=None,
            description="Regions of the health checkers, three or more; all of Route 53's unless "
            "given.",
            examples=[["us-east-1", "us-west-1", "us-west-2"]],
        )
    )
    search_text: BodyText | None = Field(
        default=None,
        description="Text that the first 5,120 bytes of the response must contain; costs extra.",
        examples=["bookstore-api"],
    )


class EndpointCheck(CheckerSettings):
    """How Route 53 health checkers check the active host, when failover_on has 'endpoint'."""

    protocol: Protocol = Field(
        default="http", description="http and https request the path; tcp only connects."
    )
    path: UrlPath | None = Field(
        default=None,
        description="Path that health checkers and the hosts' checks of each other request; the "
        "endpoint's version_path unless given.",
        examples=["/health"],
    )
    host: DomainName | None = Field(
        default=None,
        description="Host header that the checkers send to hosts given by address; the record "
        "unless given.",
        examples=["bookstore.pingpublications.com"],
    )


class Endpoint(Section):
    """The name under which clients find the service."""

    record: DomainName = Field(
        description="DNS name of the failover record pair.",
        examples=["bookstore.pingpublications.com"],
    )
    more_records: list[DomainName] = Field(
        default=[],
        description="Further DNS names of the service, in the same zone: a failover record pair "
        "for each, with the same health check.",
        examples=[["www.pingpublications.com"]],
    )
    ttl_seconds: int = Field(
        default=60,
        ge=0,
        le=limits.MAX_TTL_SECONDS,
        description="How long resolvers keep an answer. Above 60 every failover is slower.",
    )
    port: Port | None = Field(
        default=None,
        description="TCP port on which the hosts serve; 80, or 443 where check.protocol is https.",
        examples=[8080],
    )
    version_path: UrlPath = Field(
        default="/version/",
        description="Path that the serving host answers with status 200 and a JSON object with "
        "its Name tag.",
    )
    version_field: Annotated[str, AfterValidator(validation.version_field)] | None = Field(
        default="environment",
        description="Key of the Name tag in that object; null where version_path only shows the "
        "host's health: then the address shows which host answers.",
    )
    check: EndpointCheck = Field(
        default=EndpointCheck(),
        description="How Route 53 checks the endpoint, when failover_on has 'endpoint'.",
    )

    @property
    def health_path(self) -> str:
        """The path that health checkers and the hosts' checks of each other request."""
        return self.check.path or self.version_path

    @property
    def serving_port(self) -> int:
        """The TCP port on which the hosts serve."""
        return self.port or (443 if self.check.protocol == "https" else 80)


class AliasTarget(Section):
    """A load balancer in front of a host, instead of an address."""

    dns_name: DomainName = Field(
        description="DNS name of the load balancer.",
        examples=["blue-1234567890.us-west-2.elb.amazonaws.com"],
    )
    hosted_zone_id: HostedZoneId = Field(
        description="The load balancer's own (canonical) hosted zone id.",
        examples=["Z1H1FL5HABSF5"],
    )
    ipv6: bool = Field(default=False, description="Also make the AAAA pair (dual-stack).")


class Host(Section):
    """One host of the pair."""

    name: Annotated[str, AfterValidator(validation.host_name)] = Field(
        description="The instance's Name tag.", examples=["bookstore-api-blue"]
    )
    instance_id: InstanceId | None = Field(
        default=None,
        description="Id of the EC2 instance. A host with one gets a status alarm; the active "
        "host needs one when failover_on has 'status'.",
        examples=["i-0ab55a49288f1da24"],
    )
    address: Annotated[str, AfterValidator(validation.ip_address)] | None = Field(
        default=None,
        description="IPv4 or IPv6 address that clients reach the host at.",
        examples=["52.11.79.9"],
    )
    ipv6_address: Annotated[str, AfterValidator(validation.ipv6_address)] | None = Field(
        default=None,
        description="IPv6 address beside an IPv4 one: makes an AAAA pair too.",
        examples=["2600:1f14::9"],
    )
    alias: AliasTarget | None = Field(
        default=None, description="A load balancer in front of the host, instead of an address."
    )
    peer_address: DomainNameOrAddress | None = Field(
        default=None,
        description="Address or DNS name at which the other host's probe checks this one, such as "
        "the private address; the clients' address unless given.",
        examples=["10.0.0.4"],
    )

    @property
    def peer_check_address(self) -> str:
        """The address at which the other host's probe checks this host."""
        found = self.peer_address or self.address or (self.alias and self.alias.dns_name)
        return found or ""


class Hosts(Section):
    """The two hosts."""

    blue: Host = Field(description="The blue host.")
    green: Host = Field(description="The green host.")

    def of(self, color: Color) -> Host:
        """Return the host of a color."""
        return self.blue if color == "blue" else self.green


class AlarmSettings(Section):
    """Settings that every alarm has, limited to what Route 53 can follow."""

    period_seconds: Annotated[int, AfterValidator(validation.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Periods out of evaluation_periods that must breach: all of them unless given, "
        "and for status and signals of failover_on, since Route 53 can't follow fewer.",
    )
    threshold: float = Field(
        default=1.0, description="The value that the statistic is compared with."
    )


class StatusAlarmSettings(AlarmSettings):
    """The EC2 status alarm. Missing data always counts as failure: a stopped host sends none."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Consecutive periods that must breach."
    )
    statistic: Statistic = Field(default="Maximum", description="Statistic over a period.")

    @property
    def datapoints(self) -> int:
        """The periods that must breach."""
        return self.evaluation_periods


class ConnectivityAlarmSettings(AlarmSettings):
    """The alarm on one dependency's connectivity, for both hosts."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Consecutive periods that must breach."
    )
    statistic: Statistic = Field(default="Average", description="Statistic over a period.")
    missing_data: MissingDataName = Field(
        default="cloudwatch_default",
        description="How a period without samples is treated. With cloudwatch_default the alarm "
        "goes to INSUFFICIENT_DATA and a health check on it counts as unhealthy.",
    )

    @property
    def datapoints(self) -> int:
        """The periods that must breach."""
        return self.datapoints_to_alarm or self.evaluation_periods


class PeerAlarmSettings(AlarmSettings):
    """The alarms on the hosts' checks of each other. Missing data is never breaching."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Consecutive periods that must breach."
    )
    statistic: Statistic = Field(default="Average", description="Statistic over a period.")

    @property
    def datapoints(self) -> int:
        """The periods that must breach."""
        return self.datapoints_to_alarm or self.evaluation_periods


UserName = Annotated[str, AfterValidator(probe_validation.user_name)]
ExchangedText = Annotated[str, AfterValidator(probe_validation.exchanged_text)]
HeaderName = Annotated[str, AfterValidator(probe_validation.header_name)]
HeaderValue = Annotated[str, AfterValidator(probe_validation.header_value)]


class ExchangeStep(Section):
    """One step of an exchange of text."""

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
    period_seconds: Annotated[int, AfterValidator(validation.failover_period_seconds)] = Field(
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
        return validation.dns_name_or_address(self.host)


InDrills = Literal["quiet", "guard", "ignored"]
DimensionName = Annotated[str, Field(min_length=1, max_length=limits.MAX_DIMENSION_NAME_CHARACTERS)]
DimensionValue = Annotated[str, AfterValidator(validation.dimension_value)]


class AlarmMetric(Section):
    """A CloudWatch metric of any namespace, AWS's own included."""

    namespace: Annotated[str, Field(min_length=1, max_length=limits.MAX_NAMESPACE_CHARACTERS)] = (
        Field(description="Its namespace.", examples=["AWS/EC2"])
    )
    name: Annotated[str, Field(min_length=1, max_length=limits.MAX_METRIC_NAME_CHARACTERS)] = Field(
        description="Its name.", examples=["CPUUtilization"]
    )
    dimensions: dict[DimensionName, DimensionValue] = Field(
        default={},
        description="All of its dimensions. {host} is the host's name, {instance_id} that of its "
        "instance; with one of them there is an alarm for each host.",
        examples=[{"InstanceId": "{instance_id}"}],
    )

    @property
    def of_each_host(self) -> bool:
        """Whether each host has a metric of its own."""
        values = self.dimensions.values()
        return any(each in value for value in values for each in validation.HOST_PLACEHOLDERS)


class OwnAlarm(Section):
    """An alarm on any metric, on each host or once."""

    label: Line = Field(
        description="What is wrong when it fires, in its text.", examples=["Too many errors"]
    )
    metric: AlarmMetric = Field(description="What it watches.")
    statistic: Annotated[str, AfterValidator(validation.statistic)] = Field(
        default="Average",
        description="Statistic over a period; in failover_on no percentile, since Route 53 can't "
        "follow it.",
    )
    at_least: float | None = Field(
        default=None, description="Values at or above it breach.", examples=[90]
    )
    below: float | None = Field(
        default=None, description="Values below it breach, in place of at_least.", examples=[1]
    )
    period_seconds: Annotated[int, AfterValidator(validation.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Consecutive periods that must breach."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Periods out of evaluation_periods that must breach: all of them unless given, "
        "and in failover_on, since Route 53 can't follow fewer.",
    )
    missing_data: MissingDataName = Field(
        default="cloudwatch_default", description="How a period without data is treated."
    )
    in_drills: InDrills = Field(
        default="quiet",
        description="quiet: no drill begins while it is in ALARM, and it must not fire in one; "
        "guard: it also stops drills; ignored: drills leave it alone.",
    )

    @property
    def datapoints(self) -> int:
        """The periods that must breach."""
        return self.datapoints_to_alarm or self.evaluation_periods

    @property
    def threshold(self) -> float:
        """The value that the statistic is compared with."""
        return (self.at_least if self.below is None else self.below) or 0.0

    @property
    def is_percentile(self) -> bool:
        """Whether the statistic is one that Route 53 can't follow."""
        return self.statistic not in limits.FAILOVER_STATISTICS


def _percent(value: float) -> float:
    if not 0 < value <= 100:
        raise ValueError(
            f"{value:g} is not a percentage that can be reached; allowed: above 0, at most 100"
        )
    return value


Percent = Annotated[
    float,
    AfterValidator(_percent),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]
MountPath = Annotated[str, AfterValidator(cloudwatch_configuration.mount_path)]


class CountedProcesses(Section):
    """Processes of which a host must run at least so many: by name, or by command."""

    name: Annotated[str, AfterValidator(cloudwatch_configuration.executable_name)] | None = Field(
        default=None,
        description="File name of their executable, where links are followed.",
        examples=["java"],
    )
    command: Annotated[str, AfterValidator(cloudwatch_configuration.command_text)] | None = Field(
        default=None,
        description="Text in their command lines, in place of name.",
        examples=["gunicorn shop.wsgi"],
    )
    at_least: Annotated[int, Field(ge=1)] = Field(
        default=1, description="The alarm fires when fewer run."
    )

    @property
    def counted(self) -> cloudwatch_configuration.Processes:
        """The processes as the agent counts them."""
        if self.name is not None:
            return cloudwatch_configuration.ProcessesByName(self.name)
        return cloudwatch_configuration.ProcessesByCommand(self.command or "")


class CloudWatchAgent(Section):
    """The CloudWatch agent on the hosts, and an alarm for each host on all that it measures.

    An entry of ``alarms`` with the name of one of these alarms takes its place.
    """

    memory_percent: Percent | None = Field(
        default=None,
        description="Used memory in percent from which the alarm 'memory' fires, after 5 minutes.",
        examples=[90],
    )
    disk_percent: dict[MountPath, Percent] = Field(
        default={},
        description="Used space in percent from which an alarm fires, for each path at which a "
        "file system is mounted: 'disk-root' for /, 'disk-var-lib' for /var/lib.",
        examples=[{"/": 85}],
    )
    processes: dict[Slug, CountedProcesses] = Field(
        default={},
        description="Processes that must run, by short name; the alarm 'process-<name>' fires "
        "after 2 minutes.",
        examples=[{"web": {"name": "java"}}],
    )
    in_drills: InDrills = Field(
        default="quiet", description="How drills treat these alarms, as those under alarms."
    )
    state: Literal["present", "absent"] = Field(
        default="present",
        description="Whether the agent has this configuration. 'absent' removes it from the agent "
        "of each host, and the alarms; deploy 'absent' before you delete the stack.",
    )

    @property
    def configuration(self) -> cloudwatch_configuration.CloudWatchAgentConfiguration:
        """What the agent measures."""
        return cloudwatch_configuration.CloudWatchAgentConfiguration(
            memory=self.memory_percent is not None,
            disks=list(self.disk_percent),
            processes=list(dict.fromkeys(each.counted for each in self.processes.values())),
        )

    @property
    def alarms(self) -> Mapping[str, OwnAlarm]:
        """The alarms on all that it measures, by name."""
        found = {}
        if self.memory_percent is not None:
            found["memory"] = self._used(
                "Memory", cloudwatch_configuration.MEMORY, self.memory_percent
            )
        for path, percent in self.disk_percent.items():
            metric = cloudwatch_configuration.disk_metric(path)
            found[names.disk_alarm(path)] = self._used(f"Disk {path}", metric, percent)
        for name, processes in self.processes.items():
            fewest = processes.at_least
            several = f"Fewer than {fewest} processes {name} run"
            found[names.process_alarm(name)] = OwnAlarm(
                label=f"No process {name} runs" if fewest == 1 else several,
                metric=_agent_metric(processes.counted.metric),
                statistic="Minimum",
                below=fewest,
                in_drills=self.in_drills,
            )
        return found

    def _used(
        self, what: str, metric: cloudwatch_configuration.HostMetric, percent: float
    ) -> OwnAlarm:
        return OwnAlarm(
            label=f"{what} is {percent:g} % used",
            metric=_agent_metric(metric),
            at_least=percent,
            evaluation_periods=5,
            in_drills=self.in_drills,
        )


def _agent_metric(metric: cloudwatch_configuration.HostMetric) -> AlarmMetric:
    return AlarmMetric(
        namespace=cloudwatch_configuration.NAMESPACE,
        name=metric.name,
        dimensions=dict(metric.dimensions("{instance_id}")),
    )


StatsdPattern = Annotated[
    str,
    AfterValidator(probe_validation.statsd_pattern),
    WithJsonSchema({"type": "string", "pattern": probe_validation.STATSD_PATTERN}),
]
StatsdTag = Annotated[
    str,
    AfterValidator(probe_validation.statsd_tag),
    WithJsonSchema({"type": "string", "pattern": probe_validation.STATSD_TAG}),
]


class StatsdSettings(Section):
    """What the application may send by StatsD to the loopback addresses of its host."""

    metrics: Annotated[list[StatsdPattern], Field(min_length=1, max_length=50)] = Field(
        description="Names of metrics; a * at the end allows all names that begin so. Others are "
        "ignored.",
        examples=[["errors", "orders.*"]],
    )
    tags: Annotated[list[StatsdTag], Field(max_length=probe_validation.MAX_STATSD_TAGS)] = Field(
        default=[],
        description="Tags that become dimensions, so that each of their values makes a metric of "
        "its own; others are ignored.",
        examples=[["shop"]],
    )
    max_metrics: int = Field(
        default=DEFAULT_STATSD_METRICS,
        ge=1,
        le=probe_validation.MAX_STATSD_METRICS,
        description="How many metrics each host may create; each costs about $0.30 a month.",
    )
    port: Annotated[int, AfterValidator(probe_validation.statsd_port)] = Field(
        default=DEFAULT_STATSD_PORT, description="UDP port, from 1024 to 65535."
    )


class Probe(Section):
    """The agent on the hosts that checks targets; deployed only when there are targets."""

    roles: list[RoleName] = Field(
        default=[],
        description="Names of the hosts' existing IAM roles; they get the permission to publish.",
        examples=[["bookstore-api"]],
    )
    interval_seconds: IntervalSeconds = Field(
        default=DEFAULT_INTERVAL_SECONDS,
        description="Seconds between two samples of a target; a divisor of 60.",
    )
    timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS,
        description="Seconds that a sample may take; less than the interval.",
    )
    journal: Literal["samples", "changes"] = Field(
        default="samples",
        description="What the agent writes to the host's journal: each sample, or each change of a "
        "target's state.",
    )
    output_bucket: BucketName | None = Field(
        default=None,
        description="Name of an existing S3 bucket to which Systems Manager writes the output of "
        "each run of the probe's document.",
        examples=["example-run-output"],
    )
    platforms: list[Annotated[str, AfterValidator(probe_validation.platform)]] = Field(
        default=[],
        description="Platforms of the hosts besides the supported ones, as ID-VERSION_ID of their "
        "/etc/os-release.",
        examples=[["almalinux-9"]],
    )
    statsd: StatsdSettings | None = Field(
        default=None,
        description="What the application may send by StatsD, to be published with the dimension "
        "Host; nothing is received unless given.",
        examples=[{"metrics": ["errors", "orders.*"]}],
    )
    peer: bool = Field(
        default=False,
        description="Each host checks the other one's endpoint, so that a dead host is noticed "
        "from outside. True where failover_on has 'peer'.",
    )
    state: Literal["present", "absent"] = Field(
        default="present",
        description="Whether the agent is installed. 'absent' uninstalls it from the hosts; "
        "deploy 'absent' before you delete the stack.",
    )


class Objective(Section):
    """How soon clients must be served again when the active host fails."""

    recovery_time_seconds: int = Field(
        ge=1,
        le=86_400,
        description="Seconds from a fault until 95 of 100 clients, whose resolvers honor the "
        "TTL, reach the standby.",
        examples=[300],
    )
    enforce: bool = Field(
        default=False,
        description="Whether to refuse a design that misses the objective, instead of warning.",
    )
    faults: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="Faults to which the objective applies: 'host' (stopped or impaired), "
        "'endpoint' (dead), or the name of a dependency that the active host can't reach; host, "
        "endpoint and the dependencies in failover_on unless given.",
        examples=[["host", "endpoint"]],
    )


def _span(value: object) -> tuple[float, float]:
    """Return a number, or two in a list, as least and most."""
    given = value if isinstance(value, list | tuple) else [value, value]
    numbers = [float(each) for each in given if type(each) is int or type(each) is float]
    if len(given) != 2 or len(numbers) != 2:
        raise ValueError(f"{value!r} is neither a number nor a list of two, such as [3, 5]")
    return numbers[0], numbers[1]


Span = Annotated[
    tuple[float, float],
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


class Assumptions(Section):
    """What is known in place of assumptions of the failover-time model: a number, or two."""

    extra_periods: Span | None = Field(
        default=None,
        description="Periods that CloudWatch reads beyond the evaluation periods, if shorter than "
        "300 s, as `resiliency timing --calibrate` shows them.",
        examples=[[3, 5]],
    )
    resolver_floor: Span | None = Field(
        default=None, description="Seconds that a resolver caches an answer with a shorter TTL."
    )
    client_cache: Span | None = Field(
        default=None, description="Seconds that a client caches an address.", examples=[30]
    )
    stretching_share: Span | None = Field(
        default=None,
        description="Share of clients, 0 to 1, whose resolvers keep answers longer than the TTL.",
        examples=[0.087],
    )
    stretched_ttl: Span | None = Field(
        default=None,
        description="Seconds that the resolvers of those clients keep an answer.",
        examples=[[300, 3600]],
    )

    @field_validator("*")
    @classmethod
    def _can_be_simulated(cls, span: Span | None, info: ValidationInfo) -> Span | None:
        if span is not None:
            overrides.known(str(info.field_name), *span)
        return span

    @property
    def given(self) -> tuple[tuple[str, float, float], ...]:
        """Name, least and most of each that is given."""
        return tuple((name, *span) for name, span in self if span is not None)


def _schedule(value: str) -> str:
    schedules.DrillSchedule(value)
    return value


def _time_zone(value: str) -> str:
    schedules.time_zone(value)
    return value


def _no_drill(value: object) -> object:
    """Raise if a drill has the name of a setting, as both are keys of one mapping."""
    if isinstance(value, dict) and "fault" in value:
        raise ValueError(
            "is a setting of all drills, and can't be a drill's name; rename the drill"
        )
    return value


_Setting: Final = BeforeValidator(_no_drill)


class Evidence(Section):
    """How journals, logs and undelivered calls of drills are kept."""

    kms_key: Annotated[str, AfterValidator(validation.kms_key_arn)] | None = Field(
        default=None,
        description="ARN of a customer-managed KMS key for journals, logs and queue; AWS's own "
        "keys unless given.",
        examples=["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )
    lock_days: Annotated[int, Field(ge=1, le=1096)] | None = Field(
        default=None,
        description="For how many days nobody can delete a journal (S3 Object Lock in compliance "
        "mode); not locked unless given.",
        examples=[365],
    )
    fis_report: bool = Field(
        default=False,
        description="Whether AWS FIS writes its own report of each experiment into the bucket of "
        "the journals; charged for each report.",
    )


class DrillNetwork(Section):
    """The network from which drills observe clients of private hosts."""

    subnets: Annotated[
        list[SubnetId], Field(min_length=1, max_length=limits.MAX_FUNCTION_SUBNETS)
    ] = Field(
        description="Ids of subnets of the hosts' VPC, better in two zones.",
        examples=[["subnet-0ab55a49288f1da24"]],
    )
    security_groups: Annotated[
        list[SecurityGroupId],
        Field(min_length=1, max_length=limits.MAX_FUNCTION_SECURITY_GROUPS),
    ] = Field(
        description="Ids of the security groups of the function that asks the hosts; the hosts' "
        "own must let it in.",
        examples=[["sg-0123456789abcdef0"]],
    )


class GremlinClients(Section):
    """The agents of Gremlin on the two hosts, by their identifiers."""

    blue: GremlinName = Field(
        description="Identifier of the client on blue.", examples=["bookstore-api-blue"]
    )
    green: GremlinName = Field(
        description="Identifier of the client on green.", examples=["bookstore-api-green"]
    )


class Gremlin(Section):
    """Gremlin, which injects the faults of drills where a team has it."""

    team_id: Annotated[str, AfterValidator(validation.gremlin_team)] = Field(
        description="ID of the team of the hosts' clients.",
        examples=["9676868b-60d2-5ebe-aa66-c1de8162ff9d"],
    )
    secret_arn: Annotated[str, AfterValidator(validation.secret_arn)] = Field(
        description="ARN of the secret in Secrets Manager whose whole text is an API key of the "
        "team.",
        examples=["arn:aws:secretsmanager:us-west-2:532151327118:secret:gremlin-AbC123"],
    )
    kms_key: Annotated[str, AfterValidator(validation.kms_key_arn)] | None = Field(
        default=None,
        description="ARN of the customer-managed KMS key of that secret; AWS's own unless given.",
        examples=["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )
    clients: GremlinClients | None = Field(
        default=None,
        description="Identifiers of the hosts' clients; unless given, the client of a host is the "
        "only active one with its instance-id as a tag.",
    )
    tags: dict[GremlinName, GremlinName] = Field(
        default={},
        description="Tags that the client of a host must have besides its instance-id.",
        examples=[{"service": "bookstore"}],
    )


class Engine(Section):
    """What injects the faults of drills in place of AWS FIS."""

    gremlin: Gremlin = Field(description="Gremlin.")


class DrillWindow(Section):
    """When drills may start, in each drill's time zone."""

    days: list[Day] = Field(default=list(WORKDAYS), min_length=1, description="Days of the week.")
    from_hour: int = Field(
        default=9, ge=0, le=23, description="First hour in which a drill may start."
    )
    to_hour: int = Field(
        default=17, ge=1, le=24, description="Hour from which a drill may no longer start."
    )


class DrillSettings(Section):
    """One drill: its fault, its host, its duration and its schedule."""

    # Of the schema alone: a rule requires them of service files.
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"fault": {"const": "rds_failover"}}},
            "then": {"required": ["dependency"]},
            "else": {"required": ["host", "duration_minutes"]},
        }
    )

    fault: Literal["stop_instance", "blackhole", "degrade", "rds_failover"] = Field(
        description="stop_instance stops the host's instance and starts it again; blackhole drops "
        "what the host sends to the dependency; degrade delays it, or loses a part of it; "
        "rds_failover makes the dependency, a database of Amazon RDS, fail over."
    )
    host: Literal["active", "standby"] | None = Field(
        default=None,
        description="The host that the fault breaks; required, except for rds_failover.",
    )
    dependency: Slug | None = Field(
        default=None,
        description="The dependency that a blackhole cuts off, that is degraded, or that is the "
        "database.",
        examples=["db"],
    )
    db_instance: RdsIdentifier | None = Field(
        default=None,
        description="rds_failover: the identifier of the Multi-AZ DB instance.",
        examples=["shop-db"],
    )
    db_cluster: RdsIdentifier | None = Field(
        default=None,
        description="rds_failover, in place of a DB instance: the identifier of the DB cluster.",
        examples=["shop"],
    )
    scope: Literal["dependency", "port"] = Field(
        default="dependency",
        description="What a blackhole cuts off: the addresses of the dependency's name, or its "
        "port at any address.",
    )
    delay_milliseconds: Annotated[int, Field(ge=1, le=MAX_DELAY_MILLISECONDS)] | None = Field(
        default=None,
        description="degrade: how long each packet to the dependency is held back.",
        examples=[300],
    )
    jitter_milliseconds: Annotated[int, Field(ge=0, le=MAX_DELAY_MILLISECONDS)] = Field(
        default=0, description="degrade: by how much the delay varies, at most the delay."
    )
    loss_percent: Annotated[int, Field(ge=1, le=99)] | None = Field(
        default=None,
        description="degrade, in place of a delay: how many packets in 100 are lost.",
        examples=[10],
    )
    response_milliseconds: Annotated[int, Field(ge=1, le=MAX_RESPONSE_MILLISECONDS)] | None = Field(
        default=None,
        description="degrade: the most that 95 of 100 answers to clients may take meanwhile.",
        examples=[800],
    )
    duration_minutes: Annotated[int, Field(ge=1, le=720)] | None = Field(
        default=None,
        description="The longest time that the fault lasts; required, except for rds_failover. "
        "With more than 15 minutes beyond what the drill needs, duration_reason is required.",
        examples=[10],
    )
    duration_reason: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None,
        description="Why the fault lasts longer than the drill needs.",
        examples=["Sessions of the application time out after 30 minutes."],
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        description="cron(...) or rate(...) expression of EventBridge Scheduler, at most "
        f"once a day and at least every {schedules.MAX_GAP_DAYS} days.",
        examples=["cron(0 10 ? * TUE#1 *)"],
    )
    timezone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC",
        description="IANA name of the time zone in which schedule and window apply.",
        examples=["America/Los_Angeles"],
    )

    @property
    def minutes(self) -> int:
        """How long the fault lasts, which Amazon RDS decides where a database fails over."""
        return self.duration_minutes or DATABASE_FAILOVER_MINUTES


class Drills(Section):
    """Settings of all drills, and the drills themselves by name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Slug, DrillSettings] = Field(init=False)

    objective_seconds: (
        Annotated[int, Field(ge=MIN_OBJECTIVE_SECONDS, le=MAX_OBJECTIVE_SECONDS), _Setting] | None
    ) = Field(
        default=None,
        description="Recovery time objective of drills: seconds within which clients must reach "
        "the standby; the recovery_time_seconds of the environment's objective unless given.",
        examples=[360],
    )
    enabled: Annotated[bool, _Setting] = Field(
        default=False,
        description="Whether faults are injected. With false each run is a dry run: it resolves "
        "its targets, checks the steady state, and injects nothing.",
    )
    window: Annotated[DrillWindow, _Setting] = Field(
        default=DrillWindow(), description="When drills may start."
    )
    notify_passed: Annotated[bool, _Setting] = Field(
        default=True,
        description="Also notify of runs that passed and of dry runs without a finding; all other "
        "results always notify.",
    )
    volume_keys: Annotated[
        list[Annotated[str, AfterValidator(validation.kms_key_arn)]], _Setting
    ] = Field(
        default=[],
        description="ARNs of the customer-managed KMS keys of the hosts' volumes. Without them "
        "a host with such a volume would not start again after stop_instance.",
        examples=[["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"]],
    )
    blackout_dates: Annotated[list[Annotated[str, AfterValidator(validation.days)]], _Setting] = (
        Field(
            default=[],
            description="Days on which no drill starts, in the drill's time zone: a date, or the "
            "first and the last one with a slash between.",
            examples=[["2026-11-27", "2026-12-20/2027-01-04"]],
        )
    )
    change_calendars: Annotated[
        list[Annotated[str, AfterValidator(validation.change_calendar_arn)]], _Setting
    ] = Field(
        default=[],
        description="ARNs of Systems Manager change calendars; no drill starts while one of them "
        "is closed.",
        examples=[["arn:aws:ssm:us-west-2:532151327118:document/freeze"]],
    )
    notify_before_minutes: Annotated[int, Field(ge=0, le=limits.MAX_NOTICE_MINUTES), _Setting] = (
        Field(
            default=0,
            description="How many minutes before its fault a run sends a message that announces "
            "it, with the way to stop it; 0 sends none.",
            examples=[30],
        )
    )
    network: Annotated[DrillNetwork | None, _Setting] = Field(
        default=None,
        description="The VPC of private hosts, by subnets and security groups: a function in it "
        "observes what clients see. Drills observe over the internet unless given.",
    )
    evidence: Annotated[Evidence, _Setting] = Field(
        default=Evidence(), description="How journals, logs and undelivered calls are kept."
    )
    engine: Annotated[Engine | None, _Setting] = Field(
        default=None, description="What injects the faults; AWS FIS unless given."
    )
    runbook: (
        Annotated[
            str, _Setting, AfterValidator(validation.https_url), WithJsonSchema({"type": "string"})
        ]
        | None
    ) = Field(
        default=None,
        description="URL of the runbook for failed drills, shown on the dashboard and in messages.",
        examples=["https://wiki.example.com/bookstore/drills"],
    )

    @property
    def by_name(self) -> dict[str, DrillSettings]:
        """The drills by name."""
        return dict(self.__pydantic_extra__)


class Environment(Section):
    """The service in one account and region."""

    account: AccountId = Field(description="AWS account id, in quotes.", examples=["532151327118"])
    region: Region = Field(
        description="AWS region of the hosts, alarms and topic.", examples=["us-west-2"]
    )
    notifications: Notifications = Field(description="Where alarms are sent.")
    hosted_zone: HostedZone = Field(description="The zone of the endpoint's record.")
    endpoint: Endpoint = Field(description="The name under which clients find the service.")
    active: Color = Field(description="The host that serves while its signals are healthy.")
    failover_on: list[str] = Field(
        default=["status"],
        min_length=1,
        description="Signals of the active host that must all be healthy: 'status' (EC2 status "
        "checks), 'endpoint' (Route 53 health checkers), 'peer' (the other host's probe), or the "
        "name of a dependency or of an alarm of each host.",
        examples=[["status", "db"]],
    )
    hosts: Hosts = Field(description="The two hosts.")
    dependencies: dict[Slug, Dependency] = Field(
        default={}, description="Systems that the hosts must reach, by short name."
    )
    alarms: dict[Slug, OwnAlarm] = Field(
        default={},
        description="Alarms on any metrics, by short name; those of each host can be signals.",
    )
    cloudwatch_agent: CloudWatchAgent | None = Field(
        default=None,
        description="What the CloudWatch agent measures on the hosts, with alarms; the agent is "
        "left alone unless given. probe.roles also get its permissions.",
        examples=[{"memory_percent": 90, "disk_percent": {"/": 85}}],
    )
    probe: Probe = Field(
        default=Probe(), description="The agent on the hosts that checks their dependencies."
    )
    status_alarm: StatusAlarmSettings = Field(
        default=StatusAlarmSettings(), description="Settings of the EC2 status alarms."
    )
    peer_alarm: PeerAlarmSettings = Field(
        default=PeerAlarmSettings(),
        description="Settings of the alarms on the hosts' checks of each other.",
    )
    objective: Objective | None = Field(
        default=None,
        description="How soon clients must be served again when the active host fails.",
    )
    assumptions: Assumptions = Field(
        default=Assumptions(),
        description="What is known of this environment in place of the model's assumptions.",
    )
    drills: Drills | None = Field(
        default=None,
        description="Experiments that break a host on purpose, on schedule, and measure what "
        "clients see; none unless given.",
    )
    tags: dict[TagKey, TagValue] = Field(
        default={}, description="Tags of this environment's stacks; they override the service's."
    )

    @property
    def all_alarms(self) -> Mapping[str, OwnAlarm]:
        """The alarms on metrics of any kind, by name: those of the CloudWatch agent, and alarms."""
        agent = self.cloudwatch_agent
        measured = agent.alarms if agent is not None and agent.state == "present" else {}
        return {**measured, **self.alarms}

    def created_topic_in(self, region: str) -> str | None:
        """Return the ARN of the topic that is created in a region; None with an existing topic."""
        name = self.notifications.topic_name
        return name and names.topic_arn(self.account, region, name)

    def topics_in(self, region: str) -> list[str]:
        """Return the ARNs of the topics that alarms in a region notify."""
        given = self.notifications
        found = [self.created_topic_in(region) or given.topic_arn or "", *given.more_topics]
        return [arn for arn in dict.fromkeys(found) if f":{region}:" in arn]

    @property
    def topics(self) -> list[str]:
        """The ARNs of the topics that the alarms in the environment's own region notify."""
        return self.topics_in(self.region)

    @property
    def failover_region(self) -> str:
        """The region of the alarm on failovers: that of the metrics of health checks."""
        return limits.health_check_metrics_region(self.region)

    @property
    def failover_topics(self) -> list[str]:
        """The ARNs of the topics that the alarm on failovers notifies."""
        return self.topics_in(self.failover_region)

    @property
    def measured(self) -> Mapping[str, Dependency]:
        """What the hosts check: all dependencies, and the primaries of some."""
        primaries = {
            names.primary_of(name): primary
            for name, dependency in self.dependencies.items()
            if (primary := dependency.primary) is not None
        }
        return {**self.dependencies, **primaries}

    @property
    def has_peers(self) -> bool:
        """Whether the hosts' probes check each other."""
        return self.probe.peer or "peer" in self.failover_on

    @property
    def has_probe(self) -> bool:
        """Whether there is anything to measure, and therefore a probe stack."""
        return bool(self.dependencies) or self.has_peers or self.probe.statsd is not None


def default_namespace(service: str) -> str:
    """Return the CloudWatch namespace of a service that gives none."""
    return service.replace("-", " ").title().replace(" ", "")


class Service(Section):
    """One service file."""

    service: Slug = Field(
        description="Short name; part of stack names and record identifiers.",
        examples=["bookstore"],
    )
    display_name: Line | None = Field(
        default=None,
        description="Name in alarm texts; the short name in title case unless given.",
        examples=["Bookstore API"],
    )
    namespace: Annotated[str, AfterValidator(validation.namespace)] | None = Field(
        default=None,
        description="CloudWatch namespace of the probe's metrics; the short name in title case "
        "without spaces unless given.",
        examples=["Bookstore"],
    )
    environments: dict[Slug, Environment] = Field(
        min_length=1,
        description="The accounts and regions that the service runs in, by short name.",
    )
    tags: dict[TagKey, TagValue] = Field(default={}, description="Tags of the service's stacks.")

    @property
    def title(self) -> str:
        """The display name; the short name in title case where none is given."""
        return self.display_name or self.service.replace("-", " ").title()

    @property
    def metric_namespace(self) -> str:
        """The CloudWatch namespace of the probe's metrics."""
        return self.namespace or default_namespace(self.service)

    def tags_of(self, environment: Environment) -> Mapping[str, str]:
        """The tags of an environment's stack."""
        return {**self.tags, **environment.tags}


class ServiceFile(Service):
    """A service file as it is written: a service, and what its environments have in common."""

    defaults: Environment | None = Field(
        default=None,
        description="Values of all environments, merged key by key; an environment's own values "
        "come first.",
    )
