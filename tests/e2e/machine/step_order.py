"""Decides which steps of a document run, and its result, as the Systems Manager agent does.

From the agent's own engine: https://github.com/aws/amazon-ssm-agent, ``agent/framework/
runpluginutil`` and ``agent/contracts/aggregator.go``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.e2e.machine.command_document import Step

KILLED: Final = 137
"""The exit status that the agent treats as a timeout, even if the script itself returns it."""

MAX_STREAM_BYTES: Final = 24_000
MAX_ASSOCIATION_BYTES: Final = 510

_CUT: Final = "--output truncated--"
_ENDS: Final = (
    "\nStep was found to have onFailure property. Further document steps will be skipped."
)


class Status(Enum):
    """How a step or a document ended."""

    SUCCESS = "Success"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    TIMED_OUT = "TimedOut"


@dataclass(frozen=True)
class Outcome:
    """A script's exit status, KILLED after a timeout, and its output."""

    exit_status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class StepResult:
    """The result of a step.

    Attributes:
        name: The step.
        status: How it ended.
        exit_status: Of its script; 0 where it did not run.
        stdout: What is kept of what it printed.
        stderr: The same, of its standard error.
    """

    name: str
    status: Status
    exit_status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Invocation:
    """The result of a document on an instance."""

    status: Status
    steps: tuple[StepResult, ...]

    def step(self, name: str) -> StepResult:
        """The result of a step."""
        return next(step for step in self.steps if step.name == name)

    @property
    def association_summary(self) -> str:
        """What State Manager shows of a run: of a step, only what it failed with.

        From the agent's ``agent/association/processor`` and ``agent/association/service``.
        """
        counts = ", ".join(
            f"{sum(step.status is status for step in self.steps)} {name}"
            for status, name in (
                (Status.SUCCESS, "success"),
                (Status.FAILED, "failed"),
                (Status.TIMED_OUT, "timedout"),
                (Status.SKIPPED, "skipped"),
            )
        )
        number = len(self.steps)
        shown = f"{number} out of {number} plugin{'s' * (number > 1)} processed, {counts}. "
        for step in self.steps:
            if step.status is Status.FAILED:
                shown += f"\nThe operation {step.name} failed because {step.stderr}."
        return _cut_to(shown, MAX_ASSOCIATION_BYTES)

    def __str__(self) -> str:
        """Return all results, for the message of a failing test."""
        lines = [self.status.value]
        for step in self.steps:
            lines.append(f"{step.name}: {step.status.value} ({step.exit_status})")
            lines += [step.stdout, step.stderr]
        return "\n".join(lines)


def run_steps(steps: Sequence[Step], run: Callable[[Step], Outcome]) -> Invocation:
    """Run the steps in their order; ``run`` runs the script of one."""
    results: list[StepResult] = []
    exited = False
    for step in steps:
        if exited:
            results.append(StepResult(step.name, Status.SKIPPED, 0, "", ""))
            continue
        outcome = run(step)
        status = _STATUSES.get(outcome.exit_status, Status.FAILED)
        exited = status is Status.FAILED and step.exits_on_failure
        stdout, stderr = (
            _cut_to(stream + _ENDS * exited, MAX_STREAM_BYTES)
            for stream in (outcome.stdout, outcome.stderr)
        )
        results.append(StepResult(step.name, status, outcome.exit_status, stdout, stderr))
    return Invocation(_overall([result.status for result in results]), tuple(results))


_STATUSES: Final = {0: Status.SUCCESS, KILLED: Status.TIMED_OUT}


def _overall(statuses: Sequence[Status]) -> Status:
    for status in (Status.FAILED, Status.TIMED_OUT):
        if status in statuses:
            return status
    return Status.SUCCESS


def _cut_to(text: str, most: int) -> str:
    encoded = text.encode()
    if len(encoded) < most:
        return text
    return encoded[: most - len(_CUT)].decode(errors="ignore") + _CUT
