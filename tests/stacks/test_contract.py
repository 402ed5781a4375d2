"""Logical ids and physical names are this application's interface.

A change here replaces a deployed resource: it must be meant, and stand in CHANGELOG.md.
"""

from collections.abc import Mapping

from tests.support import Template, example, synthesize

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
PROBE_IDS = {
    "ProbeDocument3CA2915C": "AWS::SSM::Document",
    "ProbeAssociation35D661BE": "AWS::SSM::Association",
    "ProbePublishPolicyB28EB1A6": "AWS::IAM::ManagedPolicy",
    "BlueProbeSilentBF43A48A": "AWS::CloudWatch::Alarm",
    "GreenProbeSilentC72C512C": "AWS::CloudWatch::Alarm",
}
PEER_IDS = {
    "BluePeerConnectivity03C9B1B7": "AWS::CloudWatch::Alarm",
    "GreenPeerConnectivity19D60ECF": "AWS::CloudWatch::Alarm",
    # 5203582E and 8D71E44C are digests: of the alarm's rule, and of the signals
    "FailoverHealthCheckpeer5203582E9AED36F3": "AWS::Route53::HealthCheck",
    "FailoverAllSignals8D71E44CAA52D72E": "AWS::Route53::HealthCheck",
}
NOTIFICATIONS_IDS = {
    "Key961B73FD": "AWS::KMS::Key",
    "TopicPingPublicationsSNSPolicy19333D31": "AWS::SNS::TopicPolicy",
    "TopicPingPublicationsSNS26AFA596": "AWS::SNS::Topic",
}
OUTPUTS = {"RecordName", "HealthCheckId", "AlarmNames", "TopicArn"}
PROBE_OUTPUTS = {"PublishPolicyArn", "AssociationId"}


def _ids(template: Template) -> Mapping[str, str]:
    return {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}


def test_the_stacks_have_these_names(example_templates: Mapping[str, Template]) -> None:
    assert set(example_templates) == {
        "bookstore-production-drills",
        "bookstore-production-failover",
        "bookstore-production-probe",
        "notifications-532151327118-us-west-2",
    }


def test_the_failover_stack_has_these_logical_ids(failover_template: Template) -> None:
    assert _ids(failover_template) == FAILOVER_IDS


def test_the_probe_stack_has_these_logical_ids(probe_template: Template) -> None:
    assert _ids(probe_template) == PROBE_IDS


def test_peers_that_decide_add_these_logical_ids() -> None:
    peers = synthesize([example(lambda env: env.update(failover_on=["status", "peer"]))])
    assert _ids(peers["bookstore-production-failover"]) == FAILOVER_IDS | PEER_IDS


def test_the_notifications_stack_has_these_logical_ids(notifications_template: Template) -> None:
    assert _ids(notifications_template) == NOTIFICATIONS_IDS


def test_the_failover_stack_has_these_outputs(failover_template: Template) -> None:
    assert set(failover_template["Outputs"]) == OUTPUTS


def test_the_probe_stack_has_these_outputs(probe_template: Template) -> None:
    assert set(probe_template["Outputs"]) == PROBE_OUTPUTS


def test_only_names_that_somebody_outside_needs_are_physical(
    example_templates: Mapping[str, Template],
) -> None:
    named = {
        name
        for template in example_templates.values()
        for resource in template["Resources"].values()
        for key, name in resource["Properties"].items()
        if key.endswith("Name") and key != "MetricName" and isinstance(name, str)
    }
    assert named == {
        "PingPublicationsSNS",
        "bookstore-production-probe",
        "bookstore-api-blue-StatusCheckFailed",
        "bookstore-api-blue-cdn-connectivity-failed",
        "bookstore-api-blue-db-connectivity-failed",
        "bookstore-api-blue-probe-silent",
        "bookstore-api-green-cdn-connectivity-failed",
        "bookstore-api-green-db-connectivity-failed",
        "bookstore-api-green-probe-silent",
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
