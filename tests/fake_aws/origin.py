"""A simulated CloudFront distribution before a bucket of moto, and the pair of a dependency's name.

CloudFront keeps good answers until they are invalidated, and errors for ten seconds. It asks the
bucket, whose policy decides by its statements and the time, as IAM does.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from moto.s3.models import s3_backends

from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.network import UnansweredError
from tests.fake_aws import plans
from tests.fake_aws.simulation import ApiError, Response, SimulatedService

CLOUDFRONT_ADDRESS, S3_ADDRESS = "203.0.113.10", "203.0.113.20"
ERROR_TTL = 10
ALLOW = {
    "Sid": "AllowCloudFront",
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{plans.ORIGIN_BUCKET}/*",
    "Condition": {
        "StringEquals": {
            "AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1PA6795UKMFR9"
        }
    },
}
FORMER = {"Version": "2012-10-17", "Statement": [ALLOW]}


def distribution() -> dict[str, Any]:
    return {
        "CallerReference": "1",
        "Comment": "",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": [plans.IMAGES]},
        "Origins": {
            "Quantity": 2,
            "Items": [
                {
                    "Id": "bucket",
                    "DomainName": f"{plans.ORIGIN_BUCKET}.s3.us-west-2.amazonaws.com",
                    "OriginAccessControlId": "E2QWRUHAPOMQZL",
                },
                {"Id": "api", "DomainName": "api.pingpublications.com"},
            ],
        },
        "CacheBehaviors": {
            "Quantity": 1,
            "Items": [
                {
                    "PathPattern": "api/*",
                    "TargetOriginId": "api",
                    "ViewerProtocolPolicy": "allow-all",
                }
            ],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "bucket", "ViewerProtocolPolicy": "allow-all"},
    }


@dataclass
class OriginService(SimulatedService):
    """The service, and the distribution of its images.

    Attributes:
        moves_after: From the primary's failure until DNS answers with the secondary.
        returns_after: From its first good answer until DNS answers with the primary again.
        fires_after: The same until the alarm fires.
        invalidation_takes: How long an invalidation takes.
        invalidated: The requested path, by the reference of the request.
    """

    moves_after: float = 150
    returns_after: float = 150
    fires_after: float = 200
    invalidation_takes: float = 20
    secondary_answers: bool = True
    config: dict[str, Any] = field(default_factory=distribution)
    invalidated: dict[str, list[str]] = field(default_factory=dict)
    _good: bool = True
    _known_until: float | None = None
    _failed_at: float | None = None
    _healed_at: float | None = None

    @property
    def policy(self) -> Any:
        """The bucket's policy; None where it has none."""
        found = s3_backends["123456789012"]["aws"].buckets[plans.ORIGIN_BUCKET].policy
        return None if found is None else json.loads(found)

    @property
    def denied(self) -> bool:
        """Whether the bucket's policy denies the distribution to read."""
        now = datetime.fromtimestamp(self.now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        for each in (self.policy or {"Statement": ()})["Statement"]:
            until = each.get("Condition", {}).get("DateLessThan", {}).get("aws:CurrentTime", "9")
            if each["Effect"] == "Deny" and now < until:
                return True
        return False

    def primary_answers(self) -> bool:
        """Whether CloudFront answers the path, from its cache or from the bucket."""
        expired = self._known_until is not None and self.now >= self._known_until
        if expired:
            self._good = not self.denied
            self._known_until = None if self._good else self.now + ERROR_TTL
            if not self._good and self._failed_at is None:
                self._failed_at, self._healed_at = self.now, None
            elif self._good and self._failed_at is not None and self._healed_at is None:
                self._healed_at = self.now
        return self._good

    def on_secondary(self, after: float) -> bool:
        """Whether DNS answers with the secondary, or the alarm is on, some time after a failure."""
        self.primary_answers()
        if self._failed_at is None or self.now < self._failed_at + after:
            return False
        healed = self._healed_at
        return healed is None or (
            healed > self._failed_at + after and self.now < healed + self.returns_after
        )

    def resolve(self, name: str) -> Any:
        if name == plans.IMAGES:
            name = plans.SECONDARY if self.on_secondary(self.moves_after) else plans.PRIMARY
        return {plans.PRIMARY: (CLOUDFRONT_ADDRESS,), plans.SECONDARY: (S3_ADDRESS,)}.get(
            name
        ) or super().resolve(name)

    def ask(self, address: str, endpoint: Endpoint, host: str) -> str:
        if address == CLOUDFRONT_ADDRESS:
            assert (endpoint.path, host) == ("/status.txt", plans.IMAGES)
            if not self.primary_answers():
                raise UnansweredError("status 403")
            return "1.1 0a1b2c3d.cloudfront.net (CloudFront)"
        if address == S3_ADDRESS:
            assert (endpoint.path, host) == ("/status.txt", plans.IMAGES)
            if not self.secondary_answers:
                raise UnansweredError("status 404")
            return ""
        return super().ask(address, endpoint, host)

    def alarm_state(self, name: str) -> tuple[str, float]:
        if name != plans.ON_SECONDARY or name in self.script.alarm_states:
            return super().alarm_state(name)
        return ("ALARM" if self.on_secondary(self.fires_after) else "OK"), self.now

    def GetDistributionConfig(self, given: dict[str, Any]) -> Response:  # noqa: N802
        assert given == {"Id": "E1PA6795UKMFR9"}
        return {"DistributionConfig": self.config, "ETag": "E2"}

    def CreateInvalidation(self, given: dict[str, Any]) -> Response:  # noqa: N802
        batch = given["InvalidationBatch"]
        reference, paths = batch["CallerReference"], batch["Paths"]["Items"]
        if self.invalidated.get(reference, paths) != paths:
            raise ApiError("InvalidationBatchAlreadyExists")
        if reference not in self.invalidated:
            self.invalidated[reference] = paths
            self._known_until = self.now + self.invalidation_takes
        return {
            "Location": "https://cloudfront.amazonaws.com/",
            "Invalidation": {
                "Id": f"I{len(self.invalidated)}",
                "Status": "InProgress",
                "CreateTime": datetime.fromtimestamp(self.now, timezone.utc),
                "InvalidationBatch": batch,
            },
        }
