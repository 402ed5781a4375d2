"""Read one YAML file into plain data, with the line of every key and value.

PyYAML parses; this module builds the tree from its events, because three things matter here
that its loaders do not give: the line of each value for error messages, duplicate keys as
errors, and an error for every part of YAML that can be abused (anchors that grow without bound,
tags that name types, endless nesting). Plain scalars follow the YAML 1.2 core schema, so
``no`` is a text and ``12:30`` is not a number of seconds.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, NoReturn

import yaml

from resiliency.service_file.errors import Path, Problem
from staged_resiliency.shared.validation import shown

MAX_FILE_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20

Scalar = str | int | float | bool | None
Value = Scalar | dict[str, "Value"] | list["Value"]

# libyaml's parser is about ten times faster; wheels bring it, some source builds do not.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# Characters that YAML does not allow, also not in quotes.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts lines
_TAGGED: Final = (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent)
# No setting has more digits, and Python refuses to convert huge numbers.
_MOST_DIGITS: Final = 30


@dataclass(slots=True)
class Document:
    """A file's data, with the line of each part.

    Attributes:
        file: The file as the user named it.
        data: The top mapping; empty when the file could not be read.
        lines: Line, from 1, of each key (for members of mappings) or item (of lists).
        inherited: Place in the file's defaults of each value that an environment has from there.
        problems: The mistakes in the file as YAML.
    """

    file: str
    data: dict[str, Value] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    inherited: dict[Path, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Return the line of a value, or of the nearest part above it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def add(self, message: str, line: int | None, where: Path = ()) -> None:
        """Add a problem found in the file."""
        self.problems.append(Problem(self.file, line, where, message))


def read(file: FilePath) -> Document:
    """Read a file; its problems are returned in the document, never raised."""
    document = Document(str(file))
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        document.add(f"can't be read: {error.strerror}", None)
        return document
    if len(raw) > MAX_FILE_BYTES:
        document.add(
            f"has more than the {MAX_FILE_BYTES} bytes that are allowed; "
            "one file holds one service",
            None,
        )
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
    if unprintable := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        code = f"U+{ord(unprintable.group()):04X}"
        document.add(f"contains {code}, which YAML does not allow; remove that character", line)
        return
    try:
        _Builder(document).build(yaml.parse(text, Loader=_LOADER))
    except _RefusedError:
        document.data = {}
    except yaml.MarkedYAMLError as error:
        document.data = {}
        line, message = _syntax_error(error, text)
        document.add(message, line)


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str]:
    """Return the line of a syntax error, from 1, and the message."""
    problem = error.problem or "it can't be read"
    found = error.problem_mark.line + 1 if error.problem_mark else 1
    begun = error.context_mark.line + 1 if error.context_mark else found
    if any(re.match(r" *\t", line) for line in _LINE_BREAK.split(text)[found - 1 : found]):
        return found, "is indented with a tab, which YAML does not allow; use spaces"
    if "end of stream" in problem:  # the mistake is the part left open, not the file's end
        found = begun
    since = f" that begins in line {begun}" if begun != found else ""
    context = f"{error.context}{since}: " if error.context else ""
    return found, (
        f"is not valid YAML: {context}{problem}; "
        "check indentation, colons, quotes and brackets here"
    )


class _RefusedError(Exception):
    """The file can't be used at all; the problem is already recorded."""


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
        if not self.document.data:
            self.document.add("is empty; it must describe one service", 1)

    def _refuse(self, message: str, event: yaml.Event) -> NoReturn:
        self.document.add(message, _line_of(event))
        raise _RefusedError

    def _top(self, events: Iterator[yaml.Event]) -> None:
        first = next(events)
        value = self._value(first, events, (), 0)
        if isinstance(value, dict):
            self.document.data = value
        elif value is not None:
            self._refuse("must be a mapping, like 'service: bookstore' in the first line", first)

    def _value(
        self, event: yaml.Event, events: Iterator[yaml.Event], path: Path, depth: int
    ) -> Value:
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._refuse(
                f"anchors and aliases (&{event.anchor}, *{event.anchor}) are not allowed; "
                "write the values out, those of all environments in defaults",
                event,
            )
        if isinstance(event, _TAGGED) and event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(f"the tag {shown(tag)} is not allowed; remove it", event)
        if depth > MAX_DEPTH:
            self._refuse(
                f"is nested deeper than {MAX_DEPTH} levels, which no service needs; "
                "check indentation and brackets here",
                event,
            )
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path, depth)
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        raise AssertionError(f"the parser returned {event} where a value begins")

    def _mapping(self, events: Iterator[yaml.Event], path: Path, depth: int) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = _line_of(event)
            key = self._value(event, events, path, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                self._refuse(f"the key {shown(key)} is not a text; give keys like 'service'", event)
            name = event.value  # keys are texts as written, also when they are digits
            if not name:
                self._refuse("has a value without a key; write one before the colon", event)
            where = (*path, name)
            if name in mapping:
                self.document.add(
                    f"is given twice, first in line {self.document.lines[where]}; keep one of them",
                    line,
                    where,
                )
                self._walk_past(events, depth + 1)
                continue
            self.document.lines[where] = line
            mapping[name] = self._value(next(events), events, where, depth + 1)
        return mapping

    def _walk_past(self, events: Iterator[yaml.Event], depth: int) -> None:
        """Read past a value without recording its lines and problems."""
        aside = Document(self.document.file)
        try:
            _Builder(aside)._value(next(events), events, (), depth)
        except _RefusedError:  # of the whole file, so it must be reported
            self.document.problems += aside.problems
            raise

    def _sequence(self, events: Iterator[yaml.Event], path: Path, depth: int) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            where = (*path, len(items))
            self.document.lines[where] = _line_of(event)
            items.append(self._value(event, events, where, depth + 1))
        return items


def _line_of(event: yaml.Event) -> int:
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
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEXADECIMAL.fullmatch(text):
            return int(text[2:], 16)
        if _FLOAT.fullmatch(text):
            return float(text)
    return text
