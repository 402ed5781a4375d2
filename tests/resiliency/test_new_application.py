"""`resiliency init --app`: the application that it writes, and its refusals."""

import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from resiliency.cli import main
from resiliency.new_application import NAME, PIPELINES
from resiliency.service_file import load
from resiliency.service_file.schema import json_schema
from tests.resiliency.conftest import Resiliency
from tests.resiliency.test_init import ANSWERS
from tests.stacks.test_app import run_app, templates_in
from tests.support import EXAMPLE_FILE, ROOT

WHEEL_NAME = f"cdk_staged_resiliency-{version(NAME)}-py3-none-any.whl"

Init = Callable[..., int]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A file that has the metadata of this package's wheel."""
    file = tmp_path / "dist" / WHEEL_NAME
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"cdk_staged_resiliency-{version(NAME)}.dist-info/METADATA", "")
    return file


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return tmp_path / "my-failover"


@pytest.fixture
def init(wheel: Path, app: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    """Runs the command with a wheel and further options."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    return lambda *more: main(["init", "--app", str(app), "--wheel", str(wheel), *more])


def answers() -> list[str]:
    return [f"--{key}={value}" for key, value in ANSWERS.items()]


def test_it_has_the_example_where_no_service_is_given(init: Init, app: Path) -> None:
    assert init() == 0
    (service,) = load(app / "services")
    assert [service] == load(EXAMPLE_FILE)
    assert {str(file.relative_to(app)) for file in app.rglob("*") if file.is_file()} == {
        ".github/workflows/failover.yml",
        ".gitignore",
        "Makefile",
        "README.md",
        "app.py",
        "cdk.json",
        "package-lock.json",
        "package.json",
        "requirements.txt",
        "service.schema.json",
        "services/bookstore.yaml",
        WHEEL_NAME,
    }


def test_editors_find_the_schema(init: Init, app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert init() == 0
    monkeypatch.chdir(app)
    assert main(["init", *answers()]) == 0
    for file in ("bookstore", "shop"):
        first = (app / "services" / f"{file}.yaml").read_text("utf-8").splitlines()[0]
        schema = app / "services" / first.removeprefix("# yaml-language-server: $schema=")
        assert json.loads(schema.read_text("utf-8")) == json_schema(), file


def test_it_has_the_service_that_is_given(init: Init, app: Path) -> None:
    assert init(*answers()) == 0
    assert [service.service for service in load(app / "services")] == ["shop"]
    pipeline = yaml.safe_load((app / ".github" / "workflows" / "failover.yml").read_text("utf-8"))
    assert pipeline["env"]["SERVICE"] == "shop"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_it_has_a_pipeline(pipeline: str, init: Init, app: Path) -> None:
    assert init("--pipeline", pipeline) == 0
    text = (app / PIPELINES[pipeline][1]).read_text("utf-8")
    ours = (ROOT / "examples" / "pipelines" / PIPELINES[pipeline][0]).read_text("utf-8")
    assert text == ours.replace("docs/pipelines.md", "README.md")
    assert "make synth" in text
    assert re.search("^synth:", (app / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_its_files_name_only_files_that_it_has(pipeline: str, init: Init, app: Path) -> None:
    assert init("--pipeline", pipeline) == 0
    files = [file for file in app.rglob("*") if file.is_file() and file.name != WHEEL_NAME]
    named = {
        found
        for file in files
        for found in re.findall(r"\bdocs/[\w./-]+\w", file.read_text("utf-8"))
    }
    assert named == set()
    # The pipelines deploy both environments, and the example has one.
    readme = (app / "README.md").read_text("utf-8")
    assert "environments `staging` and `production`" in readme


def test_a_login_in_the_wheels_address_may_be_of_variables(app: Path) -> None:
    address = f"https://${{USER}}:${{TOKEN}}@wheels.example.com/{WHEEL_NAME}"
    assert main(["init", "--app", str(app), "--wheel", address]) == 0
    assert f"{NAME} @ {address}" in (app / "requirements.txt").read_text("utf-8").splitlines()


def test_it_installs_the_wheel_and_the_versions_that_are_tested(
    init: Init, app: Path, wheel: Path
) -> None:
    assert init() == 0
    requirements = (app / "requirements.txt").read_text("utf-8").splitlines()
    assert f"./{WHEEL_NAME}" in requirements
    assert (app / WHEEL_NAME).read_bytes() == wheel.read_bytes()
    assert f"aws-cdk-lib=={version('aws-cdk-lib')}" in requirements
    assert not any(line.startswith("hatchling") for line in requirements)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, f"{NAME}=={version(NAME)}"),
        (
            {"archive_info": {}, "url": f"https://wheels.example.com/{WHEEL_NAME}"},
            f"{NAME} @ https://wheels.example.com/{WHEEL_NAME}",
        ),
        ({"archive_info": {}, "url": "file://{wheel}"}, f"./{WHEEL_NAME}"),
    ],
)
def test_it_installs_from_where_the_command_was_installed(
    origin: dict[str, object] | None,
    line: str,
    wheel: Path,
    app: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = wheel.parent / f"cdk_staged_resiliency-{version(NAME)}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Name: {NAME}\nVersion: {version(NAME)}\n")
    if origin is not None:  # as pip notes it
        noted = json.dumps(origin).replace("{wheel}", str(wheel))
        (installed / "direct_url.json").write_text(noted)
    monkeypatch.setattr("sys.path", [str(wheel.parent), *sys.path])
    assert main(["init", "--app", str(app)]) == 0
    assert line in (app / "requirements.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--app", "new"], "init: this package was not installed from a wheel; make one"),
        (["--app", "new", "--wheel", "no.whl"], "no.whl: can't be read as a wheel (No such"),
        (["--app", "new", "--wheel", "text.whl"], "text.whl: can't be read as a wheel (File"),
        (["--app", "new", "--wheel", "other.whl"], f"other.whl: is not the wheel of {NAME} 0"),
        (
            ["--app", "new", "--wheel", f"https://me:secret@wheels.example.com/{WHEEL_NAME}"],
            "init: --wheel has a user name or a password, which requirements.txt would show to",
        ),
        (["--app", "new", "--folder", "services"], "init: --folder can't be given with --app"),
        (["--app", "new", "--service", "shop"], "init: give --account, --region, --record"),
        (
            ["--wheel", "other.whl"],
            "init: --wheel applies to an application; give --app FOLDER too",
        ),
        (["--pipeline", "gitlab"], "init: --pipeline applies to an application; give --app FOLDER"),
        (["--app", "used", "--wheel", WHEEL_NAME], "used/README.md: exists already; init overw"),
        (["--app", "file", "--wheel", WHEEL_NAME], "file/app.py: can't be written: "),
    ],
)
def test_what_can_not_work_is_refused_before_anything_is_written(
    options: list[str],
    message: str,
    wheel: Path,
    monkeypatch: pytest.MonkeyPatch,
    resiliency: Resiliency,
) -> None:
    folder = wheel.parent
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    Path("text.whl").write_text("text")
    with zipfile.ZipFile("other.whl", "w") as archive:
        archive.writestr("other-1.0.dist-info/METADATA", "")
    Path("used").mkdir()
    Path("used/README.md").write_text("Ours.\n")
    Path("file").write_text("Ours.\n")
    before = sorted(folder.rglob("*"))
    assert message in resiliency("init", *options, status=2).err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_its_templates_are_those_of_this_repository(init: Init, app: Path, tmp_path: Path) -> None:
    """By the package's name in the wheel; tests/e2e/test_wheel.py does it with the wheel itself."""
    assert init() == 0
    (app / "staged_resiliency_app").symlink_to(ROOT / "stacks")
    (app / "resiliency").symlink_to(ROOT / "resiliency")
    settings = json.loads((app / "cdk.json").read_text("utf-8"))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    quick = {"CDK_VALIDATION": "false"}
    assert run_app(ours, EXAMPLE_FILE, quick).returncode == 0
    quick["PYTHONPATH"] = str(ROOT / "constructs")
    done = run_app(theirs, Path("services"), quick, folder=app)
    assert done.returncode == 0, done.stderr
    assert templates_in(ours) == templates_in(theirs)
    assert len(templates_in(theirs)) == 6
    assert settings["context"] == json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]


def test_modules_of_stacks_import_each_other_under_any_name() -> None:
    """The wheel has them as ``staged_resiliency_app``."""
    by_name = re.compile(r"^ *(from|import) stacks\b", re.MULTILINE)
    modules = list((ROOT / "stacks").glob("*.py"))
    assert len(modules) > 5
    assert [each.name for each in modules if by_name.search(each.read_text("utf-8"))] == []
