"""What the sections of a service file are made of: kinds of values, and what all sections share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from staged_resiliency import checks, limits
from staged_resiliency.probe import values

# Patterns and lists for editors; the checks decide and explain.
Slug = Annotated[
    str, AfterValidator(checks.slug), WithJsonSchema({"type": "string", "pattern": checks.SLUG})
]
AccountId = Annotated[
    str,
    AfterValidator(checks.account_id),
    WithJsonSchema({"type": "string", "pattern": checks.ACCOUNT_ID}),
]
Region = Annotated[
    str,
    AfterValidator(checks.region),
    WithJsonSchema({"type": "string", "enum": list(limits.ALARM_REGIONS)}),
]
InstanceId = Annotated[
    str,
    AfterValidator(checks.instance_id),
    WithJsonSchema({"type": "string", "pattern": checks.INSTANCE_ID}),
]
HostedZoneId = Annotated[
    str,
    AfterValidator(checks.hosted_zone_id),
    WithJsonSchema({"type": "string", "pattern": checks.HOSTED_ZONE_ID}),
]
Line = Annotated[str, Field(max_length=200), AfterValidator(checks.one_line)]
Port = Annotated[int, Field(ge=1, le=65535)]
DomainName = Annotated[str, AfterValidator(checks.domain_name)]
DomainNameOrAddress = Annotated[str, AfterValidator(checks.dns_name_or_address)]
UrlPath = Annotated[str, AfterValidator(checks.url_path)]
BodyText = Annotated[
    str,
    Field(min_length=1, max_length=limits.MAX_SEARCH_TEXT_CHARACTERS),
    AfterValidator(values.body_text),
]
Statistic = Annotated[
    str,
    AfterValidator(checks.failover_statistic),
    WithJsonSchema({"type": "string", "enum": list(limits.FAILOVER_STATISTICS)}),
]
RoleName = Annotated[
    str,
    AfterValidator(values.role_name),
    WithJsonSchema({"type": "string", "pattern": values.ROLE_NAME}),
]
IntervalSeconds = Annotated[
    int,
    AfterValidator(values.interval_seconds),
    WithJsonSchema({"type": "integer", "enum": list(values.INTERVALS_SECONDS)}),
]
TagKey = Annotated[str, AfterValidator(checks.tag_key)]
TagValue = Annotated[str, AfterValidator(checks.tag_value)]


class Section(BaseModel):
    """A mapping in the file: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
