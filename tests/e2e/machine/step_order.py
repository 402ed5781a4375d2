"""Decides which steps of a document run, and its result, as the Systems Manager agent does.

From the agent's own engine: https://github.com/aws/amazon-ssm-agent, ``agent/framework/
runpluginutil`` and ``agent/contracts/aggregator.go``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.e2e.machine.command_document import DocumentError, Step

KILLED: Final = 137
"""The exit status that the agent treats as a timeout, even if the script itself returns it."""

EXIT_WITH_SUCCESS: Final = 168
EXIT_WITH_FAILURE: Final = 169
REBOOT_WANTED: Final = 194

MAX_STREAM_BYTES: Final = 24_000
MAX_SUMMARY_BYTES: Final = 2_500
MAX_ASSOCIATION_BYTES: Final = 510

_CUT: Final = "--output truncated--"
_ENDS: Final = (
    "\nStep was found to have onFailure property. Further document steps will be skipped."
)
_SHELL_SCRIPT: Final = "aws:runShellScript"


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
        summary: What the console shows of both; of a step that did not run, why.
    """

    name: str
    status: Status
    exit_status: int
    stdout: str
    stderr: str
    summary: str


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
            lines.append(step.summary)
        return "\n".join(lines)


def run_steps(steps: Sequence[Step], run: Callable[[Step], Outcome]) -> Invocation:
    """Run the steps for Linux in their order.

    Args:
        steps: All of them.
        run: Runs the script of one.

    Raises:
        DocumentError: A step has an action or a precondition that is not run here, or asks for
            a reboot.
    """
    results: list[StepResult] = []
    exited = False
    for step in steps:
        reason = _reason_to_skip(step)
        is_final = step.is_final and step is steps[-1]
        if exited and not is_final:
            reason = "skipped due to prior step with an exit condition"
        if reason:
            results.append(StepResult(step.name, Status.SKIPPED, 0, "", "", reason))
            continue
        if step.action != _SHELL_SCRIPT:
            raise DocumentError(f"step {step.name}: {step.action} is not run here")
        result = _judged(step, run(step))
        results.append(result)
        exited = exited or _exits(step, result)
    return Invocation(_overall([result.status for result in results]), tuple(results))


def _exits(step: Step, result: StepResult) -> bool:
    """Return whether the next steps are skipped; a timeout does not count as a failure."""
    return (
        result.exit_status in (EXIT_WITH_SUCCESS, EXIT_WITH_FAILURE)
        or (result.status is Status.FAILED and step.exits_on_failure)
        or (result.status is Status.SUCCESS and step.exits_on_success)
    )


def _judged(step: Step, outcome: Outcome) -> StepResult:
    stdout, stderr = outcome.stdout, outcome.stderr
    if outcome.exit_status == REBOOT_WANTED:
        raise DocumentError(f"step {step.name} asks for a reboot, which is not done here")
    if outcome.exit_status in (0, EXIT_WITH_SUCCESS):
        status = Status.SUCCESS
    elif outcome.exit_status == KILLED:
        status = Status.TIMED_OUT
    else:
        status = Status.FAILED
    summary = _summary(stdout, stderr)
    if status is Status.FAILED and step.exits_on_failure:
        stdout, stderr = stdout + _ENDS, stderr + _ENDS
    return StepResult(step.name, status, outcome.exit_status, _kept(stdout), _kept(stderr), summary)


def _reason_to_skip(step: Step) -> str | None:
    """Return the precondition for which the step is skipped; None if it runs."""
    for operator, arguments in step.preconditions.items():
        if operator != "StringEquals" or len(arguments) != 2:
            raise DocumentError(f"step {step.name}: only StringEquals with two arguments")
        one, other = arguments
        if other.written == "platformType":
            one, other = other, one
        if one.written == "platformType":
            holds = other.written.lower() == "linux"
            unclear = other.written != other.resolved or other.written == "platformType"
        else:
            holds = one.resolved == other.resolved
            unclear = (one.written, other.written) == (one.resolved, other.resolved)
        if unclear or one.written == other.written:
            raise DocumentError(
                f"step {step.name}: {one.written}, {other.written}: the agent compares "
                "platformType with a constant, or a parameter with something else"
            )
        if not holds:
            return f"unsatisfied preconditions: {one.written}, {other.written}"
    return None


def _overall(statuses: Sequence[Status]) -> Status:
    for status in (Status.FAILED, Status.TIMED_OUT):
        if status in statuses:
            return status
    return Status.SUCCESS


def _kept(text: str) -> str:
    """Return the part of a stream that the agent keeps."""
    return _cut_to(text, MAX_STREAM_BYTES)


def _cut_to(text: str, most: int) -> str:
    encoded = text.encode()
    if len(encoded) < most:
        return text
    return encoded[: most - len(_CUT)].decode(errors="ignore") + _CUT


def _summary(stdout: str, stderr: str) -> str:
    """The beginning of both streams, as the console shows it."""
    title = "\n----------ERROR-------\n" if stderr else ""
    cut_out, cut_error = "\n---Output truncated---", "\n---Error truncated----"
    out, error = stdout.encode(), stderr.encode()
    space = MAX_SUMMARY_BYTES - len(title)
    if len(out) + len(error) < space:
        return stdout + title + stderr
    if len(out) > space // 2 and len(error) > space // 2:
        half = (space - len(cut_out) - len(cut_error)) // 2
        return _start(out, half) + cut_out + title + _start(error, half) + cut_error
    if len(out) <= space // 2:
        return stdout + title + _start(error, space - len(cut_error) - len(out)) + cut_error
    return _start(out, space - len(cut_out) - len(error)) + cut_out + title + stderr


def _start(text: bytes, length: int) -> str:
    return text[:length].decode(errors="ignore")
