"""What one director is told to do."""

from dataclasses import dataclass
from pathlib import Path

from resiliency.failover_model.assumptions import Assumptions
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.scenarios import Scenario
from staged_resiliency.experiment.expectations import Expectation


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run of one scenario.

    Attributes:
        world: What is rehearsed.
        scenario: What happens.
        hypothesis: What is expected of it; the run ends once all of it can be told.
        assumptions: Spans from which delays are drawn.
        seed: Phases and delays come from it.
        scale: Seconds of the service in one second here.
        folder: An empty folder for files of the run; whoever gives the order removes it.
        steady_seconds: How long all is well before the fault; seconds of the service, as below.
        fault_seconds: How long the fault lasts at least.
        settled_seconds: How long is looked on once all is as expected.
    """

    world: Deployment
    scenario: Scenario
    hypothesis: tuple[Expectation, ...]
    assumptions: Assumptions
    seed: int
    scale: float
    folder: Path
    steady_seconds: float
    fault_seconds: float
    settled_seconds: float = 60
