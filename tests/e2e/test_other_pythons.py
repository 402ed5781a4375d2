"""Every supported Python that this machine has makes the same templates, byte for byte."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.pythons import interpreter
from tests.stacks.test_app import run_app, templates_in
from tests.support import EXAMPLE_FILE, ROOT

SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")


def _others() -> Mapping[str, Path]:
    """The supported versions that run here, by version, this one left out."""
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {version: interpreter(version) for version in SUPPORTED if version != this}
    return {version: python for version, python in found.items() if python is not None}


OTHERS = _others()


@pytest.mark.skipif(not OTHERS, reason="this machine has only one supported Python")
@pytest.mark.parametrize("version", list(OTHERS) or ["none"])
def test_another_python_gives_the_same_templates(version: str, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([OTHERS[version], "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",  # of most modules of the CDK nothing is imported
            "--require-hashes",
            "-r",
            "requirements.txt",
        ],
        cwd=ROOT,
        check=True,
    )
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert run_app(ours, EXAMPLE_FILE).returncode == 0
    done = run_app(theirs, EXAMPLE_FILE, {"PYTHONPATH": "constructs"}, python=python)
    assert done.returncode == 0, done.stderr
    assert templates_in(ours) == templates_in(theirs)
    assert len(templates_in(theirs)) == 6
