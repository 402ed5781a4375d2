"""What IAM policies allow, and what parliament, a linter of them, says about one."""

import json
import re
import sys
import warnings
from collections.abc import Mapping
from importlib import resources
from types import ModuleType
from typing import Any

from tests.support import ROOT

POLICIES = ROOT / "examples" / "policies"

# What it takes for required resources of an action, and the Service Authorization Reference does
# not: an execution of a Standard machine is no express one, and ListExecutions is asked of either a
# state machine or a Map Run.
_NOT_REQUIRED = ("arn:*:states:*:*:express:*:*:*", "arn:*:states:*:*:mapRun:*/*:*")
_LEVELS = ("MUTE", "LOW", "MEDIUM", "HIGH", "CRITICAL")


class _PackageResources(ModuleType):
    """The one function that parliament asks of pkg_resources, which setuptools no longer has."""

    @staticmethod
    def resource_filename(package: str, name: str) -> str:
        return str(resources.files(package) / name)


def actions_of(*policies: str) -> set[str]:
    """The actions that files of examples/policies allow."""
    found: set[str] = set()
    for policy in policies:
        for each in json.loads((POLICIES / policy).read_text("utf-8"))["Statement"]:
            listed = each["Action"]
            found |= {listed} if isinstance(listed, str) else set(listed)
    return found


def findings_above_low(policy: Mapping[str, Any]) -> list[str]:
    """Findings of medium severity or more, each as a line.

    Args:
        policy: A policy that a role has, with references already replaced.
    """
    sys.modules.setdefault("pkg_resources", _PackageResources("pkg_resources"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves the files open that it reads when imported
        import parliament

    # Its patterns know no ARN without an account, as AWS's own documents have.
    text = re.sub(
        r"(arn:aws:ssm:[a-z0-9-]+:)(:document/)", r"\g<1>111111111111\2", json.dumps(policy)
    )
    found = parliament.analyze_policy_string(text).findings
    enhanced = [parliament.enhance_finding(finding) for finding in found]
    return [
        f"{each.severity} {each.issue}: {each.detail} {each.location}"
        for each in enhanced
        if _LEVELS.index(each.severity) > _LEVELS.index("LOW")
        and not any(form in str(each.detail) for form in _NOT_REQUIRED)
    ]
