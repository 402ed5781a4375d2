"""How property-based tests run here: the same examples each time, and no clock."""

from hypothesis import settings

PROPERTY = settings(deadline=None, derandomize=True, max_examples=200)
