"""The probe on the hosts, and the metrics that the application sends it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from resiliency.service_file.model.values import IntervalSeconds, Matching, RoleName, Section
from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.configuration import (
    DEFAULT_INTERVAL_SECONDS,
    DEFAULT_STATSD_METRICS,
    DEFAULT_STATSD_PORT,
    DEFAULT_TIMEOUT_SECONDS,
)

BucketName = Annotated[str, Matching(probe_validation.bucket_name, probe_validation.BUCKET_NAME)]
StatsdPattern = Annotated[
    str, Matching(probe_validation.statsd_pattern, probe_validation.STATSD_PATTERN)
]
StatsdTag = Annotated[str, Matching(probe_validation.statsd_tag, probe_validation.STATSD_TAG)]


class StatsdSettings(Section):
    """What the application may send by StatsD to the loopback addresses of its host."""

    metrics: Annotated[list[StatsdPattern], Field(min_length=1, max_length=50)] = Field(
        description="Names of metrics; a * at the end allows all names that begin so. Others are "
        "ignored.",
        examples=[["errors", "orders.*"]],
    )
    tags: Annotated[list[StatsdTag], Field(max_length=probe_validation.MAX_STATSD_TAGS)] = Field(
        default=[],
        description="Tags that become dimensions, so that each of their values makes a metric of "
        "its own; others are ignored.",
        examples=[["shop"]],
    )
    max_metrics: int = Field(
        default=DEFAULT_STATSD_METRICS,
        ge=1,
        le=probe_validation.MAX_STATSD_METRICS,
        description="How many metrics each host may create; each costs about $0.30 a month.",
    )
    port: Annotated[int, AfterValidator(probe_validation.statsd_port)] = Field(
        default=DEFAULT_STATSD_PORT, description="UDP port, from 1024 to 65535."
    )


class Probe(Section):
    """The agent on the hosts that checks targets; deployed only when there are targets."""

    roles: list[RoleName] = Field(
        default=[],
        description="Names of the hosts' existing IAM roles; they get the permission to publish.",
        examples=[["bookstore-api"]],
    )
    interval_seconds: IntervalSeconds = Field(
        default=DEFAULT_INTERVAL_SECONDS,
        description="Seconds between two samples of a target; a divisor of 60.",
    )
    timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS,
        description="Seconds that a sample may take; less than the interval.",
    )
    journal: Literal["samples", "changes"] = Field(
        default="samples",
        description="What the agent writes to the host's journal: each sample, or each change of a "
        "target's state.",
    )
    output_bucket: BucketName | None = Field(
        default=None,
        description="Name of an existing S3 bucket to which Systems Manager writes the output of "
        "each run of the probe's document.",
        examples=["example-run-output"],
    )
    platforms: list[Annotated[str, AfterValidator(probe_validation.platform)]] = Field(
        default=[],
        description="Platforms of the hosts besides the supported ones, as ID-VERSION_ID of their "
        "/etc/os-release.",
        examples=[["almalinux-9"]],
    )
    statsd: StatsdSettings | None = Field(
        default=None,
        description="What the application may send by StatsD, to be published with the dimension "
        "Host; nothing is received unless given.",
        examples=[{"metrics": ["errors", "orders.*"]}],
    )
    peer: bool = Field(
        default=False,
        description="Each host checks the other one's endpoint, so that a dead host is noticed "
        "from outside. True where failover_on has 'peer'.",
    )
    state: Literal["present", "absent"] = Field(
        default="present",
        description="Whether the agent is installed. 'absent' uninstalls it from the hosts; "
        "deploy 'absent' before you delete the stack.",
    )
