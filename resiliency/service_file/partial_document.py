"""A service file under examination: values that passed their own checks, and the model's defaults.

Rules that compare values must run even when other values of the file are wrong, so that every
problem is reported at once. So they don't read a ``Service``, which exists only once all values
are valid, but this: it returns a value where nothing is wrong with it or beneath it, the model's
default where the file gives none, and None where the value can't be used. A rule that needs such a
value reports nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.model.service import ServiceFile
from resiliency.service_file.yaml_source import Document, Value


@dataclass(frozen=True)
class PartialDocument:
    """A place in the file; its top level unless ``at`` is given.

    Attributes:
        unsound: Paths of the values with a problem in them or beneath them.
        misspelt: Paths that values under misspelt keys were probably meant for: they are in the
            file, but can't be used.
    """

    document: Document
    unsound: frozenset[Path] = frozenset()
    misspelt: frozenset[Path] = frozenset()
    at: Path = ()

    @classmethod
    def of(
        cls, document: Document, wrong: Iterable[Path], misspelt: frozenset[Path]
    ) -> "PartialDocument":
        """Create a partial document from a file and the paths of its wrong values."""
        paths = (*wrong, *misspelt)
        unsound = {path[:length] for path in paths for length in range(1, len(path) + 1)}
        return cls(document, frozenset(unsound), misspelt)

    def within(self, *path: str | int) -> "PartialDocument":
        """Return a part of this document."""
        return PartialDocument(self.document, self.unsound, self.misspelt, (*self.at, *path))

    @cached_property
    def raw(self) -> Value:
        """The value in the file, sound or not; None when it is absent."""
        value: Value = self.document.data
        for part in self.at:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    @property
    def is_sound(self) -> bool:
        """Whether the value and all values in it passed their checks so far."""
        return self.at not in self.unsound

    def get(self, *path: str | int) -> Value:
        """Return the value or the model's default; None when it is unusable or there is neither."""
        part = self.within(*path)
        if not part.is_sound:
            return None
        return default_at(part.at) if part.raw is None else part.raw

    def text(self, *path: str | int) -> str | None:
        """Return a text; "" if neither file nor model gives one, None if it is unusable."""
        value = self.get(*path)
        if value is None and self.within(*path).is_sound:
            return ""
        return value if isinstance(value, str) else None

    def number(self, *path: str | int) -> int | None:
        """Return a whole number, as ``get`` does."""
        value = self.get(*path)
        return value if isinstance(value, int) else None

    def has(self, *path: str | int) -> bool:
        """Whether the file gives the value at all, sound or not."""
        part = self.within(*path)
        return part.raw is not None or part.at in self.misspelt

    def names(self, *path: str | int) -> Iterator[str]:
        """Yield the keys of a mapping."""
        value = self.within(*path).raw
        if isinstance(value, dict):
            yield from value

    def members(self, *path: str | int) -> Iterator[tuple[str, "PartialDocument"]]:
        """Yield the keys of a mapping, each with its part of the document."""
        for name in self.names(*path):
            yield name, self.within(*path, name)

    def items(self, *path: str | int) -> list[Value]:
        """Return the items of a list, sound or not, or those of the model's default."""
        part = self.within(*path)
        value = part.raw if part.has() else default_at(part.at)
        return value if isinstance(value, list) else []

    def problem(self, message: str, *path: str | int) -> Problem:
        """Return a problem at a place below this one."""
        where = (*self.at, *path)
        return Problem(self.document.file, self.document.line_of(where), where, message)

    def one_of(
        self, first: str, second: str, like: str, why: str = "; give one of them"
    ) -> Iterator[Problem]:
        """Report that both or neither of two keys are given; ``like`` says what to give."""
        if self.has(first) and self.has(second):
            yield self.problem(f"is given together with {first}{why}", second)
        elif isinstance(self.raw, dict) and not self.has(first) and not self.has(second):
            yield self.problem(f"has neither {first} nor {second}; give {like}")


# Walking the model along a path of the file. Annotations are typing's own objects, which have no
# better static type than Any.


@lru_cache(maxsize=4096)
def default_at(path: Path) -> Value:
    """Return the model's default of a value; None when it is required, a section, or None."""
    field = field_at(path)
    if field is None or field.is_required() or isinstance(field.default, BaseModel):
        return None
    return cast(Value, field.default)


def section_at(path: Path) -> type[BaseModel] | None:
    """Return the model of the section at a path; None when there is no section."""
    return as_section(annotation_at(path))


def field_at(path: Path) -> FieldInfo | None:
    """Return the model's field at a path; None when the path leads to no field."""
    section = section_at(path[:-1]) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def annotation_at(path: Path) -> Any:
    """Return the type of the value at a path."""
    annotation: Any = ServiceFile
    for part in path:
        annotation = annotation_below(annotation, part)
    return annotation


def annotation_below(annotation: Any, part: str | int) -> Any:
    """Return the type of a member of a section, mapping or list."""
    section = as_section(annotation)
    if section is not None:
        field = section.model_fields.get(str(part))
        return field.annotation if field else named_members(section)
    origin = get_origin(annotation)
    if origin is dict:
        return get_args(annotation)[1]
    return get_args(annotation)[0] if origin is list else None


def as_section(annotation: Any) -> type[BaseModel] | None:
    """Return the annotation as a model, also if it is optional; None for any other type."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate if get_origin(annotation) is not dict else None
    return None


def named_members(section: type[BaseModel]) -> Any:
    """Return the type of members that a file may add to a section under names of its choice."""
    annotation = vars(section).get("__annotations__", {}).get("__pydantic_extra__")
    return get_args(annotation)[1] if annotation else None
