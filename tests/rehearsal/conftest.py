"""The example's world, read once."""

from collections.abc import Mapping

import pytest

from staged_resiliency.rehearsal.prediction import assumptions_for, failovers_of
from staged_resiliency.rehearsal.world import World, read_world
from staged_resiliency.timing.faults import Fault
from staged_resiliency.timing.outages import Verdict
from tests.rehearsal.support import Templates, all_signals, templates_of


@pytest.fixture(scope="session")
def world(example_templates: Templates) -> World:
    return read_world(example_templates)


@pytest.fixture(scope="session")
def failovers(world: World) -> Mapping[Fault, Verdict]:
    return failovers_of(world, assumptions_for(world), seed=0, outages=50)


@pytest.fixture(scope="session")
def deciding_templates() -> Templates:
    """The example with every kind of signal deciding."""
    return templates_of(all_signals)
