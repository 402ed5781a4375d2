"""The example's world, read once."""

from collections.abc import Mapping

import pytest

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import Verdict
from resiliency.rehearsal.deployment import Deployment, read_world
from resiliency.rehearsal.prediction import assumptions_for, failovers_of
from tests.resiliency.rehearsal.support import Templates, all_signals, templates_of


@pytest.fixture(scope="session")
def world(example_templates: Templates) -> Deployment:
    return read_world(example_templates)


@pytest.fixture(scope="session")
def failovers(world: Deployment) -> Mapping[Fault, Verdict]:
    return failovers_of(world, assumptions_for(world), seed=0, outages=50)


@pytest.fixture(scope="session")
def deciding_templates() -> Templates:
    """The example with every kind of signal deciding."""
    return templates_of(all_signals)
