"""Literals are distinguished from CDK tokens."""

from collections.abc import Callable

import pytest
from aws_cdk import CfnParameter, Stack, Token

from staged_resiliency import InvalidInputError
from staged_resiliency.shared import aws_ids, network_names
from staged_resiliency.shared.literals import checked, is_literal
from tests.cases import cases


@cases(
    "value",
    {
        "text": "shop",
        "empty text": "",
        "text that only begins like a token": "${Token[",
        "zero": 0,
        "negative number": -1.5,
        "number below all tokens": -1e300,
        "negative infinity": float("-inf"),
        "not a number": float("nan"),
    },
)
def test_a_plain_value_is_known_now(value: str | float) -> None:
    assert is_literal(value)


@cases(
    "token",
    {
        "text": lambda _: Token.as_string({"Ref": "X"}),
        "text with a token": lambda _: f"a-{Token.as_string({'Ref': 'X'})}-b",
        "number": lambda _: Token.as_number({"Ref": "X"}),
        "attribute of the stack": lambda stack: stack.stack_id,
        "number parameter": lambda stack: CfnParameter(stack, "P", type="Number").value_as_number,
    },
)
def test_a_token_is_not_known_now(token: Callable[[Stack], str | float], stack: Stack) -> None:
    assert not is_literal(token(stack))


def test_a_token_passes_a_check_as_it_is() -> None:
    token = Token.as_string({"Ref": "Instance"})
    assert checked("Owner", "instance", token, aws_ids.instance_id) == token


def test_a_checked_value_takes_its_canonical_form() -> None:
    assert (
        checked("Owner", "name", "Shop.Example.com.", network_names.domain_name)
        == "shop.example.com"
    )


def test_a_refusal_names_the_owner_and_the_argument() -> None:
    with pytest.raises(InvalidInputError, match=r"^Owner: ttl: -1 s is not a TTL; allowed: 0 to "):
        checked("Owner", "ttl", -1, network_names.ttl_seconds)
