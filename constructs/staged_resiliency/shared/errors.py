"""The error that constructs raise."""


class InvalidInputError(ValueError):
    """An argument is invalid: AWS would refuse it, or a failover or a drill would not work."""
