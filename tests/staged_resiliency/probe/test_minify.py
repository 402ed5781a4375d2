"""Sources lose what only people and type checkers read, and nothing else."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

from staged_resiliency.probe import document_builder
from staged_resiliency.probe.minify import minified
from tests.cases import cases

AGENT = Path(document_builder.__file__).parent / "agent"
SOURCES = {path.relative_to(AGENT).as_posix(): path for path in sorted(AGENT.rglob("*.py"))}


class Undocumented(ast.NodeTransformer):
    """Removes from a syntax tree what minified sources do not have."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass())
        return node


def meaning(source: str) -> str:
    return ast.dump(Undocumented().visit(ast.parse(source)))


def comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


@cases("path", SOURCES)
def test_what_a_source_of_the_agent_means_stays_for_the_oldest_python_it_runs_on(
    path: Path,
) -> None:
    source = path.read_text(encoding="utf-8")
    result = minified(source)
    assert ast.dump(ast.parse(result, feature_version=(3, 9))) == meaning(source)
    assert comments(result) == []


@cases("path", SOURCES)
def test_the_agent_never_reads_its_own_docstrings(path: Path) -> None:
    asked = {"__doc__", "__annotations__", "get_type_hints", "signature", "getdoc"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        assert name not in asked, (
            f"line {getattr(node, 'lineno', 0)}: minified sources have no {name}"
        )


@cases(
    ("source", "expected"),
    {
        "nothing": ("", ""),
        "only documentation": ('"""What."""\n', ""),
        "blank lines at the start": ("#!/usr/bin/python3\n\n\nx = 1\n", "x = 1\n"),
        "comment after code": ("x = 1  # why\n", "x = 1\n"),
        "hash in a string": ('x = "# not"  # why\n', 'x = "# not"\n'),
        "lines of a string": ('x = """\n# not\n\n\ny"""\n', 'x = """\n# not\n\n\ny"""\n'),
        "between brackets": ("x = (\n    # why\n    1,\n)\n", "x = (\n    1,\n)\n"),
        "blank lines in a function": (
            "def f():\n    # why\n\n    x = 1\n\n    return x\n",
            "def f():\n    x = 1\n    return x\n",
        ),
        "blank lines between functions": (
            "x = 1\n\n\n\ndef f():\n    pass\n",
            "x = 1\n\ndef f():\n    pass\n",
        ),
        "nothing but documentation": (
            'def f():\n    """What.\n\n    More.\n    """\n',
            "def f():\n    pass\n",
        ),
        "all on one line": ('def f(): "What."\n', "def f(): pass\n"),
        "class": ('class E(Exception):\n    """What."""\n', "class E(Exception):\n    pass\n"),
        "text after a constant": ('x = 1\n"""What x is."""\n', 'x = 1\n"""What x is."""\n'),
        "annotations": (
            "def f(a: int, *b: 'x', c: str = '', **d: dict[str, int]) -> list[int]: pass\n",
            "def f(a, *b, c = '', **d): pass\n",
        ),
        "annotations over lines": (
            "def f(\n    a: dict[\n        str, int\n    ],\n) -> (\n    int\n):\n    return 1\n",
            "def f(\n    a,\n):\n    return 1\n",
        ),
        "annotations in brackets": (
            "def f(a: (int), b: ((str)) = ()) -> (int): return (1)\n",
            "def f(a, b = ()): return (1)\n",
        ),
        "comment within an annotation": (
            "def f(\n    a: dict[  # why\n        str, int\n    ],\n):\n    return 1\n",
            "def f(\n    a,\n):\n    return 1\n",
        ),
        "letters of more than a byte": (
            "def é(ä: int, ö: 'ü' = 'ß') -> None: x = 'ß'  # ß\n",
            "def é(ä, ö = 'ß'): x = 'ß'\n",
        ),
        "fields stay": ("class A:\n    x: int = 1\n", "class A:\n    x: int = 1\n"),
        "annotated names stay": ("x: int\n", "x: int\n"),
        "no newline at the end": ("x = 1", "x = 1"),
    },
)
def test_a_source_is_minified(source: str, expected: str) -> None:
    assert minified(source) == expected


def test_a_source_that_is_not_python_is_refused() -> None:
    with pytest.raises(SyntaxError):
        minified("def f(:\n")
