"""The failover of a dependency's own name: ours, and the recipes that also watch the secondary."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from resiliency.failover_model.faults import Effect, Fault, FaultKind, effect
from resiliency.failover_model.graph import AlarmCheck, FailoverGraph, Metric
from resiliency.failover_model.simulation import Verdict, failover_times
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.failover_model.support import Data

CDN, BUCKET = "d111111abcdef8.cloudfront.net", "images.shop.example.s3.eu-west-1.amazonaws.com"
NAME = "images.shop.example"


def endpoint(name: str) -> Data:
    return {
        "Type": "HTTPS",
        "FullyQualifiedDomainName": name,
        "RequestInterval": 30,
        "FailureThreshold": 3,
    }


def on_alarm(host: str) -> Data:
    return {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Name": f"{host}-images", "Region": "eu-west-1"},
        "InsufficientDataHealthStatus": "Unhealthy",
    }


def alarm(host: str) -> Data:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": f"{host}-images",
            "Namespace": "Shop",
            "MetricName": "images-primary-connectivity",
            "Dimensions": [{"Name": "Host", "Value": host}],
            "Statistic": "Average",
            "ComparisonOperator": "LessThanThreshold",
            "Threshold": 1,
            "Period": 60,
            "EvaluationPeriods": 2,
        },
    }


def graph(threshold: int, *children: Data) -> FailoverGraph:
    """A pair of a dependency's own name, decided by several health checks, or by the only one."""
    resources: Data = {"blue": alarm("shop-blue"), "green": alarm("shop-green")}
    for number, config in enumerate(children):
        resources[f"Check{number}"] = {
            "Type": "AWS::Route53::HealthCheck",
            "Properties": {"HealthCheckConfig": config},
        }
    decides = "Check0"
    if len(children) > 1:
        decides = "Decides"
        resources[decides] = {
            "Type": "AWS::Route53::HealthCheck",
            "Properties": {
                "HealthCheckConfig": {
                    "Type": "CALCULATED",
                    "ChildHealthChecks": [{"Ref": f"Check{each}"} for each in range(len(children))],
                    "HealthThreshold": threshold,
                }
            },
        }
    for role, value in (("PRIMARY", CDN), ("SECONDARY", BUCKET)):
        resources[role] = {
            "Type": "AWS::Route53::RecordSet",
            "Properties": {
                "HostedZoneId": "Z1",
                "Name": f"{NAME}.",
                "Type": "CNAME",
                "TTL": "60",
                "SetIdentifier": role,
                "Failover": role,
                "ResourceRecords": [value],
            },
        }
    resources["PRIMARY"]["Properties"]["HealthCheckId"] = {"Ref": decides}
    resources["PRIMARY"]["Metadata"] = {"Dependency": "images"}
    return read_graph({"shop": {"Resources": resources}})


OURS_BY_ENDPOINT = graph(1, endpoint(CDN))
OURS_BY_HOSTS = graph(1, on_alarm("shop-blue"), on_alarm("shop-green"))
RECIPE_BY_ENDPOINTS = graph(2, endpoint(CDN), endpoint(BUCKET))
RECIPE_BY_HOSTS = graph(2, on_alarm("shop-blue"), on_alarm("shop-green"))


def verdicts(of: FailoverGraph) -> Mapping[FaultKind, Verdict]:
    found = {each.fault: each for each in failover_times(of, outages=50)}
    assert {fault.dependency for fault in found} == {"images"}
    return {fault.kind: verdict for fault, verdict in found.items()}


@pytest.mark.parametrize("ours", [OURS_BY_ENDPOINT, OURS_BY_HOSTS])
def test_clients_leave_a_primary_that_is_lost_and_no_other(ours: FailoverGraph) -> None:
    found = dict(verdicts(ours))
    lost = found.pop(FaultKind.PRIMARY_LOST)
    assert (lost.moved, lost.never) == (50, None)
    assert lost.fault.hurts
    assert FaultKind.SECONDARY_LOST in found
    for verdict in found.values():
        assert verdict.moved == 0, str(verdict.fault)
        assert not verdict.fault.hurts


def test_a_primary_that_hosts_see_is_not_left_because_one_host_is_cut_off() -> None:
    never = verdicts(OURS_BY_HOSTS)[FaultKind.HOST_CUT_OFF].never
    assert never == "Check1 fails after its deadline, which is not enough to change the answer"
    assert FaultKind.HOST_CUT_OFF not in verdicts(OURS_BY_ENDPOINT)


def test_an_alarm_of_the_hosts_own_shows_nothing_of_a_lost_secondary() -> None:
    (errors,) = (each for each in OURS_BY_HOSTS.alarms if each.name == "shop-blue-images")
    own = replace(errors, name="errors", metric=Metric("Shop", "errors", (("Host", "shop-blue"),)))
    beside = replace(OURS_BY_HOSTS, alarms=[*OURS_BY_HOSTS.alarms, own])
    never = verdicts(beside)[FaultKind.SECONDARY_LOST].never
    assert never == "no deciding signal (Check0, Check1) shows it"


def test_the_recipe_moves_clients_to_a_secondary_that_is_itself_lost() -> None:
    """A threshold of two over both targets requires the secondary, too, to be healthy."""
    found = verdicts(RECIPE_BY_ENDPOINTS)
    assert found[FaultKind.PRIMARY_LOST].moved == 50
    assert found[FaultKind.SECONDARY_LOST].moved == 50


def test_the_recipe_moves_all_clients_because_one_host_is_cut_off() -> None:
    """A threshold of two over both hosts requires each of them to reach the primary."""
    found = verdicts(RECIPE_BY_HOSTS)
    assert found[FaultKind.PRIMARY_LOST].moved == 50
    assert found[FaultKind.HOST_CUT_OFF].moved == 50
    assert found[FaultKind.SECONDARY_LOST].moved == 0


def test_what_another_metric_shows_of_the_primary_is_not_guessed() -> None:
    (pair,) = graph(1, on_alarm("shop-blue")).pairs
    lost = Fault(FaultKind.PRIMARY_LOST, "images")
    check = pair.primary.health_check
    assert isinstance(check, AlarmCheck)
    assert effect(lost, check, pair, of_primary=True) is Effect.UNANSWERED
    elsewhere = replace(check.alarm, metric=Metric("Shop", "orders", ()))
    assert effect(lost, replace(check, alarm=elsewhere), pair, of_primary=True) is Effect.UNKNOWN


def test_faults_of_hosts_are_not_those_of_a_dependencys_own_name() -> None:
    kinds = {each.fault.kind for each in failover_times(OURS_BY_HOSTS, outages=1)}
    assert kinds == {FaultKind.PRIMARY_LOST, FaultKind.SECONDARY_LOST, FaultKind.HOST_CUT_OFF}
