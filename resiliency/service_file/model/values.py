"""The base of all sections of a service file, and the types of single values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import aws_ids, limits, network_names, validation


@dataclass(frozen=True, slots=True)
class Matching:
    """The type of a text that a function validates; its pattern is for editors only."""

    check: Callable[[str], str]
    pattern: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": self.pattern}


Slug = Annotated[str, Matching(validation.slug, validation.SLUG)]
InstanceId = Annotated[str, Matching(aws_ids.instance_id, aws_ids.INSTANCE_ID)]
HostedZoneId = Annotated[str, Matching(aws_ids.hosted_zone_id, aws_ids.HOSTED_ZONE_ID)]
Line = Annotated[str, Field(max_length=200), AfterValidator(validation.one_line)]
Port = Annotated[int, Field(ge=1, le=65535)]
DomainName = Annotated[str, AfterValidator(network_names.domain_name)]
DomainNameOrAddress = Annotated[str, AfterValidator(network_names.dns_name_or_address)]
UrlPath = Annotated[str, AfterValidator(network_names.url_path)]
BodyText = Annotated[
    str,
    Field(min_length=1, max_length=limits.MAX_SEARCH_TEXT_CHARACTERS),
    AfterValidator(probe_validation.body_text),
]

RoleName = Annotated[str, Matching(probe_validation.role_name, probe_validation.ROLE_NAME)]
IntervalSeconds = Annotated[
    int,
    AfterValidator(probe_validation.interval_seconds),
    WithJsonSchema({"type": "integer", "enum": list(probe_validation.INTERVALS_SECONDS)}),
]

TagKey = Annotated[str, AfterValidator(aws_ids.tag_key)]
TagValue = Annotated[str, AfterValidator(aws_ids.tag_value)]


class Section(BaseModel):
    """A mapping in the file: no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
