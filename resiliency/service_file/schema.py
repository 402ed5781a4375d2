"""The JSON Schema of service files, with which editors complete and check them."""

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from resiliency.service_file import defaults
from resiliency.service_file.model.service import Environment, ServiceFile

_REFERENCE: Final = "#/$defs/"
_REQUIRING: Final = ("required", "if", "then", "else")


class _Generator(GenerateJsonSchema):
    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Return the schema of a mapping, which refuses keys that don't match their pattern."""
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described


def json_schema() -> JsonSchemaValue:
    """Return the schema, draft 2020-12; `make schema` writes it to service.schema.json."""
    schema = ServiceFile.model_json_schema(schema_generator=_Generator)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_complete_without_defaults(schema),
        "title": "Service file",
    }


def _complete_without_defaults(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Require the keys of environments only in a file without defaults, which may give them."""
    definitions = schema["$defs"]
    required = {
        f"{name}Complete": _required_keys(definition, definitions)
        for name, definition in definitions.items()
    }
    for definition in definitions.values():
        for keyword in _REQUIRING:
            definition.pop(keyword, None)
    environments = {"additionalProperties": {"$ref": f"{_REFERENCE}{Environment.__name__}Complete"}}
    return {
        **schema,
        "$defs": {**definitions, **{name: keys for name, keys in required.items() if keys}},
        "if": {"not": {"required": [defaults.KEY]}},
        "then": {"properties": {"environments": environments}},
    }


# JSON Schemas are nested mappings and lists, which have no better static type than Any.
def _required_keys(schema: Any, definitions: JsonSchemaValue) -> JsonSchemaValue:
    """Return what a schema requires, at any depth, and nothing else of it."""
    for choice in schema.get("anyOf", [schema]):
        if "$ref" in choice:
            name = choice["$ref"].removeprefix(_REFERENCE)
            needs_keys = _required_keys(definitions[name], definitions)
            return {"$ref": f"{_REFERENCE}{name}Complete"} if needs_keys else {}
    found: JsonSchemaValue = {}
    found |= {keyword: schema[keyword] for keyword in _REQUIRING if keyword in schema}
    for keyword in ("properties", "patternProperties"):
        parts = {
            key: keys
            for key, part in schema.get(keyword, {}).items()
            if (keys := _required_keys(part, definitions))
        }
        if parts:
            found[keyword] = parts
    members = schema.get("additionalProperties")
    if isinstance(members, dict) and (keys := _required_keys(members, definitions)):
        found["additionalProperties"] = keys  # of keys that are no properties here, so name them
        found["properties"] = {
            **{key: {} for key in schema.get("properties", {})},
            **found.get("properties", {}),
        }
    return found
