"""What keeps `resiliency drill` from its work, as one line for people."""


class DrillCommandError(Exception):
    """It can't be done; the message says what was found and how to mend it."""


class NotThereError(DrillCommandError):
    """What was asked for is not there."""


class TemporaryError(DrillCommandError):
    """AWS was too busy or could not be reached: the same may succeed in a moment."""
