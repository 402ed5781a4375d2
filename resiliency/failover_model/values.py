"""Typed values of an object in a template, or an error that names the place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from resiliency.failover_model.expressions import TemplateError, Templates, mapping
from staged_resiliency.experiment.json_codec import JsonObject

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Values:
    """An object in the template of a stack; ``where`` names it in messages.

    Each method reads the value of a key, and raises TemplateError if only the deployment knows it,
    or if AWS would refuse it.
    """

    templates: Templates
    stack: str
    given: JsonObject
    where: str

    def inner(self, key: str) -> "Values":
        """Return an object within this one."""
        return self.of(self.given.get(key), f"{self.where}: {key}")

    def of(self, value: object, where: str) -> "Values":
        """Return an object of the same template."""
        return Values(self.templates, self.stack, mapping(value, where), where)

    def text(self, key: str, default: object = None) -> str:
        """Return a text; values known only at deployment stay as ``${LogicalId}``."""
        value = self.given.get(key, default)
        return self.templates.text(self.stack, value, f"{self.where}: {key}")

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number."""
        value = self.given.get(key, default)
        return self.templates.number(self.stack, value, f"{self.where}: {key}")

    def whole(
        self, key: str, *, default: int | None = None, least: int = 1, most: int | None = None
    ) -> int:
        """Return a whole number."""
        number, where = self.number(key, default), f"{self.where}: {key}"
        if not number.is_integer() or number < least:
            raise TemplateError(f"{where}: {number:g} is no whole number from {least} on")
        if most is not None and number > most:
            raise TemplateError(f"{where}: AWS refuses {number:g}; allowed: {least} to {most}")
        return int(number)

    def choice(self, key: str, allowed: Sequence[Choice], default: str | None = None) -> Choice:
        """Return one of some texts."""
        found = self.text(key, default)
        for each in allowed:
            if found == each:
                return each
        raise TemplateError(f"{self.where}: {key}: {found!r} is not among {', '.join(allowed)}")

    def flag(self, key: str) -> bool:
        """Return a boolean; False where there is none."""
        text = self.text(key, False).lower()
        if text not in ("false", "true"):
            raise TemplateError(f"{self.where}: {key}: {text!r} is not among false, true")
        return text == "true"
