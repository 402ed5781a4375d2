"""The origin groups of CloudFront distributions: how long a client waits for the secondary origin.

CloudFront asks the primary origin first for each request that is not in its cache. So a group has
no failover time: each such request waits until CloudFront gives the primary up. Sources, in
https://docs.aws.amazon.com/AmazonCloudFront/latest/:
DeveloperGuide/high_availability_origin_failover.html and APIReference/API_Origin.html.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from resiliency.failover_model.expressions import TemplateError, Templates, mapping
from staged_resiliency.experiment.json_codec import JsonObject

_DISTRIBUTION: Final = "AWS::CloudFront::Distribution"
DEFAULT_ATTEMPTS: Final = 3
DEFAULT_CONNECTION_SECONDS: Final = 10
DEFAULT_RESPONSE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class OriginGroup:
    """An origin group.

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
        for group in _groups(templates, reference.stack, str(reference), properties)
    ]


def _groups(
    templates: Templates, stack: str, where: str, properties: JsonObject
) -> Iterator[OriginGroup]:
    config = mapping(properties.get("DistributionConfig"), f"{where}: DistributionConfig")
    groups = mapping(config.get("OriginGroups", {}), f"{where}: OriginGroups").get("Items", ())
    origins = {
        templates.text(stack, each.get("Id"), f"{where}: Origins"): each
        for each in _mappings(config.get("Origins", ()), f"{where}: Origins")
    }
    listed = _mappings(groups, f"{where}: OriginGroups")
    for number, group in enumerate(listed):
        place = f"{where}: OriginGroups[{number}]"
        members = _mappings(mapping(group.get("Members"), place).get("Items", ()), place)
        ids = [templates.text(stack, each.get("OriginId"), place) for each in members]
        if len(ids) != 2 or not set(ids) <= origins.keys():
            raise TemplateError(f"{place}: Members: are not two of the distribution's origins")
        primary, secondary = (origins[each] for each in ids)

        def number_of(value: Any, default: int, place: str = place) -> float:
            return templates.number(stack, default if value is None else value, place)

        attempts = number_of(primary.get("ConnectionAttempts"), DEFAULT_ATTEMPTS)
        connecting = number_of(primary.get("ConnectionTimeout"), DEFAULT_CONNECTION_SECONDS)
        kinds = (primary.get(kind) for kind in ("CustomOriginConfig", "S3OriginConfig"))
        settings = next((mapping(each, place) for each in kinds if each is not None), {})
        responding = number_of(settings.get("OriginReadTimeout"), DEFAULT_RESPONSE_SECONDS)
        codes = _status_codes(templates, stack, group, place)
        yield OriginGroup(
            where if len(listed) == 1 else f"{where}, group {number + 1}",
            templates.text(stack, primary.get("DomainName"), place),
            templates.text(stack, secondary.get("DomainName"), place),
            attempts * connecting if 503 in codes else None,
            attempts * (connecting + responding) if 504 in codes else None,
        )


def _status_codes(
    templates: Templates, stack: str, group: JsonObject, place: str
) -> Sequence[float]:
    criteria = mapping(group.get("FailoverCriteria"), f"{place}: FailoverCriteria")
    codes = mapping(criteria.get("StatusCodes"), f"{place}: StatusCodes").get("Items", ())
    return [templates.number(stack, each, f"{place}: StatusCodes") for each in codes]


def _mappings(value: object, where: str) -> Sequence[JsonObject]:
    if not isinstance(value, list | tuple):
        raise TemplateError(f"{where}: is no list")
    return [mapping(each, where) for each in value]
