"""Values in templates: texts, numbers, and references from one resource to another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from resiliency.cloud_assembly import JsonObject
from resiliency.errors import UserError


class TemplateError(UserError):
    """A template that the model can't follow; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource, by its template and logical id."""

    stack: str
    logical_id: str


_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.(?:HealthCheckId|TopicArn))?\}")


@dataclass(frozen=True, slots=True)
class Templates:
    """Templates that belong together.

    Args:
        by_stack: The templates, by the stack's name.

    Raises:
        TemplateError: One is not of a template's form.
    """

    by_stack: Mapping[str, JsonObject]
    _exports: dict[str, tuple[str, object]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for stack, template in self.by_stack.items():
            if not isinstance(template, Mapping):
                raise TemplateError(f"{stack}: is no template: it is not an object")
            for section in ("Resources", "Parameters", "Outputs"):
                _require_objects(template.get(section, {}), f"{stack}: {section}")
            if not template.get("Resources"):
                raise TemplateError(f"{stack}: is no template: it has no Resources")
        for stack, template in self.by_stack.items():
            for output in template.get("Outputs", {}).values():
                export = output.get("Export", {})
                if not isinstance(export, Mapping):
                    raise TemplateError(f"{stack}: Outputs: Export: is no object")
                if export:
                    name = self.text(stack, export.get("Name"), f"{stack}: Outputs: Export")
                    self._exports[name] = (stack, output.get("Value"))

    def resource(self, reference: Reference) -> JsonObject | None:
        """A resource, None where the templates make none of that name."""
        resources: Mapping[str, JsonObject] = self.by_stack[reference.stack].get("Resources", {})
        return resources.get(reference.logical_id)

    def text(self, stack: str, value: Any, where: str) -> str:
        """A value as text; what only the deployment knows stays as ``${LogicalId}``.

        Raises:
            TemplateError: The value depends on a condition, or on something not in the templates.
        """
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (str, int, float)):
            return str(value)
        match value:
            case {"Ref": str(name)}:
                return self._referred(stack, name)
            case {"Fn::GetAtt": str(attribute)}:
                return f"${{{attribute}}}"
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"${{{name}.{attribute}}}"
            case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text)]}:
                return self._substituted(stack, text, {}, where)
            case {"Fn::Sub": [str(text), dict(variables)]}:
                return self._substituted(stack, text, variables, where)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.text(stack, part, where) for part in parts)
            case {"Fn::ImportValue": name}:
                exporter, exported = self._export(self.text(stack, name, where), where)
                return self.text(exporter, exported, where)
        raise TemplateError(f"{where}: {_said(value)}")

    def number(self, stack: str, value: Any, where: str) -> float:
        """A value as a number.

        Raises:
            TemplateError: It is none, or only the deployment knows it.
        """
        text = self.text(stack, value, where)
        try:
            return float(text)
        except ValueError:
            raise TemplateError(f"{where}: {text!r} is no number that a template tells") from None

    def reference(self, stack: str, value: Any, where: str) -> Reference | None:
        """The resource that a value refers to, None where it refers to none.

        Raises:
            TemplateError: It depends on a condition, or on something not in the templates.
        """
        match value:
            case {"Fn::ImportValue": name}:
                exporter, exported = self._export(self.text(stack, name, where), where)
                return self.reference(exporter, exported, where)
            case {"Ref": str(logical_id)}:
                found = Reference(stack, logical_id)
                return found if self.resource(found) is not None else None
        text = self.text(stack, value, where)
        if matched := _REFERENCE.fullmatch(text):
            return Reference(stack, matched[1])
        return None

    def _substituted(self, stack: str, text: str, variables: Mapping[str, Any], where: str) -> str:
        """The text of an Fn::Sub; ``${!Literal}`` stands for ``${Literal}``."""

        def replaced(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return self.text(stack, variables[name], f"{where}: {name}")
            return self._referred(stack, name) if name.isalnum() else found[0]

        return re.sub(r"\$\{([^{}]+)\}", replaced, text)

    def _referred(self, stack: str, name: str) -> str:
        parameter = self.by_stack[stack].get("Parameters", {}).get(name, {})
        if "Default" in parameter:
            return str(parameter["Default"])
        resource = self.resource(Reference(stack, name)) or {}
        if resource.get("Type") == "AWS::CloudWatch::Alarm":
            match resource.get("Properties"):
                case {"AlarmName": given} if given is not None:
                    return self.text(stack, given, f"{stack}: {name}: AlarmName")
        return f"${{{name}}}"

    def _export(self, name: str, where: str) -> tuple[str, object]:
        if name not in self._exports:
            raise TemplateError(
                f"{where}: imports {name!r}, which none of the templates exports; "
                "give the template that does too"
            )
        return self._exports[name]


def present(properties: Mapping[str, Any]) -> JsonObject:
    """The properties that are there; one that refers to ``AWS::NoValue`` is not."""
    return {key: value for key, value in properties.items() if value != _NO_VALUE}


def _require_objects(entries: object, where: str) -> None:
    if not isinstance(entries, Mapping):
        raise TemplateError(f"{where}: is no object of objects")
    for name, entry in entries.items():
        if isinstance(entry, Mapping):
            continue
        if str(name).startswith("Fn::"):
            raise TemplateError(
                f"{where}: {name}: is not followed here; give the template that CloudFormation "
                "makes of it (aws cloudformation get-template --template-stage Processed)"
            )
        said = "is empty" if entry is None else f"is no object, but {type(entry).__name__}"
        raise TemplateError(f"{where}: {name}: {said}")


def _said(value: object) -> str:
    """Why a value can't be followed."""
    if value is None:
        return "is missing"
    if isinstance(value, Mapping) and len(value) == 1:
        function = next(iter(value))
        if function == "Fn::If":
            return "depends on a condition, which only the deployment knows"
        return f"uses {function} in a way that is not followed here"
    return f"is neither text nor number nor a reference, but {type(value).__name__}"
