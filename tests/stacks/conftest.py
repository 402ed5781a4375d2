"""Templates that several tests of the stacks read."""

import pytest

from tests.stacks.deployed_drills import KEY
from tests.support import Template, example, synthesize


@pytest.fixture(scope="session")
def enabled_template() -> Template:
    """The example's drills stack with drills enabled and keys of volumes given."""
    return synthesize(
        [example(lambda env: env["drills"].update(enabled=True, volume_keys=[KEY]), whole=True)]
    )["bookstore-production-drills"]
