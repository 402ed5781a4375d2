"""Distinguish literals, known at synthesis, from CDK tokens, resolved at deployment.

A token in a string has the form ``${Token[...]}``, one in a number is about -1.9e289:
https://docs.aws.amazon.com/cdk/v2/guide/tokens.html. Asking the CDK costs a call into Node, so
only values of these forms are passed to it. The CDK is imported only then: where there is a
token it has been imported before, and data without tokens does not need it.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final, TypeVar, cast, get_type_hints

from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.validation import shown

if TYPE_CHECKING:
    from aws_cdk import Duration

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
    if not isinstance(value, str | int | float):
        raise _wrong_type(owner, name, value, check)
    if not is_literal(value):
        return value
    try:
        return check(value)
    except ValueError as error:
        raise InvalidInputError(f"{owner}: {name}: {error}") from None
    except (TypeError, AttributeError):  # as from comparing a text with a number
        raise _wrong_type(owner, name, value, check) from None


_KINDS: Final = {str: "a text", int: "a whole number", float: "a number"}


def _wrong_type(
    owner: str, name: str, value: object, check: Callable[[_T], _T]
) -> InvalidInputError:
    wanted = get_type_hints(check).get("return")
    allowed = next((text for kind, text in _KINDS.items() if kind is wanted), "a text or a number")
    return wrong_type(owner, name, value, allowed)


def wrong_type(owner: str, name: str, value: object, allowed: str) -> InvalidInputError:
    """Return the error for an argument of a type that is not allowed."""
    return InvalidInputError(
        f"{owner}: {name}: {shown(value)} is of type {type(value).__name__}; give {allowed}"
    )


def in_seconds(value: "int | Duration") -> int:
    """Return a time as seconds: a ``Duration`` of the CDK, or a number as it is."""
    if isinstance(value, int) or not hasattr(value, "to_seconds"):
        return cast(int, value)  # what is neither is refused by the check that follows
    return int(value.to_seconds())


def require_one_of(owner: str, name: str, value: str, allowed: Collection[str]) -> None:
    """Raise unless an argument of a constructor is one of the allowed texts; tokens are refused."""
    if value not in allowed:
        raise InvalidInputError(
            f"{owner}: {name}: {shown(value)} is not allowed; allowed: {', '.join(allowed)}"
        )
