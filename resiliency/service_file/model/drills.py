"""The drills: when each runs, what it breaks, and what all of them share."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from resiliency.service_file.model.objective import MAX_OBJECTIVE_SECONDS, MIN_OBJECTIVE_SECONDS
from resiliency.service_file.model.values import Matching, Section, Slug
from staged_resiliency.drills import schedule as schedules
from staged_resiliency.drills.database_faults import DATABASE_FAILOVER_MINUTES
from staged_resiliency.drills.faults import MAX_DELAY_MILLISECONDS, MAX_RESPONSE_MILLISECONDS
from staged_resiliency.shared import aws_ids, limits, network_names, validation

Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]

WORKDAYS: Final[tuple[Day, ...]] = ("MON", "TUE", "WED", "THU", "FRI")

RdsIdentifier = Annotated[str, AfterValidator(aws_ids.rds_identifier)]
DistributionId = Annotated[str, AfterValidator(aws_ids.distribution_id)]
BucketName = Annotated[str, AfterValidator(aws_ids.bucket_name)]
SubnetId = Annotated[str, Matching(aws_ids.subnet_id, aws_ids.SUBNET_ID)]
SecurityGroupId = Annotated[str, Matching(aws_ids.security_group_id, aws_ids.SECURITY_GROUP_ID)]
GremlinName = Annotated[str, AfterValidator(validation.gremlin_name)]


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

    kms_key: Annotated[str, AfterValidator(aws_ids.kms_key_arn)] | None = Field(
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
    secret_arn: Annotated[str, AfterValidator(aws_ids.secret_arn)] = Field(
        description="ARN of the secret in Secrets Manager whose whole text is an API key of the "
        "team.",
        examples=["arn:aws:secretsmanager:us-west-2:532151327118:secret:gremlin-AbC123"],
    )
    kms_key: Annotated[str, AfterValidator(aws_ids.kms_key_arn)] | None = Field(
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
            "if": {"properties": {"fault": {"enum": ["rds_failover", "deny_origin"]}}},
            "then": {"required": ["dependency"]},
            "else": {"required": ["host", "duration_minutes"]},
        }
    )

    fault: Literal["stop_instance", "blackhole", "degrade", "rds_failover", "deny_origin"] = Field(
        description="stop_instance stops the host's instance and starts it again; blackhole drops "
        "what the host sends to the dependency; degrade delays it, or loses a part of it; "
        "rds_failover makes the dependency, a database of Amazon RDS, fail over; deny_origin "
        "denies the primary of a dependency's failover, a CloudFront distribution, its bucket."
    )
    host: Literal["active", "standby"] | None = Field(
        default=None,
        description="The host that the fault breaks; required, except for rds_failover and "
        "deny_origin.",
    )
    dependency: Slug | None = Field(
        default=None,
        description="The dependency that a blackhole cuts off, that is degraded, that is the "
        "database, or whose primary loses its origin.",
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
    distribution_id: DistributionId | None = Field(
        default=None,
        description="deny_origin: the ID of the CloudFront distribution.",
        examples=["E1PA6795UKMFR9"],
    )
    origin_bucket: BucketName | None = Field(
        default=None,
        description="deny_origin: the name of the S3 bucket that is its origin.",
        examples=["shop-images"],
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
    volume_keys: Annotated[list[Annotated[str, AfterValidator(aws_ids.kms_key_arn)]], _Setting] = (
        Field(
            default=[],
            description="ARNs of the customer-managed KMS keys of the hosts' volumes. Without them "
            "a host with such a volume would not start again after stop_instance.",
            examples=[
                ["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
            ],
        )
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
        list[Annotated[str, AfterValidator(aws_ids.change_calendar_arn)]], _Setting
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
            str,
            _Setting,
            AfterValidator(network_names.https_url),
            WithJsonSchema({"type": "string"}),
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
