"""`resiliency init`: write a first service file."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from resiliency.commands import Subparsers
from resiliency.errors import STATUSES_HELP, USAGE, UsageError, UserError, reason_of

if TYPE_CHECKING:
    from resiliency.service_file.new_file import Question

_OPTIONS = {
    "service": "short name of the service",
    "account": "AWS account id",
    "region": "AWS region of the hosts",
    "record": "DNS name that clients use",
    "zone-id": "id of its hosted zone",
    "blue": "the host that serves now: NAME,INSTANCE-ID,ADDRESS",
    "green": "the standby: NAME,INSTANCE-ID,ADDRESS",
    "email": "e-mail address to notify",
}


def add(commands: Subparsers) -> None:
    """Add the arguments."""
    init = commands.add_parser(
        "init",
        help="write a first service file",
        description="Asks what no option gives, and writes a service file with comments.",
        epilog=STATUSES_HELP,
    )
    for name, text in _OPTIONS.items():
        init.add_argument(f"--{name}", metavar="VALUE", help=text)
    init.add_argument(
        "--zone-name", metavar="NAME", help="the hosted zone; the record's parent unless given"
    )
    init.add_argument(
        "--environment", default="production", metavar="NAME", help="production unless given"
    )
    init.add_argument(
        "--folder",
        type=Path,
        default=Path("services"),
        metavar="FOLDER",
        help="where the file is written, as SERVICE.yaml; services unless given",
    )
    init.set_defaults(run=run, extra="cli", status_not_asked=USAGE)


def run(options: argparse.Namespace) -> int:
    """Ask, check and write."""
    from resiliency.service_file.new_file import QUESTIONS, new_file

    answers: dict[str, str] = {}
    given = {each.key: getattr(options, each.key.replace("-", "_")) for each in QUESTIONS}
    missing = [f"--{key}" for key, value in given.items() if value is None]
    if missing and not sys.stdin.isatty():
        raise UsageError(f"init: give {', '.join(missing)}; the input is no terminal to ask in")
    for question in QUESTIONS:
        answers[question.key] = _answer(question, given)
    file: Path = options.folder / f"{answers['service']}.yaml"
    if file.exists():
        raise UsageError(f"{file}: exists already; init overwrites nothing")
    text = new_file(answers, environment=options.environment, zone_name=options.zone_name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except OSError as error:
        raise UserError(f"{file}: can't be written: {reason_of(error)}") from None
    print(f"{file}: written; `resiliency check {options.folder}` checks it with its neighbours")
    return 0


def _answer(question: "Question", given: Mapping[str, str | None]) -> str:
    """Return the answer of an option, or ask until there is a valid one."""
    value = given[question.key]
    if value is not None:
        try:
            return question.check(value)
        except ValueError as error:
            raise UsageError(f"--{question.key}: {error}") from None
    while True:
        try:
            return question.check(input(f"{question.text} (like {question.example}): ").strip())
        except ValueError as error:
            print(f"  {error}")
        except EOFError:
            raise UsageError(f"init: no answer for --{question.key}") from None
