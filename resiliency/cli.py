"""The command `resiliency`, for service files, synthesized templates and drills."""

import argparse
import errno
import importlib.metadata
import importlib.util
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from resiliency.commands import (
    adopt,
    agent_sources,
    check,
    describe,
    drill,
    gate,
    init,
    rehearse,
    review,
    schema,
    status,
    summary,
    timing,
)
from resiliency.errors import USAGE, UsageError, UserError

# The errors of a write that fails because the output, not the program, is at fault.
_OUTPUT_FAILED: Final = (errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC)

# The modules that a command needs, by the extra that installs them, with the packages they are in.
_CLI: Final = {"jinja2": "Jinja2", "pydantic": "pydantic", "rich": "rich", "yaml": "PyYAML"}
_BOTO3: Final = {"boto3": "boto3", "botocore": "boto3"}
_EXTRAS: Final[Mapping[str, Mapping[str, str]]] = {
    "cli": _CLI,
    "drill": {**_CLI, **_BOTO3},
    "review": {**_CLI, **_BOTO3, "cfnlint": "cfn-lint"},
    "rehearsal": {
        **_CLI,
        **_BOTO3,
        "dns": "dnspython",
        "moto": "moto",
        "flask": "moto[server]",
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line after the command's name; the process's own unless given.

    Returns:
        The exit status: 0 for success, 1 for an error that is printed on standard error (commands
        that answer a question have 2 and 3 for that, see ``resiliency.errors``), 130 after Ctrl-C,
        141 where the reader of the output ended early, as `head` does.
    """
    of_command_line = parser()
    if "_ARGCOMPLETE" in os.environ and importlib.util.find_spec("argcomplete"):
        # A shell asks what may follow: argcomplete answers it and ends the process.
        importlib.import_module("argcomplete").autocomplete(of_command_line)
    options = of_command_line.parse_args(arguments)
    try:
        needed = options.extra
        if callable(needed):  # by the options
            needed = needed(options)
        if needed is not None:
            _require(options.command, needed)
        status: int = options.run(options)
        if sys.stdout is not None:  # closed by the caller, as with >&-
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("stopped by SIGINT", file=sys.stderr)
        return 128 + signal.SIGINT
    except (BrokenPipeError, SystemExit) as end:
        # rich turns the first into the second.
        if isinstance(end, SystemExit) and not isinstance(end.__context__, BrokenPipeError):
            raise
        _discard_output()
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.filename is not None or error.errno not in _OUTPUT_FAILED:
            raise
        _discard_output()
        print(f"standard output: can't be written ({error.strerror})", file=sys.stderr)
        return 1
    except UserError as error:
        print(error, file=sys.stderr)
        asks: int | None = getattr(options, "status_not_asked", None)
        if asks is None:
            return 1
        return USAGE if isinstance(error, UsageError) else asks
    return status


def _discard_output() -> None:
    """Discard what is buffered for standard output, which the interpreter would write at its end.

    See https://docs.python.org/3/library/signal.html#note-on-sigpipe.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="resiliency")
    describe(
        made,
        "Check, predict, rehearse and drill the failover of pairs of EC2 instances. Each command "
        "has a page of its own: resiliency COMMAND --help.",
        {
            "check services": "find mistakes in service files",
            "timing": "how long a failover of cdk.out takes",
            "rehearse": "play failures of cdk.out on this machine",
            "drill list bookstore production": "the drills of a deployed service",
        },
        "exit status: 0 for success, 1 for an error, 2 for a wrong command line, 130 after Ctrl-C; "
        "some commands have more. Environment: NO_COLOR=1 prints no colours; AWS_PROFILE and the "
        "other variables of the AWS CLI choose credentials and region.",
    )
    made.add_argument(
        "--version",
        action="version",
        version=f"%(prog)s {importlib.metadata.version('cdk-staged-resiliency')}",
    )
    commands = made.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for each in (
        init,
        check,
        adopt,
        summary,
        timing,
        rehearse,
        review,
        drill,
        status,
        gate,
        agent_sources,
        schema,
    ):
        each.add(commands)
    return made


def _require(command: str, extra: str) -> None:
    """Raise if packages are missing that a command needs in addition to the library's.

    Raises:
        UserError: Names the packages, and the extra that installs them.
    """
    missing = {
        package: None
        for module, package in _EXTRAS[extra].items()
        if importlib.util.find_spec(module) is None
    }
    if missing:
        raise UserError(
            f"resiliency {command}: needs {', '.join(missing)}; "
            f"run: pip install 'cdk-staged-resiliency[{extra}]'"
        )
