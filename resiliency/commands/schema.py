"""`resiliency schema`: print the JSON Schema of service files."""

import argparse
import json

from resiliency.commands import Subparsers, add_command


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    schema = add_command(
        commands,
        "schema",
        help="print the JSON Schema of service files",
        description="Print the JSON Schema of service files, for editors and other programs.",
        examples={"schema": "to standard output"},
    )
    schema.set_defaults(run=run, extra="cli")


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    from resiliency.service_file.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
    return 0
