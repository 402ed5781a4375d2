"""The names that other teams may use."""

import ast
import inspect
import re
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import get_args

import pytest

import staged_resiliency
from staged_resiliency import InvalidInputError
from tests.cases import cases
from tests.support import ROOT

ALIASES = ("Color", "Expectation", "Request", "Target", "Topic", "Topics")
NAMES = [name for name in vars(staged_resiliency)["__all__"] if name not in ALIASES]


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_a_class_with_a_docstring(name: str) -> None:
    public = getattr(staged_resiliency, name)
    assert inspect.isclass(public)
    assert public.__name__ == name
    documented = vars(public).get("__doc__")
    assert documented
    assert not documented.startswith(f"{name}("), "dataclasses make up a docstring of fields"


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_in_a_class_has_a_docstring(name: str) -> None:
    public = getattr(staged_resiliency, name)
    undocumented = [
        member
        for member, value in vars(public).items()
        if not member.startswith("_")
        and (inspect.isroutine(value) or hasattr(value, "func") or isinstance(value, property))
        and not inspect.getdoc(value)
    ]
    assert undocumented == []


def test_the_stub_lists_each_public_name_once_and_exports_it() -> None:
    stub = Path(staged_resiliency.__file__).with_suffix(".pyi")
    imports = [
        each for each in ast.parse(stub.read_text()).body if isinstance(each, ast.ImportFrom)
    ]
    listed = [(name.name, name.asname) for each in imports for name in each.names]
    assert sorted(listed) == [(name, name) for name in sorted({*NAMES, *ALIASES})]


@pytest.mark.parametrize("name", ALIASES)
def test_a_public_alias_stands_for_types(name: str) -> None:
    assert get_args(getattr(staged_resiliency, name))


def test_the_public_names_are_offered_for_completion() -> None:
    assert set(NAMES) <= set(dir(staged_resiliency))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(
        AttributeError, match=r"^module 'staged_resiliency' has no attribute 'InstanceFailovr'$"
    ):
        _ = staged_resiliency.InstanceFailovr  # type: ignore[attr-defined]


def test_a_name_that_is_public_elsewhere_is_not_public_here() -> None:
    assert not hasattr(staged_resiliency, "Duration")


def _modules_after(statement: str) -> set[str]:
    """The names of the modules that a fresh Python has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.splitlines())


@cases(
    ("statement", "module"),
    {
        "the package alone": (
            "import staged_resiliency, resiliency.service_file",
            "resiliency.service_file.model.service",
        ),
        "the error alone": (
            "from staged_resiliency.shared.errors import InvalidInputError",
            "staged_resiliency.shared.errors",
        ),
        "what a probe measures": (
            "from staged_resiliency.probe.configuration import ProbeConfiguration\n"
            "from staged_resiliency.probe.target_checks import TcpCheck\n"
            "checks = {'db': TcpCheck('db.example.com', 5432)}\n"
            "ProbeConfiguration('shop', 'Shop', dependencies=checks).encoded()",
            "staged_resiliency.shared.literals",
        ),
    },
)
def test_the_cdk_is_not_started_for(statement: str, module: str) -> None:
    loaded = _modules_after(statement)
    assert module in loaded
    assert loaded.isdisjoint({"aws_cdk", "jsii", "constructs"})


@pytest.mark.slow
def test_failover_alone_does_not_load_the_constructs_of_drills() -> None:
    loaded = _modules_after("from staged_resiliency import InstanceFailover")
    assert "staged_resiliency.failover.instance_failover" in loaded
    assert not [name for name in loaded if name.startswith("staged_resiliency.drills")]


def test_a_refusal_can_be_caught_as_a_value_error() -> None:
    assert issubclass(InvalidInputError, ValueError)


@pytest.mark.parametrize("name", ["MissingData", "InsufficientData"])
def test_choices_are_enumerations(name: str) -> None:
    assert issubclass(getattr(staged_resiliency, name), Enum)


def test_the_constructs_call_nothing_that_the_oldest_cdk_lacks() -> None:
    """What else it lacks, tests/e2e/test_oldest_cdk.py finds."""
    newer = re.compile(r"\.(add_resource_dependency|add_stack_dependency|get_stack_output)\(")
    library = ROOT / "constructs" / "staged_resiliency"
    assert [each for each in library.rglob("*.py") if newer.search(each.read_text("utf-8"))] == []
