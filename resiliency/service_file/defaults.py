"""Give every environment of a file the values of its ``defaults``, and keep where they are written.

An environment's own values come first; mappings are merged key by key, lists replace lists. All
checks then read complete environments, and report problems at places of environments, which
``as_written`` changes to places of the file.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.yaml_source import Document, Value

KEY: Final = "defaults"
_ENVIRONMENTS: Final = "environments"


def merge(document: Document) -> None:
    """Add the defaults of a file to each of its environments."""
    defaults, environments = (document.data.get(key) for key in (KEY, _ENVIRONMENTS))
    if isinstance(defaults, dict) and isinstance(environments, dict):
        merged = {
            name: _merged(document, (KEY,), defaults, (_ENVIRONMENTS, name), environment)
            for name, environment in environments.items()
        }
        document.data = {**document.data, _ENVIRONMENTS: merged}


def _merged(document: Document, source: Path, default: Value, at: Path, own: Value) -> Value:
    if not isinstance(default, dict) or not isinstance(own, dict):
        return own
    merged = dict(own)
    for key, value in default.items():
        place = ((*source, key), value, (*at, key))
        if key in own:
            merged[key] = _merged(document, *place, own[key])
        else:
            merged[key] = _inherited(document, *place)
    return merged


def _inherited(document: Document, source: Path, value: Value, at: Path) -> Value:
    """Return a default unchanged, and keep for each of its parts where it is written."""
    document.inherited[at] = source
    document.lines[at] = document.line_of(source)
    members: Iterable[tuple[str | int, Value]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        _inherited(document, (*source, key), member, (*at, key))
    return value


def as_written(problems: Iterable[Problem], document: Document) -> Iterator[Problem]:
    """Yield problems, each with the place in the file where its value is written.

    A problem with a default is at the default if every environment that inherits it has the
    problem, or if the default is wrong by itself. Else it is at the environment, with the line of
    the default.
    """
    found = list(dict.fromkeys(problems))
    heirs = Counter(document.inherited.values())
    affected = Counter((_source(each, document), each.message) for each in found)
    wrong = {each.where for each in found if each.file == document.file}
    for each in found:
        source = _source(each, document)
        if source is None:
            yield each
        elif source not in wrong:
            everywhere = affected[source, each.message] == heirs[source]
            yield replace(each, where=source) if everywhere else each


def _source(problem: Problem, document: Document) -> Path | None:
    return document.inherited.get(problem.where) if problem.file == document.file else None
