"""Literals are distinguished from CDK tokens."""

from collections.abc import Callable

import pytest
from aws_cdk import CfnParameter, Stack, Token

from staged_resiliency import InvalidInputError
from staged_resiliency.shared import validation
from staged_resiliency.shared.literals import checked, is_literal


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("shop", id="text"),
        pytest.param("", id="empty text"),
        pytest.param("${Token[", id="text that only begins like a token"),
        pytest.param(0, id="zero"),
        pytest.param(-1.5, id="negative number"),
        pytest.param(-1e300, id="number below all tokens"),
        pytest.param(float("-inf"), id="negative infinity"),
        pytest.param(float("nan"), id="not a number"),
    ],
)
def test_a_plain_value_is_known_now(value: str | float) -> None:
    assert is_literal(value)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(lambda _: Token.as_string({"Ref": "X"}), id="text"),
        pytest.param(lambda _: f"a-{Token.as_string({'Ref': 'X'})}-b", id="text with a token"),
        pytest.param(lambda _: Token.as_number({"Ref": "X"}), id="number"),
        pytest.param(lambda stack: stack.stack_id, id="attribute of the stack"),
        pytest.param(
            lambda stack: CfnParameter(stack, "P", type="Number").value_as_number,
            id="number parameter",
        ),
    ],
)
def test_a_token_is_not_known_now(token: Callable[[Stack], str | float], stack: Stack) -> None:
    assert not is_literal(token(stack))


def test_a_token_passes_a_check_as_it_is() -> None:
    token = Token.as_string({"Ref": "Instance"})
    assert checked("Owner", "instance", token, validation.instance_id) == token


def test_a_checked_value_takes_its_canonical_form() -> None:
    assert (
        checked("Owner", "name", "Shop.Example.com.", validation.domain_name) == "shop.example.com"
    )


def test_a_refusal_names_the_owner_and_the_argument() -> None:
    with pytest.raises(InvalidInputError, match=r"^Owner: ttl: -1 s is not a TTL; allowed: 0 to "):
        checked("Owner", "ttl", -1, validation.ttl_seconds)
