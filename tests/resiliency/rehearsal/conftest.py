"""The example's deployment, read once."""

from collections.abc import Mapping

import pytest

from resiliency.failover_model.faults import Fault
from resiliency.failover_model.simulation import Verdict
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.prediction import assumptions_for, predict_failovers
from tests.resiliency.rehearsal.support import Templates, all_signals, templates_of


@pytest.fixture(scope="session")
def deployment(example_templates: Templates) -> Deployment:
    return read_deployment(example_templates)


@pytest.fixture(scope="session")
def failovers(deployment: Deployment) -> Mapping[Fault, Verdict]:
    return predict_failovers(deployment, assumptions_for(deployment), seed=0, outages=50)


@pytest.fixture(scope="session")
def deciding_templates() -> Templates:
    """The example with every kind of signal deciding."""
    return templates_of(all_signals)
