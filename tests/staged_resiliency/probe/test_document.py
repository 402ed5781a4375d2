"""The Command document holds what it should, in the form that Systems Manager takes."""

import base64
import bz2
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe import document_builder as document_module
from staged_resiliency.probe.document import PARAMETER_BYTES, command_document, unpacked
from staged_resiliency.probe.document_builder import agent_digest, agent_files, build_document
from staged_resiliency.shared import limits, validation
from tests.cases import cases
from tests.e2e.machine.command_document import DocumentError, resolved
from tests.staged_resiliency.api_model import problems_of

INSTALL = Path(document_module.__file__).parent / "install"
UNIT = INSTALL / "resiliency-probe.service"
STEPS = ("Platform", "Python", "Agent", "Verdict")

GIVEN = {"Action": "Install", "Service": "shop", "Configuration": "e30="}


def compact(document: Mapping[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))


@cache
def scripts() -> Mapping[str, list[str]]:
    """The lines of each step, by its name."""
    document: Any = command_document()
    return {step["name"]: step["inputs"]["runCommand"] for step in document["mainSteps"]}


def as_a_file(step: str, **parameters: str) -> str:
    """A step as the agent of Systems Manager writes it to a file, with parameters pasted."""
    text = "\n".join(scripts()[step])
    for name, value in parameters.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


def heredocs(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Each here-document's delimiter and content, as a shell reads them."""
    found = []
    rest = iter(lines)
    for line in rest:
        if opened := re.search(r"<<(\S+?)(?=[;)\s]|$)", line):
            content = []
            for inner in rest:
                if inner == opened[1].strip("'"):
                    break
                content.append(inner)
            else:
                pytest.fail(f"{opened[1]} is never closed")
            found.append((opened[1], content))
    return found


def here(step: str, delimiter: str) -> list[str]:
    """The content of a step's only here-document with a delimiter."""
    (content,) = (
        found for name, found in heredocs(scripts()[step]) if name.strip("'") == delimiter
    )
    return content


def code_of(path: Path) -> list[str]:
    """A file's lines but comments and empty ones."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


# Form


def test_there_is_room_for_the_parameters() -> None:
    size = len(compact(command_document()).encode())
    most = limits.MAX_DOCUMENT_BYTES - PARAMETER_BYTES
    assert size <= most, f"{size - most} bytes too many for {PARAMETER_BYTES} of parameters"
    assert PARAMETER_BYTES >= 8 * 1024


def test_what_is_deployed_is_made_of_the_files_that_are_here() -> None:
    assert command_document() == build_document(), "it is not current: run `make document`"


def test_it_has_only_what_systems_manager_reads_of_a_document_of_schema_2_2() -> None:
    """The guide lists no onFailure and no timeoutSeconds beside inputs, so they are ignored there.

    See documents-syntax-data-elements-parameters.html and
    documents-command-ssm-plugin-reference.html of the Systems Manager user guide.
    """
    document: Any = command_document()
    assert set(document) == {"schemaVersion", "description", "parameters", "mainSteps"}
    conditions = {"allowedValues", "allowedPattern", "minChars", "maxChars"}
    for parameter in document["parameters"].values():
        assert set(parameter) <= {"type", "description", "default", *conditions}
    for step, read in zip(document["mainSteps"], resolved(document, GIVEN), strict=True):
        assert set(step) == {"action", "name", "precondition", "inputs"}
        assert set(step["inputs"]) == {"timeoutSeconds", "onFailure", "runCommand"}
        assert step["inputs"]["timeoutSeconds"] == str(read.timeout_seconds)
        assert not any(set(line) & {"\r", "\n"} for line in step["inputs"]["runCommand"])


def test_it_is_a_request_that_the_api_takes() -> None:
    request = {
        "Content": compact(command_document()),
        "Name": "bookstore-probe",
        "DocumentType": "Command",
        "DocumentFormat": "JSON",
        "TargetType": "/AWS::EC2::Instance",
    }
    assert problems_of("ssm", "CreateDocument", request) == []


def test_the_steps_come_in_order() -> None:
    assert tuple(scripts()) == STEPS


def test_its_description_names_the_agents_version() -> None:
    assert agent_digest() in str(command_document()["description"])


def test_it_is_plain_text() -> None:
    assert compact(command_document()).isascii()


@pytest.mark.parametrize("step", STEPS)
def test_a_step_stops_at_the_first_error(step: str) -> None:
    lines = scripts()[step]
    assert lines[0] == "set -eu"
    assert not any(line.rstrip().endswith("&") and not line.endswith("&&") for line in lines)


# Here-documents and parameters


@pytest.mark.parametrize("step", STEPS)
def test_a_shell_expands_nothing_in_a_here_document(step: str) -> None:
    delimiters = [delimiter for delimiter, _ in heredocs(scripts()[step])]
    assert delimiters
    assert all(re.fullmatch(r"'END_OF_[A-Z]+'", delimiter) for delimiter in delimiters)


@pytest.mark.parametrize("step", STEPS)
def test_the_delimiter_of_a_here_document_occurs_once(step: str) -> None:
    lines = scripts()[step]
    for delimiter, _ in heredocs(lines):
        assert lines.count(delimiter.strip("'")) == 1


@pytest.mark.parametrize("delimiter", ["END_OF_ACTION", "END_OF_SERVICE", "END_OF_CONFIGURATION"])
def test_no_parameter_can_end_its_here_document(delimiter: str) -> None:
    parameters: Any = command_document()["parameters"]
    assert delimiter not in parameters["Action"]["allowedValues"]
    for name in ("Service", "Configuration"):
        assert re.search(parameters[name]["allowedPattern"], delimiter) is None


def test_systems_manager_finds_no_other_parameters() -> None:
    text = compact(command_document())
    found = re.findall(r"\{\{.{0,30}", text)
    assert all(
        re.match(r"\{\{ (Action|Service|Configuration|Platforms) \}\}", one) for one in found
    ), found


def test_every_parameter_is_pasted_where_no_shell_reads_it() -> None:
    for step, lines in scripts().items():
        pasted = [line for line in lines if "{{" in line]
        inert = [line for _, content in heredocs(lines) for line in content if "{{" in line]
        assert pasted == inert, step
        assert all(re.fullmatch(r"\{\{ [A-Z][a-z]+ \}\}", line) for line in pasted)


def test_the_configuration_is_pasted_once() -> None:
    assert compact(command_document()).count("{{ Configuration }}") == 1


GOOD_SERVICES = ["a", "bookstore", "book-store", "b2", "a" * 40]
HOSTILE = {
    "command substitution": "$(touch CANARY)",
    "backticks": "`touch CANARY`",
    "semicolon": "x; touch CANARY",
    "quote": "x'; touch CANARY; '",
    "double quote": 'x"; touch CANARY; "',
    "pipe": "x|touch CANARY",
    "ampersand": "x&touch CANARY",
    "two lines": "x\ntouch CANARY",
    "redirection": "x>CANARY",
    "variable": "$IFS",
    "variable in braces": "${HOME}",
    "glob": "*",
    "tilde": "~root",
    "folder above": "../etc",
    "absolute path": "/etc",
    "folder below": "a/b",
    "dot": "a.b",
    "underscore": "a_b",
    "space": "a b",
    "backslash": "a\\b",
    "option": "-rf",
    "nothing": "",
    "another parameter": "{{ Action }}",
    "specifier of systemd": "%i",
    "placeholder": "@SERVICE@",
    "end of a pattern": "s|e",
    "capital": "Bookstore",
    "letter beyond ASCII": "bücher",
    "digit first": "9lives",
    "hyphen last": "a-",
    "two hyphens": "a--b",
    "too long": "a" * 41,
}


def taken(**parameters: str) -> bool:
    """Whether Systems Manager takes the document with these parameters."""
    try:
        return bool(resolved(command_document(), {**GIVEN, **parameters}))
    except DocumentError:
        return False


@cases("value", HOSTILE)
def test_the_pattern_of_a_service_refuses(value: str) -> None:
    assert not taken(Service=value)
    assert not taken(Service=f"bookstore\n{value}")
    assert not taken(Service=f"{value}\nbookstore")


@pytest.mark.parametrize("value", GOOD_SERVICES)
def test_what_service_files_take_is_taken_by_the_pattern_of_a_service_and_by_a_step(
    value: str, tmp_path: Path
) -> None:
    assert validation.slug(value) == value
    assert taken(Service=value)
    done = run_platform(tmp_path, as_a_file("Platform", Action="Uninstall", Service=value))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_longest_service_is_that_of_service_files() -> None:
    with pytest.raises(ValueError, match="at most 40"):
        validation.slug("a" * 41)


@pytest.mark.parametrize(
    "value",
    ["$(touch x)", "`x`", "YQ==;x", "YQ== YQ==", "YQ==\nx", "Y=Q=", "YQ===", "Y'Q", "-", "YQ_="],
)
def test_the_pattern_of_a_configuration_refuses(value: str) -> None:
    assert not taken(Configuration=value)


@pytest.mark.parametrize("data", [b"", b"{}", bytes(range(256)), b"x" * 3_000])
def test_the_pattern_of_a_configuration_takes_base64(data: bytes) -> None:
    assert taken(Configuration=base64.b64encode(data).decode())


def run(
    *command: str | Path, script: str = "", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program with a script as its input, and with no other environment than this."""
    return subprocess.run(
        command,
        input=script,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def run_platform(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run the step Platform on a machine with systemd; to uninstall, it does nothing at all."""
    script = tmp_path / "script.sh"
    script.write_text(text.replace("/run/systemd/system", str(tmp_path)), encoding="utf-8")
    return run("sh", script)


def on_platform(tmp_path: Path, system: str, version: str, platforms: str = "") -> str:
    """What the step Platform prints on an operating system."""
    release = tmp_path / "os-release"
    release.write_text(f'ID="{system}"\nVERSION_ID={version}\nPRETTY_NAME="A Linux"\n', "ascii")
    text = as_a_file("Platform", Action="Install", Service="shop", Platforms=platforms)
    done = run_platform(tmp_path, text.replace("/etc/os-release", str(release)))
    assert (done.returncode == 0) is (done.stderr == "")
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("system", "version"),
    [
        ("amzn", "2023"),
        ("debian", "13"),
        ("ubuntu", "26.04"),
        ("rhel", "9.6"),
        ("rhel", "10"),
        ("rocky", "10.1"),
    ],
)
def test_a_supported_platform_is_taken_with_its_minor_versions(
    system: str, version: str, tmp_path: Path
) -> None:
    assert on_platform(tmp_path, system, version) == f"A Linux ({system}-{version})\n"


@pytest.mark.parametrize(
    ("system", "version", "platforms"),
    [("almalinux", "9.6", "almalinux-9"), ("opensuse-leap", "15.6", "sles-15,opensuse-leap-15.6")],
)
def test_a_team_can_add_a_platform(
    system: str, version: str, platforms: str, tmp_path: Path
) -> None:
    refused = on_platform(tmp_path, system, version)
    assert refused.startswith(f"resiliency-probe-shop: found A Linux ({system}-{version}); supp")
    assert "rocky-10" in refused
    assert on_platform(tmp_path, system, version, platforms).startswith("A Linux")


@pytest.mark.parametrize(
    ("system", "version"),
    [("debian", "11"), ("rhel", "8.10"), ("rocky", "90"), ("ubuntu", "24.10")],
)
def test_another_platform_is_refused(system: str, version: str, tmp_path: Path) -> None:
    assert "supported: amzn-2023" in on_platform(tmp_path, system, version, "almalinux-9")


@pytest.mark.parametrize("platforms", ["a b", "*", "$(touch x)", "debian-1\nx"])
def test_platforms_that_are_no_list_are_refused(platforms: str, tmp_path: Path) -> None:
    assert "Platforms is not a list" in on_platform(tmp_path, "debian", "13", platforms)
    assert not taken(Platforms=platforms)


@pytest.mark.parametrize("parameter", ["Action", "Service"])
@cases("value", HOSTILE)
def test_a_step_refuses_a_hostile_parameter_and_runs_nothing_of_it(
    value: str, parameter: str, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    parameters = {"Action": "Uninstall", "Service": "bookstore"}
    parameters[parameter] = value.replace("CANARY", str(canary))
    done = run_platform(tmp_path, as_a_file("Platform", **parameters))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{parameter} is ")
    assert done.stderr.count("\n") == 1
    assert not canary.exists()


# The agent in it


def test_the_archive_holds_the_agents_files() -> None:
    archive = "".join(here("Agent", "END_OF_SOURCES"))
    # What Systems Manager takes for a parameter, and what encoders of JSON may make longer.
    assert not set("{}<>&\"'\\") & set(archive)
    packed = base64.b85decode(archive.translate(str.maketrans(".,/:[", "{}<>&")))
    assert json.loads(bz2.decompress(packed)) == dict(agent_files())
    assert unpacked(command_document()) == dict(agent_files())


def test_an_instance_unpacks_the_archive_to_files(tmp_path: Path) -> None:
    lines = scripts()["Agent"]
    start = next(row for row, line in enumerate(lines) if line.endswith('"$python" -I -c \''))
    end = lines.index("END_OF_SOURCES")
    script = "\n".join(["cd /", *lines[start : end + 1]])
    done = run("sh", "-eu", script=script, python=sys.executable, new=str(tmp_path / "new"))
    assert (done.returncode, done.stderr) == (0, "")
    unpacked_files = {
        path.relative_to(tmp_path / "new").as_posix(): path.read_text(encoding="utf-8")
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    }
    assert unpacked_files == dict(agent_files())


def test_the_table_of_contents_names_every_file_of_the_agent() -> None:
    listed = [line for line in scripts()["Agent"] if re.match(r"# [0-9a-f]{8} ", line)]
    prefix = f"{document_module.PACKAGE}/"
    assert [line.split()[2] for line in listed] == [
        path.removeprefix(prefix) for path in agent_files() if path.startswith(prefix)
    ]


def test_the_digest_is_what_an_instance_computes(tmp_path: Path) -> None:
    for path, content in agent_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    asked = "find . -type f -exec sha256sum {} + | sort | sha256sum | cut -c 1-12"
    assert any(f'$(cd "$1" && {asked})' in line for line in scripts()["Agent"])
    done = run("sh", "-c", asked, cwd=tmp_path, LC_ALL="C")
    assert done.stdout.strip() == agent_digest()
    assert f"agent={agent_digest()}" in scripts()["Agent"]


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small agent in the place of the real one, to be edited before it is looked at."""
    folder = tmp_path / "agent"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""What."""\n')
    (folder / "__main__.py").write_text('"""What."""\n\nprint(1)  # why\n')
    monkeypatch.setattr(document_module, "_AGENT", folder)
    return folder


def edited(agent: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> None:
    """Another edition of the agent, as another checkout of the project would have it."""
    other = agent.with_name("other")
    shutil.copytree(agent, other)
    for name, content in files.items():
        (other / f"{name}.py").parent.mkdir(exist_ok=True)
        (other / f"{name}.py").write_text(content)
    monkeypatch.setattr(document_module, "_AGENT", other)


@cases(
    ("files", "same"),
    {
        "nothing": ({}, True),
        "documentation": ({"__main__": '"""Else."""\n\nprint(1)\n'}, True),
        "code": ({"__main__": "print(2)\n"}, False),
        "an empty file": ({"more": ""}, False),
        "a file in a folder": ({"below/more": ""}, False),
    },
)
def test_the_digest_changes_with_what_is_installed(
    files: Mapping[str, str], same: bool, agent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, document = agent_digest(), compact(build_document())
    edited(agent, monkeypatch, **files)
    assert (agent_digest() == digest) is same
    assert (compact(build_document()) == document) is same


def test_the_digest_does_not_change_with_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    digest, document = agent_digest(), compact(build_document())
    other = {"Platform": ("platform.sh", 61)}
    monkeypatch.setattr(document_module, "_STEPS", other)
    assert agent_digest() == digest
    assert compact(build_document()) != document


# Scripts, unit and pins


def test_the_unit_is_installed_as_it_is_written() -> None:
    assert here("Agent", "END_OF_UNIT") == code_of(UNIT)


def test_the_pins_are_installed_as_they_are_written() -> None:
    assert here("Python", "END_OF_REQUIREMENTS") == code_of(INSTALL / "requirements.txt")


@pytest.mark.parametrize("line", code_of(INSTALL / "requirements.txt"))
def test_a_pin_has_a_version_and_a_hash(line: str) -> None:
    marker = r'( ; python_version (<|>=) "3\.10")?'
    assert re.fullmatch(rf"[a-z0-9-]+==[0-9.a-z]+{marker} --hash=sha256:[0-9a-f]{{64}}", line)


@pytest.mark.parametrize("step", STEPS)
def test_a_shell_can_read_a_step_and_shellcheck_has_nothing_to_say_of_it(step: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")  # a package of the environment
    # SC2034: what every step begins with has variables that not every step needs.
    done = run(shellcheck, "--shell=sh", "--exclude=SC2034,SC1091", "-", script=as_a_file(step))
    assert (done.returncode, done.stdout) == (0, "")


def installed_unit(folder: Path) -> Path:
    """The unit of a service, as the script writes it."""
    unit = folder / "resiliency-probe-bookstore.service"
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("@SERVICE@", "bookstore").replace("@PYTHON@", "/bin/sh"))
    return unit


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    return run("systemd-analyze", *words)


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    done = analyze("verify", "--man=no", installed_unit(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_rates_the_unit_as_hardly_exposed(tmp_path: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=20", installed_unit(tmp_path))
    level = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) <= 2.0
    assert done.returncode == 0
