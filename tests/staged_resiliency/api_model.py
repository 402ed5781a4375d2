"""What AWS's own API models say about a request.

botocore's validator checks types, required members and minima only; the models also hold
maxima, patterns and allowed values, which the services check.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

Request = Mapping[str, Any]


@cache
def service_model(service: str) -> Any:
    """The API model of a service."""
    return botocore.session.get_session().get_service_model(service)


def problems_of(service: str, operation: str, request: Request) -> list[str]:
    """All that the model of an operation holds against a request."""
    shape = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    return [*([report.generate_report()] if report.has_errors() else []), *_beyond(shape, request)]


def _beyond(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """What botocore's validator leaves to the service."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in value.items():
            if name in shape.members:
                yield from _beyond(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _too_much(shape, len(value), path)
        for index, member in enumerate(value):
            yield from _beyond(shape.member, member, f"{path}[{index}]")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _too_much(shape, len(value), path)
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is not one of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.search(_for_python(pattern), value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif isinstance(value, int | float):
        yield from _too_much(shape, value, path)


def _for_python(pattern: str) -> str:
    """A pattern with Java's character classes, which Python's re does not know, in its words."""
    for java, python in (
        (r"\p{ASCII}", r"\x00-\x7f"),
        (r"\p{L}", r"\w"),
        (r"\p{N}", r"\d"),
        (r"\p{Z}", r"\s"),
    ):
        pattern = pattern.replace(java, python)
    return pattern


def _too_much(shape: Any, number: float, path: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and number > most:
        yield f"{path}: {number} is more than {most}"
