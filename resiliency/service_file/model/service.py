"""The service file as types: a service and its environments."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from resiliency.service_file.model.alarms import OwnAlarm, PeerAlarmSettings, StatusAlarmSettings
from resiliency.service_file.model.cloudwatch_agent import CloudWatchAgent
from resiliency.service_file.model.dependencies import Dependency
from resiliency.service_file.model.drills import Drills
from resiliency.service_file.model.endpoint import Endpoint, HostedZone
from resiliency.service_file.model.hosts import Hosts
from resiliency.service_file.model.notifications import Notifications
from resiliency.service_file.model.objective import Assumptions, Objective
from resiliency.service_file.model.probe import Probe
from resiliency.service_file.model.values import Line, Matching, Section, Slug, TagKey, TagValue
from staged_resiliency.shared import alarm_settings, aws_ids, limits, names
from staged_resiliency.shared.hosts import Color

# Signals that are not a dependency's name; a dependency can't take these names.
BUILT_IN_SIGNALS: Final = ("status", "endpoint", "peer")

AccountId = Annotated[str, Matching(aws_ids.account_id, aws_ids.ACCOUNT_ID)]
Region = Annotated[
    str,
    AfterValidator(aws_ids.region),
    WithJsonSchema({"type": "string", "enum": list(limits.ALARM_REGIONS)}),
]


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
        """The alarms by name, those under ``alarms`` and those for the CloudWatch agent."""
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
        """What the hosts check: all dependencies, and primaries whose failover hosts decide."""
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
    namespace: Annotated[str, AfterValidator(alarm_settings.namespace)] | None = Field(
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
