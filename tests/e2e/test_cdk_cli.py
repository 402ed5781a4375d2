"""The CDK CLI itself, in a copy of the repository in another folder and on another day."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.stacks.test_app import templates_in
from tests.support import ROOT

PARTS = ("app.py", "cdk.json", "stacks", "constructs", "resiliency", "services", "package.json")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The application in a folder whose name has a space, with this environment linked in."""
    folder = tmp_path / "another folder"
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    for linked in (".venv", "node_modules"):
        (folder / linked).symlink_to(ROOT / linked)
    return folder


def _cdk(
    folder: Path, *words: str, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [*before, "npx", "cdk", *words, "--no-notices"],
        cwd=folder,
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": str(folder / "constructs"),
            "CI": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_day_and_folder_give_the_same_templates(copy: Path) -> None:
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed, so the day can't be changed")
    here = _cdk(ROOT, "synth", "--quiet", "--output", str(copy / "today"))
    there = _cdk(copy, "synth", "--quiet", before=("faketime", "2031-02-03 04:05:06"))
    assert here.returncode == there.returncode == 0, here.stderr + there.stderr
    assert templates_in(copy / "today") == templates_in(copy / "cdk.out")
    assert len(templates_in(copy / "today")) == 6


def test_the_stacks_can_be_named_in_commands(copy: Path) -> None:
    listed = _cdk(copy, "list")
    assert listed.stdout.split() == [
        "notifications-532151327118-us-west-2-PingPublicationsSNS",
        "bookstore-production-probe",
        "bookstore-production-failover",
        "notifications-532151327118-us-east-1-PingPublicationsSNS",
        "bookstore-production-failover-alarm",
        "bookstore-production-drills",
    ]


def test_a_bad_service_file_ends_synthesis_with_its_problems(copy: Path) -> None:
    file = copy / "services" / "bookstore.yaml"
    file.write_text(file.read_text().replace("52.11.79.9", "52.11.79"))
    done = _cdk(copy, "synth")
    assert done.returncode != 0
    assert (
        "services/bookstore.yaml:16: environments.production.hosts.green.address: " in done.stderr
    )
    assert "Traceback" not in done.stderr + done.stdout
    assert not (copy / "cdk.out" / "manifest.json").exists()


def test_another_folder_of_services_can_be_given(copy: Path) -> None:
    shutil.move(copy / "services", copy / "elsewhere")
    done = _cdk(copy, "list", "-c", "services=elsewhere/bookstore.yaml")
    assert "bookstore-production-failover" in done.stdout, done.stderr
