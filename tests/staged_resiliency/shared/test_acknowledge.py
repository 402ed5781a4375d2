"""Acknowledging a finding takes no time that grows with their number."""

from importlib import metadata

import pytest
from aws_cdk import Stack
from constructs import Construct

from staged_resiliency.shared import acknowledge as module


def test_the_version_of_the_cdk_is_read_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    real = metadata.version

    def version(package: str) -> str:
        read.append(package)
        return real(package)

    monkeypatch.setattr(module, "version", version)
    module._can_acknowledge.cache_clear()
    for each in ("One", "Two", "Three"):
        module.acknowledge(Construct(stack, each), {"AwsSolutions-S1": "A reason."})
    assert read == ["aws-cdk-lib"]
    module._can_acknowledge.cache_clear()
