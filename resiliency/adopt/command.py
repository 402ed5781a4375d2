"""`resiliency adopt`: draft a service file, compare it with the account, and plan the adoption."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.padding import Padding

from resiliency.account import readers
from resiliency.account.account import Account
from resiliency.adopt.comparison import Comparison, compare
from resiliency.adopt.draft import draft_of
from resiliency.adopt.existing import Existing, read
from resiliency.adopt.plan import AdoptionPlan, as_json, plan_of
from resiliency.adopt.synthesis import synthesized
from resiliency.cloud_assembly import SynthesizedStack
from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.errors import FINDINGS, UsageError, UserError, reason_of
from resiliency.service_file import ServiceFileError, load
from staged_resiliency.experiment.json_codec import JsonObject

PERMISSIONS = "docs/adopting.md lists the permissions that adopt needs"


def adopt_command(options: argparse.Namespace) -> int:
    """Draft and plan the adoption of a DNS name's records; return the exit status."""
    account = Account(options.region, options.profile, permissions=PERMISSIONS)
    existing = read(account, options.record, zone=options.zone, region=options.region)
    findings, unknown = list(existing.findings), list(existing.unknown)
    if options.service_file is None:
        draft = draft_of(
            existing,
            service=options.service,
            environment=options.environment,
            targets=dict(options.dependency),
        )
        findings += draft.findings
        unknown += draft.unknown
        folder = options.out / draft.service
        file = folder / f"{draft.service}.yaml"
        _write(file, draft.text)
    else:
        file = options.service_file
        folder = options.out / _service_of(file)
    stacks = synthesized(Path.cwd(), file)
    compared = compare(existing, stacks, _named(account, stacks))
    plan = plan_of(existing, compared, str(folder), file)
    for name, content in plan.files.items():
        _write(folder / name, as_json(content))
    if any(stack.name.endswith("-probe") for stack in stacks):
        unknown.append(
            "whether something on the hosts publishes the same metrics already: stop it then"
        )
    if options.json:
        print(json.dumps(_document(file, findings, unknown, compared, plan), indent=2))
    else:
        _print(SafeConsole(), file, existing, findings, unknown, compared, plan)
    return FINDINGS if findings or unknown or compared.differences else 0


def _service_of(file: Path) -> str:
    """Return the short name of the service of a file.

    Raises:
        UsageError: The file can't be used.
    """
    if file.is_dir():
        raise UsageError(f"{file}: is a folder; give the file of one service")
    try:
        (service,) = load(file)
    except ServiceFileError as error:
        raise UsageError(*str(error).splitlines()) from None
    return service.service


def _named(
    account: Account, stacks: Sequence[SynthesizedStack]
) -> Mapping[tuple[str, str], JsonObject]:
    """Return the alarms that have the names of the templates' alarms, by region and name."""
    return {
        (stack.region, name): alarm
        for stack in stacks
        for name, alarm in readers.alarms_named(
            account.in_region(stack.region),
            [each["AlarmName"] for each in stack.properties_of("AWS::CloudWatch::Alarm")],
        ).items()
    }


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file}: can't be written: {reason_of(error)}") from None


def _document(
    file: Path,
    findings: Sequence[str],
    unknown: Sequence[str],
    compared: Comparison,
    plan: AdoptionPlan,
) -> Mapping[str, object]:
    return {
        "service_file": str(file),
        "findings": findings,
        "unknown": unknown,
        "differences": [asdict(each) for each in compared.differences],
        "resources": [
            {"kind": kind, "name": name, "action": action} for kind, name, action in plan.actions
        ],
        "steps": [asdict(step) for step in plan.steps],
        "files": sorted(plan.files),
    }


def _print(
    console: SafeConsole,
    file: Path,
    existing: Existing,
    findings: Sequence[str],
    unknown: Sequence[str],
    compared: Comparison,
    plan: AdoptionPlan,
) -> None:
    def section(title: str, lines: Sequence[str]) -> None:
        if lines:
            console.print(f"\n{title}", style="bold")
            for line in lines:
                console.print(Padding(console.render_str(line), (0, 0, 0, 2)))

    console.print(f"{existing.name}, in the zone {existing.zone_id}, region {existing.region}")
    console.say(f"service file: {file}")
    section("Found", findings)
    section("Not shown by the account; check it in the file", unknown)
    section(
        "Differs from what would be deployed",
        [
            f"{each.kind} {each.name}: {each.field}: {_shown(each.existing)} now, "
            f"{_shown(each.deployed)} deployed ({each.effect})"
            for each in compared.differences
        ],
    )
    section(
        "What becomes of each resource",
        [f"{action}: {kind} {name}" for kind, name, action in plan.actions],
    )
    console.print("\nPlan", style="bold")
    for number, step in enumerate(plan.steps, start=1):
        because = f" ({step.because})" if step.because else ""
        console.print(f"{number}. {step.title}{because}")
        for command in step.commands:
            console.say(f"     {command}")


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
