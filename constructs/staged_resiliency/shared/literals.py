"""Distinguish literals, known at synthesis, from CDK tokens, resolved at deployment.

A token in a string has the form ``${Token[...]}``, one in a number is about -1.9e289:
https://docs.aws.amazon.com/cdk/v2/guide/tokens.html. Asking the CDK costs a call into Node, so
only values of these forms are passed to it. The CDK is imported only then: where there is a
token it has been imported before, and data without tokens does not need it.
"""

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.validation import shown

_T = TypeVar("_T", str, int, float)

# All number tokens are between these two: doubles whose first 16 bits are FBFF.
_NUMBER_TOKENS: Final = (-1.95e289, -1.88e289)


def is_literal(value: str | int | float) -> bool:
    """Whether the value is known at synthesis, that is, not a CDK token."""
    if isinstance(value, str):
        can_be_token = "${Token[" in value
    else:
        can_be_token = _NUMBER_TOKENS[0] < value < _NUMBER_TOKENS[1]
    if not can_be_token:
        return True
    from aws_cdk import Token

    return not Token.is_unresolved(value)


def checked(owner: str, name: str, value: _T, check: Callable[[_T], _T]) -> _T:
    """Validate an argument of a constructor and return it in canonical form; keep tokens as is.

    ``check`` is a function of ``validation`` or one like it. When it refuses the value, an
    ``InvalidInputError`` names the owner (the class) and the argument.
    """
    if not is_literal(value):
        return value
    try:
        return check(value)
    except ValueError as error:
        raise InvalidInputError(f"{owner}: {name}: {error}") from None


def require_one_of(owner: str, name: str, value: str, allowed: Collection[str]) -> None:
    """Raise unless an argument of a constructor is one of the allowed texts; tokens are refused."""
    if value not in allowed:
        raise InvalidInputError(
            f"{owner}: {name}: {shown(value)} is not allowed; allowed: {', '.join(allowed)}"
        )
