"""The fault that denies a CloudFront distribution its origin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults.fault import Fault, Place, Statement, duration, is_at
from staged_resiliency.drills.runtime.fault_settings import FaultKind, Origin
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.shared import alarm_settings, aws_ids, limits, network_names, time_limits
from staged_resiliency.shared.literals import checked, require_one_of

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class DenyOrigin(Fault):
    """Denies a CloudFront distribution to read its origin, an S3 bucket, for a fixed time.

    The distribution is the primary of a dependency that fails over by itself. AWS FIS has no such
    action: the functions of the drills add a statement to the bucket's policy, which ends by its
    own condition, and remove it at the end. Clients of the dependency are expected to reach the
    secondary and to return; those of the service stay where they are.

    Attributes:
        record_name: DNS name of the dependency, which clients use.
        primary: DNS name of the distribution.
        secondary: DNS name of the target that answers in its place; not of CloudFront.
        distribution_id: ID of the distribution. Its origin for the path is the bucket, with an
            origin access control.
        bucket: Name of the bucket.
        duration_minutes: How long the fault lasts at the most, 1 to 720. It is ended as soon as all
            that is expected has happened.
        path: The path that decides the failover; both targets answer it, by the dependency's name.
        scheme: ``http`` or ``https``, by which clients ask; ``http`` unless given.
        decided_seconds: The most seconds from when the primary fails, or answers again, until the
            health check that decides has found it.
        ttl_seconds: TTL of the dependency's records.
        alarm_name: Name of the ``FailoverAlarm`` of the dependency; no alarm is expected to fire
            unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse.

    Example:
        >>> fault = DenyOrigin(
        ...     record_name="images.example.com",
        ...     primary="d111111abcdef8.cloudfront.net",
        ...     secondary="images.example.com.s3-website-eu-west-1.amazonaws.com",
        ...     distribution_id="E1PA6795UKMFR9",
        ...     bucket="shop-images",
        ...     duration_minutes=10,
        ...     path="/status.txt",
        ... )
        >>> fault.seconds
        600

    See https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    """

    kind = FaultKind.DENY_ORIGIN
    host_name = ""
    instance = ""
    start_seconds = time_limits.INVALIDATION_SECONDS
    set_up_seconds = time_limits.INVALIDATION_SECONDS

    record_name: str
    primary: str
    secondary: str
    distribution_id: str
    bucket: str
    duration_minutes: int
    path: str = "/"
    scheme: Literal["http", "https"] = "http"
    decided_seconds: int = 120
    ttl_seconds: int = limits.RECOMMENDED_TTL_SECONDS
    alarm_name: str | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        owner = "DenyOrigin"
        for name in ("record_name", "primary", "secondary"):
            checked(owner, name, getattr(self, name), network_names.domain_name)
        checked(owner, "distribution_id", self.distribution_id, aws_ids.distribution_id)
        checked(owner, "bucket", self.bucket, aws_ids.bucket_name)
        checked(owner, "duration_minutes", self.duration_minutes, duration)
        checked(owner, "path", self.path, network_names.url_path)
        checked(owner, "ttl_seconds", self.ttl_seconds, network_names.ttl_seconds)
        require_one_of(owner, "scheme", self.scheme, tuple(_PORTS))
        if self.alarm_name is not None:
            checked(owner, "alarm_name", self.alarm_name, alarm_settings.alarm_name)

    @property
    def lost_by_both(self) -> str:
        """What both hosts lose, as messages name it."""
        return self.record_name

    @property
    def own_alarms(self) -> Sequence[WatchedAlarm]:
        """The alarm that fires while clients are sent to the secondary."""
        if self.alarm_name is None:
            return ()
        decided = self.decided_seconds + time_limits.HEALTH_CHECK_UPTAKE_SECONDS
        return [WatchedAlarm(self.alarm_name, AlarmKind.OTHER, "", sample_seconds=decided)]

    @property
    def returns_within(self) -> int:
        """The most seconds from the fault's end until clients are back on the primary."""
        decided = time_limits.INVALIDATION_SECONDS + self.decided_seconds
        return time_limits.clients_return(decided, self.ttl_seconds)

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm.

        What asks the primary fails. What asks the dependency by its own name, on either host, may
        fail until DNS answers with the secondary.
        """
        if alarm in self.own_alarms or is_at(alarm, self.primary):
            return AlarmEffect.FAILS
        return AlarmEffect.MAY_FAIL if self.reaches(alarm) else AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches the dependency or its primary, on either host."""
        return is_at(alarm, self.record_name) or is_at(alarm, self.primary)

    def breaks(self, host: str) -> bool:
        """Return False: the fault breaks neither host."""
        return False

    def origin(self, place: Place) -> Origin:
        """The distribution's origin, bucket and record as a drill's plan contains them."""
        return Origin(
            distribution_arn=self._distribution_arn(place),
            bucket=self.bucket,
            record=self.record_name,
            primary=self.primary,
            secondary=self.secondary,
            endpoint=Endpoint(self.scheme, _PORTS[self.scheme], self.path, None),
            alarm=self.alarm_name or "",
            alarm_region=limits.health_check_metrics_region(place.region),
        )

    def permissions(self, place: Place) -> Mapping[str, list[Statement]]:
        """The permissions of each function that a drill with this fault needs besides its own."""
        policy = {
            "observe": ["s3:GetBucketPolicy"],
            "inject": ["s3:GetBucketPolicy", "s3:PutBucketPolicy"],
            "end": ["s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"],
        }
        region = limits.health_check_metrics_region(place.region)
        elsewhere: list[Statement] = []
        if self.alarm_name is not None and region != place.region:
            elsewhere.append(
                {
                    "Sid": "AlarmsOfHealthChecks",
                    "Effect": "Allow",
                    "Action": "cloudwatch:DescribeAlarms",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:RequestedRegion": region}},
                }
            )
        return {
            function: [
                {
                    "Sid": "PolicyOfTheOrigin",
                    "Effect": "Allow",
                    "Action": actions,
                    "Resource": f"arn:{place.partition}:s3:::{self.bucket}",
                },
                {
                    "Sid": "Distribution",
                    "Effect": "Allow",
                    "Action": "cloudfront:GetDistributionConfig"
                    if function == "observe"
                    else "cloudfront:CreateInvalidation",
                    "Resource": self._distribution_arn(place),
                },
                *elsewhere,
            ]
            for function, actions in policy.items()
        }

    def _distribution_arn(self, place: Place) -> str:
        start = f"arn:{place.partition}:cloudfront::{place.account}"
        return f"{start}:distribution/{self.distribution_id}"
