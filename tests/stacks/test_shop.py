"""The richer service file of the examples, from the file to what is deployed."""

from collections.abc import Mapping, Sequence

import pytest

from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployments
from resiliency.rehearsal.scenarios import scenarios_of
from resiliency.service_file import Service, load
from resiliency.service_file.mapping import fault_of, hypothesis_of, pair_of, watched_alarms
from staged_resiliency.drills.hypothesis import hypothesis
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsStay,
    Expectation,
)
from staged_resiliency.probe.configuration import StatsdMetrics, decoded
from tests.resiliency.rehearsal.support import plans_of
from tests.stacks.deployed_drills import EXPERIMENT, deployed, experiment_request
from tests.staged_resiliency.api_model import problems_of
from tests.support import ROOT, Template, resources_of, synthesize

DRILLS = ("shutdown", "db-lost", "images-lost", "db-slow", "search-lossy", "db-failover")


@pytest.fixture(scope="module")
def shop() -> Service:
    (service,) = load(ROOT / "examples" / "services" / "shop.yaml")
    return service


@pytest.fixture(scope="module")
def templates(shop: Service) -> Mapping[str, Template]:
    return synthesize([shop])


def test_both_environments_have_what_is_written_once(shop: Service) -> None:
    staging, production = (shop.environments[name] for name in ("staging", "production"))
    images = production.dependencies["images"]
    assert images.failover is not None
    assert staging.dependencies == {
        **production.dependencies,
        "images": images.model_copy(update={"failover": None}),
    }
    assert staging.alarms == production.alarms
    assert staging.account != production.account
    assert staging.drills is not None
    assert production.drills is not None
    own = production.drills.by_name["images-failover"]  # there the images fail over
    assert {**staging.drills.by_name, "images-failover": own} == production.drills.by_name
    assert (staging.drills.enabled, production.drills.enabled) == (True, False)


@pytest.mark.slow
def test_the_alarm_on_errors_watches_what_the_application_may_send(
    shop: Service, templates: Mapping[str, Template]
) -> None:
    hosts = shop.environments["production"].hosts
    watched = [
        (alarm["Namespace"], alarm["Dimensions"])
        for resource in resources_of(
            templates["shop-production-failover"], "AWS::CloudWatch::Alarm"
        ).values()
        if (alarm := resource["Properties"])["MetricName"] == "errors"
    ]
    host_names = (hosts.blue.name, hosts.green.name)
    assert watched == [("Shop", [{"Name": "Host", "Value": name}]) for name in host_names]
    probe = templates["shop-production-probe"]
    (association,) = resources_of(probe, "AWS::SSM::Association").values()
    configuration = decoded(association["Properties"]["Parameters"]["Configuration"][0])
    assert isinstance(configuration, dict)
    assert configuration["namespace"] == "Shop"
    assert StatsdMetrics(**configuration["statsd"]).allows("errors")
    (policy,) = resources_of(probe, "AWS::IAM::ManagedPolicy").values()
    publish = policy["Properties"]["PolicyDocument"]["Statement"][0]
    assert publish["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Shop"}}


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
    hosts, images = deployments_of(templates, "production")
    names = {each.name for each in scenarios_of(hosts)}
    assert {"db-blackholed", "db-hangs", "db-degraded", "db-fails-over"} <= names
    assert not any("primary" in name for name in names)
    assert [each.name for each in scenarios_of(images)] == [
        "images-primary-lost",
        "images-secondary-lost",
    ]


@pytest.mark.slow
def test_a_cut_off_host_loses_the_images_and_their_primary_and_keeps_its_clients(
    shop: Service,
) -> None:
    """The drill drops all that goes to the port: both alarms of the host fire, and nobody moves."""
    production = shop.environments["production"]
    assert production.drills is not None
    expected = hypothesis_of(production, production.drills.by_name["images-lost"])
    fires = {each.alarm for each in expected if isinstance(each, AlarmFires)}
    assert fires == {
        f"shop-blue-{name}-connectivity-failed" for name in ("images", "images-primary")
    }
    assert any(isinstance(each, ClientsStay) for each in expected)


@pytest.mark.slow
def test_the_drill_of_the_images_expects_what_the_rehearsal_of_their_name_does(
    shop: Service, templates: Mapping[str, Template]
) -> None:
    production = shop.environments["production"]
    assert production.drills is not None
    drill = production.drills.by_name["images-failover"]
    _, images = deployments_of(templates, "production")
    rehearsed, _ = plans_of(images, scale=20, outages=50)

    def seen(expected: Sequence[Expectation]) -> set[tuple[str, str]]:
        """Who clients of the name reach and return to, and which alarms fire and recover."""
        kinds = (ClientsMove, ClientsReturn, AlarmFires, AlarmRecovers)
        return {
            (type(each).__name__, str(getattr(each, "to", None) or getattr(each, "alarm", "")))
            for each in expected
            if isinstance(each, kinds)
        }

    fault = fault_of(production, drill, "shop-production-images-on-secondary")
    alarms = watched_alarms(production)
    drilled = hypothesis(fault, pair_of(production), alarms)
    # The hosts' own checks of the name may fail meanwhile, and must recover; only the drill has
    # the hosts' alarms on it.
    own_name = {
        ("AlarmRecovers", f"shop-{color}-images-connectivity-failed") for color in ("blue", "green")
    }
    assert seen(drilled) - own_name == seen(rehearsed.hypothesis)


def deployments_of(templates: Mapping[str, Template], environment: str) -> Sequence[Deployment]:
    """What is rehearsed of one environment."""
    own = {name: template for name, template in templates.items() if environment in name}
    deployments, left_out = read_deployments(own)
    assert left_out == []
    return deployments
