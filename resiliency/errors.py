"""The error that the command reports in one line and without a traceback."""

from typing import Final

FINDINGS: Final = 1
"""Exit status of a question whose answer is not good."""
USAGE: Final = 2
"""Exit status of a question about something that does not exist, and of argparse."""
NOT_ASKED: Final = 3
"""Exit status of a question that could not be asked, for example without credentials."""
STATUSES_HELP: Final = "exit status: 0 all is well, 1 findings, 2 usage, 3 could not be asked"


class UserError(Exception):
    """The command can't do what was asked; the message says where, why and how to mend it.

    Args:
        *lines: The message, usually one line. Control characters and line breaks in it, which
            names in a template may hold, are escaped.
    """

    def __init__(self, *lines: str) -> None:
        """Escape characters that a terminal would not print."""
        super().__init__("\n".join(_printable(line) for line in lines))


class UsageError(UserError):
    """The command line names something that does not exist, or options that exclude each other."""


def reason_of(error: Exception) -> str:
    """Return the reason for which a file can't be read or written, on one line."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return " ".join((strerror or str(error)).split())


def _printable(text: str) -> str:
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
