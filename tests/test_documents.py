"""Links in the documents lead somewhere, their YAML is valid, and the picture is current."""

import re
from pathlib import Path

import pytest

import staged_resiliency
from docs.architecture.render import FOLDER, THEMES, render
from resiliency.cli import main
from resiliency.service_file.yaml_source import Document, parse
from tests.support import ROOT, Data, example, service_of

_LINK = re.compile(r"(?:\]\(|src(?:set)?=\")(?!https?://)([^)#\"]*)(#[^)]*)?[)\"]")
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
