"""The health of a load balancer's targets decides where a record's alias evaluates it."""

from collections.abc import Mapping

import pytest

from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.graph import CalculatedCheck, EndpointCheck
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import Data, hand_written

DNS_NAME: Data = {"Fn::GetAtt": ["Balancer", "DNSName"]}
DEAD = [Fault(FaultKind.ENDPOINT_DEAD)]


def balanced(**group: object) -> Mapping[str, Data]:
    """A pair of aliases to load balancers, of which the template has the primary's."""
    template = hand_written()
    resources = template["Resources"]
    elb = "AWS::ElasticLoadBalancingV2"
    resources["Balancer"] = {"Type": f"{elb}::LoadBalancer", "Properties": {}}
    resources["Group"] = {
        "Type": f"{elb}::TargetGroup",
        "Properties": {"Protocol": "HTTP", "Port": 80, **group},
    }
    resources["Listener"] = {
        "Type": f"{elb}::Listener",
        "Properties": {
            "LoadBalancerArn": {"Ref": "Balancer"},
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
        },
    }
    name = {"Fn::Join": ["", ["dualstack.", DNS_NAME]]}
    for role, target in (("First", name), ("Second", "green.elb.amazonaws.com")):
        properties = resources[role]["Properties"]
        for key in ("TTL", "ResourceRecords", "HealthCheckId"):
            properties.pop(key, None)
        properties["AliasTarget"] = {
            "DNSName": target,
            "HostedZoneId": "Z1H1FL5HABSF5",
            "EvaluateTargetHealth": True,
        }
    return {"site": template}


def test_a_pair_that_its_targets_health_decides_is_read_from_the_target_group() -> None:
    (pair,) = read_graph(balanced(HealthCheckIntervalSeconds=10)).pairs
    target = "dualstack.${Balancer.DNSName}"
    assert pair.primary.health_check == EndpointCheck(
        "Group", "HTTP", target, 10, 2, timeout_seconds=5
    )
    assert not pair.primary.evaluates_target
    assert pair.secondary.evaluates_target
    verdicts = failover_times(read_graph(balanced()), outages=200)
    moved = {str(each.fault): each.total for each in verdicts if each.total is not None}
    assert list(moved) == ["host stopped", "host impaired", "endpoint dead", "endpoint hangs"]
    # One more check 30 s after the first; Route 53, its servers and caches may take 120 s.
    assert 30 < moved["endpoint dead"].best < moved["endpoint dead"].worst < 30 + 30 + 120
    # No metric of a health check shows it, so no message is promised.
    assert all(each.message is None for each in verdicts)


@pytest.mark.parametrize(
    ("group", "kind", "timeout"),
    [
        ({"Protocol": "TCP"}, "TCP", 10),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP"}, "HTTP", 6),
        ({"HealthCheckTimeoutSeconds": 3}, "HTTP", 3),
    ],
)
def test_defaults_of_target_groups_are_those_of_elastic_load_balancing(
    group: Data, kind: str, timeout: int
) -> None:
    check = read_graph(balanced(**group)).pairs[0].primary.health_check
    assert isinstance(check, EndpointCheck)
    assert (check.kind, check.timeout_seconds) == (kind, timeout)


def test_a_classic_load_balancer_is_followed_where_it_has_a_health_check() -> None:
    templates = balanced()
    resources = templates["site"]["Resources"]
    del resources["Listener"]
    check = {
        **{"Target": "HTTP:80/health", "Interval": "10", "Timeout": "4"},
        **{"UnhealthyThreshold": "3", "HealthyThreshold": "2"},
    }
    properties: Data = {"HealthCheck": check}
    resources["Balancer"] = {
        "Type": "AWS::ElasticLoadBalancing::LoadBalancer",
        "Properties": properties,
    }
    (pair,) = read_graph(templates).pairs
    assert pair.primary.health_check == EndpointCheck(
        "Balancer", "HTTP", "dualstack.${Balancer.DNSName}", 10, 3, timeout_seconds=4
    )
    assert not pair.primary.evaluates_target
    del properties["HealthCheck"]
    (pair,) = read_graph(templates).pairs
    assert pair.primary.evaluates_target


def test_the_records_own_health_check_decides_too() -> None:
    template = balanced()
    template["site"]["Resources"]["First"]["Properties"]["HealthCheckId"] = {"Ref": "StatusCheck"}
    (pair,) = read_graph(template).pairs
    assert isinstance(pair.primary.health_check, CalculatedCheck)
    assert [each.label for each in pair.primary.checks] == ["StatusCheck", "Group"]
    assert pair.primary.health_check.threshold == 2


def test_one_template_that_is_deployed_in_two_regions_is_a_pair_of_two_hosts() -> None:
    regions = {}
    for stack, role in (("near", "PRIMARY"), ("far", "SECONDARY")):
        regions[stack] = balanced()["site"]
        resources = regions[stack]["Resources"]
        del resources["Second"]
        resources["First"]["Properties"] |= {"Failover": role, "HealthCheckId": {"Ref": "Check"}}
        config = {"Type": "HTTP", "FullyQualifiedDomainName": DNS_NAME}
        resources["Check"] = {
            "Type": "AWS::Route53::HealthCheck",
            "Properties": {"HealthCheckConfig": config},
        }
    graph = read_graph(regions)
    (verdict,) = failover_times(graph, outages=10, only=DEAD)
    assert verdict.moved == 10
    (pair,) = graph.pairs
    labels = [[each.label for each in record.checks] for record in (pair.primary, pair.secondary)]
    assert labels == [["Check", "Group"], ["Check (far)", "Group (far)"]]
