"""Minifies Python sources: removes comments, docstrings and annotations."""

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
    """Characters of the source to remove, and their replacement."""

    start: int
    end: int
    replacement: str = ""


def minified(source: str) -> str:
    r"""Remove comments, docstrings, function annotations and most blank lines from a source.

    The rest stays as it is written, so that the result is the same with every version of Python.

    >>> print(minified('def one() -> int:\n    "What."\n    return 1  # why\n'), end="")
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
    """A source with its tokens; converts positions of tokens and of syntax trees to offsets."""

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
        """Return the offset of a token's position."""
        return self._starts[row - 1] + column

    def at_byte(self, row: int, column: int) -> int:
        """Return the offset of a syntax tree's position, whose columns count bytes."""
        return self.at(row, len(self.lines[row - 1].encode()[:column].decode()))

    def start(self, node: ast.stmt | ast.expr) -> int:
        """Return the offset at which a node starts."""
        return self.at_byte(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.expr) -> int:
        """Return the offset at which a node ends."""
        return self.at_byte(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def last_before(self, offset: int, mark: str) -> int:
        """Return the offset of the last occurrence of a token before an offset."""
        return self._marks[mark][bisect_left(self._marks[mark], offset) - 1]

    def first_after(self, offset: int, mark: str) -> int:
        """Return the offset of the first occurrence of a token at or after an offset."""
        return self._marks[mark][bisect_left(self._marks[mark], offset)]

    def count(self, mark: str, start: int, end: int) -> int:
        """Count the occurrences of a token between two offsets."""
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
    """Cut an annotation with the brackets around it, which are not part of a syntax tree."""
    end = text.end(annotation)
    for _ in range(text.count("(", start, text.start(annotation))):
        end = text.first_after(end, ")") + 1
    return _Cut(start, end)


def _without_blank_lines(source: str) -> str:
    """Remove blank lines, except in strings and before lines that are not indented."""
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
