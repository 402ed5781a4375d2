"""What drills keep: journals, logs, undelivered calls, and AWS FIS's own reports."""

from tests.stacks.deployed_drills import (
    ACCOUNT,
    EXPERIMENT,
    JOURNALS,
    KEY,
    LOG,
    OWN,
    REGION,
    by_drill,
    deployed,
    experiment_request,
    roles_of,
    statements_of,
)
from tests.staged_resiliency.api_model import problems_of
from tests.support import Data, Template, example, only, resources_of, synthesize


def test_journals_are_encrypted_versioned_private_and_stay(drills_template: Template) -> None:
    (bucket,) = resources_of(drills_template, "AWS::S3::Bucket").values()
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = bucket["Properties"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (kept,) = properties["LifecycleConfiguration"]["Rules"]
    assert kept["ExpirationInDays"] == 1096
    policy = deployed(only(drills_template, "AWS::S3::BucketPolicy"), drills_template)
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [JOURNALS, f"{JOURNALS}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "DenyOverwriting",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": [f"{JOURNALS}/{folder}/*" for folder in (*OWN, "approvals")],
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        },
    ]


DASHBOARD = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/bookstore-production"


def test_a_key_locks_and_reports_are_there_where_they_are_asked_for() -> None:
    def edit(env: Data) -> None:
        env["drills"]["evidence"] = {"kms_key": KEY, "lock_days": 365, "fis_report": True}

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    bucket = only(template, "AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"},
    }
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}
    }
    assert only(template, LOG)["KmsKeyId"] == KEY
    assert only(template, "AWS::SQS::Queue") == {
        "KmsMasterKeyId": KEY,
        "MessageRetentionPeriod": 1209600,
    }
    may_use = {
        name
        for name, role in roles_of(template)
        for actions, resources, _ in statements_of(role)
        if resources == [KEY] and "kms:GenerateDataKey" in actions
    }
    # Step Functions writes logs alone, which CloudWatch Logs encrypts in its own name.
    assert may_use == {name for name, _ in roles_of(template)} - {"DrillsMachineRole"}
    for experiment in by_drill(template, EXPERIMENT).values():
        request = experiment_request(experiment)
        assert problems_of("fis", "CreateExperimentTemplate", request) == []
        assert experiment["ExperimentReportConfiguration"] == {
            "DataSources": {"CloudWatchDashboards": [{"DashboardIdentifier": DASHBOARD}]},
            "Outputs": {
                "ExperimentReportS3Configuration": {
                    "BucketName": "journals",
                    "Prefix": "fis-reports",
                }
            },
        }
    for name in ("DrillsStopInstanceRole", "DrillsBlackholeRole"):
        allowed = list(statements_of(dict(roles_of(template))[name]))
        for statement in (
            (["s3:GetObject", "s3:PutObject"], [f"{JOURNALS}/fis-reports/*"], None),
            (["cloudwatch:GetDashboard"], [DASHBOARD], None),
            (["cloudwatch:GetMetricWidgetImage"], ["*"], None),
        ):
            assert statement in allowed


def test_keys_of_volumes_open_them_to_who_starts_the_host(enabled_template: Template) -> None:
    granted = {
        name
        for name, role in roles_of(enabled_template)
        for actions, resources, condition in statements_of(role)
        if actions == ["kms:CreateGrant"]
        and resources == [KEY]
        and condition
        == {
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringEquals": {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"},
        }
    }
    assert granted == {"DrillsStopInstanceRole", "DrillsEndRole"}
