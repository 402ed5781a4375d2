"""Reads templates: resources, texts, numbers, and references from one resource to another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from resiliency.errors import UserError
from staged_resiliency.experiment.json_codec import JsonObject


class TemplateError(UserError):
    """A template that the model can't follow; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource, by its template and logical id."""

    stack: str
    logical_id: str

    def __str__(self) -> str:
        """Name the resource in messages."""
        return f"{self.stack}: {self.logical_id}"


PARAMETER_HINT: Final = "`resiliency timing --parameter NAME=VALUE` gives a parameter's value"

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.(?:HealthCheckId|TopicArn))?\}")


@dataclass(frozen=True, slots=True)
class Templates:
    """Templates of one design; TemplateError if one of them does not have a template's form."""

    by_stack: Mapping[str, JsonObject]
    parameters: Mapping[str, str] = field(default_factory=dict)
    _exports: dict[str, tuple[str, object]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for stack, template in self.by_stack.items():
            if not isinstance(template, Mapping):
                raise TemplateError(f"{stack}: is no template: it is not an object")
            for section in ("Resources", "Parameters", "Outputs", "Mappings", "Conditions"):
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
        """Return a resource, None where the templates contain none of that name.

        One whose condition is known to be false is not created.
        """
        resources: Mapping[str, JsonObject] = self.by_stack[reference.stack].get("Resources", {})
        found = resources.get(reference.logical_id)
        if found and self.condition(reference.stack, found.get("Condition")) is False:
            return None
        return found

    def require_unconditional(self, reference: Reference) -> None:
        """Raise TemplateError if only the deployment knows whether a resource is created."""
        condition = (self.resource(reference) or {}).get("Condition")
        if condition is not None and not self.condition(reference.stack, condition):
            raise TemplateError(
                f"{reference}: has the condition {condition}, which only the deployment knows; "
                f"{PARAMETER_HINT}"
            )

    def condition(self, stack: str, condition: object) -> bool | None:
        """Evaluate a condition, by name or as an expression; None if only the deployment knows."""
        match condition:
            case str(name) | {"Condition": str(name)}:
                conditions = self.by_stack[stack].get("Conditions", {})
                return self.condition(stack, conditions.get(name))
            case {"Fn::Equals": [one, other]}:
                try:
                    texts = [self.text(stack, each, "") for each in (one, other)]
                except TemplateError:
                    return None
                return None if any("${" in text for text in texts) else texts[0] == texts[1]
            case {"Fn::Not": [inner]}:
                found = self.condition(stack, inner)
                return None if found is None else not found
            case {"Fn::And": list(parts)}:
                return self._decided(stack, parts, by=False)
            case {"Fn::Or": list(parts)}:
                return self._decided(stack, parts, by=True)
        return None

    def _decided(self, stack: str, parts: Sequence[object], *, by: bool) -> bool | None:
        """Evaluate parts of which a single one decides by that value; None if none does."""
        known = [self.condition(stack, part) for part in parts]
        if by in known:
            return by
        return None if None in known else not by

    def resources(self, *types: str) -> Iterator[tuple[Reference, JsonObject]]:
        """Yield the resources of some types, with properties as ``properties`` returns them."""
        for stack, template in self.by_stack.items():
            for logical_id, resource in template["Resources"].items():
                reference = Reference(stack, logical_id)
                if resource.get("Type") in types and self.resource(reference) is not None:
                    yield reference, self.properties(reference)

    def properties(self, reference: Reference) -> JsonObject:
        """Return the properties of a resource, without those that refer to ``AWS::NoValue``.

        Raises TemplateError if they are no object.
        """
        resource = self.resource(reference) or {}
        properties = resource.get("Properties", {})
        if self.by_stack[reference.stack].get("Conditions"):
            properties = self._chosen(reference.stack, properties)
        return mapping(properties, f"{reference}: Properties")

    def _chosen(self, stack: str, value: Any) -> Any:
        """Replace each Fn::If whose condition is known by what it chooses."""
        if isinstance(value, list):
            chosen = [self._chosen(stack, each) for each in value]
            return [each for each in chosen if each != _NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        match value:
            case {"Fn::If": [name, one, other]}:
                found = self.condition(stack, name)
                if found is not None:
                    return self._chosen(stack, one if found else other)
        return {key: self._chosen(stack, each) for key, each in value.items()}

    def text(self, stack: str, value: Any, where: str) -> str:
        """Return a value as text; values known only at deployment stay as ``${LogicalId}``.

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
            case {"Fn::GetStackOutput": dict(output)}:
                owner, value_there = self._output(stack, output, where)
                return self.text(owner, value_there, where)
            case {"Fn::FindInMap": [name, *keys]}:
                found: Any = self.by_stack[stack].get("Mappings", {})
                for key in (name, *keys):
                    step = self.text(stack, key, where)
                    found = found.get(step) if isinstance(found, Mapping) else None
                    if found is None:
                        raise TemplateError(
                            f"{where}: Fn::FindInMap: there is no {step}; {PARAMETER_HINT}"
                        )
                return self.text(stack, found, where)
        raise TemplateError(f"{where}: {_why_not(value)}")

    def number(self, stack: str, value: Any, where: str) -> float:
        """Return a number; TemplateError if only the deployment knows it, or it is not a number."""
        text = self.text(stack, value, where)
        try:
            return float(text)
        except ValueError:
            raise TemplateError(
                f"{where}: {text!r} is no number known before the deployment"
            ) from None

    def reference(self, stack: str, value: Any, where: str) -> Reference | None:
        """Return the resource that a value refers to; None if it refers to no resource."""
        match value:
            case {"Fn::ImportValue": name}:
                exporter, exported = self._export(self.text(stack, name, where), where)
                return self.reference(exporter, exported, where)
            case {"Fn::GetStackOutput": dict(output)}:
                owner, found_there = self._output(stack, output, where)
                return self.reference(owner, found_there, where)
            case {"Ref": str(logical_id)}:
                found = Reference(stack, logical_id)
                return found if self.resource(found) is not None else None
        text = self.text(stack, value, where)
        if matched := _REFERENCE.fullmatch(text):
            return Reference(stack, matched[1])
        return None

    def _substituted(self, stack: str, text: str, variables: Mapping[str, Any], where: str) -> str:
        """Return the text of an Fn::Sub; ``${!Literal}`` means ``${Literal}``."""

        def replaced(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return self.text(stack, variables[name], f"{where}: {name}")
            return self._referred(stack, name) if name.isalnum() else found[0]

        return re.sub(r"\$\{([^{}]+)\}", replaced, text)

    def _referred(self, stack: str, name: str) -> str:
        declared = self.by_stack[stack].get("Parameters", {})
        if name in self.parameters and (name in declared or name.startswith("AWS::")):
            return self.parameters[name]
        parameter = declared.get(name, {})
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
                "also give the template that exports it"
            )
        return self._exports[name]

    def _output(self, stack: str, output: Mapping[str, Any], where: str) -> tuple[str, object]:
        owner = self.text(stack, output.get("StackName"), where)
        name = self.text(stack, output.get("OutputName"), where)
        found = self.by_stack.get(owner, {}).get("Outputs", {}).get(name)
        if not isinstance(found, Mapping):
            raise TemplateError(
                f"{where}: reads the output {name!r} of the stack {owner!r}, which none of the "
                "templates has; also give the template of that stack"
            )
        return owner, found.get("Value")


def present(properties: Mapping[str, Any]) -> JsonObject:
    """Return the properties without those that refer to ``AWS::NoValue``."""
    return {key: value for key, value in properties.items() if value != _NO_VALUE}


def mapping(value: Any, where: str) -> JsonObject:
    """Return an object of a template, without values that refer to ``AWS::NoValue``.

    Raises TemplateError if it is missing or no object.
    """
    if not isinstance(value, Mapping):
        reason = "is missing" if value is None else "is no object"
        raise TemplateError(f"{where}: {reason}")
    return present(value)


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
        reason = "is empty" if entry is None else f"is no object, but {type(entry).__name__}"
        raise TemplateError(f"{where}: {name}: {reason}")


def _why_not(value: object) -> str:
    if value is None:
        return "is missing"
    if isinstance(value, Mapping) and len(value) == 1:
        function = next(iter(value))
        if function == "Fn::If":
            return f"depends on a condition, which only the deployment knows; {PARAMETER_HINT}"
        return f"uses {function} in a way that is not followed here"
    return f"is neither text nor number nor a reference, but {type(value).__name__}"
