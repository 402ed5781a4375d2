"""The origin groups of CloudFront distributions: how long a client waits for the secondary origin.

CloudFront asks the primary origin first for each request that is not in its cache. So a group has
no failover time: each such request waits until CloudFront gives the primary up. Sources, in
https://docs.aws.amazon.com/AmazonCloudFront/latest/:
DeveloperGuide/high_availability_origin_failover.html and APIReference/API_Origin.html.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from resiliency.failover_model.expressions import TemplateError, Templates
from resiliency.failover_model.values import Values
from staged_resiliency.experiment.json_codec import JsonObject

_DISTRIBUTION: Final = "AWS::CloudFront::Distribution"
DEFAULT_ATTEMPTS: Final = 3
DEFAULT_CONNECTION_SECONDS: Final = 10
DEFAULT_RESPONSE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """A CloudFront origin group, and how long CloudFront waits before it asks the secondary origin.

    Attributes:
        name: Logical ids of the distribution and, where it has several, of its group.
        primary: Domain name of the primary origin.
        secondary: Domain name of the other one.
        unreachable_seconds: The most seconds until CloudFront asks the secondary, where the primary
            accepts no connection; None if it is not asked, as 503 is not among the status codes.
        unresponsive_seconds: The same where it accepts them and never responds, for 504.
    """

    name: str
    primary: str
    secondary: str
    unreachable_seconds: float | None
    unresponsive_seconds: float | None


def read_origin_groups(
    by_stack: Mapping[str, JsonObject], parameters: Mapping[str, str] | None = None
) -> Sequence[OriginGroup]:
    """Read the origin groups of the distributions in templates.

    Raises:
        TemplateError: A distribution can't be followed.
    """
    templates = Templates(by_stack, parameters or {})
    return [
        group
        for reference, properties in templates.resources(_DISTRIBUTION)
        for group in _groups(Values(templates, reference.stack, properties, str(reference)))
    ]


def _groups(distribution: Values) -> Iterator[OriginGroup]:
    config = distribution.inner("DistributionConfig")
    origins = {each.text("Id"): each for each in config.objects("Origins")}
    listed = config.inner("OriginGroups").objects("Items") if "OriginGroups" in config.given else []
    for number, group in enumerate(listed, start=1):
        ids = [each.text("OriginId") for each in group.inner("Members").objects("Items")]
        if len(ids) != 2 or not set(ids) <= origins.keys():
            raise TemplateError(
                f"{group.where}: Members: are not two of the distribution's origins"
            )
        primary, secondary = (origins[each] for each in ids)
        attempts = primary.number("ConnectionAttempts", DEFAULT_ATTEMPTS)
        connecting = primary.number("ConnectionTimeout", DEFAULT_CONNECTION_SECONDS)
        responding: float = DEFAULT_RESPONSE_SECONDS
        for kind in ("CustomOriginConfig", "S3OriginConfig"):
            if kind in primary.given:
                responding = primary.inner(kind).number("OriginReadTimeout", responding)
        codes = group.inner("FailoverCriteria").inner("StatusCodes").numbers("Items")
        yield OriginGroup(
            distribution.where + (f", group {number}" if len(listed) > 1 else ""),
            primary.text("DomainName"),
            secondary.text("DomainName"),
            attempts * connecting if 503 in codes else None,
            attempts * (connecting + responding) if 504 in codes else None,
        )
