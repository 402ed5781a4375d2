"""The settings that are needed to end the fault of a run, whichever release began it."""

from collections.abc import Mapping
from dataclasses import dataclass

from staged_resiliency.drills.runtime.fault_settings import (
    Command,
    Database,
    FaultKind,
    GremlinAttack,
    Origin,
)
from staged_resiliency.experiment.json_codec import DataError, read


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
class FaultToEnd:
    """A fault that is to be ended, and what its run knows of it.

    Attributes:
        execution: ARN of the run's execution.
        experiment: ID of the run's experiment; None where the run does not know it.
        injected_at: When the fault began; None where the run does not know it.
        begun_by: The latest time at which the fault can have begun, for a run that does not know
            when it did; None where nothing is known.
    """

    plan: Ending
    execution: str
    experiment: str | None = None
    injected_at: float | None = None
    begun_by: float | None = None

    @property
    def begun(self) -> float | None:
        """When the fault had begun at the latest; None where nothing is known."""
        return self.begun_by if self.injected_at is None else self.injected_at
