"""The error that constructs raise."""


class InvalidInputError(ValueError):
    """An argument that AWS would refuse, or with which a failover or a drill would not work."""
