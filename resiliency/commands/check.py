"""`resiliency check`: check service files, without the CDK."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from resiliency.commands import Subparsers, add_command

if TYPE_CHECKING:
    from resiliency.service_file import Environment, Service
    from resiliency.service_file.warnings import ServiceWarning


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    check = add_command(
        commands,
        "check",
        help="check service files, without the CDK",
        description="Check service files, without the CDK and without AWS. All mistakes are "
        "printed at once, each with its line, what was found and what is allowed. Warnings and "
        "notes follow valid files.",
        examples={
            "check": "all files in services/",
            "check services/shop.yaml": "one file",
        },
        statuses="exit status: 0 where all files are valid, whatever is warned of; else 1.",
    )
    check.add_argument(
        "path",
        type=Path,
        nargs="?",
        default=Path("services"),
        help="service file or folder; services unless given",
    )
    check.set_defaults(run=run, extra="cli")


def run(options: argparse.Namespace) -> int:
    """Print the services with their warnings and notes, or fail with their problems."""
    from resiliency.service_file import load
    from resiliency.service_file.warnings import notes_of

    for service in load(options.path):
        print(f"{service.service}: valid, {len(service.environments)} environment(s)")
        for name, environment in service.environments.items():
            for warning in _warnings(service, environment):
                print(f"  warning: environments.{name}.{warning}")
            for note in notes_of(environment):
                print(f"  note: environments.{name}.{note}")
    return 0


def _warnings(service: "Service", environment: "Environment") -> "Iterator[ServiceWarning]":
    from resiliency.service_file.warnings import bare_connections, warnings_of

    yield from warnings_of(environment)
    yield from bare_connections(environment)
    if environment.objective is not None:
        # The failover-time model takes longer to load than a file takes to check.
        from resiliency.service_file.objective import objective_warnings

        yield from objective_warnings(service, environment)
