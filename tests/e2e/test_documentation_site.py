"""The documentation site, built in a fresh clone and read in a browser without network."""

import html
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

import staged_resiliency
from tests.e2e.chromium import PROGRAM, Browser, chromium
from tests.support import ROOT

DESKTOP, PHONE = 1280, 390

needs_browser = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium (Debian: chromium)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clone = tmp_path_factory.mktemp("clone") / "copy"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    # Strict: a link or an anchor that leads nowhere fails it.
    done = subprocess.run(["make", "docs"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (clone / ".venv").exists()
    return clone / "out" / "docs"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


def _pages(site: Path) -> list[Path]:
    return sorted(page for page in site.rglob("*.html") if page.name != "404.html")


def test_the_pages_are_there(site: Path) -> None:
    pages = {str(page.relative_to(site)) for page in _pages(site)}
    assert {
        "index.html",
        "docs/tutorial.html",
        "docs/adr/README.html",
        "docs/reference/commands.html",
        "docs/reference/service-file-keys.html",
        "docs/reference/failover.html",
        "examples/drills.py.html",
    } <= {page.replace("adr/index.html", "adr/README.html") for page in pages}


def test_what_is_made_from_the_code_is_there(site: Path) -> None:
    commands = (site / "docs/reference/commands.html").read_text(encoding="utf-8")
    assert "resiliency drill report" in commands
    assert "--time-scale N" in commands
    keys = (site / "docs/reference/service-file-keys.html").read_text(encoding="utf-8")
    assert "recovery_time_seconds" in keys
    constructs = "".join(
        page.read_text(encoding="utf-8") for page in (site / "docs/reference").glob("*.html")
    )
    names = vars(staged_resiliency)["__all__"]
    missing = [name for name in names if f'id="staged_resiliency.{name}"' not in constructs]
    assert missing == []


def test_every_link_to_a_file_leads_to_one(site: Path) -> None:
    """MkDocs checks links to pages alone."""
    for page in _pages(site):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"""\b(?:href|src|srcset)=["']?([^"'\s>]+)""", text):
            file = unquote(html.unescape(link).partition("#")[0].partition("?")[0])
            if file and not re.match(r"[a-z]+:|//", file):
                assert (page.parent / file).exists(), f"{page}: {link}"


def test_no_page_loads_anything_from_the_network(site: Path) -> None:
    loaded = re.compile(
        r"""<(?:script|img|source|iframe|video)[^>]*\b(?:src|srcset)=["']?(?:https?:)?//"""
        r"""|<link[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon)[^>]*href=["']?https?:"""
        r"""|url\(["']?https?:""",
    )
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert not loaded.search(file.read_text(encoding="utf-8")), file


@needs_browser
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_every_page_opens_from_the_disk(site: Path, browser: Browser, width: int) -> None:
    browser.ask("Network.emulateNetworkConditions", _OFFLINE)
    for page in _pages(site):
        browser.open(page, width=width)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width, page
        assert browser.evaluate("document.querySelectorAll('h1').length") == 1, page
        broken = "[...document.images].filter((each) => !each.naturalWidth).length"
        assert browser.evaluate(broken) == 0, page
        text = browser.evaluate("document.querySelector('article').innerText")
        assert "```" not in text, page
        assert not re.search(r"^\|.*\|$", text, re.MULTILINE), page
        asked = [
            event["params"]["request"]["url"]
            for event in browser.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        problems = [
            event["params"]
            for event in browser.events
            if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")
        ]
        assert problems == [], page


_OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}


@needs_browser
def test_the_search_finds_a_page(site: Path, browser: Browser) -> None:
    browser.open(site / "index.html", width=DESKTOP)
    browser.evaluate(
        "(() => { const input = document.querySelector('.md-search__input'); input.focus();"
        " input.value = 'blackhole'; input.dispatchEvent(new Event('keyup')); return 0; })()"
    )
    until = time.monotonic() + 60
    found = 0
    while not found and time.monotonic() < until:
        time.sleep(0.2)
        found = browser.evaluate("document.querySelectorAll('.md-search-result__item').length")
    assert found > 2
