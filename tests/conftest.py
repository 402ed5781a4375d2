"""Set-up of all tests: Node for the CDK, and the example synthesized once."""

from stacks.startup import prepare_node

prepare_node()

from collections.abc import Mapping  # noqa: E402

import pytest  # noqa: E402

from tests.support import Template, example, synthesize  # noqa: E402


@pytest.fixture(scope="session")
def example_templates() -> Mapping[str, Template]:
    """The templates of services/bookstore.yaml, by stack name."""
    return synthesize([example(whole=True)])


@pytest.fixture(scope="session")
def failover_template(example_templates: Mapping[str, Template]) -> Template:
    """The example's failover stack."""
    return example_templates["bookstore-production-failover"]


@pytest.fixture(scope="session")
def notifications_template(example_templates: Mapping[str, Template]) -> Template:
    """The stack of the example's topic."""
    return example_templates["notifications-532151327118-us-west-2"]


@pytest.fixture(scope="session")
def drills_template(example_templates: Mapping[str, Template]) -> Template:
    """The example's drills stack."""
    return example_templates["bookstore-production-drills"]


@pytest.fixture(scope="session")
def probe_template(example_templates: Mapping[str, Template]) -> Template:
    """The example's probe stack."""
    return example_templates["bookstore-production-probe"]
