"""A stack is asked of the CDK once for each construct, and so is its region."""

import pytest
from aws_cdk import NestedStack, Stack
from constructs import Construct

from staged_resiliency.shared.stacks import region_of, set_stack_of, stack_of
from tests.staged_resiliency.support import REGION


def test_the_stack_is_that_of_the_cdk(stack: Stack) -> None:
    nested = NestedStack(stack, "Nested")
    assert stack_of(stack) is stack
    assert stack_of(Construct(stack, "Inside")) is stack
    assert stack_of(nested) is nested
    assert stack_of(Construct(nested, "Inside")) is nested
    assert region_of(Construct(stack, "Other")) == REGION


def test_the_cdk_is_asked_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def remembered(construct: Construct) -> Stack:
        asked.append(construct)
        return stack

    monkeypatch.setattr(Stack, "of", remembered)
    inside = Construct(stack, "Inside")
    assert [stack_of(inside), stack_of(inside), stack_of(stack)] == [stack] * 3
    assert {region_of(inside), region_of(inside)} == {REGION}
    assert asked == [inside]


def test_the_cdk_is_not_asked_for_what_is_in_a_parent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Stack, "of")
    inside = Construct(stack, "Inside")
    set_stack_of(inside, stack)
    further = Construct(inside, "Further")
    set_stack_of(further, inside)
    assert [stack_of(inside), stack_of(further)] == [stack, stack]
