"""The plan of a drill: its settings, which the first state of its state machine holds.

Strings may be CDK tokens during synthesis, so nothing here depends on their content.

A run keeps the plan that it began with, while a deployment may replace the functions that read it.
So a plan of another release is read too: unknown keys are ignored, and **each field that is added
has a default**. What even then can't be read has an ``Ending``, by which its fault is ended.
"""

from dataclasses import dataclass, fields

from staged_resiliency.drills.runtime.durations import Timeouts
from staged_resiliency.drills.runtime.ending import Ending
from staged_resiliency.drills.runtime.fault_settings import (
    Command,
    Database,
    FaultKind,
    GremlinAttack,
    Origin,
)
from staged_resiliency.drills.runtime.hosts import Endpoint, Host, Record
from staged_resiliency.experiment.expectations import Expectation
from staged_resiliency.experiment.json_codec import (
    DataError,
    JsonObject,
    as_json,
    read,
    without_none,
)


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
        return without_none(as_json(self), *optional)

    @classmethod
    def from_json(cls, document: object) -> "Plan":
        """Read the plan that ``to_json`` of any release wrote.

        Raises:
            DataError: It is no plan, or one of a release that this one can't read.
        """
        return read(cls, document, "plan")
