"""`resiliency init`: write a first service file, or an application for service files."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from resiliency.commands import Subparsers, add_command
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
    init = add_command(
        commands,
        "init",
        help="write a first service file, or an application for service files",
        description="Asks what no option gives, and writes a service file with comments. With "
        "--app it writes a CDK application that deploys service files, with this service or, where "
        "no option describes one, an example.",
        examples={
            "init": "ask everything",
            "init --service shop --environment staging": "ask the rest",
        },
        statuses=STATUSES_HELP,
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
        metavar="FOLDER",
        help="where the file is written, as SERVICE.yaml; services unless given",
    )
    init.add_argument("--app", type=Path, metavar="FOLDER", help="write an application to a folder")
    init.add_argument(
        "--wheel",
        metavar="FILE",
        help="file or URL from which the application installs this package; where it was "
        "installed from unless given",
    )
    init.add_argument(
        "--pipeline",
        choices=("github", "gitlab", "jenkins", "codepipeline"),
        help="the application's pipeline; github unless given",
    )
    init.set_defaults(run=run, extra="cli", status_not_asked=USAGE)


def run(options: argparse.Namespace) -> int:
    """Ask for values that no option gives, check them, and write the files."""
    from resiliency.service_file.new_file import QUESTIONS

    given = {each.key: getattr(options, each.key.replace("-", "_")) for each in QUESTIONS}
    if options.app is not None:
        if options.folder is not None:
            raise UsageError(
                "init: --folder can't be given with --app, which writes to FOLDER/services"
            )
        return _write_application(options, given)
    for name in ("wheel", "pipeline"):
        if getattr(options, name) is not None:
            raise UsageError(f"init: --{name} applies to an application; give --app FOLDER too")
    folder: Path = options.folder or Path("services")
    service, text = _described(options, given)
    file = folder / f"{service}.yaml"
    _write({file: text.encode()})
    print(f"{file}: written; `resiliency check {folder}` checks all files there")
    return 0


def _write_application(options: argparse.Namespace, given: Mapping[str, str | None]) -> int:
    """Write an application into a new folder."""
    from resiliency.new_application import EXAMPLE, new_application

    app: Path = options.app
    service = _described(options, given) if any(given.values()) else None
    files = new_application(service, wheel=options.wheel, pipeline=options.pipeline or "github")
    _write({app / name: content for name, content in files.items()})
    print(f"{app}: written; `make demo` in it installs what it needs, and writes the templates")
    if service is None:
        print(f"{app}/services/{EXAMPLE}.yaml is an example: replace it before you deploy")
    return 0


def _described(options: argparse.Namespace, given: Mapping[str, str | None]) -> tuple[str, str]:
    """Return the name of the service and the text of its file, from options and answers."""
    from resiliency.service_file.new_file import QUESTIONS, new_file

    missing = [f"--{key}" for key, value in given.items() if value is None]
    if missing and not sys.stdin.isatty():
        raise UsageError(f"init: give {', '.join(missing)}; the input is no terminal to ask in")
    answers = {question.key: _answer(question, given) for question in QUESTIONS}
    text = new_file(answers, environment=options.environment, zone_name=options.zone_name)
    return answers["service"], text


def _write(files: Mapping[Path, bytes]) -> None:
    """Write new files, and the folders that they are in."""
    for file in files:
        if file.exists():
            raise UsageError(f"{file}: exists already; init overwrites nothing")
    for file, content in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as new:
                new.write(content)
        except OSError as error:
            raise UserError(f"{file}: can't be written: {reason_of(error)}") from None


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
