"""CDK constructs for a pair of EC2 instances that survives the loss of an instance or a dependency.

The public names are those in ``__init__.pyi``; everything else may change. Each is loaded when it
is first used, so that reading a service file does not start the CDK and a service without drills
does not load their constructs.
"""

import ast
from enum import Enum
from importlib import import_module
from pathlib import Path

from staged_resiliency.shared.wrong_types import names_wrong_types


def _modules_of_public_names() -> dict[str, str]:
    """Read from the stub which module defines which public name.

    The stub is the only list of the names: type checkers and editors read it in place of this file.
    """
    stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    return {
        imported.name: f"{__name__}.{statement.module}"
        for statement in ast.parse(stub).body
        if isinstance(statement, ast.ImportFrom)
        for imported in statement.names
    }


_MODULES = _modules_of_public_names()
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    """Load a public name from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    if isinstance(value, type) and not issubclass(value, Enum | Exception):
        names_wrong_types(value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted({*globals(), *__all__})
