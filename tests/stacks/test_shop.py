"""The richer service file of the examples, from the file to what is deployed."""

from collections.abc import Mapping

import pytest

from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.scenarios import scenarios_of
from resiliency.service_file import Service, load
from tests.stacks.deployed_drills import EXPERIMENT, deployed, experiment_request
from tests.staged_resiliency.api_model import problems_of
from tests.support import ROOT, Template, resources_of, synthesize

DRILLS = ("shutdown", "db-lost", "images-lost", "db-slow", "search-lossy", "db-failover")


@pytest.fixture(scope="module")
def shop() -> Service:
    (service,) = load(ROOT / "examples" / "services")
    return service


@pytest.fixture(scope="module")
def templates(shop: Service) -> Mapping[str, Template]:
    return synthesize([shop])


def test_both_environments_have_what_is_written_once(shop: Service) -> None:
    staging, production = (shop.environments[name] for name in ("staging", "production"))
    assert staging.dependencies == production.dependencies
    assert staging.alarms == production.alarms
    assert staging.account != production.account
    assert staging.drills is not None
    assert production.drills is not None
    assert staging.drills.by_name == production.drills.by_name
    assert (staging.drills.enabled, production.drills.enabled) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_fis_takes_each_fault(templates: Mapping[str, Template], environment: str) -> None:
    template = templates[f"shop-{environment}-drills"]
    documents = set()
    experiments = resources_of(template, EXPERIMENT).values()
    for resource in experiments:
        properties = deployed(resource["Properties"], template, drills=DRILLS)
        assert problems_of("fis", "CreateExperimentTemplate", experiment_request(properties)) == []
        fault = properties["Actions"]["Fault"]
        document = fault["Parameters"].get("documentArn", fault["ActionId"])
        documents.add(document.rpartition("/")[2])
    assert len(experiments) == len(DRILLS)
    assert documents == {
        "aws:ec2:stop-instances",
        "aws:rds:reboot-db-instances",
        "AWSFIS-Run-Network-Blackhole-Port",
        "AWSFIS-Run-Network-Latency-Sources",
        "AWSFIS-Run-Network-Packet-Loss-Sources",
    }


@pytest.mark.slow
def test_the_dashboard_shows_the_results_of_each_drill(templates: Mapping[str, Template]) -> None:
    (board,) = resources_of(
        templates["shop-staging-failover"], "AWS::CloudWatch::Dashboard"
    ).values()
    body = str(board["Properties"]["DashboardBody"])
    assert all(f'"{drill}"' in body for drill in DRILLS)


@pytest.mark.slow
def test_a_dependency_that_hosts_lose_can_be_rehearsed(templates: Mapping[str, Template]) -> None:
    deployment = read_deployment(
        {name: template for name, template in templates.items() if "production" in name}
    )
    names = [each.name for each in scenarios_of(deployment)]
    assert {"db-blackholed", "db-hangs", "db-degraded", "db-fails-over"} <= set(names)
