"""Telling values that are known now from those that only the deployment knows.

A CDK token in a text looks like ``${Token[...]}``, one in a number is about -1.9e289:
https://docs.aws.amazon.com/cdk/v2/guide/tokens.html. Asking the CDK costs a call into Node, so
it is asked only about values that can be tokens at all, and loaded only then: whoever holds a
token has loaded it before, and data without tokens needs no CDK.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from staged_resiliency.shared.errors import InvalidInputError

_T = TypeVar("_T", str, int, float)

# All number tokens are between these two: doubles whose first 16 bits are FBFF.
_NUMBER_TOKENS: Final = (-1.95e289, -1.88e289)


def is_literal(value: str | int | float) -> bool:
    """Whether the value is known at synthesis."""
    if isinstance(value, str):
        can_be_token = "${Token[" in value
    else:
        can_be_token = _NUMBER_TOKENS[0] < value < _NUMBER_TOKENS[1]
    if not can_be_token:
        return True
    from aws_cdk import Token

    return not Token.is_unresolved(value)


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
