"""Rehearsals of a dependency's own name: by its primary's endpoint, and by what hosts see."""

from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployments
from resiliency.rehearsal.expectations import Plan
from resiliency.rehearsal.scenarios import scenarios_of
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
)
from tests.resiliency.rehearsal.support import Templates, plans_of, templates_of
from tests.support import Data

CDN, PRIMARY = "cdn.bookstore.pingpublications.com", "d111111abcdef8.cloudfront.net"
SECONDARY = "cdn.example.com"
ON_SECONDARY = "bookstore-production-cdn-on-secondary"
HOST_ALARMS = {
    f"bookstore-api-{color}-cdn-primary-connectivity-failed" for color in ("blue", "green")
}


def fails_over(environment: Data) -> None:
    environment["dependencies"]["cdn"] |= {
        "check": {"protocol": "http", "path": "/logo.png", "text": "PNG"},
        "failover": {"primary": {"dns_name": PRIMARY}, "secondary": {"dns_name": SECONDARY}},
    }


def by_hosts(environment: Data) -> None:
    fails_over(environment)
    environment["dependencies"]["cdn"]["failover"]["decided_by"] = "hosts"


def own_name(templates: Templates) -> Deployment:
    """What is rehearsed of the CDN's own name, beside the pair of hosts."""
    (hosts, cdn), left_out = read_deployments(templates)
    assert left_out == []
    assert hosts.dependency is None
    assert ON_SECONDARY not in {alarm.name for alarm in hosts.graph.alarms}
    # The primary is no dependency of its own.
    assert list(hosts.dependencies) == ["db", "cdn"]
    return cdn


def expected(plan: Plan, kind: type[Expectation]) -> list[Expectation]:
    return [each for each in plan.hypothesis if isinstance(each, kind)]


def test_behind_the_name_are_its_primary_and_its_secondary() -> None:
    cdn = own_name(templates_of(fails_over))
    assert (cdn.label, cdn.address_type) == (CDN, "A")
    assert [each.name for each in cdn.hosts] == [PRIMARY, SECONDARY]
    assert (cdn.observers, cdn.probe, cdn.objective_seconds) == ((), None, None)
    assert (cdn.service, cdn.environment) == ("bookstore", "production")
    assert {alarm.name for alarm in cdn.graph.alarms} == {ON_SECONDARY}
    assert [each.name for each in scenarios_of(cdn)] == ["cdn-primary-lost", "cdn-secondary-lost"]


def test_hosts_that_decide_observe_the_primary_alone() -> None:
    cdn = own_name(templates_of(by_hosts))
    assert [each.name for each in cdn.observers] == ["bookstore-api-blue", "bookstore-api-green"]
    assert {alarm.name for alarm in cdn.graph.alarms} == {ON_SECONDARY, *HOST_ALARMS}
    assert cdn.probe is not None
    assert [each["host"] for each in cdn.probe["targets"]] == [PRIMARY]
    assert cdn.path == "/logo.png"
    assert all(cdn.is_measured(alarm) for alarm in cdn.graph.alarms)


def test_a_lost_primary_moves_clients_and_notifies_people() -> None:
    lost, _ = plans_of(own_name(templates_of(by_hosts)), scale=20, outages=50)
    (moves,) = expected(lost, ClientsMove)
    assert isinstance(moves, ClientsMove)
    assert moves.to == SECONDARY
    assert moves.within_seconds is not None
    assert moves.within_seconds < 400
    assert len(expected(lost, ClientsReturn)) == 1
    fires = {each.alarm for each in lost.hypothesis if isinstance(each, AlarmFires)}
    assert fires == {ON_SECONDARY, *HOST_ALARMS}
    assert {each.alarm for each, _ in lost.messages} == {ON_SECONDARY}
    assert lost.notes == []


def test_a_lost_secondary_moves_nobody_and_fires_nothing() -> None:
    _, lost = plans_of(own_name(templates_of(by_hosts)), scale=20, outages=50)
    assert expected(lost, ClientsMove) == []
    assert len(expected(lost, ClientsStay)) == len(expected(lost, ClientsServed)) == 1
    quiet = {each.alarm for each in lost.hypothesis if isinstance(each, AlarmQuiet)}
    assert quiet == {ON_SECONDARY, *HOST_ALARMS}


def test_the_probe_that_decides_must_be_among_the_templates() -> None:
    templates = {
        name: template for name, template in templates_of(by_hosts).items() if "probe" not in name
    }
    _, left_out = read_deployments(templates, record=CDN)
    assert left_out == [
        f"{CDN}: no template installs the probe that checks its primary; give it too"
    ]
