"""The base of all sections of a service file, and the types of single values."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import limits, validation

# Patterns and lists for editors; the checks decide and explain.
Slug = Annotated[
    str,
    AfterValidator(validation.slug),
    WithJsonSchema({"type": "string", "pattern": validation.SLUG}),
]

InstanceId = Annotated[
    str,
    AfterValidator(validation.instance_id),
    WithJsonSchema({"type": "string", "pattern": validation.INSTANCE_ID}),
]

HostedZoneId = Annotated[
    str,
    AfterValidator(validation.hosted_zone_id),
    WithJsonSchema({"type": "string", "pattern": validation.HOSTED_ZONE_ID}),
]

Line = Annotated[str, Field(max_length=200), AfterValidator(validation.one_line)]
Port = Annotated[int, Field(ge=1, le=65535)]
DomainName = Annotated[str, AfterValidator(validation.domain_name)]
DomainNameOrAddress = Annotated[str, AfterValidator(validation.dns_name_or_address)]
UrlPath = Annotated[str, AfterValidator(validation.url_path)]
BodyText = Annotated[
    str,
    Field(min_length=1, max_length=limits.MAX_SEARCH_TEXT_CHARACTERS),
    AfterValidator(probe_validation.body_text),
]

RoleName = Annotated[
    str,
    AfterValidator(probe_validation.role_name),
    WithJsonSchema({"type": "string", "pattern": probe_validation.ROLE_NAME}),
]

IntervalSeconds = Annotated[
    int,
    AfterValidator(probe_validation.interval_seconds),
    WithJsonSchema({"type": "integer", "enum": list(probe_validation.INTERVALS_SECONDS)}),
]

TagKey = Annotated[str, AfterValidator(validation.tag_key)]
TagValue = Annotated[str, AfterValidator(validation.tag_value)]


class Section(BaseModel):
    """A mapping in the file: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
