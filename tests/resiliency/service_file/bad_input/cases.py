"""Reads tables of edits of a file, with what is reported of each: of service files and of others.

A table is a text file of cases, so that edits and messages stand there as a user sees them:

    # a remark
    == name of the case
    - text of services/bookstore.yaml, there exactly once
    + what stands there instead
    > bookstore.yaml:8: environments.production.account: the message that the user gets

Lines that follow one another with the same sign are one text of several lines. A second ``-``
after a ``+`` begins a second edit. A case may give a whole file instead, in lines with ``|``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.support import EXAMPLE_CORE, EXAMPLE_DRILLS

TABLES: Final = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Case:
    """One file: the name of its case, its content, and every line that the user must get."""

    name: str
    content: str
    problems: list[str]


def all_cases(tables: Path = TABLES, sound: str | None = None) -> list[Case]:
    """The cases of every table in a folder, as edits of a sound text: the example unless given.

    Only the tables about drills have the example's drills, which other mistakes would concern too.
    No table has its check, so that mistakes can add one.
    """

    def text(table: Path) -> str:
        if sound is not None:
            return sound
        drilled = table.stem in ("drills", "gremlin", "private")
        example = EXAMPLE_CORE + EXAMPLE_DRILLS if drilled else EXAMPLE_CORE
        return example.replace(", check: { protocol: postgresql }", "")

    return [case for table in sorted(tables.glob("*.txt")) for case in cases_of(table, text(table))]


def cases_of(table: Path, sound: str) -> Iterator[Case]:
    """The cases of one table, as edits of a sound text."""
    lines = table.read_text(encoding="utf-8").split("\n")
    rows = [line for line in lines if line and not line.startswith("# ")]
    name, body = "", list[str]()
    for row in [*rows, "== end"]:
        if row.startswith("== "):
            if name:
                yield _case(name, body, sound)
            name, body = row.removeprefix("== "), []
        else:
            body.append(row)


def _case(name: str, body: list[str], sound: str) -> Case:
    parts = [
        (sign, [row[2:] for row in rows]) for sign, rows in groupby(body, key=lambda row: row[0])
    ]
    assert {sign for sign, _ in parts} <= set("-+|>"), f"{name}: a line has no sign"
    whole = ["\n".join(rows) + "\n" for sign, rows in parts if sign == "|"]
    old = ["\n".join(rows) for sign, rows in parts if sign == "-"]
    new = ["\n".join(rows) for sign, rows in parts if sign == "+"]
    content = whole[0] if whole else sound
    for before, after in zip(old, new, strict=True):
        assert content.count(before) == 1, f"{name}: {before!r} is not there exactly once"
        content = content.replace(before, after)
    return Case(name, content, [row for sign, rows in parts if sign == ">" for row in rows])
