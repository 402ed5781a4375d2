"""The constructs with the oldest aws-cdk-lib and constructs that pyproject.toml promises.

All other tests run with the newest: `make lock` pins it.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support import ROOT

NOT_THERE = "not shellcheck"  # a program that is not in the environment
SUITE = ("drills", "failover", "notifications", "probe", "shared", "test_public_names.py")
WITHOUT_CDK = ("drills/runtime", "probe/agent")


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with the oldest dependencies of the library; all else is of this environment."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("\ndependencies = [")[2].partition("]")[0]
    lowest = re.findall(r'"([\w-]+)>=([\d.]+)', section)
    assert [name for name, _ in lowest] == ["aws-cdk-lib", "constructs", "tzdata"]
    environment = tmp_path_factory.mktemp("oldest") / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    pins = [f"{name}=={version}" for name, version in lowest]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-compile", *pins], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    # After its own packages, which take precedence.
    (packages / "this_environment.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_suite_of_the_constructs_passes(oldest: Path) -> None:
    suite = [f"tests/staged_resiliency/{each}" for each in SUITE]
    left_out = [f"--ignore=tests/staged_resiliency/{each}" for each in WITHOUT_CDK]
    options = ("-q", "-m", "not slow", "-k", NOT_THERE, "-o", "addopts=", "-p", "no:cacheprovider")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [oldest, "-m", "pytest", *options, *left_out, *suite],
        cwd=ROOT,
        env={**inherited, "PYTHONPATH": f"{ROOT / 'constructs'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10_000:] + done.stderr
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) > 1_000, done.stdout
