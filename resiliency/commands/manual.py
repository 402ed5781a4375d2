"""What `--help` says of each command besides its options: description, examples, exit status."""

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Page:
    """What is said of a command; each example is a command line and what it does.

    A command whose module gives its parser a description or an epilog keeps it.
    """

    description: str
    examples: Sequence[tuple[str, str]]
    statuses: str = "exit status: 0 for success, 1 for an error, which is printed in one line."


_DRILL: Final = "bookstore production shutdown"

MANUAL: Final[Mapping[str, Page]] = {
    "": Page(
        "Check, predict, rehearse and drill the failover of pairs of EC2 instances. Each command "
        "has a page of its own: resiliency COMMAND --help.",
        [
            ("check services", "find mistakes in service files"),
            ("timing", "how long a failover of cdk.out takes"),
            ("rehearse", "play failures of cdk.out on this machine"),
            ("drill list bookstore production", "the drills of a deployed service"),
        ],
        "exit status: 0 for success, 1 for an error, 2 for a wrong command line, 130 after Ctrl-C; "
        "some commands have more. Environment: NO_COLOR=1 prints no colours; AWS_PROFILE and the "
        "other variables of the AWS CLI choose credentials and region.",
    ),
    "init": Page(
        "",
        [
            ("init", "ask everything"),
            ("init --service shop --environment staging", "ask the rest"),
        ],
    ),
    "check": Page(
        "Check service files, without the CDK and without AWS. All mistakes are printed at once, "
        "each with its line, what was found and what is allowed. Warnings and notes follow valid "
        "files.",
        [
            ("check", "all files in services/"),
            ("check services/shop.yaml", "one file"),
        ],
        "exit status: 0 where all files are valid, whatever is warned of; else 1.",
    ),
    "adopt": Page(
        "",
        [
            ("adopt shop.example.com", "start at a DNS name"),
            (
                "adopt shop.example.com --dependency db=db.example.com:5432",
                "with what the account does not show",
            ),
        ],
    ),
    "summary": Page(
        "Print the stacks that `cdk synth` wrote, with resources, order, estimated cost and "
        "warnings. Calls no AWS API.",
        [
            ("summary", "of cdk.out"),
            ("summary build/cdk.out", "of another folder"),
        ],
    ),
    "timing": Page(
        "Compute from templates how long clients lose the service, for each kind of failure: best, "
        "median, 95th percentile and worst of simulated outages. Calls no AWS API.",
        [
            ("timing", "of cdk.out"),
            ("timing --objective 300 --strict", "fail where 300 s are missed"),
            ("timing old/ --against cdk.out --chart times.svg", "compare two designs"),
            ("timing --assume client_cache=30", "for clients that cache, such as a JVM"),
        ],
        "exit status: 0 for success; 1 for an error, for a pair without a number, and with "
        "--strict where a fault misses the objective.",
    ),
    "rehearse": Page(
        "Run the failover that templates describe on this machine, with the real probe and "
        "simulated AWS services, break it, and judge what clients saw. Needs no account and no "
        "root; listens on loopback only.",
        [
            ("rehearse", "every pair in cdk.out"),
            ("rehearse --scenario host-stops", "one failure"),
            ("rehearse --real-time --seed 7", "at the pace of reality"),
            ("rehearse --strict", "fail also for what the design does not cover"),
        ],
        "exit status: 0 where no scenario failed, else 1.",
    ),
    "review": Page(
        "Say what a change of templates does to clients, names, permissions, alarms, hosts, time "
        "and cost.",
        [
            ("review old/cdk.out cdk.out", "of two folders that `cdk synth` wrote"),
            ("review cdk.out --deployed", "against what is deployed"),
            ("review cdk.out --change-set review.json", "a change set, made from cdk.out"),
            ("review old/cdk.out cdk.out --markdown", "for a pull request"),
        ],
    ),
    "drill": Page(
        "See, start and follow the drills of a deployed service. Account and region come from the "
        "service file where there is one, or from --region and --profile.",
        [
            ("drill list bookstore production", "all drills"),
            (f"drill preview {_DRILL}", "what one would do now"),
            (f"drill start {_DRILL}", "start it, and follow it"),
        ],
    ),
    "drill list": Page(
        "List the drills of a service: what each breaks, its next and last run, and its score.",
        [("drill list bookstore production", "from services/, for account and region")],
    ),
    "drill preview": Page(
        "Show what a drill would break, expect and cost, how to stop it, and whether it would "
        "start now. Changes nothing.",
        [(f"drill preview {_DRILL}", "before it is enabled or started")],
    ),
    "drill approve": Page(
        "Approve the first run of a drill that injects its fault; it is refused until then.",
        [
            (f"drill approve {_DRILL}", "for seven days"),
            (f"drill approve {_DRILL} --days 1", "for one day"),
        ],
    ),
    "drill start": Page(
        "Start a drill now, after a confirmation, and follow it until its verdict. The drill "
        "continues in the account if this command ends.",
        [
            (f"drill start {_DRILL}", "ask, start and follow"),
            (f"drill start {_DRILL} --yes --no-follow", "in a script"),
        ],
        "exit status: 0 where the run passed, or with --no-follow was started; else 1.",
    ),
    "drill follow": Page(
        "Show the current run of a drill, or its last one, until the verdict.",
        [
            ("drill follow bookstore production", "the run of now"),
            (f"drill follow {_DRILL} --run by-hand-20261103", "an earlier one"),
        ],
        "exit status: 0 where the run passed, else 1.",
    ),
    "drill report": Page(
        "Print the last runs of each drill, or write them as a page or as JSON.",
        [
            ("drill report bookstore production", "as tables"),
            ("drill report bookstore production --html drills.html", "as a page"),
            (f"drill report {_DRILL} --last 1 --json", "the last journal"),
        ],
    ),
    "status": Page(
        "",
        [
            ("status bookstore production", "all that can be read"),
            ("status bookstore production --watch", "repeat it"),
            ("status bookstore production --json", "for a program"),
        ],
    ),
    "gate": Page(
        "",
        [
            ("gate bookstore production", "before a deployment"),
            ("gate bookstore staging --run shutdown", "run a drill first"),
            ("gate bookstore production --rehearse cdk.out", "rehearse, without an account"),
        ],
    ),
    "agent-sources": Page(
        "Write the sources of the probe's agent that a document would install, to read or compare "
        "them.",
        [
            ("agent-sources new", "of this library"),
            (
                "agent-sources new --of cdk.out/shop-production-probe.template.json",
                "of a template",
            ),
        ],
    ),
    "schema": Page(
        "Print the JSON Schema of service files, for editors and other programs.",
        [("schema", "to standard output")],
    ),
}


class _Format(argparse.HelpFormatter):
    """Wraps paragraphs, and keeps the lines of examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(
            each if "\n  " in each else textwrap.fill(" ".join(each.split()), width)
            for each in paragraphs
        )


def add_pages(of: argparse.ArgumentParser, name: str = "") -> None:
    """Add the page of a command and of each of its subcommands to their help."""
    page = MANUAL[name]
    of.formatter_class = _Format
    of.description = of.description or page.description
    examples = [f"  resiliency {line}\n      {what}" for line, what in page.examples]
    statuses = of.epilog or page.statuses
    of.epilog = "\n".join(["examples:", *examples]) + f"\n\n{statuses}"
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subcommand, parser in action.choices.items():
                add_pages(parser, f"{name} {subcommand}".strip())
