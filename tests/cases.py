"""Tables of cases for a test, in which each row begins with its name."""

from collections.abc import Mapping, Sequence

import pytest


def cases(arguments: str | Sequence[str], table: Mapping[str, object]) -> pytest.MarkDecorator:
    """Run a test once for each row of a table; a row has a value for each of the arguments."""
    return pytest.mark.parametrize(arguments, list(table.values()), ids=list(table))
