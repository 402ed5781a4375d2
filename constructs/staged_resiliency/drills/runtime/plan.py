"""All that is known of a drill before it runs; the first state of its machine holds it.

Strings may be CDK tokens while a template is made: nothing here looks into them. What comes back
from a running machine is read strictly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    Expectation,
)
from staged_resiliency.experiment.json_codec import DataError, JsonObject, as_json, read

EXPIRY_DAYS: Final = 35
"""A passed drill shows something for so many whole days from the end of its run: as many as a
schedule may leave between two runs (``schedule.MAX_GAP_DAYS``)."""


class FaultKind(Enum):
    """What a drill does to a host."""

    STOP_INSTANCE = "stop_instance"
    BLACKHOLE = "blackhole"

    @property
    def told(self) -> str:
        """How journals name it, those of rehearsals too."""
        return {
            FaultKind.STOP_INSTANCE: "host stopped",
            FaultKind.BLACKHOLE: "dependency blackholed",
        }[self]


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the pair.

    Attributes:
        name: As ``/version/`` tells it: the Name tag.
        instance_id: Of the EC2 instance; needed for the host that is broken.
        addresses: What the record answers while this host serves; empty where the record is an
            alias, whose addresses change.
        reached_at: Address or DNS name at which the host itself answers, whoever serves.
    """

    name: str
    instance_id: str | None
    addresses: tuple[str, ...]
    reached_at: str


@dataclass(frozen=True, slots=True)
class Record:
    """The failover record that clients use.

    Attributes:
        name: DNS name.
        type: ``A`` or ``AAAA``.
        hosted_zone_id: Of its zone.
    """

    name: str
    type: str
    hosted_zone_id: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a host says which one it is.

    Attributes:
        scheme: ``http`` or ``https``.
        port: TCP port.
        path: Such as ``/version/``.
    """

    scheme: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Window:
    """When a drill may begin.

    Attributes:
        days: ``MON`` to ``SUN``, at least one: those on which the window begins.
        start: Time of day, ``HH:MM``, included.
        end: The same, excluded; one that is not after ``start`` is on the next day.
        timezone: IANA name.
    """

    days: tuple[str, ...]
    start: str
    end: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Journal:
    """Where runs leave what they saw and found.

    Attributes:
        bucket: Name of the S3 bucket.
        prefix: Before every key; empty, or ending in ``/``.
    """

    bucket: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the failover-time model gives for the fault, in seconds."""

    best: float
    median: float
    p95: float
    worst: float


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long each phase may take, in seconds.

    Attributes:
        preflight: Until the run may begin.
        steady: Until the steady state is seen, before and after; at most 60.
        inject: From the order until the fault is there.
        observe: From the fault on, for what must happen while it lasts.
        end: From the order until the fault is over.
        failback: From the fault's end on, for what must happen then.
        record: Until the verdict is recorded.
    """

    preflight: int
    steady: int
    inject: int
    observe: int
    end: int
    failback: int
    record: int

    @classmethod
    def of(cls, fault_seconds: int, hypothesis: Iterable[Expectation]) -> "Timeouts":
        """Those that suit a fault and what is expected of it.

        Late is watched beyond what is allowed, so that a failed drill tells how late.
        """
        hypothesis = tuple(hypothesis)
        during = [each for each in hypothesis if isinstance(each, (ClientsMove, AlarmFires))]
        after = [each for each in hypothesis if isinstance(each, (ClientsReturn, AlarmRecovers))]
        observe = max([fault_seconds, *(int(each.within_seconds) + 60 for each in during)])
        failback = max([600, *(int(each.within_seconds) + 120 for each in after)])
        return cls(
            preflight=60,
            steady=60,
            inject=300,
            observe=observe,
            end=fault_seconds + 600,
            failback=failback,
            record=120,
        )

    @property
    def fresh(self) -> int:
        """How long a preflight holds: until the order to FIS, with what retries may add."""
        return self.preflight + self.steady + self.inject + 900

    @property
    def run(self) -> int:
        """How long the whole run may take, with what the machine's own retries may add."""
        phases = self.preflight + 2 * self.steady + self.inject + self.observe
        return phases + self.end + self.failback + self.record + 1800


@dataclass(frozen=True, slots=True)
class Plan:
    """One drill.

    Attributes:
        service: Short name of the service.
        environment: Short name of the environment.
        drill: Short name of the drill.
        region: Of hosts, alarms and topic.
        fault: What is done.
        broken: Name of the host that it is done to: that of ``active`` or ``standby``.
        active: The host that serves while all is well.
        standby: The other one.
        dependency: Short name of the dependency that is cut off; None for a stopped instance.
        port: Its TCP port; None for a stopped instance.
        record: The record that clients use.
        endpoint: Where a host says which one it is.
        objective_seconds: Recovery time objective.
        fault_seconds: How long the fault lasts, unless it is ended before.
        hypothesis: What is expected; at least one thing.
        alarms: Names of all alarms of the service in ``region``: none may be in ALARM before.
        expected_alarms: Those that the fault is meant to fire.
        guard_alarms: Those that stop the experiment; none of them is expected.
        experiment_template_id: FIS template of the fault.
        experiment_templates: FIS templates of all the service's drills, this one's included:
            while an experiment of any of them runs, none is started.
        enabled: False for a leashed drill, which resolves targets and checks the steady state,
            and injects nothing.
        journal: Where runs are recorded.
        topic_arn: SNS topic of the verdict.
        namespace: CloudWatch namespace of the results; dimensions are Service, Environment, Drill.
        timeouts: Of the phases.
        window: When it may begin; at any time unless given.
        notify_on_pass: Whether a passed run sends a message too, and a leashed one in which all
            was well. Any other run always does.
        predicted: What the failover-time model gives; None where it was not asked.
        runbook: URL or text for those who get the message.
        sample_seconds: Between two looks at DNS, clients and alarms.
        call_seconds: How long one call of a function watches.

    Raises:
        DataError: Nothing is expected, or there is no instance that could be broken.
    """

    service: str
    environment: str
    drill: str
    region: str
    fault: FaultKind
    broken: str
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
    experiment_templates: tuple[str, ...]
    enabled: bool
    journal: Journal
    topic_arn: str
    namespace: str
    timeouts: Timeouts
    window: Window | None = None
    notify_on_pass: bool = True
    predicted: Predicted | None = None
    runbook: str = ""
    sample_seconds: int = 5
    call_seconds: int = 40

    def __post_init__(self) -> None:
        if not self.hypothesis:
            raise DataError("plan: hypothesis: is empty; a drill that can't fail shows nothing")
        if self.broken not in (self.active.name, self.standby.name):
            raise DataError(
                f"plan: broken: found {self.broken!r}; must be {self.active.name} or "
                f"{self.standby.name}"
            )
        if self.broken_host.instance_id is None:
            raise DataError(f"plan: {self.broken}: instance_id is missing; the fault needs it")

    @property
    def broken_host(self) -> Host:
        """The host that the fault is done to."""
        return self.active if self.broken == self.active.name else self.standby

    @property
    def ends_early(self) -> bool:
        """Whether the fault is ended as soon as everything happened.

        FIS starts a stopped instance when its experiment is stopped. A blackhole is lifted by the
        host itself, when its time is over; to end it early is tried only where something is wrong.
        """
        return self.fault is FaultKind.STOP_INSTANCE

    def to_json(self) -> JsonObject:
        """The plan as a JSON object."""
        document: JsonObject = as_json(self)
        return document

    @classmethod
    def from_json(cls, document: object) -> "Plan":
        """The plan that ``to_json`` wrote.

        Raises:
            DataError: It is no such document.
        """
        return read(cls, document, "plan")


@dataclass(frozen=True, slots=True)
class WatchedDrill:
    """A drill whose cadence is watched.

    Attributes:
        name: Short name of the drill.
        state_machine_arn: Its state machine; a drill that never passed counts from the day on
            which this was made.
    """

    name: str
    state_machine_arn: str


@dataclass(frozen=True, slots=True)
class DrillSchedules:
    """What schedules call the watchdog and the sweep with.

    Attributes:
        service: Short name of the service.
        environment: Short name of the environment.
        drills: All its drills.
        journal: Where their runs are recorded.
        namespace: CloudWatch namespace of the results.
        expiry_days: How long a passed drill shows something.
    """

    service: str
    environment: str
    drills: tuple[WatchedDrill, ...]
    journal: Journal
    namespace: str
    expiry_days: int = EXPIRY_DAYS

    def to_json(self) -> JsonObject:
        """The watch as a JSON object."""
        document: JsonObject = as_json(self)
        return document

    @classmethod
    def from_json(cls, document: object) -> "DrillSchedules":
        """The watch that ``to_json`` wrote.

        Raises:
            DataError: It is no such document.
        """
        return read(cls, document, "watch")
