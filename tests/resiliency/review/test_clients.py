"""Who clients are sent to, and what decides it, in a review of the smallest stacks."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import (
    alarm,
    changed,
    configured,
    pair,
    resource,
    reviewed,
    texts,
    without,
)


def test_a_record_that_goes_leaves_its_name_without_an_answer() -> None:
    found = reviewed(pair(), without(pair(), "Primary", "Secondary"))
    assert texts(found, "clients") == [
        "danger site.example.com A has no answer any more in zone Z1"
    ]


def test_another_identifier_is_another_record() -> None:
    found = reviewed(pair(), changed(pair(), "Primary", SetIdentifier="other"))
    assert texts(found, "clients")[0] == (
        "danger a record of site.example.com A is deleted, and another one is created"
    )


def test_another_zone_leaves_the_former_one_without_an_answer() -> None:
    found = reviewed(pair(), pair(HostedZoneId="Z2"))
    assert "danger site.example.com A has no answer any more in zone Z1" in texts(found, "clients")
    (replaced,) = texts(found, "names")
    assert replaced.startswith("danger RecordSets site.example.com. and site.example.com. are repl")


def test_a_signal_without_data_sends_clients_to_the_standby() -> None:
    before = {**pair(), "Alarm": alarm(Namespace="Former")}
    after = {**pair(), "New": pair()["Check"]}
    after = changed(without(after, "Check"), "Primary", HealthCheckId={"Ref": "New"})
    found = texts(reviewed(before, after), "clients")
    assert found[0] == (
        "danger down decides the failover of site.example.com, and its metric Site "
        "db-connectivity site-blue has no data yet, which counts as unhealthy: clients are sent to "
        "the standby until the metric has data"
    )
    assert "no longer publishes it" in found[1]


def test_a_signal_that_is_healthy_without_data_protects_nobody_until_it_has_data() -> None:
    healthy = {"InsufficientDataHealthStatus": "Healthy"}
    before = configured({**pair(), "Alarm": alarm(Namespace="Former")}, **healthy)
    after = configured(pair(), **healthy)
    (found,) = [each for each in texts(reviewed(before, after), "clients") if "no data" in each]
    assert found.startswith("warning down decides")
    assert found.endswith("its failures move no clients until the metric has data")


def test_a_new_pair_without_data_is_a_warning_as_nobody_uses_it_yet() -> None:
    (found,) = texts(reviewed({}, pair()), "clients")
    assert found.startswith("warning down decides the failover of site.example.com")


def test_metrics_of_aws_have_data() -> None:
    after = {**pair(), "Alarm": alarm(Namespace="AWS/EC2")}
    assert texts(reviewed({}, after), "clients") == []


def test_a_pair_without_a_health_check_never_moves_clients() -> None:
    found = reviewed(pair(), changed(pair(), "Primary", HealthCheckId=None))
    assert texts(found, "clients") == [
        "danger site.example.com A has no health check any more: no failure moves clients to the "
        "standby"
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Disabled": True}, "db-connectivity decides by another rule: disabled"),
        ({"Inverted": True}, "db-connectivity decides by another rule: inverted"),
        (
            {"InsufficientDataHealthStatus": "Healthy"},
            "db-connectivity decides by another rule: without data Unhealthy → Healthy",
        ),
    ],
)
def test_another_configuration_of_a_health_check_is_another_rule(
    changes: Mapping[str, Any], text: str
) -> None:
    assert texts(reviewed(pair(), configured(pair(), **changes)), "clients") == [f"warning {text}"]


def test_a_health_check_keeps_the_former_rule_of_an_alarm() -> None:
    found = reviewed(pair(), {**pair(), "Alarm": alarm(Threshold=0.5)})
    assert (
        "danger the health check Check keeps the former rule of down (threshold 1.0 → 0.5): "
        "Route 53 read it when the health check was made"
    ) in texts(found, "clients")


def test_a_health_check_that_is_updated_reads_the_rule_again() -> None:
    after = configured({**pair(), "Alarm": alarm(Threshold=0.5)}, Inverted=False)
    assert "keeps" not in " ".join(texts(reviewed(pair(), after), "clients"))


def test_exchanged_hosts_and_another_standby_differ() -> None:
    swapped = changed(pair(), "Primary", ResourceRecords=["192.0.2.2"])
    swapped = changed(swapped, "Secondary", ResourceRecords=["192.0.2.1"])
    assert texts(reviewed(pair(), swapped), "clients") == [
        "warning clients of site.example.com A are sent to 192.0.2.2 in place of 192.0.2.1 (the "
        "hosts exchange their roles): within 60 s, where resolvers honor the TTL"
    ]
    moved = changed(pair(), "Secondary", ResourceRecords=["192.0.2.9"])
    assert texts(reviewed(pair(), moved), "clients") == [
        "note the standby of site.example.com A is 192.0.2.9"
    ]


def endpoint(**changes: Any) -> dict[str, Any]:
    """A pair that an endpoint decides."""
    config = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, **changes}
    return changed(pair(), "Check", HealthCheckConfig=config)


def test_an_endpoint_is_checked_by_another_rule() -> None:
    found = texts(reviewed(endpoint(), endpoint(FailureThreshold=5)), "clients")
    assert found == ["warning the endpoint decides by another rule: failure threshold 3 → 5"]


def test_other_signals_that_decide_are_named() -> None:
    assert texts(reviewed(pair(), endpoint()), "clients") == [
        "warning db-connectivity no longer decides the failover of site.example.com: it moves no "
        "clients",
        "warning the endpoint decides the failover of site.example.com too: its failure moves all "
        "clients",
    ]


def test_more_healthy_signals_may_be_needed() -> None:
    def calculated(threshold: int) -> dict[str, Any]:
        config = {
            "Type": "CALCULATED",
            "ChildHealthChecks": [{"Ref": "Check"}],
            "HealthThreshold": threshold,
        }
        return {
            **pair(check="All"),
            "All": resource("Route53::HealthCheck", HealthCheckConfig=config),
        }

    assert texts(reviewed(calculated(1), calculated(0)), "clients") == [
        "warning of 1 healthy signals, 0 must be healthy where 1 had to be before"
    ]


def test_a_failover_that_cant_be_followed_is_said() -> None:
    unknown = changed(pair(), "Primary", HealthCheckId="0123-4567")
    found = texts(reviewed(unknown, pair()), "clients")
    assert found[0].startswith("warning the failover can't be followed before the change: site: ")
