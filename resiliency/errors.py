"""The error that the command reports in one line and without a traceback."""


class UserError(Exception):
    """The command can't do what was asked; the message says where, why and how to mend it.

    Args:
        message: Control characters in it, which names in a template may hold, are escaped.
    """

    def __init__(self, message: str) -> None:
        """Escape what a terminal would not show as it is."""
        super().__init__(
            "".join(
                each if each.isprintable() or each == "\n" else _escaped(each) for each in message
            )
        )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
