"""The errors that constructs raise."""


class InvalidInputError(ValueError):
    """An argument that AWS would refuse, or that would fail when it is needed most."""
