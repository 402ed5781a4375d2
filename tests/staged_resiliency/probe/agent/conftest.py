"""What all tests of the agent share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _only_what_is_new_is_collected() -> Iterator[None]:
    """Agent and tests collect garbage, which would look at all that other tests have loaded."""
    gc.freeze()
    yield
    gc.unfreeze()
