"""Reads one YAML file into plain data, with the line of every key and value.

PyYAML parses; this module builds the tree from its events, because three things matter here
that its loaders do not give: the line of each value for error messages, duplicate keys as
errors, and refusal of everything in YAML that can be abused (anchors that grow without bound,
tags that name types, nesting without end). Plain scalars follow the YAML 1.2 core schema, so
``no`` is a text and ``12:30`` is not a number of seconds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, NoReturn

import yaml

from staged_resiliency.service.problems import Path, Problem, dotted

MAX_FILE_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20

Scalar = str | int | float | bool | None
Value = Scalar | dict[str, "Value"] | list["Value"]

# libyaml's parser is about ten times faster; wheels bring it, some source builds do not.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TAGGED: Final = (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)
# Longer runs of digits are no sensible number here, and Python refuses to convert huge ones.
_MOST_DIGITS: Final = 30


@dataclass(slots=True)
class Document:
    """A file's data and where each part of it stands.

    Attributes:
        file: The file as the user named it.
        data: The top mapping; empty when the file could not be read.
        lines: Line, from 1, of each key (for members of mappings) or item (of lists).
        problems: What is wrong with the file as YAML.
    """

    file: str
    data: dict[str, Value] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest part above it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, message: str, line: int | None, path: str = "") -> None:
        """Record a problem."""
        self.problems.append(Problem(self.file, line, path, message))


def read(file: FilePath) -> Document:
    """Read a file; problems are in the result, never raised."""
    document = Document(str(file))
    try:
        raw = file.read_bytes()
    except OSError as error:
        document.add(f"can't be read: {error.strerror}", None)
        return document
    if len(raw) > MAX_FILE_BYTES:
        document.add(f"has {len(raw)} bytes; at most {MAX_FILE_BYTES} are read", None)
        return document
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        document.add(f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8", line)
        return document
    parse(text, document)
    return document


def parse(text: str, document: Document) -> None:
    """Parse a text into the document's data, lines and problems."""
    try:
        _Builder(document).build(yaml.parse(text, Loader=_LOADER))
    except _RefusedError:
        document.data = {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        detail = " ".join(part for part in (error.context, error.problem) if part)
        document.data = {}
        document.add(
            f"is not valid YAML: {detail}; look at indentation, colons, quotes and brackets here",
            mark.line + 1 if mark else None,
        )
    except yaml.reader.ReaderError as error:
        document.data = {}
        document.add(f"is not valid YAML: {error.reason}; take the character out", None)


class _RefusedError(Exception):
    """The file is refused as a whole; the problem is already recorded."""


@dataclass(slots=True)
class _Builder:
    document: Document

    def build(self, events: Iterator[yaml.Event]) -> None:
        seen_document = False
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen_document:
                    self._refuse("a second document starts here; one file holds one service", event)
                seen_document = True
                self._top(events)
        if not seen_document:
            self.document.add("is empty; it must hold one service", 1)

    def _refuse(self, message: str, event: yaml.Event) -> NoReturn:
        self.document.add(message, _line_of(event))
        raise _RefusedError

    def _top(self, events: Iterator[yaml.Event]) -> None:
        first = next(events)
        if isinstance(first, yaml.ScalarEvent) and first.value == "" and first.style is None:
            self.document.add("is empty; it must hold one service", 1)
            return
        value = self._value(first, events, (), 0)
        if isinstance(value, dict):
            self.document.data = value
        else:
            self._refuse("must hold a mapping, like 'service: bookstore' in the first line", first)

    def _value(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: Path, depth: int
    ) -> Value:
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._refuse(
                f"anchors and aliases (&{event.anchor}, *{event.anchor}) are not taken; "
                "write the values out",
                event,
            )
        if isinstance(event, _TAGGED) and event.tag is not None:
            self._refuse(f"the tag {event.tag} is not taken; leave it out", event)
        if depth > MAX_DEPTH:
            self._refuse(f"is nested deeper than {MAX_DEPTH} levels", event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path, depth)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        raise AssertionError(f"the parser gave {event} where a value begins")

    def _mapping(self, events: Iterator[yaml.Event], path: Path, depth: int) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = _line_of(event)
            key = self._value(event, events, path, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(f"the key {key} is not a text; give keys like 'service'", event)
            name = event.value  # a key is what is written, also when it looks like a number
            where = (*path, name)
            if name in mapping:
                self.document.add(
                    f"is given twice, first in line {self.document.lines[where]}; keep one of them",
                    line,
                    dotted(where),
                )
                # Walk past the second value under a path of its own: the first one's lines stay.
                self._value(next(events), events, (*where, "given twice"), depth + 1)
                continue
            self.document.lines[where] = line
            mapping[name] = self._value(next(events), events, where, depth + 1)
        return mapping

    def _sequence(self, events: Iterator[yaml.Event], path: Path, depth: int) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            where = (*path, len(items))
            self.document.lines[where] = _line_of(event)
            items.append(self._value(event, events, where, depth + 1))
        return items


def _line_of(event: yaml.Event) -> int:
    """The line on which a part of the file begins, from 1."""
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    if not event.implicit[0]:  # quoted, or a block of text
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) <= _MOST_DIGITS:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
