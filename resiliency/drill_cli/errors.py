"""What keeps `resiliency drill` from its work, as one line for people."""

from resiliency.errors import UserError


class NotThereError(UserError):
    """What was asked for is not there."""


class TemporaryError(UserError):
    """AWS was too busy or could not be reached: the same may succeed in a moment."""
