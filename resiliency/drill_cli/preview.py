"""`resiliency drill preview`: what a drill would do, and whether it would begin now."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfoNotFoundError

from rich.table import Table

from resiliency.drill_cli import wording
from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.safe_console import Screen, one_line, word
from resiliency.drill_cli.stack import DeployedDrill, DrillsStack, running
from resiliency.drill_cli.targets import Template, template_of
from resiliency.errors import UserError
from staged_resiliency.drills.runtime.client_view import served_by
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.plan import FaultKind, Plan
from staged_resiliency.drills.runtime.preflight import Findings, find, refusals
from staged_resiliency.experiment.expectations import (
    AlarmQuiet,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
)
from staged_resiliency.experiment.observations import NO_ANSWER

_NO_RUN: Final = "arn:none"
"""In place of a run's ARN: experiments of every run are another's."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What was found of a drill before it is started.

    Attributes:
        drill: The drill.
        template: Its FIS template; None where it is not there.
        found: What the drill's own preflight would find, seen from here.
        serving: The host that serves clients now, or why none does.
        reasons: Why it would not begin now; empty where nothing speaks against it.
    """

    drill: DeployedDrill
    template: Template | None
    found: Findings
    serving: str
    reasons: Sequence[str]


def preview_of(aws: Aws, stack: DrillsStack, drill: DeployedDrill, world: Context) -> Preview:
    """Look at all that a drill rests on; nothing is changed.

    Raises:
        UserError: AWS refuses, or the plan's window is none.
    """
    plan = drill.plan
    template = template_of(aws, plan)
    try:
        found = find(plan, _NO_RUN, world)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise UserError(
            f"{drill.name}: its plan can't be used: {one_line(str(error))}; deploy the drills again"
        ) from None
    reasons = list(refusals(plan, found))
    under_way = [(each, running(aws, each)) for each in stack.drills]
    reasons += [f"drill {each.name} runs: {arn}" for each, arn in under_way if arn is not None]
    reasons += _template_reasons(plan, template)
    addresses = world.resolve(plan.record.name)
    who, where = NO_ANSWER, f"{plan.record.name} can't be resolved"
    if addresses:
        who, where = served_by(plan, world, addresses[0])
    return Preview(drill, template, found, f"{who} ({where})", reasons)


def print_preview(screen: Screen, preview: Preview) -> None:
    """Print it, the answer last."""
    plan = preview.drill.plan
    screen.say(f"{plan.drill} of {plan.service} in {plan.environment}", "bold")
    facts = Table(box=None, pad_edge=False, show_header=False)
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, text in _facts(preview):
        facts.add_row(name, text)
    screen.print(facts)
    _heading(screen, "Expected")
    for each in plan.hypothesis:
        screen.say(f"  {wording.expectation(each)}")
    _heading(screen, "What clients see")
    for line in _clients(plan):
        screen.say(f"  {line}")
    _alarms(screen, preview)
    _heading(screen, "To stop it by hand")
    for command, what in wording.by_hand(plan, None, None):
        screen.say(f"  {command}")
        screen.say(f"    {what}", "dim")
    screen.say()
    if preview.reasons:
        screen.say("It would not begin now:", "bold red")
        for reason in preview.reasons:
            screen.say(f"  {reason}")
    else:
        screen.say("Nothing that can be seen from here speaks against a run now.", "bold green")


def _facts(preview: Preview) -> Sequence[tuple[str, str]]:
    plan, template, found = preview.drill.plan, preview.template, preview.found
    window = plan.window
    facts = [
        ("Fault", wording.fault(plan)),
        ("Leashed", wording.leash(plan)),
        ("Target", f"{plan.broken_host.instance_id}: {found.instance_state or 'not found'}"),
        ("FIS template", f"{plan.experiment_template_id}: {_aim(template)}"),
    ]
    if plan.fault is FaultKind.BLACKHOLE:
        facts.append(("SSM agent", found.agent or "unknown to Systems Manager"))
    facts += [
        ("Standby", f"{plan.standby.reached_at}: {found.standby} ({found.why})"),
        ("Serving now", preview.serving),
        ("Objective", wording.duration(plan.objective_seconds)),
        ("Lasts", f"{wording.duration(plan.timeouts.run)} at the most, with all its checks"),
        (
            "May begin",
            "at any time"
            if window is None
            else f"{', '.join(window.days)} {window.start} to {window.end} {window.timezone}",
        ),
    ]
    if template is not None:
        cost = template.cost(plan)
        facts.append(("Cost", f"about {cost:.2f} US dollars for AWS FIS (list price; verify)"))
    if plan.runbook:
        facts.append(("Runbook", plan.runbook))
    return facts


def _aim(template: Template | None) -> str:
    if template is None:
        return "not found"
    return f"{', '.join(template.actions)} on {', '.join(template.aimed_at) or 'nothing'}"


def _template_reasons(plan: Plan, template: Template | None) -> Sequence[str]:
    """What the drill's preflight leaves to FIS."""
    if template is None:
        return [f"FIS has no template {plan.experiment_template_id}; deploy the drills again"]
    reasons = []
    wanted = f":instance/{plan.broken_host.instance_id}"
    if len(template.aimed_at) != 1 or not template.aimed_at[0].endswith(wanted):
        aim = ", ".join(template.aimed_at) or "nothing"
        reasons.append(f"the FIS template is aimed at {aim}, not at {plan.broken} alone")
    if not template.stop_alarms:
        reasons.append("no alarm stops the FIS template: deploy the drills again")
    return reasons


def _clients(plan: Plan) -> Sequence[str]:
    if not plan.enabled:
        return ["Nothing: the drill is leashed."]
    kinds = {type(each) for each in plan.hypothesis}
    lines = []
    if ClientsMove in kinds:
        lines.append(
            f"No answer from {plan.broken} until DNS answers with {plan.standby.name}, within "
            f"{wording.duration(plan.objective_seconds)} if all is well."
        )
    if plan.predicted is not None:
        lines.append(
            f"The failover-time model says {plan.predicted.best:.0f} to {plan.predicted.worst:.0f} "
            f"s, 95 % of outages up to {plan.predicted.p95:.0f} s."
        )
    if ClientsReturn in kinds:
        lines.append(f"They are back on {plan.active.name} some minutes after the fault's end.")
    if ClientsStay in kinds:
        served = " and are served all the time" if ClientsServed in kinds else ""
        lost = ""
        if plan.broken == plan.active.name:
            lost = f"; what needs {plan.dependency or plan.broken} fails there meanwhile"
        lines.append(f"They stay on {plan.active.name}{served}{lost}.")
    return lines or ["Nothing is expected of them."]


def _alarms(screen: Screen, preview: Preview) -> None:
    plan, states = preview.drill.plan, preview.found.alarms
    _heading(screen, "Alarms now")
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
        table.add_row(word(states.get(name, "not found")), name, role)
    screen.print(table)


def _heading(screen: Screen, text: str) -> None:
    screen.say()
    screen.say(text, "bold")
