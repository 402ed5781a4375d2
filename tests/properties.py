"""How many examples a property has: see the profiles in conftest.py."""

from hypothesis import settings


def fewer_examples(divisor: int) -> settings:
    """Divide the usual number of examples, for a property whose examples take long."""
    return settings(max_examples=max(1, settings().max_examples // divisor))
