"""Python sources without what only people and type checkers read."""

import ast
import io
import tokenize
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final, NamedTuple

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED: Final = (ast.Module, ast.ClassDef, *_FUNCTIONS)


class _Cut(NamedTuple):
    """Characters of the source that go, and what comes in their place."""

    start: int
    end: int
    replacement: str = ""


def bare_source(source: str) -> str:
    r"""A source without comments, docstrings, annotations of functions and most blank lines.

    What remains is as it was written, so it does not depend on the Python that makes it.

    Raises:
        SyntaxError: It is not Python.

    >>> print(bare_source('def one() -> int:\n    "What."\n    return 1  # why\n'), end="")
    def one():
        return 1
    """
    nodes = list(ast.walk(ast.parse(source)))
    text = _Text(source)
    kept = []
    done = 0
    for cut in sorted([*_comments(text), *_docstrings(text, nodes), *_annotations(text, nodes)]):
        if cut.start >= done:  # else it is within the one before, such as a comment
            kept += [source[done : cut.start], cut.replacement]
            done = cut.end
    return _without_blank_lines("".join(kept) + source[done:])


class _Text:
    """A source, its tokens, and where the rows and columns of both kinds of parser are in it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        self._starts = [0, *accumulate(map(len, self.lines))]
        self._marks: dict[str, list[int]] = {"->": [], "(": [], ")": []}
        for token in self.tokens:
            if token.type == tokenize.OP and token.string in self._marks:
                self._marks[token.string].append(self.at(*token.start))

    def at(self, row: int, column: int) -> int:
        """Where a token's position is."""
        return self._starts[row - 1] + column

    def at_byte(self, row: int, column: int) -> int:
        """Where a syntax tree's position is, whose columns count bytes."""
        return self.at(row, len(self.lines[row - 1].encode()[:column].decode()))

    def start(self, node: ast.stmt | ast.expr) -> int:
        """Where a node starts."""
        return self.at_byte(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.expr) -> int:
        """Where a node ends."""
        return self.at_byte(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def last_before(self, place: int, mark: str) -> int:
        """Where the mark is that comes last before a place."""
        return self._marks[mark][bisect_left(self._marks[mark], place) - 1]

    def first_after(self, place: int, mark: str) -> int:
        """Where the mark is that comes first at or after a place."""
        return self._marks[mark][bisect_left(self._marks[mark], place)]

    def count(self, mark: str, start: int, end: int) -> int:
        """How many such marks there are from one place to another."""
        return bisect_left(self._marks[mark], end) - bisect_left(self._marks[mark], start)


def _comments(text: _Text) -> Iterator[_Cut]:
    for token in text.tokens:
        if token.type == tokenize.COMMENT:
            code = token.line[: token.start[1]].rstrip()
            yield _Cut(text.at(token.start[0], len(code)), text.at(*token.end))


def _docstrings(text: _Text, nodes: Iterable[ast.AST]) -> Iterator[_Cut]:
    for node in nodes:
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            needed = len(node.body) == 1 and not isinstance(node, ast.Module)
            yield _Cut(text.start(first), text.end(first), "pass" if needed else "")


def _annotations(text: _Text, nodes: Iterable[ast.AST]) -> Iterator[_Cut]:
    for node in nodes:
        if isinstance(node, ast.arg) and node.annotation:
            name_ends = node.col_offset + len(node.arg.encode())
            yield _annotation(text, text.at_byte(node.lineno, name_ends), node.annotation)
        elif isinstance(node, _FUNCTIONS) and node.returns:
            arrow = text.last_before(text.start(node.returns), "->")
            yield _annotation(text, len(text.source[:arrow].rstrip()), node.returns)


def _annotation(text: _Text, start: int, annotation: ast.expr) -> _Cut:
    """With the brackets around it, which are no part of a syntax tree."""
    end = text.end(annotation)
    for _ in range(text.count("(", start, text.start(annotation))):
        end = text.first_after(end, ")") + 1
    return _Cut(start, end)


def _without_blank_lines(source: str) -> str:
    """Only those stay that stand before something that is not indented, or in a string."""
    in_strings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant | ast.JoinedStr):
            in_strings.update(range(node.lineno, node.end_lineno or node.lineno))
    kept: list[str] = []
    skipped = False
    for row, line in enumerate(source.splitlines(keepends=True)):
        if not line.strip() and row not in in_strings:
            skipped = True
            continue
        if skipped and kept and not line[0].isspace() and row not in in_strings:
            kept.append("\n")
        kept.append(line)
        skipped = False
    return "".join(kept)
