"""Reviewers can look at the sources that a template or a deployed document would install."""

import base64
import bz2
import json
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.document import command_document
from staged_resiliency.probe.document_builder import agent_files
from tests.cases import cases
from tests.resiliency.conftest import Resiliency
from tests.support import Template


def written_in(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_sources_are_those_of_the_agent(tmp_path: Path, resiliency: Resiliency) -> None:
    printed = resiliency("agent-sources", str(tmp_path / "new"))
    assert written_in(tmp_path / "new") == dict(agent_files())
    assert printed.out == f"{tmp_path / 'new'}: {len(agent_files())} files\n"


@pytest.mark.parametrize("form", ["template", "content", "get-document"])
def test_they_are_read_from_what_reviewers_have(
    form: str, tmp_path: Path, example_templates: dict[str, Template], resiliency: Resiliency
) -> None:
    content = dict(command_document())
    forms = {
        "template": example_templates["bookstore-production-probe"],
        "content": content,
        "get-document": {"Name": "probe", "Content": json.dumps(content)},
    }
    file = tmp_path / "file.json"
    file.write_text(json.dumps(forms[form]))
    resiliency("agent-sources", tmp_path / "new", "--of", file)
    assert written_in(tmp_path / "new") == dict(agent_files())


def _step(*lines: str) -> dict[str, Any]:
    return {"mainSteps": [{"inputs": {"runCommand": list(lines)}}]}


@cases(
    ("content", "message"),
    {
        "no JSON": ("{", "can't be read as JSON ("),
        "a list": ("[]", "has no Command document; give a template of a probe"),
        "nothing": ("{}", "has no Command document; give a template of a probe"),
        "a document without content": (
            json.dumps({"Resources": {"A": {"Type": "AWS::SSM::Document", "Properties": {}}}}),
            "has no Command document; give a template of a probe",
        ),
        "other": (json.dumps(_step("echo")), "its Command document is not the probe's"),
        "broken archive": (
            json.dumps(_step("x <<'END_OF_SOURCES'", "AAAA", "END_OF_SOURCES")),
            "its Command document is not the probe's",
        ),
        "a path that leads elsewhere": (
            json.dumps(_step("x <<'END_OF_SOURCES'", "@evil", "END_OF_SOURCES")),
            "its Command document is not the probe's",
        ),
    },
)
def test_what_holds_no_sources_is_refused(
    content: str, message: str, tmp_path: Path, resiliency: Resiliency
) -> None:
    evil = base64.b64encode(bz2.compress(b'{"../evil": ""}')).decode()
    file = tmp_path / "file.json"
    file.write_text(content.replace("@evil", evil))
    done = resiliency("agent-sources", str(tmp_path / "new"), "--of", file, status=1)
    assert done.err.startswith(f"{file}: {message}")
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "evil").exists()


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    (tmp_path / "mine").write_text("mine")
    done = resiliency("agent-sources", tmp_path, status=1)
    assert done.err == (f"{tmp_path}: is not empty; give a new folder\n")
    done = resiliency("agent-sources", str(tmp_path / "mine" / "below"), status=1)
    assert "can't be written" in done.err
