"""Telling values that are known now from those that only the deployment knows.

A CDK token in a text looks like ``${Token[...]}``, one in a number is a large negative number:
https://docs.aws.amazon.com/cdk/v2/guide/tokens.html. Asking the CDK costs a call into Node, so
it is asked only about values that can be tokens at all.
"""

from collections.abc import Callable
from typing import TypeVar

from aws_cdk import Token

from staged_resiliency.errors import InvalidInputError

_T = TypeVar("_T", str, int, float)


def is_literal(value: str | int | float) -> bool:
    """Whether the value is known at synthesis."""
    can_be_token = "${Token[" in value if isinstance(value, str) else value < -1e300
    return not (can_be_token and Token.is_unresolved(value))


def checked(owner: str, name: str, value: _T, check: Callable[[_T], _T]) -> _T:
    """A constructor's argument in its canonical form; tokens pass as they are.

    Raises:
        InvalidInputError: The check refuses the value; the message names owner and argument.
    """
    if not is_literal(value):
        return value
    try:
        return check(value)
    except ValueError as error:
        raise InvalidInputError(f"{owner}: {name}: {error}") from None
