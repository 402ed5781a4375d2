"""app.py as the CDK CLI runs it: a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.support import EXAMPLE_FILE, ROOT


def run_app(
    outdir: Path,
    services: Path,
    environment: Mapping[str, str] | None = None,
    python: str | Path = sys.executable,
    folder: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run app.py with what the CLI gives it; every other variable is the caller's."""
    settings = json.loads((folder / "cdk.json").read_text(encoding="utf-8"))
    context = {
        **settings["context"],
        "services": str(services),
        "aws:cdk:disable-path-metadata": not settings["pathMetadata"],
    }
    return subprocess.run(
        [python, "-O", "app.py"],
        cwd=folder,
        env={
            **os.environ,
            "CDK_OUTDIR": str(outdir),
            "CDK_CONTEXT_JSON": json.dumps(context),
            **(environment or {}),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def templates_in(folder: Path) -> Mapping[str, bytes]:
    """The bytes of each template, by file name."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.template.json"))}


@pytest.mark.slow
def test_the_templates_do_not_depend_on_hash_seed_time_zone_or_place(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    copy = tmp_path / "elsewhere" / "bookstore.yaml"
    copy.write_bytes(EXAMPLE_FILE.read_bytes())
    runs = (
        (EXAMPLE_FILE, {"PYTHONHASHSEED": "1", "TZ": "UTC"}),
        (
            copy,
            # Once is enough for the CDK's validation, which takes longer than all else.
            {
                "PYTHONHASHSEED": "2",
                "TZ": "Asia/Kathmandu",
                "LC_ALL": "C",
                "CDK_VALIDATION": "false",
            },
        ),
    )
    results = []
    for number, (services, environment) in enumerate(runs):
        outdir = tmp_path / str(number)
        done = run_app(outdir, services, environment)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""  # no warning either
        results.append(templates_in(outdir))
    assert len(results[0]) == 6
    assert results[0] == results[1]


@pytest.mark.slow
def test_a_bad_file_stops_synthesis_without_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        EXAMPLE_FILE.read_text(encoding="utf-8").replace("52.11.79.9", "52.11.79"),
        encoding="utf-8",
    )
    outdir = tmp_path / "out"
    done = run_app(outdir, file)
    assert done.returncode == 1
    assert done.stderr == (
        f"{file}:16: environments.production.hosts.green.address: '52.11.79' is not an IPv4 or "
        "IPv6 address; give one like 52.11.79.9\n"
    )
    assert not list(outdir.glob("*.template.json"))


@pytest.mark.slow
def test_a_missing_folder_stops_synthesis_without_a_traceback(tmp_path: Path) -> None:
    done = run_app(tmp_path / "out", tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path / 'nowhere'}: does not exist; give a service file or a folder of them\n"
    )


@pytest.mark.slow
def test_a_stack_with_too_many_resources_stops_synthesis_without_a_traceback(
    tmp_path: Path,
) -> None:
    service = yaml.safe_load(EXAMPLE_FILE.read_text(encoding="utf-8"))
    service["environments"]["production"]["notifications"]["subscriptions"] = [
        f"ops-{number}@example.com" for number in range(500)
    ]
    file = tmp_path / "large.yaml"
    file.write_text(yaml.safe_dump(service), encoding="utf-8")
    done = run_app(tmp_path / "out", file, {"CDK_VALIDATION": "false"})
    assert done.returncode == 1
    assert done.stderr == (
        "Number of resources in stack 'bookstore-production-failover': 509 is greater than "
        "allowed maximum of 500\n"
    )
