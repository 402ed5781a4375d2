"""The stack of a construct and its region, without asking the CDK twice.

Each question is a call into Node, which takes longer than all that Python does for a resource.
"""

from typing import Final
from weakref import ReferenceType, WeakKeyDictionary, ref

from aws_cdk import Stack
from constructs import Construct

_STACKS: Final[WeakKeyDictionary[Construct, ReferenceType[Stack]]] = WeakKeyDictionary()
_REGIONS: Final[WeakKeyDictionary[Stack, str]] = WeakKeyDictionary()


def stack_of(scope: Construct) -> Stack:
    """Return the stack that a construct is in, or is."""
    if isinstance(scope, Stack):
        return scope
    known = _STACKS.get(scope)
    stack = None if known is None else known()
    if stack is None:
        stack = Stack.of(scope)
        _STACKS[scope] = ref(stack)
    return stack


def set_stack_of(construct: Construct, parent: Construct) -> None:
    """Remember that a construct is in its parent's stack, to save ``stack_of`` a call into Node."""
    _STACKS[construct] = ref(stack_of(parent))


def region_of(scope: Construct) -> str:
    """Return the region of a construct's stack."""
    stack = stack_of(scope)
    if stack not in _REGIONS:
        _REGIONS[stack] = stack.region
    return _REGIONS[stack]
