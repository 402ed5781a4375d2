"""Templates that several tests of the stacks read, and cfn-lint."""

from collections.abc import Callable

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.runner import Runner

from tests.stacks.deployed_drills import KEY
from tests.support import Template, example, synthesize

# The CDK joins texts and references; Fn::Sub would have to escape what definitions hold.
JOINED = "I1022"


@pytest.fixture(scope="session")
def enabled_template() -> Template:
    """The example's drills stack with drills enabled and keys of volumes given."""
    return synthesize(
        [example(lambda env: env["drills"].update(enabled=True, volume_keys=[KEY]), whole=True)]
    )["bookstore-production-drills"]


@pytest.fixture(scope="session")
def cfn_lint() -> Callable[[Template], list[str]]:
    """What cfn-lint finds in a template; its rules are loaded once, which takes longest."""
    runner = Runner(ConfigMixIn(include_checks=["I", "W", "E"], ignore_checks=[JOINED]))
    return lambda template: [str(finding) for finding in runner.validate_template(dict(template))]
