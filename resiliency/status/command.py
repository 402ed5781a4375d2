"""Runs `resiliency status`: once, or again and again until Ctrl-C."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from resiliency.account.account import Account
from resiliency.drill_cli.dispatch import local_context
from resiliency.drill_cli.safe_console import STYLES, SafeConsole, visible
from resiliency.drill_cli.stack import find_location
from resiliency.errors import FINDINGS, NOT_ASKED, UsageError, UserError
from resiliency.status.checks import CHECKS, Check, drift
from resiliency.status.deployed import Deployed, read_deployed
from resiliency.status.sections import Section, StatusReport
from staged_resiliency.drills.runtime.context import Context

PERMISSIONS: Final = "docs/status.md has the policy that it needs"

WATCH_SECONDS: Final = 15.0
"""Interval between two reads of the account."""

_STYLES: Final = {**STYLES, "healthy": "green", "unhealthy": "bold red", "Success": "green"}


def status(options: argparse.Namespace) -> int:
    """Print the status, and return the exit status.

    Raises:
        UserError: The account can't be asked, or nothing is deployed.
    """
    if options.watch and (options.json or options.drift):
        raise UsageError(
            "--watch: redraws its output again and again; leave --json and --drift out"
        )
    location = find_location(
        options.service, options.environment, services=options.services, region=options.region
    )
    account = Account(location.region, options.profile, permissions=PERMISSIONS)
    context = local_context(account.home)
    checks = {**CHECKS, **({"drift": drift} if options.drift else {})}
    if options.watch:
        return _watch(lambda: read_deployed(location, account), checks, context)
    found = status_of(read_deployed(location, account), checks, context)
    if options.json:
        print(json.dumps(as_json(found), indent=2))
    else:
        SafeConsole().print(page(found), crop=False)
    return exit_status(found)


def status_of(deployed: Deployed, checks: Mapping[str, Check], context: Context) -> StatusReport:
    """Make all checks; a check that can't read from AWS does not prevent the others."""
    sections = []
    for title, check in checks.items():
        section = Section(title)
        try:
            check(deployed, context, section)
        except UserError as error:
            section.not_asked.append(str(error))
        sections.append(section)
    where = deployed.location
    return StatusReport(where.service, where.environment, context.clock(), sections)


def exit_status(found: StatusReport) -> int:
    """Return 1 where something is not well, else 3 where something could not be asked."""
    if found.findings:
        return FINDINGS
    return NOT_ASKED if found.not_asked else 0


def as_json(found: StatusReport) -> Mapping[str, object]:
    """Return a status as a JSON object."""
    return {
        "service": found.service,
        "environment": found.environment,
        "at": datetime.fromtimestamp(found.at, timezone.utc).isoformat(timespec="seconds"),
        "findings": [{"section": title, **asdict(finding)} for title, finding in found.findings],
        "not_asked": list(found.not_asked),
        "sections": [
            {"title": each.title, "rows": [asdict(row) for row in each.rows]}
            for each in found.sections
        ],
    }


def page(found: StatusReport, *, live: bool = False) -> Group:
    """Return a status as text: findings first, then all that was found.

    What to do is not wrapped, so that commands can be copied, except on a page that renews itself.
    """
    at = datetime.fromtimestamp(found.at, timezone.utc)
    parts: list[Text | Table] = [
        _text(f"{found.service} in {found.environment}, {at:%Y-%m-%d %H:%M:%S} UTC", "bold")
    ]
    if not found.findings and not found.not_asked:
        parts.append(_text("All is well.", "bold green"))
    for title, finding in found.findings:
        parts.append(_text(f"! {title}: {finding.message}", "bold red"))
        if finding.mend:
            mend = _text(f"  -> {finding.mend}")
            if not live:
                mend.no_wrap, mend.overflow = True, "ignore"
            parts.append(mend)
    parts += [_text(f"? could not be asked: {each}", "yellow") for each in found.not_asked]
    parts += [part for each in found.sections for part in _section(each)]
    return Group(*parts)


def _section(section: Section) -> Sequence[Text | Table]:
    if not section.rows:
        return []
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    for row in section.rows:
        state = _text(row.state or "-", _STYLES.get(row.state, ""))
        table.add_row(state, _text(row.name), _text(row.text))
    return [_text(f"\n{section.title}", "bold"), table]


def _text(text: str, style: str = "") -> Text:
    return Text(visible(text), style)


def _watch(read: Callable[[], Deployed], checks: Mapping[str, Check], context: Context) -> int:
    console, latest = SafeConsole(), None
    with Live(console=console, auto_refresh=False, redirect_stderr=False, screen=False) as live:
        try:
            while True:
                try:
                    latest = status_of(read(), checks, context)
                    shown = page(latest, live=True)
                except UserError as error:
                    # Shown, and asked again: the network may be back, or a stack deployed.
                    shown = Group(
                        *([page(latest, live=True)] if latest else []), _text(str(error), "yellow")
                    )
                live.update(shown, refresh=True)
                context.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            pass
    return NOT_ASKED if latest is None else exit_status(latest)
