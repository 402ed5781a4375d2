"""Set-up of all tests: Node for the CDK, and the example synthesized once."""

import os

from stacks.startup import prepare_node

# A deprecated part of the CDK warns in the application of everyone who uses a construct.
os.environ["JSII_DEPRECATED"] = "fail"
prepare_node()

import gc  # noqa: E402
from collections.abc import Mapping  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests import support  # noqa: E402
from tests.support import Template, example, synthesize  # noqa: E402

# The same examples in every run that imports the same modules, and no clock: few of them in
# `make test`, many in `make check`.
_PROPERTIES = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("few", _PROPERTIES, max_examples=20)
settings.register_profile("many", _PROPERTIES, max_examples=100)
settings.load_profile("few")

# Collecting garbage of all generations again and again takes a tenth of the time of all tests. What
# a test leaves open is found at the end of the session, too.
gc.set_threshold(100_000, 50, 1_000)


@pytest.fixture(scope="session", autouse=True)
def _templates_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep templates in a folder that all workers of the session share."""
    folder = tmp_path_factory.getbasetemp()
    support.templates_folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


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
    return example_templates["notifications-532151327118-us-west-2-PingPublicationsSNS"]


@pytest.fixture(scope="session")
def drills_template(example_templates: Mapping[str, Template]) -> Template:
    """The example's drills stack."""
    return example_templates["bookstore-production-drills"]


@pytest.fixture(scope="session")
def probe_template(example_templates: Mapping[str, Template]) -> Template:
    """The example's probe stack."""
    return example_templates["bookstore-production-probe"]
