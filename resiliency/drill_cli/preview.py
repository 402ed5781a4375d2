"""`resiliency drill preview`: what a drill would do, and whether it would start now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfoNotFoundError

from rich.table import Table

from resiliency.drill_cli.aws import TEMPLATE, Aws, NotFoundError
from resiliency.drill_cli.safe_console import SafeConsole, one_line, styled
from resiliency.drill_cli.stack import DeployedDrill, DeployedDrills, running_execution
from resiliency.errors import UserError
from resiliency.report.wording import bound
from staged_resiliency.drills.runtime import lock
from staged_resiliency.drills.runtime.client_view import ask_for
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.preflight import Findings, approval_of, inspect, refusals
from staged_resiliency.drills.runtime.wording import describe_fault, duration, stop_commands
from staged_resiliency.experiment.expectations import (
    AlarmQuiet,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
    describe,
)

ACTION_MINUTE: Final = Decimal("0.10")
"""US dollars for each action and minute, https://aws.amazon.com/fis/pricing/"""


_NO_RUN: Final = "arn:none"
"""In place of a run's ARN: a preview counts the experiments of every run."""


@dataclass(frozen=True, slots=True)
class Template:
    """A FIS experiment template.

    Attributes:
        targets: ARNs of its targets, or how they are chosen.
        actions: IDs of its actions, such as ``aws:ec2:stop-instances``.
        stop_alarms: ARNs of the alarms that stop it.
    """

    targets: Sequence[str]
    actions: Sequence[str]
    stop_alarms: Sequence[str]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a drill would do, and whether it would start now.

    Attributes:
        template: Its FIS template; None where it does not exist, and with Gremlin.
        found: The findings of the drill's preflight, from this machine.
        serving: The host that serves clients now, or why none does.
        reasons: Why a run would be refused now; empty where it would start.
    """

    drill: DeployedDrill
    template: Template | None
    found: Findings
    serving: str
    reasons: Sequence[str]


def preview_of(aws: Aws, stack: DeployedDrills, drill: DeployedDrill, context: Context) -> Preview:
    """Check every condition for a drill to start; change nothing.

    Raises:
        UserError: AWS refuses, or the plan's window is invalid.
    """
    plan = drill.plan
    template = template_of(aws, plan) if plan.guarded_by_fis else None
    try:
        found = inspect(plan, _NO_RUN, context, ask_gremlin=False)
        client = ask_for(plan, plan.record.name, context)
    except AwsError as error:
        raise UserError(f"{drill.name}: the function in the VPC failed: {error}") from None
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise UserError(
            f"{drill.name}: its plan can't be used: {one_line(str(error))}; deploy the drills again"
        ) from None
    reasons = list(refusals(plan, found))
    missing, _ = approval_of(plan, context)
    reasons += [missing] if missing else []
    running = [(each, running_execution(aws, each)) for each in stack.drills]
    ours = [f"drill {each.name} is running: {arn}" for each, arn in running if arn is not None]
    # Another service's drill may hold the lock, or the pause after the last one.
    reasons += ours or lock.refusals(plan, context)
    reasons += _template_reasons(plan, template) if plan.guarded_by_fis else []
    serving = f"{client.host} ({client.reason})"
    if client.host != plan.active.name:
        reasons.append(
            f"{plan.active.name} does not serve clients, so a run ends before its fault; found: "
            f"{serving}"
        )
    return Preview(drill, template, found, serving, reasons)


def template_of(aws: Aws, plan: Plan) -> Template | None:
    """Read the template of a drill; None where it does not exist."""
    try:
        answer = aws(*TEMPLATE, id=plan.experiment_template_id)["experimentTemplate"]
    except NotFoundError:
        return None
    found: Sequence[Mapping[str, Any]] = list(answer.get("targets", {}).values())
    targets = [one_line(arn) for each in found for arn in each.get("resourceArns", ())]
    for each in found:
        tags = each.get("resourceTags", {})
        targets += [one_line(f"all with the tag {key}={value}") for key, value in tags.items()]
    return Template(
        targets=targets,
        actions=[one_line(each["actionId"]) for each in answer.get("actions", {}).values()],
        stop_alarms=[
            one_line(each.get("value", ""))
            for each in answer.get("stopConditions", ())
            if each.get("source") == "aws:cloudwatch:alarm"
        ],
    )


def print_preview(console: SafeConsole, preview: Preview) -> None:
    """Print a preview; the last line says whether the drill would start now."""
    plan = preview.drill.plan
    console.say(f"{plan.drill} of {plan.service} in {plan.environment}", "bold")
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, text in _facts(preview):
        facts.add_row(name, text)
    console.print(facts)
    _heading(console, "Expected")
    for each in plan.hypothesis:
        console.say(f"  {describe(each)}, {bound(each, plan.objective_seconds)}")
    _heading(console, "What clients see")
    for line in _clients(plan):
        console.say(f"  {line}")
    _alarms(console, preview)
    _heading(console, "To stop it by hand")
    for command, effect in stop_commands(plan, None, None).items():
        console.say(f"  {command}")
        console.say(f"    {effect}", "dim")
    console.say()
    if preview.reasons:
        console.say("It would not start now:", "bold red")
        for reason in preview.reasons:
            console.say(f"  {reason}")
    else:
        console.say("It would start now, as far as this computer can check.", "bold green")


def _facts(preview: Preview) -> Sequence[tuple[str, str]]:
    plan, template, found = preview.drill.plan, preview.template, preview.found
    facts = [
        ("Fault", describe_fault(plan)),
        ("Dry run", "no" if plan.enabled else "yes: injects no fault"),
        ("Target", _target(plan, found)),
        _engine(plan, template),
    ]
    if plan.fault.runs_on_host and plan.gremlin is None:
        facts.append(("SSM agent", found.agent or "unknown to Systems Manager"))
    facts += [
        ("Standby", f"{plan.standby.reached_at}: {found.standby} ({found.reason})"),
        ("Serving now", preview.serving),
        ("Asked", f"{plan.endpoint}"),
        ("Objective", duration(plan.objective_seconds)),
        ("Lasts", f"{duration(plan.timeouts.run)} at the most, with all its checks"),
        ("May start", str(plan.window)),
    ]
    if plan.blackout:
        facts.append(("Not on", ", ".join(plan.blackout)))
    if plan.change_calendars:
        facts.append(("Obeys", f"change calendars {', '.join(plan.change_calendars)}"))
    if plan.notice_seconds:
        notice = duration(plan.notice_seconds)
        facts.append(("Announced", f"{notice} before the fault, where a fault is injected"))
    if template is not None:
        minutes = -(-plan.fault_seconds // 60)
        cost = ACTION_MINUTE * minutes * max(1, len(template.actions))
        facts.append(("Cost", f"about {cost:.2f} US dollars for AWS FIS (list price; verify)"))
    if plan.runbook:
        facts.append(("Runbook", plan.runbook))
    return facts


def _target(plan: Plan, found: Findings) -> str:
    """Describe what the drill breaks, and its state."""
    if plan.database is not None:
        return f"{plan.database}: {found.database or 'not found'}"
    if plan.origin is not None:
        return f"distribution {plan.origin.distribution_id}, {plan.primary}"
    return f"{plan.target_host.instance_id}: {found.instance_state or 'not found'}"


def _engine(plan: Plan, template: Template | None) -> tuple[str, str]:
    if plan.origin is not None:
        return "Injected by", f"a statement in the policy of the bucket {plan.origin.bucket}"
    if plan.gremlin is None:
        return "FIS template", f"{plan.experiment_template_id}: {_describe(template)}"
    attack = plan.gremlin
    shown = f"{attack.kind} {' '.join(attack.args)}, team {attack.team_id}"
    return "Gremlin", f"{shown}; not asked, as its key stays in the account"


def _describe(template: Template | None) -> str:
    if template is None:
        return "not found"
    return f"{', '.join(template.actions)} on {', '.join(template.targets) or 'nothing'}"


def _template_reasons(plan: Plan, template: Template | None) -> Sequence[str]:
    """Reasons why FIS would refuse a run, which the drill's preflight does not check."""
    if template is None:
        return [f"FIS has no template {plan.experiment_template_id}; deploy the drills again"]
    reasons = []
    wanted = f":{plan.aim}"
    if len(template.targets) != 1 or not template.targets[0].endswith(wanted):
        targets = ", ".join(template.targets) or "nothing"
        aim = plan.target if plan.database is None else plan.database
        reasons.append(f"the FIS template targets {targets}, not {aim} alone")
    if not template.stop_alarms:
        reasons.append("no alarm stops the FIS template: deploy the drills again")
    return reasons


def _clients(plan: Plan) -> Sequence[str]:
    if not plan.enabled:
        return ["Nothing: it is a dry run."]
    kinds = {type(each) for each in plan.hypothesis}
    lines = []
    if ClientsMove in kinds:
        target = plan.target if plan.origin is None else plan.primary
        lines.append(
            f"No answer from {target} until DNS answers with {plan.secondary}, within "
            f"{duration(plan.objective_seconds)} if all is well."
        )
    if plan.predicted is not None:
        lines.append(
            f"The failover-time model says {plan.predicted.best:.0f} to {plan.predicted.worst:.0f} "
            f"s, 95 % of outages up to {plan.predicted.p95:.0f} s."
        )
    if ClientsReturn in kinds:
        lines.append(f"They are back on {plan.primary} some minutes after the fault's end.")
    if ClientsStay in kinds:
        served = " and are served all the time" if ClientsServed in kinds else ""
        lost = ""
        if plan.database is not None:
            served = ""
            lost = f"; what needs {plan.dependency} fails on both hosts until it has failed over"
        elif plan.origin is not None:
            lost = f"; what needs {plan.dependency} may fail until DNS answers with the secondary"
        elif plan.target == plan.active.name:
            suffers = "is slower" if plan.fault is FaultKind.DEGRADE else "fails"
            lost = f"; what needs {plan.dependency or plan.target} {suffers} there meanwhile"
        who = "They" if plan.origin is None else f"Clients of {plan.record.name}"
        lines.append(f"{who} stay on {plan.active.name}{served}{lost}.")
    if ClientsServedAgain in kinds:
        lines.append(f"All of them are served again within {duration(plan.objective_seconds)}.")
    return lines or ["The hypothesis has no expectation of clients."]


def _alarms(console: SafeConsole, preview: Preview) -> None:
    plan, states = preview.drill.plan, preview.found.alarms
    _heading(console, "Alarms now")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_column(style="dim")
    quiet = [each.alarm for each in plan.hypothesis if isinstance(each, AlarmQuiet)]
    roles = {
        **dict.fromkeys(plan.alarms, "may fire"),
        **dict.fromkeys(quiet, "must stay quiet"),
        **dict.fromkeys(plan.expected_alarms, "must fire"),
        **dict.fromkeys(plan.guard_alarms, "guard: stops the drill"),
    }
    for name, role in roles.items():
        table.add_row(styled(states.get(name, "not found")), name, role)
    console.print(table)


def _heading(console: SafeConsole, text: str) -> None:
    console.say()
    console.say(text, "bold")
