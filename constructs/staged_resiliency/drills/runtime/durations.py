"""How long the phases of a run may take, and how long after a run the next one is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from staged_resiliency.experiment.expectations import (
    Expectation,
    after_fault,
    during_fault,
    time_limit,
)

RULE_LATE_SECONDS: Final = 1800
"""How much later than its time the rule of a blackhole may still be there, *assumed*: the host
first installs what the document needs, and the rule lasts from then on."""

LATE_SECONDS: Final = 60
"""How much later than expected something may happen for the verdict to say how late it was."""

COOL_DOWN_SECONDS: Final = 900
"""Until the next run on the same instances, after one with a fault: alarms and clients settle, and
a function of an aborted run that was about to start an experiment has ended."""

EXPIRY_DAYS: Final = 35
"""Whole days from the end of a passed run until it has expired: as many as a schedule may leave
between two runs (``schedule.MAX_GAP_DAYS``)."""


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
