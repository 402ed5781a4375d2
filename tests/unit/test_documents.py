"""Links between the documents lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.support import ROOT

_LINK = re.compile(r"\]\((?!https?://)([^)#]*)(#[^)]*)?\)")
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
