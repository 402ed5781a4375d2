"""The service file as types: what a team says about its service.

Every name carries its unit, every default is written here, and each value is checked by
``staged_resiliency.shared.validation``. Rules that look at several values at once are in ``rules``.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from resiliency.service_file.drill_model import Drills
from resiliency.service_file.field_types import (
    AccountId,
    BodyText,
    DomainName,
    DomainNameOrAddress,
    HostedZoneId,
    InstanceId,
    Line,
    Port,
    Region,
    Section,
    Slug,
    Statistic,
    TagKey,
    TagValue,
    UrlPath,
)
from resiliency.service_file.objective_model import Objective
from resiliency.service_file.probe_model import DependencyCheck, Probe
from staged_resiliency.shared import limits, names, validation
from staged_resiliency.shared.hosts import Color

MissingDataName = Literal["cloudwatch_default", "breaching", "not_breaching", "ignore"]
Protocol = Literal["http", "https", "tcp"]


def _subscription(value: str) -> str:
    """A subscriber is known by its form: an address, a URL or a queue's ARN."""
    if value.startswith("arn:"):
        return validation.queue_arn(value)
    if "://" in value:
        return validation.https_url(value)
    if "@" in value:
        return validation.email_address(value)
    raise ValueError(
        f"{validation.shown(value)} is not a subscriber; give an e-mail address, an https URL "
        "or the ARN of an SQS queue"
    )


class Notifications(Section):
    """Where alarms are sent: a topic that is made here, or one that exists."""

    topic_name: Annotated[str, AfterValidator(validation.topic_name)] | None = Field(
        default=None,
        description="Name of the SNS topic to make. Services that give the same name in the same "
        "account and region share the topic.",
        examples=["PingPublicationsSNS"],
    )
    topic_arn: Annotated[str, AfterValidator(validation.topic_arn)] | None = Field(
        default=None,
        description="ARN of an existing topic, instead of topic_name. Its policy and key must let "
        "CloudWatch in.",
        examples=["arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"],
    )
    subscriptions: list[Annotated[str, AfterValidator(_subscription)]] = Field(
        default=[],
        description="Who receives the messages: e-mail addresses, https URLs, ARNs of SQS queues.",
        examples=[["ops@example.com"]],
    )
    recovery: bool = Field(
        default=False, description="Also send a message when an alarm returns to OK."
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


class EndpointCheck(Section):
    """How Route 53's own checkers ask the active host, when failover_on has 'endpoint'."""

    protocol: Protocol = Field(
        default="http", description="http and https ask for version_path; tcp only connects."
    )
    interval_seconds: Literal[10, 30] = Field(
        default=30, description="Seconds between two requests of one checker; 10 costs extra."
    )
    failure_threshold: int = Field(
        default=3,
        ge=1,
        le=limits.MAX_FAILURE_THRESHOLD,
        description="Failed requests in a row that make it unhealthy.",
    )
    host: DomainName | None = Field(
        default=None,
        description="Name that the checkers ask hosts at an address for; the record unless given.",
        examples=["bookstore.pingpublications.com"],
    )
    search_text: BodyText | None = Field(
        default=None,
        description="Text that the first 5,120 bytes of the answer must hold; costs extra.",
        examples=["bookstore-api"],
    )


class Endpoint(Section):
    """The name under which clients find the service."""

    record: DomainName = Field(
        description="DNS name of the failover record pair.",
        examples=["bookstore.pingpublications.com"],
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
        default="/version/", description="Path that answers with the name of the serving host."
    )
    check: EndpointCheck = Field(
        default=EndpointCheck(),
        description="How Route 53 checks the endpoint, when failover_on has 'endpoint'.",
    )

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
    """One instance of the pair."""

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
        description="Address or DNS name at which the other host asks this one, such as the "
        "private address; that of the clients unless given.",
        examples=["10.0.0.4"],
    )

    @property
    def asked_at(self) -> str:
        """Where the other host asks this one."""
        found = self.peer_address or self.address or (self.alias and self.alias.dns_name)
        return found or ""


class Hosts(Section):
    """The pair."""

    blue: Host = Field(description="The blue host.")
    green: Host = Field(description="The green host.")

    def of(self, color: Color) -> Host:
        """The host of a colour."""
        return self.blue if color == "blue" else self.green


class AlarmSettings(Section):
    """What every alarm here can be given; all of it is within what Route 53 can follow."""

    period_seconds: Annotated[int, AfterValidator(validation.failover_period_seconds)] = Field(
        default=60, description="Seconds per period: 60 or a multiple."
    )
    datapoints_to_alarm: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Periods out of evaluation_periods that must breach: all of them, since "
        "Route 53 can't follow fewer.",
    )
    threshold: float = Field(default=1.0, description="The value that is compared with.")


class StatusAlarmSettings(AlarmSettings):
    """The EC2 status alarm. Missing data always counts as failure: a stopped host is silent."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=1, description="Periods in a row that must breach."
    )
    statistic: Statistic = Field(default="Maximum", description="Statistic over a period.")


class ConnectivityAlarmSettings(AlarmSettings):
    """The alarm on one dependency's connectivity, for both hosts."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Periods in a row that must breach."
    )
    statistic: Statistic = Field(default="Average", description="Statistic over a period.")
    missing_data: MissingDataName = Field(
        default="cloudwatch_default",
        description="What a period without samples counts as. With cloudwatch_default the alarm "
        "goes to INSUFFICIENT_DATA and a health check on it counts as unhealthy.",
    )


class PeerAlarmSettings(AlarmSettings):
    """The alarms on the hosts' answers to each other. Missing data is never breaching."""

    evaluation_periods: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Periods in a row that must breach."
    )
    statistic: Statistic = Field(default="Average", description="Statistic over a period.")


class Dependency(Section):
    """Something the hosts must reach to serve."""

    label: Line = Field(description="What people call it, in alarm texts.", examples=["Database"])
    host: DomainNameOrAddress = Field(
        description="DNS name or address of the dependency; with protocol dns the name to ask for.",
        examples=["db.bookstore.pingpublications.com"],
    )
    port: Port | None = Field(
        default=None,
        description="Port of the dependency; 80 for http, 443 for https unless given.",
        examples=[5432],
    )
    check: DependencyCheck = Field(
        default=DependencyCheck(), description="How the probe asks it; connects unless given."
    )
    alarm: ConnectivityAlarmSettings = Field(
        default=ConnectivityAlarmSettings(), description="Settings of its alarms."
    )


class Environment(Section):
    """The service in one account and region."""

    account: AccountId = Field(description="AWS account id, in quotes.", examples=["532151327118"])
    region: Region = Field(
        description="AWS region of the hosts, alarms and topic.", examples=["us-west-2"]
    )
    notifications: Notifications = Field(description="Where alarms are sent.")
    hosted_zone: HostedZone = Field(description="The zone of the endpoint's record.")
    endpoint: Endpoint = Field(description="The name under which clients find the service.")
    active: Color = Field(description="The host that serves while all is well.")
    failover_on: list[str] = Field(
        default=["status"],
        min_length=1,
        description="Signals of the active host that must all be well: 'status' (EC2 status "
        "checks), 'endpoint' (Route 53's own checkers), 'peer' (the other host), or the name of a "
        "dependency.",
        examples=[["status", "db"]],
    )
    hosts: Hosts = Field(description="The pair.")
    dependencies: dict[Slug, Dependency] = Field(
        default={}, description="What the hosts must reach, by a short name."
    )
    probe: Probe = Field(
        default=Probe(), description="The agent on the hosts that measures what they reach."
    )
    status_alarm: StatusAlarmSettings = Field(
        default=StatusAlarmSettings(), description="Settings of the EC2 status alarms."
    )
    peer_alarm: PeerAlarmSettings = Field(
        default=PeerAlarmSettings(),
        description="Settings of the alarms on the hosts' answers to each other.",
    )
    objective: Objective | None = Field(
        default=None,
        description="How soon clients must be served again when the active host fails.",
    )
    drills: Drills | None = Field(
        default=None,
        description="Experiments that break a host on purpose, on schedule, and see whether "
        "clients notice; none unless given.",
    )
    tags: dict[TagKey, TagValue] = Field(
        default={}, description="Tags of this environment's stacks, over the service's."
    )

    @property
    def topic_arn(self) -> str:
        """ARN of the topic that alarms notify, known before the topic is made."""
        given = self.notifications.topic_arn
        return given or names.topic_arn(
            self.account, self.region, str(self.notifications.topic_name)
        )

    @property
    def has_peers(self) -> bool:
        """Whether the hosts ask each other."""
        return self.probe.peer or "peer" in self.failover_on

    @property
    def has_probe(self) -> bool:
        """Whether there is something to measure, and so a stack of the probe."""
        return bool(self.dependencies) or self.has_peers


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
        description="Where the service runs, by a short name.",
    )
    tags: dict[TagKey, TagValue] = Field(default={}, description="Tags of all its stacks.")

    @property
    def title(self) -> str:
        """The service as alarm texts name it."""
        return self.display_name or self.service.replace("-", " ").title()

    @property
    def metric_namespace(self) -> str:
        """The CloudWatch namespace of the probe's metrics."""
        return self.namespace or self.service.replace("-", " ").title().replace(" ", "")

    def tags_of(self, environment: Environment) -> Mapping[str, str]:
        """The tags of an environment's stack."""
        return {**self.tags, **environment.tags}
