"""When there is nothing more to wait for."""

from collections.abc import Iterable, Sequence
from typing import Final

from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    Expectation,
)
from staged_resiliency.experiment.observations import Observation, Source
from staged_resiliency.experiment.verdict import Run, judge

INJECTED: Final = "injected"
ENDED: Final = "ended"

STABLE_SECONDS: Final = 30.0
"""What is to be so for good must have been so for this long."""


def during_fault(plan: Plan) -> Sequence[Expectation]:
    """What must happen while the fault lasts."""
    return [each for each in plan.hypothesis if isinstance(each, (ClientsMove, AlarmFires))]


def after_fault(plan: Plan) -> Sequence[Expectation]:
    """What must happen once the fault is over."""
    return [each for each in plan.hypothesis if isinstance(each, (ClientsReturn, AlarmRecovers))]


def happened(
    expectations: Sequence[Expectation], observations: Iterable[Observation], run: Run
) -> bool:
    """Whether all of it happened, be it too late; nothing at all has happened at once.

    Args:
        expectations: Those with a time.
        observations: What was seen so far.
        run: The times so far; ``until`` is now.
    """
    if not expectations:
        return True
    for each in judge(expectations, observations, run).judgements:
        if each.seconds is None:
            return False
        for_good = isinstance(each.expectation, (ClientsReturn, AlarmRecovers))
        since = (run.ended_at or run.injected_at) + each.seconds
        if for_good and run.until - since < STABLE_SECONDS:
            return False
    return True


def fault_times(observations: Iterable[Observation]) -> tuple[float | None, float | None]:
    """When the fault began, and when it was over for good; None for what was not seen."""
    fault = [each for each in observations if each.source is Source.FAULT]
    injected = [each.at for each in fault if each.value == INJECTED]
    ended = [each.at for each in fault if each.value == ENDED]
    return min(injected, default=None), max(ended, default=None)
