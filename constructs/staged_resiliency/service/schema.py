"""The JSON Schema of service files, by which editors complete and check them."""

from pydantic.json_schema import JsonSchemaValue

from staged_resiliency.service.model import Service


def json_schema() -> JsonSchemaValue:
    """The schema, draft 2020-12; `make schema` writes it beside this module."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Service.model_json_schema(),
        "title": "Service file",
    }
