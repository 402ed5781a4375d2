"""The wheel as another team installs it: into an empty environment, outside this repository."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--no-compile", "--quiet", wheel],
        check=True,
    )
    return environment


def test_the_wheel_holds_the_library_and_the_tools_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "resiliency",
        "staged_resiliency",
        "cdk_staged_resiliency",
    }
    assert "staged_resiliency/__init__.pyi" in names
    assert "staged_resiliency/py.typed" in names
    assert "resiliency/service_file/service.schema.json" in names
    assert "resiliency/report/journal.schema.json" in names
    assert "resiliency/report/templates/page.html.j2" in names


def test_the_short_example_synthesizes_from_the_wheel(
    empty_environment: Path, tmp_path: Path
) -> None:
    example = tmp_path / "app.py"
    example.write_text((ROOT / "examples" / "one_statement.py").read_text())
    done = subprocess.run(
        [empty_environment / "bin" / "python", example],
        cwd=tmp_path,
        env={**os.environ, "CDK_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "out" / "shop-failover.template.json").read_text())
    types = [resource["Type"] for resource in template["Resources"].values()]
    assert types.count("AWS::Route53::RecordSetGroup") == 1


def test_the_command_comes_with_the_wheel(empty_environment: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [empty_environment / "bin" / "resiliency", "check", ROOT / "services"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bookstore: sound, 1 environment(s)\n")


def test_type_checkers_see_the_types(empty_environment: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from staged_resiliency import AlarmTopic\nAlarmTopic(1, 2)\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--python-executable",
            empty_environment / "bin" / "python",
            wrong,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'Argument 1 to "AlarmTopic" has incompatible type "int"' in done.stdout
