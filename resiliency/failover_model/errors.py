"""What can be wrong with what the model is asked; each kind says it in one line."""


class TimingError(ValueError):
    """The failover time can't be told or shown; the message says where and why.

    Args:
        message: One line; what a terminal would not show as it is, in names that templates hold,
            is escaped.
    """

    def __init__(self, message: str) -> None:
        """Escape what is no plain text."""
        super().__init__(
            "".join(each if each.isprintable() else _escaped(each) for each in message)
        )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
