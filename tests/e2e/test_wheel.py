"""The wheel as another team installs it: in an empty environment, outside this repository."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.stacks.test_app import run_app, templates_in
from tests.support import EXAMPLE_FILE, ROOT

# Without this environment, whose npx and Python are others.
_PATH = os.pathsep.join(
    each for each in os.environ["PATH"].split(os.pathsep) if not each.startswith(str(ROOT))
)


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source archive from a copy of what git has, and the wheel from that archive."""
    copy = folder / "copy"
    subprocess.run(["git", "clone", "--quiet", ROOT, copy], check=True)
    subprocess.run(
        ["make", "-o", ".venv/.dev", "wheel", f"BIN={ROOT / '.venv' / 'bin'}"],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    (archive,) = (copy / "dist").glob("*.tar.gz")
    (wheel,) = (copy / "dist").glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("archives"))


@pytest.fixture(scope="module")
def wheel(archives: tuple[Path, Path]) -> Path:
    return archives[1]


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of an environment, without this repository on Python's path."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=inherited | variables, capture_output=True, text=True, check=False
    )


def environment_with(requirement: str, folder: Path) -> Path:
    """Make an environment in which only a requirement is installed, with its dependencies."""
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    done = run(python, "-m", "pip", "install", "--no-compile", "--quiet", requirement, cwd=folder)
    assert done.returncode == 0, done.stderr
    return environment


@pytest.fixture(scope="module")
def bare_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(str(wheel), tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def cli_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_with(f"{wheel}[cli]", tmp_path_factory.mktemp("cli"))


def test_the_wheel_holds_its_packages_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        "resiliency",
        "staged_resiliency",
        "staged_resiliency_app",
        "cdk_staged_resiliency",
    }
    assert "staged_resiliency/__init__.pyi" in names
    assert "staged_resiliency/py.typed" in names
    assert "resiliency/report/journal.schema.json" in names
    assert "resiliency/py.typed" in names
    assert "resiliency/service_file/service.schema.json" in names
    assert "resiliency/report/templates/page.html.j2" in names


def test_the_archives_are_the_same_bytes_each_time(
    archives: tuple[Path, Path], tmp_path: Path
) -> None:
    for first, second in zip(archives, build(tmp_path), strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), first.name


def test_the_archives_are_what_an_index_takes(archives: tuple[Path, Path], tmp_path: Path) -> None:
    twine = environment_with("twine==6.2.0", tmp_path) / "bin" / "twine"
    done = run(twine, "check", "--strict", *archives, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_is_small_and_has_its_license(wheel: Path) -> None:
    assert wheel.stat().st_size < 1_500_000
    with zipfile.ZipFile(wheel) as files:
        (metadata,) = [name for name in files.namelist() if name.endswith("/METADATA")]
        text = files.read(metadata).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in files.namelist())
    assert "\nLicense-Expression: Apache-2.0\n" in text
    assert "\nAuthor: The staged-resiliency authors\n" in text


def test_the_library_brings_nothing_of_the_tools(bare_environment: Path, tmp_path: Path) -> None:
    done = run(bare_environment / "bin" / "python", "-m", "pip", "freeze", cwd=tmp_path)
    installed = {
        line.partition("==")[0].partition(" @")[0].lower() for line in done.stdout.split("\n")
    }
    assert {"cdk-staged-resiliency", "aws-cdk-lib", "constructs", "tzdata"} <= installed
    assert not {"boto3", "jinja2", "moto", "pydantic", "pyyaml", "rich"} & installed


@pytest.mark.parametrize(
    ("example", "resource_type"),
    [
        ("one_statement", "AWS::Route53::RecordSet"),
        ("probe", "AWS::SSM::Association"),
        ("drills", "AWS::StepFunctions::StateMachine"),
    ],
)
def test_the_examples_synthesize_from_the_wheel_alone(
    example: str, resource_type: str, bare_environment: Path, tmp_path: Path
) -> None:
    app = tmp_path / "app.py"
    app.write_text((ROOT / "examples" / f"{example}.py").read_text())
    python, out = bare_environment / "bin" / "python", tmp_path / "out"
    done = run(python, app, cwd=tmp_path, CDK_OUTDIR=str(out))
    assert done.returncode == 0, done.stderr
    template = json.loads((out / "shop-failover.template.json").read_text())
    assert resource_type in [resource["Type"] for resource in template["Resources"].values()]


def test_the_examples_have_types_for_who_installed_the_wheel(
    bare_environment: Path, tmp_path: Path
) -> None:
    """As editors check them, by pyright; mypy checks them among all files."""
    python = bare_environment / "bin" / "python"
    examples = list((ROOT / "examples").glob("*.py"))
    assert len(examples) >= 5
    for example in examples:
        (tmp_path / example.name).write_text(example.read_text())
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    checkers = environment_with("pyright==1.1.414", tmp_path) / "bin"
    done = run(checkers / "pyright", "--pythonpath", python, ".", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 errors, 0 warnings" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "needed", "extra"),
    [
        ("check", "Jinja2, pydantic, rich, PyYAML", "cli"),
        ("schema", "Jinja2, pydantic, rich, PyYAML", "cli"),
        ("summary", "Jinja2, pydantic, rich, PyYAML", "cli"),
        ("timing", "Jinja2, pydantic, rich, PyYAML", "cli"),
        (
            "rehearse",
            "Jinja2, pydantic, rich, PyYAML, boto3, dnspython, moto, moto[server]",
            "rehearsal",
        ),
        ("drill list shop production", "Jinja2, pydantic, rich, PyYAML, boto3", "drill"),
    ],
)
def test_a_command_without_its_extra_says_in_one_line_what_to_install(
    arguments: str, needed: str, extra: str, bare_environment: Path, tmp_path: Path
) -> None:
    command = bare_environment / "bin" / "resiliency"
    done = run(command, *arguments.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"resiliency {arguments.split()[0]}: needs {needed}; "
        f"run: pip install 'cdk-staged-resiliency[{extra}]'\n"
    )


def test_sources_of_the_agent_need_no_extra(bare_environment: Path, tmp_path: Path) -> None:
    command = bare_environment / "bin" / "resiliency"
    done = run(command, "agent-sources", "sources", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "sources").is_dir()


def test_with_its_extra_the_command_checks_service_files(
    cli_environment: Path, tmp_path: Path
) -> None:
    done = run(cli_environment / "bin" / "resiliency", "check", ROOT / "services", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bookstore: valid, 1 environment(s)\n")


def test_an_application_from_the_wheel_makes_the_templates_of_this_repository(
    cli_environment: Path, tmp_path: Path
) -> None:
    """By the CDK CLI, which its `make synth` installs, as everything that it needs."""
    command = cli_environment / "bin" / "resiliency"
    done = run(command, "init", "--app", "my-failover", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    done = run("make", "synth", cwd=tmp_path / "my-failover", PATH=_PATH)
    assert done.returncode == 0, done.stdout + done.stderr
    ours = tmp_path / "ours"
    assert run_app(ours, EXAMPLE_FILE).returncode == 0
    assert templates_in(tmp_path / "my-failover" / "cdk.out") == templates_in(ours)
    assert len(templates_in(ours)) == 6


def test_with_its_extra_the_command_reviews_a_change(
    wheel: Path, bare_environment: Path, tmp_path: Path
) -> None:
    for folder, name in (("before", "one"), ("after", "two")):
        (tmp_path / folder).mkdir()
        alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmName": name}}
        template = {"Resources": {"Alarm": alarm}}
        (tmp_path / folder / "shop.template.json").write_text(json.dumps(template))
    done = run(bare_environment / "bin" / "resiliency", "review", "before", "after", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.endswith("run: pip install 'cdk-staged-resiliency[review]'\n")
    environment = environment_with(f"{wheel}[review]", tmp_path)
    command = environment / "bin" / "resiliency"
    done = run(command, "review", "before", "after", "--fail-on", "warning", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "warning Alarm one → two is replaced, as AlarmName changes" in done.stdout


def test_type_checkers_see_the_types(bare_environment: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from staged_resiliency import AlarmTopic\nAlarmTopic(1, 2)\n")
    # The CDK's own types take mypy a minute; pyright has read them above.
    (tmp_path / "mypy.ini").write_text("[mypy]\n[mypy-aws_cdk.*]\nfollow_imports = skip\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--python-executable",
            bare_environment / "bin" / "python",
            wrong,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'Argument 1 to "AlarmTopic" has incompatible type "int"' in done.stdout
