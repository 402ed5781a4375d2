"""Decides whether a delivery pipeline may go on: whether a service's failover is tested.

A drill's pass counts where its run began after the last change of what it tested: of the resources
of the failover stack and the stacks of agents, and of the drill's own state machine and template. A
stack's resources show when each was last changed, so the time of a deployment that changed nothing
else, such as a dashboard, does not matter.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rich.table import Table

from resiliency import junit
from resiliency.drill_cli.aws import STACK, STACKS, Aws, NotFoundError
from resiliency.drill_cli.dispatch import enter
from resiliency.drill_cli.follow import follow, start
from resiliency.drill_cli.listing import read_back_to_passed
from resiliency.drill_cli.progress import FollowedRun
from resiliency.drill_cli.reporting import recorded_run, sentence
from resiliency.drill_cli.safe_console import SafeConsole, one_line, styled
from resiliency.drill_cli.stack import (
    DeployedDrill,
    DeployedDrills,
    Location,
    find_stack,
    running_execution,
)
from resiliency.errors import FINDINGS, UserError, reason_of
from resiliency.report.wording import moment
from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.experiment.journal import Journal
from staged_resiliency.experiment.verdict import Status
from staged_resiliency.shared import names

_DAY: Final = 86_400.0

_ENABLE: Final = "set `enabled: true` under `drills` in the service file, and deploy it"

_UNTESTED: Final = ("AWS::CDK::Metadata", "AWS::CloudWatch::Dashboard")
"""Types of resources on which no failover depends."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate.

    Attributes:
        name: Such as ``drill shutdown``.
        status: Of a drill, that of its verdict; of other conditions, passed or failed.
        message: The reason, in one line.
        mend: The way to make it pass; empty where it passed.
    """

    name: str
    status: Status
    message: str
    mend: str = ""

    @property
    def stops(self) -> bool:
        """Whether the pipeline must stop."""
        return self.status not in (Status.PASSED, Status.NOT_COVERED)


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of a resource, in seconds since the epoch."""

    at: float
    resource: str
    stack: str


def gate(options: argparse.Namespace, rehearsal: argparse.Namespace) -> int:
    """Check the conditions that the options choose; print them and return the exit status.

    ``rehearsal`` has the options of `resiliency rehearse`, as they are unless given.

    Raises:
        UserError: They can't be checked.
    """
    began = time.monotonic()
    try:
        checks = (
            _rehearsed(options, rehearsal) if options.rehearse is not None else _deployed(options)
        )
    except UserError as error:
        _write_junit(options, [], time.monotonic() - began, str(error))
        raise
    except KeyboardInterrupt:
        raise UserError("gate: interrupted before all checks were made") from None
    _write_junit(options, checks, time.monotonic() - began)
    if options.json:
        document = {
            "service": options.service,
            "environment": options.environment,
            "passed": not any(each.stops for each in checks),
            "checks": [{**asdict(each), "status": each.status.value} for each in checks],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(SafeConsole(), options, checks)
    return FINDINGS if any(each.stops for each in checks) else 0


def _deployed(options: argparse.Namespace) -> Sequence[Check]:
    location, aws, context = enter(options, "docs/pipelines.md lists the permissions that it needs")
    stack = find_stack(aws, location)
    drill = None if options.drill is None else stack.drill(options.drill)
    checks = [no_drill_check(aws, stack, context), no_deployment_check(aws, location)]
    if drill is None:
        changes = list(changes_of(aws, location))
        checks += [
            _drill_check(aws, location, each, changes, options, context.clock())
            for each in stack.drills
        ]
    elif not any(each.stops for each in checks):
        checks.append(_run_check(aws, stack, drill, context, SafeConsole(stderr=options.json)))
    return checks


def no_drill_check(aws: Aws, stack: DeployedDrills, context: Context) -> Check:
    """Check that no drill of the service runs, nor one of another service on its instances."""
    running = [running_execution(aws, each) for each in stack.drills]
    held = [arn for each in stack.drills for arn in lock.holders(each.plan, context)]
    found = dict.fromkeys(one_line(each) for each in (*running, *held) if each is not None)
    if not found:
        message = "no drill breaks a host of this service now"
        return Check("no drill runs", Status.PASSED, message)
    return Check(
        "no drill runs",
        Status.FAILED,
        f"running: {', '.join(found)}",
        "wait for its verdict, or stop it: `aws stepfunctions stop-execution --execution-arn ARN`",
    )


def no_deployment_check(aws: Aws, location: Location) -> Check:
    """Check that no stack of the service is being changed, nor left in a failed state."""
    bad = []
    for name in _stacks(location):
        try:
            found = aws(*STACKS, StackName=name)["Stacks"]
        except NotFoundError:
            continue
        status = one_line(str(found[0]["StackStatus"]))
        if status.endswith(("_IN_PROGRESS", "_FAILED")):
            bad.append(f"{name} is in {status}")
    if not bad:
        message = "no stack of this service is being changed"
        return Check("no deployment runs", Status.PASSED, message)
    mend = "wait for its end, or repair the stack, and try again"
    return Check("no deployment runs", Status.FAILED, "; ".join(bad), mend)


def changes_of(aws: Aws, location: Location) -> Iterator[LastChange]:
    """Yield the last change of each resource on which the failover depends, or its drills.

    Raises:
        UserError: There is no failover stack.
    """
    for stack in _stacks(location):
        try:
            resources = aws.all(STACK, "StackResourceSummaries", StackName=stack)
        except NotFoundError:
            key = (location.service, location.environment)
            if stack in (names.probe_stack(*key), names.cloudwatch_agent_stack(*key)):
                continue
            raise
        for each in resources:
            if each["ResourceType"] not in _UNTESTED:
                name = one_line(each.get("PhysicalResourceId") or each["LogicalResourceId"])
                yield LastChange(each["LastUpdatedTimestamp"].timestamp(), name, stack)


def _stacks(location: Location) -> Sequence[str]:
    return [
        name(location.service, location.environment)
        for name in (
            names.failover_stack,
            names.probe_stack,
            names.cloudwatch_agent_stack,
            names.drills_stack,
        )
    ]


def _last_change(
    drill: DeployedDrill, changes: Sequence[LastChange], location: Location
) -> LastChange | None:
    """The last change of what a drill tests; of the drills' stack its own resources alone."""
    own = (drill.arn, drill.plan.experiment_template_id)  # with Gremlin there is no template
    stack = names.drills_stack(location.service, location.environment)
    tested = [each for each in changes if each.stack != stack or each.resource in own]
    return max(tested, key=lambda each: each.at, default=None)


def _drill_check(
    aws: Aws,
    location: Location,
    drill: DeployedDrill,
    changes: Sequence[LastChange],
    options: argparse.Namespace,
    now: float,
) -> Check:
    again = f"resiliency gate {location.service} {location.environment} --run {drill.name}"

    def failed(message: str, mend: str) -> Check:
        return Check(f"drill {drill.name}", Status.FAILED, message, mend)

    if not drill.plan.enabled:
        message = "its runs are dry runs, which inject no fault"
        return Check(f"drill {drill.name}", Status.DRY_RUN, message, _ENABLE)
    runs, unreadable = read_back_to_passed(aws, drill)
    if unreadable:
        return failed(
            f"a run since it passed can't be read: {unreadable[0]}",
            f"use the release that wrote it, or run the drill again: {again}",
        )
    judged = (Status.PASSED, Status.FAILED)
    last = max(
        (each for each in runs if each.journal.verdict.status in judged),
        key=lambda each: each.at,
        default=None,
    )
    if last is None:
        return failed("it has never passed", f"run it: {again}")
    at = moment(last.at)
    if last.journal.verdict.status is Status.FAILED:
        return failed(
            f"its last run failed, on {at}: {sentence(last.journal)}",
            f"mend what failed, then run it again: {again}",
        )
    days = int((now - last.at) // _DAY)
    if days > options.freshness:
        return failed(
            f"it passed {days} d ago, on {at}; at most {options.freshness} count",
            f"run it again: {again}",
        )
    change = None if options.any_deployment else _last_change(drill, changes, location)
    began = last.journal.began_at
    if change is not None and (began is None or began <= change.at):
        return failed(
            f"it passed on {at}, before {change.resource} of {change.stack} was changed on "
            f"{moment(change.at)}",
            f"run it on what is deployed now: {again}; or count earlier deployments too: "
            "--any-deployment",
        )
    since = "" if change is None else f", after the last change, on {moment(change.at)}"
    return Check(f"drill {drill.name}", Status.PASSED, f"passed on {at}, {days} d ago{since}")


def _run_check(
    aws: Aws, stack: DeployedDrills, drill: DeployedDrill, context: Context, console: SafeConsole
) -> Check:
    started = start(aws, stack, drill.name, console, context.clock(), confirmed=True)
    assert started is not None  # noqa: S101 - it is confirmed
    run = FollowedRun(aws, *started)
    follow(run, aws, console, context)
    recorded = recorded_run(aws, drill.plan, run.name)
    if recorded is None:  # Ctrl-C ended the view
        raise KeyboardInterrupt
    journal = recorded.journal
    mend = "" if journal.verdict.status is Status.PASSED else _mend(journal, drill)
    return Check(f"drill {drill.name}", journal.verdict.status, sentence(journal), mend)


def _mend(journal: Journal, drill: DeployedDrill) -> str:
    if journal.verdict.status is Status.DRY_RUN:
        return _ENABLE
    return (
        f"resiliency drill report {drill.plan.service} {drill.plan.environment} {drill.name} "
        "shows its runs"
    )


def _rehearsed(options: argparse.Namespace, rehearsal: argparse.Namespace) -> Sequence[Check]:
    from resiliency.rehearsal.command import rehearse_pairs

    rehearsal.paths = options.rehearse or rehearsal.paths
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
        found = rehearse_pairs(rehearsal, options.service, options.environment)
    checks = []
    for each in found.journals:
        verdict = each["verdict"]
        checks.append(
            Check(
                f"rehearsal of {each['record']}: {each['experiment']}",
                Status(verdict["status"]),
                one_line(verdict["message"]),
                ""
                if verdict["status"] == Status.PASSED.value
                else f"see {rehearsal.out}/index.html",
            )
        )
    checks += [
        Check("rehearsal", Status.FAILED, f"left out: {why}", "give the templates that it needs")
        for why in found.left_out
    ]
    return checks


def _print(console: SafeConsole, options: argparse.Namespace, checks: Sequence[Check]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    worst_first = sorted(checks, key=lambda each: not each.stops)
    for each in worst_first:
        table.add_row(styled(each.status.value), each.name, each.message)
    console.print(table)
    for each in worst_first:
        if each.mend:  # in one piece, so that a command can be copied
            console.say(f"-> {each.name}: {each.mend}")
    stopped = sum(each.stops for each in checks)
    where = f"{options.service} in {options.environment}"
    if stopped:
        console.say(f"stop: {stopped} of {len(checks)} checks of {where} did not pass", "bold red")
    else:
        console.say(f"go on: all {len(checks)} checks of {where} passed", "bold green")


def _write_junit(
    options: argparse.Namespace, checks: Sequence[Check], seconds: float, error: str = ""
) -> None:
    if options.junit is None:
        return
    cases = [
        junit.Case(
            each.name,
            failure=f"{each.message}\n{each.mend}" if each.stops else "",
            skipped=each.message if each.status is Status.NOT_COVERED else "",
        )
        for each in checks
    ]
    if error:
        cases = [junit.Case("gate", error=error)]
    suite = f"resiliency gate {options.service} {options.environment}"
    try:
        options.junit.write_bytes(junit.document(suite, cases, seconds))
    except OSError as problem:
        raise UserError(f"{options.junit}: can't be written ({reason_of(problem)})") from None
