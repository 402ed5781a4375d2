"""How Node is started for the CDK."""

import os
import subprocess
from pathlib import Path

import pytest

from stacks.startup import prepare_node
from tests.support import ROOT


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("NODE_OPTIONS", "JSII_NODE", "CDK_DISABLE_STACK_TRACE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_binary_of_the_environment_is_used(clean: pytest.MonkeyPatch) -> None:
    prepare_node()
    done = subprocess.run(
        [os.environ["JSII_NODE"], "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("v24.")


def test_what_the_user_set_is_kept(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("NODE_OPTIONS", "--max-old-space-size=8192")
    clean.setenv("JSII_NODE", "/opt/node")
    clean.setenv("CDK_DISABLE_STACK_TRACE", "0")
    prepare_node()
    assert os.environ["NODE_OPTIONS"].startswith("--max-old-space-size=8192 --require=")
    assert os.environ["JSII_NODE"] == "/opt/node"
    assert os.environ["CDK_DISABLE_STACK_TRACE"] == "0"


def test_preparing_twice_is_preparing_once(clean: pytest.MonkeyPatch) -> None:
    prepare_node()
    once = os.environ["NODE_OPTIONS"]
    prepare_node()
    assert os.environ["NODE_OPTIONS"] == once


def test_node_knows_the_flags_that_it_is_given(clean: pytest.MonkeyPatch) -> None:
    # An unknown flag would be harmless, but the gain of benchmarks/README.md would be gone.
    prepare_node()
    done = subprocess.run(
        [os.environ["JSII_NODE"], "-e", "0"], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


def test_a_path_with_spaces_is_loaded(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    prepare_node()
    here = str(ROOT / "stacks")
    there = tmp_path / "a folder"
    there.mkdir()
    (there / "node_preload.cjs").write_text("console.log('loaded')", encoding="utf-8")
    clean.setenv("NODE_OPTIONS", os.environ["NODE_OPTIONS"].replace(here, str(there)))
    done = subprocess.run(
        [os.environ["JSII_NODE"], "-e", "0"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "loaded\n"
