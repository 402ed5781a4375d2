"""Links in the documents lead somewhere, their YAML is valid, and the picture is current."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import pytest

import staged_resiliency
from docs.architecture.render import FOLDER, THEMES, render
from resiliency.cli import main, parser
from resiliency.new_application import MAKEFILE
from resiliency.service_file.yaml_source import Document, parse
from tests.support import ROOT, Data, Template, example, resources_of, service_of

_LINK = re.compile(r"(?:\]\(|src(?:set)?=\")(?!https?://)([^)#\"]*)(#[^)]*)?[)\"]")
COMMAND_LINE = parser()
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_relative_links_lead_somewhere(document: Path) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target, anchor in _LINK.findall(text):
        there = (ROOT / document).parent / target if target else ROOT / document
        assert there.exists(), f"{document}: {target}"
        assert not anchor or anchor in _anchors(there), f"{document}: {target}{anchor}"


def _commands_in(document: Path) -> Iterator[tuple[str, bool]]:
    """Yield each `resiliency ...` of a document, and whether it is a whole command."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for block in re.findall(r"^ *```(?:sh)?\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r" *(\$ )?resiliency ", line):
                yield line.strip().removeprefix("$ "), True
    for mention in re.findall(r"`(resiliency [^`\n]*)`", text):
        yield mention, False


def _check_mention(mention: str) -> None:
    """Check that the subcommands and options of a mention exist."""
    of = COMMAND_LINE
    for word in shlex.split(mention)[1:]:
        nested = [each for each in of._actions if isinstance(each, argparse._SubParsersAction)]
        if word.startswith("--"):
            assert word.partition("=")[0] in of._option_string_actions, mention
        elif nested and not word.isupper():  # a placeholder
            assert word in nested[0].choices, mention
            of = nested[0].choices[word]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_commands_in_a_document_exist(document: Path) -> None:
    for command, whole in _commands_in(document):
        if whole:
            arguments = re.sub(r"[<>|] .*", "", command)
            try:
                COMMAND_LINE.parse_args(shlex.split(arguments, comments=True)[1:])
            except SystemExit:
                pytest.fail(f"{document}: {command}")
        else:
            _check_mention(command)
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(
        r"(?:^|`)make ([a-z0-9]+)", (ROOT / document).read_text(encoding="utf-8"), re.MULTILINE
    ):
        assert re.search(rf"^{target}:", targets, re.MULTILINE), f"{document}: make {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_the_samples_in_a_document_can_be_read(document: Path) -> None:
    _yaml_in(str(document))
    text = (ROOT / document).read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        compile(block, str(document), "exec")
    for block in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        json.loads(block)


def test_every_document_is_in_the_navigation_of_the_site() -> None:
    settings = (ROOT / "docs" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": (\S+\.md)$", settings, re.MULTILINE))
    guides = {str(document) for document in DOCUMENTS if document.parent in (Path(), Path("docs"))}
    assert guides <= named


def _yaml_in(document: str) -> list[Data]:
    """The YAML that a document shows."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = []
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        parsed = Document(document)
        parse(block, parsed)
        assert not parsed.problems
        blocks.append(parsed.data)
    return blocks


def test_the_service_file_of_the_readme_is_sound() -> None:
    (shown,) = _yaml_in("README.md")
    assert service_of(shown).service == "bookstore"


def test_the_mistake_in_the_readme_is_reported_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (file,) = re.findall(r"^```yaml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    (message,) = re.findall(r"^services/bookstore.yaml:.*\n", readme, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    Path("services").mkdir()
    Path("services/bookstore.yaml").write_text(file.replace("active: blue", "active: bleu"))
    assert main(["check", "services"]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_of_the_readme_is_current(theme: str) -> None:
    assert (FOLDER / f"{theme}.svg").read_text(encoding="utf-8") == render(theme), "make picture"


def test_the_files_that_the_guide_for_contributors_names_exist() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z][\w.-]*/[\w./-]*)`", guide)
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_each_part_of_the_changes_is_there_once() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for release in re.split(r"^## ", changes, flags=re.MULTILINE):
        headings = re.findall(r"^### .*$", release, re.MULTILINE)
        assert len(headings) == len(set(headings))


def test_the_guide_to_the_library_has_every_public_name() -> None:
    guide = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    assert set(vars(staged_resiliency)["__all__"]) <= set(re.findall(r"`(\w+)`", guide))


def test_the_dependencies_of_the_guide_are_sound() -> None:
    (shown,) = [each for each in _yaml_in("docs/service-file.md") if "dependencies" in each]
    environment = example(lambda env: env.update(shown)).environments["production"]
    protocols = [dependency.check.protocol for dependency in environment.dependencies.values()]
    assert protocols == ["postgresql", "tls", "https", "exchange", "dns"]


def test_the_defaults_of_the_guide_are_sound() -> None:
    (shown,) = [each for each in _yaml_in("docs/service-file.md") if "defaults" in each]
    assert list(service_of(shown).environments) == ["staging", "production"]


def test_the_service_of_the_tutorial_is_sound_after_each_step() -> None:
    steps = re.findall(
        r"^```yaml\n(.*?)^```",
        (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert len(steps) == 3
    for number in range(1, 4):
        document = Document("shop.yaml")
        parse("".join(steps[:number]), document)
        assert service_of(document.data).service == "shop"


def _rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the rows in the first table below a heading."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line[1:-1].split("|") for line in section.splitlines() if line[:1] == "|"]
    assert len(rows) > 2
    return rows[2:]


def test_troubleshooting_explains_every_alarm(
    example_templates: Mapping[str, Template],
) -> None:
    patterns = [
        re.sub(r"[A-Z]{2,}", ".+", name)
        for row in _rows("troubleshooting.md", "An alarm fires")
        for name in re.findall(r"`([^`]+)`", row[0])
    ]
    alarms = [
        alarm["Properties"]["AlarmName"]
        for template in example_templates.values()
        for alarm in resources_of(template, "AWS::CloudWatch::Alarm").values()
    ]
    assert len(alarms) > 8
    assert [a for a in alarms if not any(re.fullmatch(each, a) for each in patterns)] == []


def test_the_messages_in_troubleshooting_are_printed_somewhere() -> None:
    """Each is a part of a text in the sources."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("constructs/staged_resiliency", "resiliency")
        for path in sorted((ROOT / folder).rglob("*.py"))
    )
    messages = [
        message
        for heading in ("A drill is refused or fails", "A command fails")
        for row in _rows("troubleshooting.md", heading)
        for message in re.findall(r"`([^`]+)`", row[0])
    ]
    assert len(messages) > 15
    assert [message for message in messages if message not in sources] == []


@pytest.mark.slow
def test_the_minutes_of_a_drill_are_those_of_its_run() -> None:
    from docs.pictures.screenshots import drill_journal

    journal: Data = json.loads(json.dumps(drill_journal()))
    began = datetime.fromisoformat(journal["phases"][0]["began_at"].replace("Z", "+00:00"))

    def clock(timestamp: str) -> str:
        at = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
        minutes, seconds = divmod(round((at - began).total_seconds()), 60)
        return f"{minutes}:{seconds:02}"

    rows = _rows("concepts.md", "A drill, minute by minute")
    phases = {
        name.lower(): row[0].strip()
        for row in rows
        for name in re.findall(r"\*\*(.+?)\*\*", row[1])
    }
    assert phases == {each["name"]: clock(each["began_at"]) for each in journal["phases"]}
    moments = [
        clock(each["at"])
        for each in journal["transitions"]
        if each["source"] in ("alarm", "client", "fault") and each["at"] > journal["injected_at"]
    ]
    shown = [row[0].strip() for row in rows if row[2].strip()]
    assert shown[2:] == sorted(dict.fromkeys(moments), key=moments.index)
    assert shown[1] == clock(journal["injected_at"])


@pytest.mark.slow
def test_the_pictures_show_the_pages_of_today() -> None:
    from docs.pictures.screenshots import DIGESTS, digest, pages

    kept = json.loads(DIGESTS.read_text(encoding="utf-8"))
    assert kept == {name: digest(page) for name, page in pages().items()}, "make picture"


def test_the_alarms_of_the_guide_are_sound() -> None:
    (shown,) = [each for each in _yaml_in("docs/service-file.md") if "alarms" in each]
    hosts = {"green": {"name": "g", "instance_id": "i-0123abcd", "address": "52.11.79.9"}}
    environment = example(lambda env: (env["hosts"].update(hosts), env.update(shown)))
    assert list(environment.environments["production"].alarms) == ["errors", "cpu", "queue"]


USERS_GUIDES = [str(each) for each in DOCUMENTS if each.parent == Path("docs")]
_FOR_CONTRIBUTORS = {"docs", "schema", "wheel"}  # said to be in a copy of the repository


@pytest.mark.parametrize("document", USERS_GUIDES)
def test_the_guides_work_in_an_application_that_the_wheel_writes(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    called = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)) - _FOR_CONTRIBUTORS
    assert called <= set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
    assert "python -m" not in text


def test_the_package_is_installed_from_no_index() -> None:
    """None has it, so a name alone may be somebody else's; an installed wheel has precedence."""
    found = {
        f"{document}: {line}"
        for document in DOCUMENTS
        if document.name != "CHANGELOG.md"
        for line in (ROOT / document).read_text(encoding="utf-8").splitlines()
        if re.search(r"pip install .*cdk-staged-resiliency", line)
        and not line.startswith("Where the wheel is installed, ")
    }
    assert found == set()


def test_the_guide_names_the_extra_of_each_command() -> None:
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (`.*) \|$", text, re.MULTILINE)
    said = {
        command: extra
        for extra, commands in rows
        for command in re.findall(r"`([\w -]+)`", re.split("(?:, )?and those", commands)[0])
    }
    (commands,) = [
        each for each in COMMAND_LINE._actions if isinstance(each, argparse._SubParsersAction)
    ]
    for command, of in commands.choices.items():
        needed = of.get_default("extra")
        if command == "drill":
            needed = "drill"  # of each of its subcommands
        if callable(needed):
            rehearsing = COMMAND_LINE.parse_args([command, "shop", "test", "--rehearse", "cdk.out"])
            assert said[f"{command} --rehearse"] == needed(rehearsing)
            needed = needed(COMMAND_LINE.parse_args([command, "shop", "test"]))
        assert said.get(command) == needed, command
