"""Findings of cdk-nag that are acknowledged, each with its reason."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Final

from constructs import Construct

_SINCE: Final = (2, 269)
"""The first aws-cdk-lib that takes rules whose ids have more than one `::`."""


def acknowledge(owner: Construct, reasons: Mapping[str, str]) -> None:
    """Acknowledge rules of cdk-nag for a construct, if this aws-cdk-lib can.

    Args:
        owner: The construct that the rules are about.
        reasons: Why each rule does not apply, by its id.
    """
    if _can_acknowledge():
        from aws_cdk import Acknowledgment, Validations  # noqa: TID251

        Validations.of(owner).acknowledge(
            *(Acknowledgment(id=rule, reason=why) for rule, why in reasons.items())
        )


@cache  # each question reads and parses a file
def _can_acknowledge() -> bool:
    return tuple(map(int, version("aws-cdk-lib").split(".")[:2])) >= _SINCE
