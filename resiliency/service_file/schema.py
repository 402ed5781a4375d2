"""The JSON Schema of service files, with which editors complete and check them."""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from resiliency.service_file.model import Service


class _Generator(GenerateJsonSchema):
    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Refuse names that don't match the pattern of a mapping's keys."""
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described


def json_schema() -> JsonSchemaValue:
    """Return the schema, draft 2020-12; `make schema` writes it to service.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Service.model_json_schema(schema_generator=_Generator),
        "title": "Service file",
    }
