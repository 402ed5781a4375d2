"""`resiliency rehearse`: run the failover that templates describe on this machine."""

import argparse
from pathlib import Path
from typing import Final

from resiliency.commands import Subparsers, add_command, add_templates

DEFAULT_SCALE: Final = 20.0
"""At this scale a period of 60 s passes in 3 s."""

MOST_SCALE: Final = 120.0
"""Above it, the scheduling of processes would take minutes of the service."""


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    rehearse = add_command(
        commands,
        "rehearse",
        help="run the failover that templates describe on this machine, and judge it",
        description="Run the failover that templates describe on this machine, with the real probe "
        "and simulated AWS services, break it, and judge what clients saw. Needs no account and no "
        "root; listens on loopback only.",
        examples={
            "rehearse": "every pair in cdk.out",
            "rehearse --scenario host-stops": "one failure",
            "rehearse --real-time --seed 7": "at the pace of reality",
            "rehearse --strict": "fail also for what the design does not cover",
        },
        statuses="exit status: 0 where no scenario failed, else 1.",
    )
    add_templates(rehearse)
    rehearse.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME",
        help="run only this scenario, for each pair that has it; repeatable",
    )
    rehearse.add_argument(
        "--record", metavar="NAME", help="the DNS name of one pair; all pairs unless given"
    )
    rehearse.add_argument(
        "--host",
        type=_host_address,
        action="append",
        default=[],
        metavar="NAME=ADDRESS",
        help="address of a host that no template contains; repeatable",
    )
    rehearse.add_argument(
        "--objective",
        type=_seconds,
        metavar="SECONDS",
        help="time for clients to leave a host; from the templates unless given, else 600",
    )
    rehearse.add_argument(
        "--time-scale",
        type=_scale,
        default=DEFAULT_SCALE,
        metavar="N",
        help=f"seconds of the service in one second here, from 1 to {MOST_SCALE:g}; "
        f"{DEFAULT_SCALE:g} unless given",
    )
    rehearse.add_argument(
        "--real-time", action="store_const", const=1.0, dest="time_scale", help="--time-scale 1"
    )
    rehearse.add_argument(
        "--seed", type=int, default=0, help="the same seed gives the same phases and delays"
    )
    rehearse.add_argument(
        "--at-once",
        type=_count,
        metavar="N",
        help="run so many scenarios at the same time; all unless given",
    )
    rehearse.add_argument(
        "--strict",
        action="store_true",
        help="exit with status 1 also for a scenario that the design does not cover, where a "
        "change of the design would",
    )
    rehearse.add_argument(
        "--out",
        type=Path,
        default=Path("out/rehearsal"),
        metavar="FOLDER",
        help="folder of the report; out/rehearsal unless given",
    )
    rehearse.set_defaults(run=run, extra="rehearsal")


def defaults() -> argparse.Namespace:
    """Return the default values of the options."""
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    return parser.parse_args(["rehearse"])


def run(options: argparse.Namespace) -> int:
    """Rehearse, print verdicts and write the report."""
    from resiliency.rehearsal.command import rehearse_pairs

    return rehearse_pairs(options).status


def _host_address(text: str) -> tuple[str, str]:
    name, equals, address = text.rpartition("=")  # a Name tag may have one too
    if not (name and equals and address):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=ADDRESS")
    return name, address


def _number(text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least:g} to {most:g}")
    return number


def _scale(text: str) -> float:
    return _number(text, 1, MOST_SCALE)


def _seconds(text: str) -> float:
    return _number(text, 1, 86_400)


def _count(text: str) -> int:
    return int(_number(text, 1, 100))
