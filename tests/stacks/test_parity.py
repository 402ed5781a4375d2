"""The example's templates hold the reference's values, each one by itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import Template, only, records_of, resources_of

REFERENCE: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("reference_values.json").read_text(encoding="utf-8")
)
TOPIC_ARN = f"arn:aws:sns:{REFERENCE['region']}:{REFERENCE['account']}:{REFERENCE['topic']['name']}"
CONNECTIVITY = REFERENCE["connectivity_alarms"]
ALARMS: Mapping[str, Mapping[str, Any]] = {
    alarm["AlarmName"]: alarm
    for alarm in (
        REFERENCE["status_alarm"],
        *({**CONNECTIVITY["common"], **each} for each in CONNECTIVITY["each"]),
    )
}
ALARM_VALUES = [(name, key) for name, alarm in ALARMS.items() for key in alarm]
RECORDS: Mapping[str, Mapping[str, Any]] = {
    record["Failover"]: record for record in REFERENCE["records"]
}
RECORD_VALUES = [(role, key) for role, record in RECORDS.items() for key in record]


def _alarm(template: Template, name: str) -> Mapping[str, Any]:
    found = [
        resource["Properties"]
        for resource in resources_of(template, "AWS::CloudWatch::Alarm").values()
        if resource["Properties"]["AlarmName"] == name
    ]
    assert len(found) == 1
    properties: Mapping[str, Any] = found[0]
    return properties


def _record(template: Template, role: str) -> Mapping[str, Any]:
    found = [record for record in records_of(template) if record["Failover"] == role]
    assert len(found) == 1
    record: Mapping[str, Any] = found[0]
    return record


def test_the_stack_holds_the_reference_alarms_and_no_others(failover_template: Template) -> None:
    alarms = resources_of(failover_template, "AWS::CloudWatch::Alarm").values()
    assert sorted(alarm["Properties"]["AlarmName"] for alarm in alarms) == sorted(ALARMS)
    assert len(ALARMS) == 5


@pytest.mark.parametrize(("name", "key"), ALARM_VALUES, ids=lambda value: value)
def test_each_alarm_has_the_reference_value(
    failover_template: Template, name: str, key: str
) -> None:
    # A null in the reference is a property that is left out: CloudWatch's default.
    assert _alarm(failover_template, name).get(key) == ALARMS[name][key]


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_notifies_the_topic_and_does_nothing_else(
    failover_template: Template, name: str
) -> None:
    alarm = _alarm(failover_template, name)
    assert alarm["AlarmActions"] == [TOPIC_ARN]
    assert set(alarm) <= {*ALARMS[name], "AlarmActions"}


def test_the_health_check_has_the_reference_values_and_no_other(
    failover_template: Template,
) -> None:
    config = only(failover_template, "AWS::Route53::HealthCheck")["HealthCheckConfig"]
    assert config == REFERENCE["health_check"]


@pytest.mark.parametrize(("role", "key"), [row for row in RECORD_VALUES if row[1] != "HealthCheck"])
def test_each_record_has_the_reference_value(
    failover_template: Template, role: str, key: str
) -> None:
    expected = RECORDS[role][key]
    # CloudFormation takes the number of seconds as a text.
    assert _record(failover_template, role)[key] == (str(expected) if key == "TTL" else expected)


def test_the_health_check_is_made_after_its_alarm(failover_template: Template) -> None:
    # It names the alarm; without this CloudFormation could make it first, or before an update.
    (health_check,) = resources_of(failover_template, "AWS::Route53::HealthCheck").values()
    (alarm_id,) = [
        logical_id
        for logical_id, alarm in resources_of(failover_template, "AWS::CloudWatch::Alarm").items()
        if alarm["Properties"]["AlarmName"] == REFERENCE["status_alarm"]["AlarmName"]
    ]
    assert health_check["DependsOn"] == [alarm_id]


def test_the_primary_is_decided_by_the_health_check(failover_template: Template) -> None:
    (logical_id,) = resources_of(failover_template, "AWS::Route53::HealthCheck")
    assert _record(failover_template, "PRIMARY")["HealthCheckId"] == {"Ref": logical_id}


def test_the_secondary_is_always_served_when_it_is_needed(failover_template: Template) -> None:
    assert "HealthCheckId" not in _record(failover_template, "SECONDARY")


def test_the_pair_is_in_the_reference_zone(failover_template: Template) -> None:
    zones = {record["HostedZoneId"] for record in records_of(failover_template)}
    assert zones == {REFERENCE["hosted_zone"]["id"]}


def test_the_topic_has_the_reference_name(notifications_template: Template) -> None:
    assert only(notifications_template, "AWS::SNS::Topic")["TopicName"] == "PingPublicationsSNS"
