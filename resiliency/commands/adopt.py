"""`resiliency adopt`: describe an existing set-up as a service file, and plan to take it over."""

import argparse
import re
from pathlib import Path

from resiliency.commands import Subparsers, add_command
from resiliency.errors import NOT_ASKED, STATUSES_HELP

_TARGET = re.compile(r"(?P<name>[a-z][a-z0-9-]*)=(?P<host>[^\s:=]+):(?P<port>[0-9]{1,5})")


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    adopt = add_command(
        commands,
        "adopt",
        help="write the service file of what exists, and plan to take it over without a gap",
        description="Reads the account and changes nothing in it. Writes a service file and the "
        "files of the plan to a folder. Run it in the folder of the CDK application.",
        examples={
            "adopt shop.example.com": "start at a DNS name",
            "adopt shop.example.com --dependency db=db.example.com:5432": "with what the account "
            "does not show",
        },
        statuses=STATUSES_HELP,
    )
    adopt.add_argument("record", metavar="RECORD", help="the DNS name that clients use")
    adopt.add_argument(
        "--region", help="region of the alarms; that of the health check's alarm unless given"
    )
    adopt.add_argument("--zone", metavar="ID", help="the hosted zone, where several have the name")
    adopt.add_argument(
        "--service-file",
        type=Path,
        metavar="FILE",
        help="compare with this file, for example after you have edited the written one; none is "
        "written then",
    )
    adopt.add_argument("--profile", help="profile of the AWS configuration")
    adopt.add_argument("--service", metavar="NAME", help="short name of the service")
    adopt.add_argument(
        "--environment",
        default="production",
        metavar="NAME",
        help="short name of the environment; production unless given",
    )
    adopt.add_argument(
        "--dependency",
        type=_target,
        action="append",
        default=[],
        metavar="NAME=HOST:PORT",
        help="what the hosts connect to, which AWS does not know; repeatable",
    )
    adopt.add_argument(
        "--out",
        type=Path,
        default=Path("out/adopt"),
        metavar="FOLDER",
        help="where a folder of the service is written; out/adopt unless given",
    )
    adopt.add_argument("--json", action="store_true", help="print JSON in place of text")
    adopt.set_defaults(run=run, extra="drill", status_not_asked=NOT_ASKED)


def run(options: argparse.Namespace) -> int:
    """Draft a service file, compare it with the account, and plan the adoption."""
    from resiliency.adopt.command import adopt_command

    return adopt_command(options)


def _target(text: str) -> tuple[str, tuple[str, int]]:
    found = _TARGET.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=HOST:PORT")
    return found["name"], (found["host"], int(found["port"]))
