"""The code that Lambda gets: all that it needs, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import botocore
import pytest

from staged_resiliency.drills import functions, lambda_code

# Python finds its modules where it likes; these are all that the test gives to it.
_PROGRAM = """
import sys
sys.path[:0] = [{staged!r}, {packages!r}]
import importlib, zoneinfo
zoneinfo.reset_tzpath(to=[])
from zoneinfo import ZoneInfo
print(ZoneInfo("America/Los_Angeles").key)
for handler in {handlers!r}:
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name)), handler
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"aws_cdk", "boto3", "constructs", "jsii", "pydantic", "rich", "yaml"}}))
from staged_resiliency.drills.runtime import handlers
assert handlers.__file__.startswith({staged!r}), handlers.__file__
"""


@pytest.mark.slow
def test_handlers_load_with_nothing_but_python_and_botocore(tmp_path: Path) -> None:
    staged = tmp_path / "asset"
    with zipfile.ZipFile(lambda_code.code_archive()) as archive:
        archive.extractall(staged)
    packages = tmp_path / "packages"
    packages.mkdir()
    here = Path(botocore.__file__).parent.parent
    for name in ("botocore", "dateutil", "jmespath", "six.py", "urllib3"):
        (packages / name).symlink_to(here / name)
    program = _PROGRAM.format(
        staged=str(staged),
        packages=str(packages),
        handlers=[each.handler for each in (*functions.ALL, functions.CLIENT)],
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["America/Los_Angeles", "[]"]


def test_the_asset_holds_no_module_that_it_does_not_need() -> None:
    staged = lambda_code.code_files()
    ours = {name for name in staged if name.startswith("staged_resiliency/")}
    folders = {name.removeprefix("staged_resiliency/").rpartition("/")[0] for name in ours}
    assert folders == {"", "drills", "drills/runtime", "experiment"}
    here = {name for name in ours if name.startswith("staged_resiliency/drills/")}
    assert {name for name in here if name.count("/") == 2} == {
        "staged_resiliency/drills/__init__.py"
    }
    assert not [name for name in staged if "__pycache__" in name or name.endswith(".pyc")]


def test_the_same_sources_give_the_same_asset() -> None:
    first = lambda_code.code_archive().read_bytes()
    lambda_code.code_archive.cache_clear()
    assert lambda_code.code_archive().read_bytes() == first


def test_without_time_zones_there_is_no_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_code, "_TIME_ZONES", "no_such_package")
    with pytest.raises(ModuleNotFoundError, match="install it beside this package"):
        lambda_code.code_files()
