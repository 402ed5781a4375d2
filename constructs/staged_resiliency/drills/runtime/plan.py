"""The plan of a drill: its settings, which the first state of its state machine holds.

Strings may be CDK tokens during synthesis, so nothing here depends on their content.

A run keeps the plan that it began with, while a deployment may replace the functions that read it.
So a plan of another release is read too: unknown keys are ignored, and **each field that is added
has a default**. What even then can't be read has an ``Ending``, by which its fault is ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Final

from staged_resiliency.experiment.expectations import (
    Expectation,
    after_fault,
    during_fault,
    time_limit,
)
from staged_resiliency.experiment.json_codec import DataError, JsonObject, as_json, read

RULE_LATE_SECONDS: Final = 1800
"""How much later than its time the rule of a blackhole may still be there, *assumed*: the host
first installs what the document needs, and the rule lasts from then on."""

CLEANUP_TASK: Final = "cleanup"
WATCHDOG_TASK: Final = "watchdog"

COOL_DOWN_SECONDS: Final = 900
"""Until the next run on the same instances, after one with a fault: alarms and clients settle, and
a function of an aborted run that was about to start an experiment has ended."""

EXPIRY_DAYS: Final = 35
"""Whole days from the end of a passed run until it has expired: as many as a schedule may leave
between two runs (``schedule.MAX_GAP_DAYS``)."""

LATE_SECONDS: Final = 60
"""How much later than expected something may happen for the verdict to say how late it was."""


class FaultKind(Enum):
    """The kind of fault that a drill injects into a host."""

    STOP_INSTANCE = "stop_instance"
    BLACKHOLE = "blackhole"
    DEGRADE = "degrade"
    RDS_FAILOVER = "rds_failover"
    DENY_ORIGIN = "deny_origin"

    @property
    def runs_on_host(self) -> bool:
        """Whether a command on the host injects the fault, and not AWS FIS itself."""
        return self in (FaultKind.BLACKHOLE, FaultKind.DEGRADE)

    @property
    def description(self) -> str:
        """The name of the fault in journals of drills and of rehearsals."""
        return {
            FaultKind.STOP_INSTANCE: "host stopped",
            FaultKind.BLACKHOLE: "dependency blackholed",
            FaultKind.DEGRADE: "dependency degraded",
            FaultKind.RDS_FAILOVER: "database failed over",
            FaultKind.DENY_ORIGIN: "origin denied",
        }[self]


@dataclass(frozen=True, slots=True)
class Command:
    """The Systems Manager command that injects a fault on the host.

    Attributes:
        document: Name of its document.
        effect: What it does, in the words of messages: ``drops what HOST sends to NAME``.
    """

    document: str
    effect: str


@dataclass(frozen=True, slots=True)
class GremlinAttack:
    """The attack that Gremlin runs in place of an experiment of AWS FIS.

    Attributes:
        team_id: The team of the hosts' clients.
        secret_arn: The secret that holds the API key.
        kind: Gremlin's name of the attack, such as ``packet_loss``.
        args: Its arguments, as Gremlin's command line takes them.
        clients: Identifiers of the clients by the names of their hosts; empty where a client is
            found by its tags.
        tags: Tags that a client must have besides the ID of its instance.
    """

    team_id: str
    secret_arn: str
    kind: str
    args: tuple[str, ...]
    clients: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Database:
    """A database of Amazon RDS that a drill makes fail over; both hosts lose it meanwhile.

    Attributes:
        identifier: Of the DB instance or the DB cluster.
        is_cluster: Whether it is a DB cluster.
        alarms_seconds: How long after the fault an alarm may still fire because of it; the run
            observes for as long.
    """

    identifier: str
    is_cluster: bool
    alarms_seconds: int = 0

    def __str__(self) -> str:
        return f"DB {'cluster' if self.is_cluster else 'instance'} {self.identifier}"

    @property
    def resource(self) -> str:
        """The last part of its ARN."""
        return f"{'cluster' if self.is_cluster else 'db'}:{self.identifier}"

    @property
    def lock(self) -> str:
        """The name of its lock, and the tag of its experiments."""
        return f"{'cluster' if self.is_cluster else 'db'}-{self.identifier}"


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the pair.

    Attributes:
        name: The Name tag.
        instance_id: Required for the target of the fault.
        addresses: The record's answer while this host serves; empty where the record is an alias,
            whose addresses change.
        reached_at: Address or DNS name of the host itself, whichever host serves clients.
    """

    name: str
    instance_id: str | None
    addresses: tuple[str, ...]
    reached_at: str


@dataclass(frozen=True, slots=True)
class Record:
    """The failover record that clients use, of type A."""

    name: str
    hosted_zone_id: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint at which a host answers with its own name.

    Attributes:
        scheme: ``http`` or ``https``.
        field: Key of the JSON object in the answer whose value is the host's Name tag; None where
            the answer names no host, and the address shows which one answered.
    """

    scheme: str
    port: int
    path: str
    field: str | None = "environment"

    def __str__(self) -> str:
        shows = "its address" if self.field is None else f"{self.field!r} in its JSON answer"
        return f"{self.path} by {self.scheme} on port {self.port}; {shows} shows the host"


@dataclass(frozen=True, slots=True)
class Origin:
    """The bucket that a drill denies a CloudFront distribution, and the pair that then fails over.

    Attributes:
        distribution_arn: ARN of the distribution.
        bucket: Name of the S3 bucket that is its origin.
        record: DNS name of the dependency, which clients use.
        primary: DNS name of the distribution.
        secondary: DNS name of the target that serves clients while the primary fails.
        endpoint: The path that is asked of both, by the record's name; its answer names no host.
        alarm: Name of the alarm that fires while clients are sent to the secondary; empty for none.
        alarm_region: Region of that alarm.
    """

    distribution_arn: str
    bucket: str
    record: str
    primary: str
    secondary: str
    endpoint: Endpoint
    alarm: str = ""
    alarm_region: str = ""

    @property
    def distribution_id(self) -> str:
        """The ID of the distribution."""
        return self.distribution_arn.rpartition("/")[2]

    @property
    def objects(self) -> str:
        """The ARN of all objects in the bucket."""
        return f"arn:{self.distribution_arn.split(':')[1]}:s3:::{self.bucket}/*"

    @property
    def lock(self) -> str:
        """The name of the distribution's lock."""
        return f"distribution-{self.distribution_id}"


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which a drill may start.

    Attributes:
        days: ``MON`` to ``SUN``, at least one.
        from_hour: First hour, 0 to 23.
        to_hour: The hour at which the window closes, after ``from_hour``, up to 24.
        timezone: IANA name.
    """

    days: tuple[str, ...]
    from_hour: int
    to_hour: int
    timezone: str

    def __str__(self) -> str:
        hours = f"{self.from_hour:02}:00 to {self.to_hour:02}:00"
        return f"{', '.join(self.days)} {hours} {self.timezone}"


@dataclass(frozen=True, slots=True)
class Predicted:
    """The failover time that the failover-time model predicts for the fault, in seconds."""

    best: float
    median: float
    p95: float
    worst: float


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase may take, in seconds.

    Attributes:
        preflight: Until the preflight has passed.
        steady: Until the steady state is observed, before and after the fault; at most 60.
        inject: From the start of the FIS experiment until the fault has begun.
        observe: From the fault until everything that is expected while it lasts has happened.
        end: From the request to end the fault until it is over.
        failback: From the fault's end until everything that is expected after it has happened.
        record: Until the verdict is recorded.
        notice: From the message that announces the run until it goes on.
    """

    preflight: int
    steady: int
    inject: int
    observe: int
    end: int
    failback: int
    record: int
    notice: int = 0

    @classmethod
    def of(
        cls,
        fault_seconds: int,
        hypothesis: Iterable[Expectation],
        objective_seconds: float,
        *,
        late_seconds: int = 0,
        notice_seconds: int = 0,
        alarms_seconds: int = 0,
    ) -> "Timeouts":
        """Derive the timeouts from a fault's duration, its hypothesis and the objective.

        They exceed the hypothesis's own limits, so that a failed drill reports how late clients
        or alarms were. ``late_seconds`` is how much later than its time the fault may end, and
        ``alarms_seconds`` how long after the fault an alarm that need not fire may do so.
        """
        hypothesis = tuple(hypothesis)
        during = [time_limit(each, objective_seconds) for each in during_fault(hypothesis)]
        after = [time_limit(each, objective_seconds) for each in after_fault(hypothesis)]
        observe = max([fault_seconds, *(int(each) + LATE_SECONDS for each in during)])
        failback = max([600, alarms_seconds + 120, *(int(each) + 120 for each in after)])
        return cls(
            preflight=60,
            steady=60,
            inject=300,
            observe=observe,
            end=fault_seconds + late_seconds + 600,
            failback=failback,
            record=120,
            notice=notice_seconds,
        )

    @property
    def preflight_valid(self) -> int:
        """How long a passed preflight is valid: until the fault is injected, retries included."""
        return self.preflight + self.steady + self.inject + 900

    @property
    def run(self) -> int:
        """How long the whole run may take, the state machine's retries included."""
        phases = self.preflight + 2 * self.steady + self.inject + self.observe
        return phases + self.end + self.failback + self.record + self.notice + 1800


@dataclass(frozen=True, slots=True)
class Ending:
    """The settings that are needed to end the fault of a run.

    Template and instance suffice; without the rest the fault is ended as that of a stopped
    instance whose time is over.

    Attributes:
        instance_id: The instance that the fault breaks.
        fault_seconds: How long the fault lasts unless it is ended earlier.
        enabled: False for a dry run, which has no fault.
        command: The command on the host; None where AWS FIS itself injects the fault.
        database: The database that fails over; None for other faults.
        journal_bucket: The bucket in which it is recorded that the fault is over; empty where it
            is unknown.
        topic_arn: The topic of the message on the run; empty where it is unknown.
        gremlin: The attack of Gremlin; None where AWS FIS injects the fault.
        origin: The bucket that a distribution is denied; None for other faults.
    """

    experiment_template_id: str
    instance_id: str
    service: str = ""
    environment: str = ""
    drill: str = ""
    fault: FaultKind = FaultKind.STOP_INSTANCE
    host: str = ""
    fault_seconds: int = 0
    enabled: bool = True
    journal_bucket: str = ""
    topic_arn: str = ""
    command: Command | None = None
    database: Database | None = None
    gremlin: GremlinAttack | None = None
    origin: Origin | None = None

    @classmethod
    def from_plan(cls, document: object) -> "Ending":
        """Read the settings for ending a fault from a plan that any release wrote.

        Raises:
            DataError: It has no template or no instance.
        """
        plan = document if isinstance(document, Mapping) else {}
        hosts = [
            each for each in (plan.get("active"), plan.get("standby")) if isinstance(each, Mapping)
        ]
        host = plan.get("target")
        ids = [each.get("instance_id") for each in hosts if each.get("name") == host]
        found = {
            "experiment_template_id": plan.get("experiment_template_id"),
            "instance_id": ids[0] if ids else None,
        }
        ending = read(cls, found, "plan")
        for key, value in {**plan, "host": host}.items():
            try:
                ending = read(cls, {**found, key: value}, "plan")
            except DataError:
                continue  # of another form
            found[key] = value
        return ending


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one drill.

    Attributes:
        target: Name of the host that the fault is injected into: that of ``active`` or
            ``standby``. That of ``active`` where a database or a distribution fails over.
        active: The host that serves clients while all is well.
        dependency: Short name of the dependency that is affected; None for a stopped instance.
        port: TCP port that is cut off; None for other faults.
        fault_seconds: How long the fault lasts unless it is ended earlier.
        hypothesis: At least one expectation.
        alarms: Names of all alarms of the service in ``region``; a run is refused while any of
            them is in ALARM.
        expected_alarms: Names of the alarms that the fault must fire.
        guard_alarms: Names of the alarms that stop the experiment; none of them is expected.
        enabled: False for a dry run, which resolves targets, checks the steady state and injects
            no fault.
        topic_arn: The topic that messages are sent to.
        more_topic_arns: More topics that messages of runs are sent to.
        namespace: CloudWatch namespace of the results; dimensions are Service, Environment, Drill.
        notify_passed: Whether a passed run and a successful dry run send a message too; every
            other run always does.
        predicted: The predicted failover time; None where there is no prediction.
        runbook: URL or text for those who receive the message.
        volume_keys: ARNs of the customer-managed KMS keys that the functions may use for volumes.
        blackout: Days on which no run may start: ``2026-12-24``, or ``2026-12-24/2027-01-02``.
        change_calendars: Names or ARNs of Systems Manager change calendars; no run may start while
            one of them is closed.
        stack: Name of the CloudFormation stack with records and alarms; while it is being changed,
            no run starts and none injects its fault. Empty where it is not known.
        notice_seconds: How long before it goes on a run with a fault announces itself; 0 for no
            announcement.
        command: The command on the host that injects the fault; None where AWS FIS itself does.
        client_function: ARN of the function in the VPC of private hosts that resolves names and
            asks hosts; None where the other functions do so themselves, over the internet.
        database: The database that fails over; None for other faults.
        gremlin: The attack of Gremlin that injects the fault; None where AWS FIS does.
        origin: The bucket that the functions deny a distribution; None for other faults.
        sample_seconds: Interval between two polls of DNS, clients and alarms.
        call_seconds: How long one call of a function polls.

    Raises:
        DataError: The hypothesis is empty, or the target has no instance.
    """

    service: str
    environment: str
    drill: str
    region: str
    fault: FaultKind
    target: str
    active: Host
    standby: Host
    dependency: str | None
    port: int | None
    record: Record
    endpoint: Endpoint
    objective_seconds: float
    fault_seconds: int
    hypothesis: tuple[Expectation, ...]
    alarms: tuple[str, ...]
    expected_alarms: tuple[str, ...]
    guard_alarms: tuple[str, ...]
    experiment_template_id: str
    enabled: bool
    journal_bucket: str
    topic_arn: str
    namespace: str
    timeouts: Timeouts
    window: Window
    notify_passed: bool = True
    predicted: Predicted | None = None
    runbook: str = ""
    sample_seconds: int = 5
    call_seconds: int = 40
    volume_keys: tuple[str, ...] = ()
    blackout: tuple[str, ...] = ()
    change_calendars: tuple[str, ...] = ()
    notice_seconds: int = 0
    more_topic_arns: tuple[str, ...] = ()
    command: Command | None = None
    stack: str = ""
    client_function: str | None = None
    database: Database | None = None
    gremlin: GremlinAttack | None = None
    origin: Origin | None = None

    def __post_init__(self) -> None:
        if not self.hypothesis:
            raise DataError("plan: hypothesis: is empty; a drill that can't fail proves nothing")
        if self.target not in (self.active.name, self.standby.name):
            raise DataError(
                f"plan: target: found {self.target!r}; must be {self.active.name} or "
                f"{self.standby.name}"
            )
        if self.target_host.instance_id is None:
            raise DataError(f"plan: {self.target}: instance_id is missing; the fault needs it")

    @property
    def target_host(self) -> Host:
        """The host that the fault is injected into."""
        return self.active if self.target == self.active.name else self.standby

    @property
    def other_host(self) -> Host:
        """The host that the fault leaves alone."""
        return self.standby if self.target == self.active.name else self.active

    @property
    def watched_alarms(self) -> tuple[str, ...]:
        """Names of all alarms whose states a run observes."""
        return tuple(dict.fromkeys((*self.alarms, *self.guard_alarms, *self.expected_alarms)))

    @property
    def topic_arns(self) -> tuple[str, ...]:
        """ARNs of all topics that messages of runs are sent to."""
        return (self.topic_arn, *self.more_topic_arns)

    @property
    def ending(self) -> Ending:
        """The settings that are needed to end the fault."""
        host = self.target_host
        names = {each.name for each in fields(Ending)} - {"host", "instance_id"}
        same = {name: getattr(self, name) for name in names}
        return Ending(host=host.name, instance_id=host.instance_id or "", **same)

    @property
    def instances(self) -> tuple[str, ...]:
        """Names that a run locks: the pair's instances, if known, database and distribution."""
        database = None if self.database is None else self.database.lock
        origin = None if self.origin is None else self.origin.lock
        found = (self.active.instance_id, self.standby.instance_id, database, origin)
        return tuple(sorted({each for each in found if each is not None}))

    @property
    def tagged(self) -> str:
        """The value of the experiment's tag: the instance or the database that it breaks."""
        instance = self.target_host.instance_id or ""
        return instance if self.database is None else self.database.lock

    @property
    def aim(self) -> str:
        """The last part of the ARN that the experiment targets."""
        instance = f"instance/{self.target_host.instance_id}"
        return instance if self.database is None else self.database.resource

    @property
    def effect(self) -> str:
        """A description of the fault's effect, for messages."""
        if self.command is not None:
            return self.command.effect
        if self.database is not None:
            return f"makes {self.database} fail over"
        if self.origin is not None:
            distribution = f"CloudFront distribution {self.origin.distribution_id}"
            return f"denies {distribution} its origin, the bucket {self.origin.bucket}"
        if self.fault is FaultKind.STOP_INSTANCE:
            return f"stops {self.target}"
        return f"drops what {self.target} sends to TCP port {self.port}"

    @property
    def ends_early(self) -> bool:
        """Whether the fault is ended as soon as everything expected has happened.

        FIS starts a stopped instance when its experiment is stopped. A blackhole is lifted by the
        host itself when its time is over; it is ended early only where something is wrong.
        """
        return self.fault in (FaultKind.STOP_INSTANCE, FaultKind.DENY_ORIGIN)

    @property
    def guarded_by_fis(self) -> bool:
        """Whether AWS FIS injects the fault, and so ends it when a guard fires."""
        return self.gremlin is None and self.origin is None

    @property
    def clients_record(self) -> str:
        """The DNS name whose clients the fault may affect."""
        return self.record.name if self.origin is None else self.origin.record

    @property
    def primary(self) -> str:
        """The name of the host or target that serves these clients while all is well."""
        return self.active.name if self.origin is None else self.origin.primary

    @property
    def secondary(self) -> str:
        """The name of the other host or target."""
        return self.standby.name if self.origin is None else self.origin.secondary

    @property
    def without_fault(self) -> str:
        """The name of the host or target that the fault leaves alone."""
        return self.other_host.name if self.origin is None else self.origin.secondary

    def to_json(self) -> JsonObject:
        """Return the plan as a JSON object, without what only some drills have."""
        optional = ("client_function", "command", "database", "gremlin", "origin")
        return _without_none(as_json(self), *optional)

    @classmethod
    def from_json(cls, document: object) -> "Plan":
        """Read the plan that ``to_json`` of any release wrote.

        Raises:
            DataError: It is no plan, or one of a release that this one can't read.
        """
        return read(cls, document, "plan")


@dataclass(frozen=True, slots=True)
class WatchedDrill:
    """A drill whose runs the watchdog follows.

    The days of one that never passed are counted from the creation of its state machine.
    """

    name: str
    state_machine_arn: str


@dataclass(frozen=True, slots=True)
class DrillSchedules:
    """The input of the schedules that call the watchdog and the cleanup.

    Attributes:
        task: Which of the two is called.
        client_function: That of the plans. The watchdog calls it each day: Lambda takes the network
            interface of a function that is idle for weeks, and then fails its next call.
            https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """

    service: str
    environment: str
    drills: tuple[WatchedDrill, ...]
    journal_bucket: str
    namespace: str
    task: str = CLEANUP_TASK
    client_function: str | None = None

    def to_json(self) -> JsonObject:
        """Return the input as a JSON object; ``client_function`` is left out if it is empty."""
        return _without_none(as_json(self), "client_function")

    @classmethod
    def from_json(cls, document: object) -> "DrillSchedules":
        """Read the input that ``to_json`` wrote; raise DataError where it is not such an input."""
        return read(cls, document, "event")


def _without_none(document: JsonObject, *keys: str) -> JsonObject:
    """Return an object without the given keys where they are null."""
    return {key: value for key, value in document.items() if key not in keys or value is not None}
