"""The S3 bucket of the drills' journals."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from staged_resiliency.drills.runtime.keys import APPROVALS, OWN_FOLDERS
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.errors import InvalidInputError

JOURNAL_DAYS: Final = 1096
"""Three years, for which many auditors ask for evidence of a yearly test."""

OLD_VERSION_DAYS: Final = 90
_WHY_NO_ACCESS_LOG: Final = (
    "Only the roles of this stack read or write it, a few times a month; CloudTrail's data events "
    "record who did, in accounts that enable them. A second bucket for access logs would need the "
    "same care and hold nothing else."
)


class JournalBucket(Construct):
    """An encrypted, versioned, TLS-only bucket that is kept when its stack is deleted.

    No object in it can be overwritten: the policy denies every write without the condition that
    the key is new. Encrypted with S3's own keys unless a key is given: a journal holds host names,
    addresses and times, and a KMS key would have to be kept as long as the bucket.

    Args:
        key: ARN of a customer-managed KMS key; S3's own keys unless given.
        lock_days: For how many days S3 refuses to delete an object (Object Lock in compliance
            mode); not locked unless given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: str | None = None,
        lock_days: int | None = None,
    ) -> None:
        if lock_days is not None and not 1 <= lock_days <= JOURNAL_DAYS:
            raise InvalidInputError(
                f"DrillGroup: journal_lock_days: {lock_days} is out of range; give 1 to "
                f"{JOURNAL_DAYS}, the days that journals are kept"
            )
        super().__init__(scope, construct_id)
        bucket = s3.CfnBucket
        self.resource: Final = bucket(
            self,
            "Resource",
            bucket_encryption=bucket.BucketEncryptionProperty(
                server_side_encryption_configuration=[
                    bucket.ServerSideEncryptionRuleProperty(
                        server_side_encryption_by_default=bucket.ServerSideEncryptionByDefaultProperty(
                            sse_algorithm="AES256" if key is None else "aws:kms",
                            kms_master_key_id=key,
                        ),
                        bucket_key_enabled=None if key is None else True,
                    )
                ]
            ),
            lifecycle_configuration=bucket.LifecycleConfigurationProperty(
                rules=[
                    bucket.RuleProperty(
                        id="KeepJournals",
                        status="Enabled",
                        expiration_in_days=JOURNAL_DAYS,
                        noncurrent_version_expiration=bucket.NoncurrentVersionExpirationProperty(
                            noncurrent_days=OLD_VERSION_DAYS
                        ),
                        abort_incomplete_multipart_upload=bucket.AbortIncompleteMultipartUploadProperty(
                            days_after_initiation=1
                        ),
                    )
                ]
            ),
            ownership_controls=bucket.OwnershipControlsProperty(
                rules=[bucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
            ),
            public_access_block_configuration=bucket.PublicAccessBlockConfigurationProperty(
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            versioning_configuration=bucket.VersioningConfigurationProperty(status="Enabled"),
            object_lock_enabled=None if lock_days is None else True,
            object_lock_configuration=None
            if lock_days is None
            else bucket.ObjectLockConfigurationProperty(
                object_lock_enabled="Enabled",
                rule=bucket.ObjectLockRuleProperty(
                    default_retention=bucket.DefaultRetentionProperty(
                        mode="COMPLIANCE", days=lock_days
                    )
                ),
            ),
        )
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN)
        self.resource.add_metadata("Description", "Holds the journals of drills, run by run.")
        acknowledge(self.resource, {"AwsSolutions-S1": _WHY_NO_ACCESS_LOG})
        self.bucket_name: Final = self.resource.ref
        self.bucket_arn: Final = self.resource.attr_arn
        policy = s3.CfnBucketPolicy(
            self,
            "Policy",
            bucket=self.bucket_name,
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "DenyWithoutTls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [self.bucket_arn, f"{self.bucket_arn}/*"],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                    {
                        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
                        "Sid": "DenyOverwriting",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:PutObject",
                        "Resource": [
                            f"{self.bucket_arn}/{each}*" for each in (*OWN_FOLDERS, APPROVALS)
                        ],
                        "Condition": {
                            "Null": {"s3:if-none-match": "true"},
                            "Bool": {"s3:ObjectCreationOperation": "true"},
                        },
                    },
                ],
            },
        )
        policy.apply_removal_policy(RemovalPolicy.RETAIN)
        policy.add_metadata("Description", "Denies access without TLS, and overwriting.")
