"""The plan of a drill: its settings, which the first state of its state machine holds.

Strings may be CDK tokens during synthesis, so nothing here depends on their content. A plan that
comes back from a running state machine is read strictly.
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
"""Whole days from the end of a passed run until it has expired: as many as a schedule may leave
between two runs (``schedule.MAX_GAP_DAYS``)."""


class FaultKind(Enum):
    """The kind of fault that a drill injects into a host."""

    STOP_INSTANCE = "stop_instance"
    BLACKHOLE = "blackhole"

    @property
    def description(self) -> str:
        """The name of the fault in journals of drills and of rehearsals."""
        return {
            FaultKind.STOP_INSTANCE: "host stopped",
            FaultKind.BLACKHOLE: "dependency blackholed",
        }[self]


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
    field: str | None

    def __str__(self) -> str:
        """Describe the request, and how its answer shows the host."""
        shows = "its address" if self.field is None else f"{self.field!r} in its JSON answer"
        return f"{self.path} by {self.scheme} on port {self.port}; {shows} shows the host"


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
        """The window as messages show it."""
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
        """Derive the timeouts from a fault's duration and its hypothesis.

        They exceed the hypothesis's own limits, so that a failed drill reports how late clients
        or alarms were.
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
    def preflight_valid(self) -> int:
        """How long a passed preflight is valid: until the fault is injected, retries included."""
        return self.preflight + self.steady + self.inject + 900

    @property
    def run(self) -> int:
        """How long the whole run may take, the state machine's retries included."""
        phases = self.preflight + 2 * self.steady + self.inject + self.observe
        return phases + self.end + self.failback + self.record + 1800


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of one drill.

    Attributes:
        target: Name of the host that the fault is injected into: that of ``active`` or
            ``standby``.
        active: The host that serves clients while all is well.
        dependency: Short name of the dependency that is cut off; None for a stopped instance.
        port: TCP port that is cut off; None for a stopped instance.
        fault_seconds: How long the fault lasts unless it is ended earlier.
        hypothesis: At least one expectation.
        alarms: Names of all alarms of the service in ``region``; a run is refused while any of
            them is in ALARM.
        expected_alarms: Names of the alarms that the fault must fire.
        guard_alarms: Names of the alarms that stop the experiment; none of them is expected.
        experiment_templates: IDs of the templates of all the service's drills, this one's
            included: no experiment is started while one of any of them runs.
        enabled: False for a dry run, which resolves targets, checks the steady state and injects
            no fault.
        topic_arns: Topics that the message of a run is sent to.
        namespace: CloudWatch namespace of the results; dimensions are Service, Environment, Drill.
        notify_passed: Whether a passed run and a successful dry run send a message too; every
            other run always does.
        predicted: The predicted failover time; None where there is no prediction.
        runbook: URL or text for those who receive the message.
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
    experiment_templates: tuple[str, ...]
    enabled: bool
    journal_bucket: str
    topic_arns: tuple[str, ...]
    namespace: str
    timeouts: Timeouts
    window: Window
    notify_passed: bool = True
    predicted: Predicted | None = None
    runbook: str = ""
    sample_seconds: int = 5
    call_seconds: int = 40

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
    def ends_early(self) -> bool:
        """Whether the fault is ended as soon as everything expected has happened.

        FIS starts a stopped instance when its experiment is stopped. A blackhole is lifted by the
        host itself when its time is over; it is ended early only where something is wrong.
        """
        return self.fault is FaultKind.STOP_INSTANCE

    def to_json(self) -> JsonObject:
        """Return the plan as a JSON object."""
        document: JsonObject = as_json(self)
        return document

    @classmethod
    def from_json(cls, document: object) -> "Plan":
        """Read the plan that ``to_json`` wrote; raise DataError where it is not one."""
        return read(cls, document, "plan")


@dataclass(frozen=True, slots=True)
class WatchedDrill:
    """A drill whose runs the watchdog and the cleanup follow.

    The days of one that never passed are counted from the creation of its state machine.
    """

    name: str
    state_machine_arn: str


@dataclass(frozen=True, slots=True)
class DrillSchedules:
    """The input of the schedules that call the watchdog and the cleanup."""

    service: str
    environment: str
    drills: tuple[WatchedDrill, ...]
    journal_bucket: str
    namespace: str

    def to_json(self) -> JsonObject:
        """Return the input as a JSON object."""
        document: JsonObject = as_json(self)
        return document

    @classmethod
    def from_json(cls, document: object) -> "DrillSchedules":
        """Read the input that ``to_json`` wrote; raise DataError where it is not such an input."""
        return read(cls, document, "event")
