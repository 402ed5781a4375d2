"""`resiliency review`: list what a change does, before it is deployed."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from resiliency.commands import Subparsers, add_command
from resiliency.errors import FINDINGS, NOT_ASKED, STATUSES_HELP, UsageError

LEVELS = ("danger", "warning", "note")


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    review = add_command(
        commands,
        "review",
        help="what a change does to clients, names, permissions, alarms, hosts, time and cost",
        description="Say what a change of templates does to clients, names, permissions, alarms, "
        "hosts, time and cost.",
        examples={
            "review old/cdk.out cdk.out": "of two folders that `cdk synth` wrote",
            "review cdk.out --deployed": "against what is deployed",
            "review cdk.out --change-set review.json": "a change set, made from cdk.out",
            "review old/cdk.out cdk.out --markdown": "for a pull request",
        },
        statuses=STATUSES_HELP,
    )
    review.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folders that `cdk synth` wrote, or templates: before and after; with --change-set or "
        "--deployed only the one after",
    )
    before = review.add_mutually_exclusive_group()
    before.add_argument(
        "--change-set",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="what `aws cloudformation describe-change-set --include-property-values` printed; "
        "repeatable",
    )
    before.add_argument(
        "--deployed",
        action="store_true",
        help="read the deployed templates, and whether drills run",
    )
    review.add_argument("--profile", help="profile of the AWS configuration, for --deployed")
    output = review.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print JSON in place of text")
    output.add_argument(
        "--markdown", action="store_true", help="print a comment for a pull request"
    )
    review.add_argument(
        "--fail-on",
        choices=LEVELS,
        default=LEVELS[0],
        help="exit with 1 from this level on; danger unless given",
    )
    review.set_defaults(run=run, extra="review", status_not_asked=NOT_ASKED)


def run(options: argparse.Namespace) -> int:
    """Print the findings on a change."""
    from resiliency.cloud_assembly import SynthesizedStack
    from resiliency.review.change_set import read_change_set, stacks_before, with_actions
    from resiliency.review.changes import changes_between
    from resiliency.review.findings import Level
    from resiliency.review.review import review
    from resiliency.review.sides import Sides, read_stacks

    one_side = bool(options.change_set or options.deployed)
    if len(options.paths) != 2 - one_side:
        wanted = "one folder, the one after" if one_side else "two folders, before and after"
        raise UsageError(f"resiliency review: {len(options.paths)} given; give {wanted}")
    if options.profile and not options.deployed:
        raise UsageError("--profile: applies only with --deployed; give both")
    now, running = datetime.now(timezone.utc), None
    after: Sequence[SynthesizedStack] = read_stacks(options.paths[-1])
    before: Sequence[SynthesizedStack]
    if options.deployed:
        from resiliency.review.deployed import as_deployed, read_deployed

        deployed = read_deployed(after, options.profile)
        before, running = deployed.stacks, deployed.running
        after = [as_deployed(each) for each in after if each.name not in deployed.not_asked]
        for name in deployed.not_asked:
            print(f"{name}: is in another account, and left out", file=sys.stderr)
        changes = changes_between(before, after)
    elif options.change_set:
        change_sets = [read_change_set(each) for each in options.change_set]
        before, after = stacks_before(after, change_sets)
        changes = with_actions(changes_between(before, after), after, change_sets)
    else:
        before = read_stacks(options.paths[0])
        changes = changes_between(before, after)
    found = review(Sides(before, after, changes, now, running))
    # rich takes longer to load than templates take to compare
    from resiliency.drill_cli.safe_console import SafeConsole
    from resiliency.review.output import markdown_of, print_review

    if options.json:
        print(json.dumps(found.to_json(), indent=2))
    elif options.markdown:
        print(markdown_of(found))
    else:
        print_review(found, SafeConsole())
    return FINDINGS if found.has(Level(options.fail_on)) else 0
