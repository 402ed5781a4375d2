"""Logical ids and physical names are this application's interface.

A change here replaces a deployed resource: it must be meant, and stand in CHANGELOG.md.
"""

from collections.abc import Mapping

import pytest

from tests.support import Template, example, synthesize

FAILOVER_IDS = {
    "BlueConnectivitycdnF64BDBF8": "AWS::CloudWatch::Alarm",
    "BlueConnectivitydb3979D8D3": "AWS::CloudWatch::Alarm",
    "FailoverBlueStatusAlarmC8C73F4A": "AWS::CloudWatch::Alarm",
    "FailoverRecordsPrimaryA957C9697": "AWS::Route53::RecordSet",
    "FailoverRecordsSecondaryAC113E787": "AWS::Route53::RecordSet",
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
# Of the example's three drills, and of what they share.
DRILLS_IDS = {
    "DrillsJournals9A9F810E": "AWS::S3::Bucket",
    "DrillsJournalsPolicy3D8FAF24": "AWS::S3::BucketPolicy",
    "DrillsUndelivered772D164D": "AWS::SQS::Queue",
    "DrillsUndeliveredAlarm0BD5CC91": "AWS::CloudWatch::Alarm",
    "DrillsUndeliveredPolicyAB804BFE": "AWS::SQS::QueuePolicy",
    "DrillsLogA8A508DB": "AWS::Logs::LogGroup",
    "DrillsObserveRoleE727E39B": "AWS::IAM::Role",
    "DrillsObserveB0C24C8F": "AWS::Lambda::Function",
    "DrillsInjectRole566D955B": "AWS::IAM::Role",
    "DrillsInject433E919C": "AWS::Lambda::Function",
    "DrillsEndRole3748813F": "AWS::IAM::Role",
    "DrillsEnd13510466": "AWS::Lambda::Function",
    "DrillsSchedules0AAEEDE2": "AWS::Scheduler::ScheduleGroup",
    "DrillsMachineRoleB4E8C323": "AWS::IAM::Role",
    "DrillsSchedulerRole7AA00F4F": "AWS::IAM::Role",
    "DrillsCleanupRuleDE4A3C43": "AWS::Events::Rule",
    "DrillsCleanupPermissionA82DC300": "AWS::Lambda::Permission",
    "DrillsCleanupCalls8B56DF39": "AWS::Lambda::EventInvokeConfig",
    "DrillsCleanupSchedule49A4C252": "AWS::Scheduler::Schedule",
    "DrillsWatchdogSchedule3CEDC5AB": "AWS::Scheduler::Schedule",
    "DrillsFaultNotEndedF10793D6": "AWS::CloudWatch::Alarm",
    "DrillsStopInstanceRole4EED9ADC": "AWS::IAM::Role",
    "DrillsBlackholeRoleECF24E3B": "AWS::IAM::Role",
    "DrillshutdownExperiment82098E24": "AWS::FIS::ExperimentTemplate",
    "DrillshutdownMachine567F2309": "AWS::StepFunctions::StateMachine",
    "DrillshutdownSchedule74CAD621": "AWS::Scheduler::Schedule",
    "DrillshutdownOverdue95AD1C2B": "AWS::CloudWatch::Alarm",
    "DrilldbblackholeExperimentE3F0CD12": "AWS::FIS::ExperimentTemplate",
    "DrilldbblackholeMachine827985AB": "AWS::StepFunctions::StateMachine",
    "DrilldbblackholeSchedule71885457": "AWS::Scheduler::Schedule",
    "DrilldbblackholeOverdueBB6E23CA": "AWS::CloudWatch::Alarm",
    "DrillcdnblackholeExperiment8B0431E0": "AWS::FIS::ExperimentTemplate",
    "DrillcdnblackholeMachineA5ADC88D": "AWS::StepFunctions::StateMachine",
    "DrillcdnblackholeSchedule7A7A69E6": "AWS::Scheduler::Schedule",
    "DrillcdnblackholeOverdue06D7B96B": "AWS::CloudWatch::Alarm",
}
PEER_IDS = {
    "BluePeerConnectivity03C9B1B7": "AWS::CloudWatch::Alarm",
    "GreenPeerConnectivity19D60ECF": "AWS::CloudWatch::Alarm",
    # 5203582E and 8D71E44C are digests: of the alarm's rule, and of the signals
    "FailoverHealthCheckpeer5203582E9AED36F3": "AWS::Route53::HealthCheck",
    "FailoverAllSignals8D71E44CAA52D72E": "AWS::Route53::HealthCheck",
}
NOTIFICATIONS_IDS = {
    "TopicKey6720E77D": "AWS::KMS::Key",
    "TopicPolicy7C94FB28": "AWS::SNS::TopicPolicy",
    "TopicBFC7AF6E": "AWS::SNS::Topic",
}
FAILOVER_ALARM_IDS = {"FailoverAlarmD50F9F10": "AWS::CloudWatch::Alarm"}
# 2B3048A5 is the digest of the status alarm's rule: another health check has another output.
ID_OUTPUT = "FailoverHealthCheckstatusId2B3048A570C52BD9"
OUTPUTS = {ID_OUTPUT, "RecordName", "HealthCheckId", "AlarmNames", "TopicArn"}
PROBE_OUTPUTS = {"PublishPolicyArn", "AssociationId"}
TOPIC_OUTPUTS = {"TopicArn"}
DRILLS_OUTPUTS = {"StateMachineNames", "JournalBucketName"}
# Where there are drills, the failover stack shows their results beside its own health check.
DASHBOARD_ID = {"Dashboard9E4231ED": "AWS::CloudWatch::Dashboard"}


def _ids(template: Template) -> Mapping[str, str]:
    return {logical_id: resource["Type"] for logical_id, resource in template["Resources"].items()}


# Of each stack: its logical ids, and its outputs.
STACKS: Mapping[str, tuple[Mapping[str, str], set[str]]] = {
    "bookstore-production-drills": (DRILLS_IDS, DRILLS_OUTPUTS),
    "bookstore-production-failover": ({**FAILOVER_IDS, **DASHBOARD_ID}, OUTPUTS),
    "bookstore-production-failover-alarm": (FAILOVER_ALARM_IDS, set()),
    "bookstore-production-probe": (PROBE_IDS, PROBE_OUTPUTS),
    "notifications-532151327118-us-east-1-PingPublicationsSNS": (NOTIFICATIONS_IDS, TOPIC_OUTPUTS),
    "notifications-532151327118-us-west-2-PingPublicationsSNS": (NOTIFICATIONS_IDS, TOPIC_OUTPUTS),
}


def test_the_stacks_have_these_names(example_templates: Mapping[str, Template]) -> None:
    assert set(example_templates) == set(STACKS)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_has_these_logical_ids_and_outputs(
    stack: str, example_templates: Mapping[str, Template]
) -> None:
    template = example_templates[stack]
    assert (_ids(template), set(template.get("Outputs", {}))) == STACKS[stack]


def test_without_drills_the_failover_stack_has_no_dashboard() -> None:
    templates = synthesize([example()])
    assert "bookstore-production-drills" not in templates
    assert _ids(templates["bookstore-production-failover"]) == FAILOVER_IDS


def test_peers_that_decide_add_these_logical_ids() -> None:
    peers = synthesize([example(lambda env: env.update(failover_on=["status", "peer"]))])
    assert _ids(peers["bookstore-production-failover"]) == FAILOVER_IDS | PEER_IDS


def test_only_names_that_somebody_outside_needs_are_physical(
    example_templates: Mapping[str, Template],
) -> None:
    named = {
        name
        for template in example_templates.values()
        for resource in template["Resources"].values()
        for key, name in resource.get("Properties", {}).items()
        if key.endswith("Name") and key != "MetricName" and isinstance(name, str)
    }
    assert named == {
        "/aws/vendedlogs/staged-resiliency/bookstore-production-drills",
        "PingPublicationsSNS",
        "bookstore.pingpublications.com.",
        "bookstore-production-probe",
        "bookstore-api-blue-StatusCheckFailed",
        "bookstore-api-blue-cdn-connectivity-failed",
        "bookstore-api-blue-db-connectivity-failed",
        "bookstore-api-blue-probe-silent",
        "bookstore-api-green-cdn-connectivity-failed",
        "bookstore-api-green-db-connectivity-failed",
        "bookstore-api-green-probe-silent",
        "bookstore-production",
        "bookstore-production-clients-on-standby",
        "bookstore-production-drill-cdn-blackhole",
        "bookstore-production-drill-cdn-blackhole-overdue",
        "bookstore-production-drill-db-blackhole",
        "bookstore-production-drill-db-blackhole-overdue",
        "bookstore-production-drill-shutdown",
        "bookstore-production-drill-shutdown-overdue",
        "bookstore-production-drills-fault-not-ended",
        "bookstore-production-drills-undelivered",
    }


def test_the_outputs_tell_the_names(failover_template: Template) -> None:
    outputs = {name: output["Value"] for name, output in failover_template["Outputs"].items()}
    assert outputs == {
        "RecordName": "bookstore.pingpublications.com",
        "HealthCheckId": {"Ref": "FailoverHealthCheckstatus2B3048A5A662B878"},
        ID_OUTPUT: {"Ref": "FailoverHealthCheckstatus2B3048A5A662B878"},
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
        for output in template.get("Outputs", {}).values():
            assert output["Description"]
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            purpose = (
                properties.get("AlarmDescription")
                or properties.get("Description")
                or properties.get("Comment")
                or resource.get("Metadata", {}).get("Description")
            )
            assert purpose, f"{logical_id} does not say what it is for"


def test_templates_hold_nothing_but_what_ops_review(
    example_templates: Mapping[str, Template],
) -> None:
    for name, template in example_templates.items():
        metadata = template.get("Metadata", {})
        assert set(template) - {"Metadata", "Outputs"} == {"Description", "Resources"}
        keys = {"Hosts", "RecoveryTimeSeconds"} if name.endswith("-failover") else set()
        assert set(metadata) == keys
