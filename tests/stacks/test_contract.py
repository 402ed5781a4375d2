"""Logical ids and physical names are this application's interface.

A change here replaces a deployed resource: it must be meant, and stand in CHANGELOG.md.
"""

from collections.abc import Mapping

from tests.support import Template

FAILOVER_IDS = {
    "BlueConnectivitycdnF64BDBF8": "AWS::CloudWatch::Alarm",
    "BlueConnectivitydb3979D8D3": "AWS::CloudWatch::Alarm",
    "FailoverBlueStatusAlarmC8C73F4A": "AWS::CloudWatch::Alarm",
    "FailoverRecords862DD776": "AWS::Route53::RecordSetGroup",
    # 2B3048A5 is the digest of the alarm's rule
    "FailoverHealthCheckstatus2B3048A5A662B878": "AWS::Route53::HealthCheck",
    "GreenConnectivitycdn9227415F": "AWS::CloudWatch::Alarm",
    "GreenConnectivitydb2BDDBE49": "AWS::CloudWatch::Alarm",
}
NOTIFICATIONS_IDS = {
    "Key961B73FD": "AWS::KMS::Key",
    "TopicPingPublicationsSNSPolicy19333D31": "AWS::SNS::TopicPolicy",
    "TopicPingPublicationsSNS26AFA596": "AWS::SNS::Topic",
}
OUTPUTS = {"RecordName", "HealthCheckId", "AlarmNames", "TopicArn"}


def _ids(template: Template) -> Mapping[str, str]:
    return {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}


def test_the_stacks_have_these_names(example_templates: Mapping[str, Template]) -> None:
    assert set(example_templates) == {
        "bookstore-production-failover",
        "notifications-532151327118-us-west-2",
    }


def test_the_failover_stack_has_these_logical_ids(failover_template: Template) -> None:
    assert _ids(failover_template) == FAILOVER_IDS


def test_the_notifications_stack_has_these_logical_ids(notifications_template: Template) -> None:
    assert _ids(notifications_template) == NOTIFICATIONS_IDS


def test_the_failover_stack_has_these_outputs(failover_template: Template) -> None:
    assert set(failover_template["Outputs"]) == OUTPUTS


def test_only_names_that_somebody_outside_needs_are_physical(
    example_templates: Mapping[str, Template],
) -> None:
    named = {
        str(resource["Properties"][key])
        for template in example_templates.values()
        for resource in template["Resources"].values()
        for key in ("AlarmName", "TopicName", "KeyName", "Name")
        if key in resource["Properties"]
    }
    assert named == {
        "PingPublicationsSNS",
        "bookstore-api-blue-StatusCheckFailed",
        "bookstore-api-blue-cdn-connectivity-failed",
        "bookstore-api-blue-db-connectivity-failed",
        "bookstore-api-green-cdn-connectivity-failed",
        "bookstore-api-green-db-connectivity-failed",
    }


def test_the_outputs_tell_the_names(failover_template: Template) -> None:
    outputs = {name: output["Value"] for name, output in failover_template["Outputs"].items()}
    assert outputs == {
        "RecordName": "bookstore.pingpublications.com",
        "HealthCheckId": {"Ref": "FailoverHealthCheckstatus2B3048A5A662B878"},
        "AlarmNames": "bookstore-api-blue-StatusCheckFailed,"
        "bookstore-api-blue-db-connectivity-failed,bookstore-api-green-db-connectivity-failed,"
        "bookstore-api-blue-cdn-connectivity-failed,bookstore-api-green-cdn-connectivity-failed",
        "TopicArn": "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS",
    }


def test_every_stack_resource_and_output_says_what_it_is_for(
    example_templates: Mapping[str, Template],
) -> None:
    for template in example_templates.values():
        assert template["Description"]
        for output in template["Outputs"].values():
            assert output["Description"]
        for logical_id, resource in template["Resources"].items():
            properties = resource["Properties"]
            told = (
                properties.get("AlarmDescription")
                or properties.get("Description")
                or properties.get("Comment")
                or resource.get("Metadata", {}).get("Description")
            )
            assert told, f"{logical_id} does not say what it is for"


def test_templates_hold_nothing_but_what_ops_review(
    example_templates: Mapping[str, Template],
) -> None:
    for template in example_templates.values():
        assert set(template) == {"Description", "Resources", "Outputs"}
