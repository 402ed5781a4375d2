"""Typed values of an object in a template, or an error that names the place."""

from collections.abc import Iterator, Sequence
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
        """Return the object that is the value of a key."""
        where = f"{self.where}: {key}"
        return Values(self.templates, self.stack, mapping(self.given.get(key), where), where)

    def objects(self, key: str) -> "Sequence[Values]":
        """Return the objects of the list under a key; empty without a list."""
        return [
            Values(self.templates, self.stack, mapping(each, where), where)
            for each, where in self._items(key)
        ]

    def numbers(self, key: str) -> Sequence[float]:
        """Return the numbers of the list under a key; empty without a list."""
        return [self.templates.number(self.stack, each, where) for each, where in self._items(key)]

    def _items(self, key: str) -> Iterator[tuple[object, str]]:
        items, where = self.given.get(key, []), f"{self.where}: {key}"
        if not isinstance(items, list):
            raise TemplateError(f"{where}: is no list")
        return ((each, f"{where}[{number}]") for number, each in enumerate(items))

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
        """Return a text, which must be one of the allowed ones."""
        found = self.text(key, default)
        for each in allowed:
            if found == each:
                return each
        raise TemplateError(f"{self.where}: {key}: {found!r} is not among {', '.join(allowed)}")

    def flag(self, key: str) -> bool:
        """Return a boolean; False if the key is missing."""
        text = self.text(key, False).lower()
        if text not in ("false", "true"):
            raise TemplateError(f"{self.where}: {key}: {text!r} is not among false, true")
        return text == "true"
