"""The report's page in a real browser: at desktop and phone width, light and dark, on paper."""

import base64
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from resiliency.report import write_page
from tests.e2e.chromium import PROGRAM, Browser, chromium
from tests.journals import (
    BEGAN_AT,
    LATE,
    RECORD,
    STATUS,
    aborted_run,
    drill_runs,
    rehearsals,
    run_of,
)
from tests.resiliency.report.test_layout import ODD

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs Chromium (Debian: chromium)")

DESKTOP, PHONE = 1280, 390


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    late = [run_of(LATE, time_scale=20), *rehearsals()[1:]]
    journals = {
        "passed": rehearsals(),
        "failed": late,
        "drills": drill_runs(),
        "odd": [{**each, "experiment": name} for name, each in ODD.items()],
        "refused": [aborted_run()],
        "nothing": [],
    }
    for name, each in journals.items():
        write_page(folder / f"{name}.html", each, title="Rehearsal", made_at=BEGAN_AT)
    return folder


SIZES = [
    pytest.param(width, dark, id=f"{width} px, {'dark' if dark else 'light'}")
    for width, dark in itertools.product((DESKTOP, PHONE), (False, True))
]

# Texts that lie on a ground of their own or of what is around them, with the ratio of both.
CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number)
      .map((each) => each / 255)
      .map((each) => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour && !/, 0\\)$/.test(colour) && colour !== "transparent") return colour;
    }
    return getComputedStyle(document.body).backgroundColor;
  };
  const bar = (label) => {
    const tone = [...label.classList].find((each) => each !== "bar-label");
    if (tone === "unknown" || tone === "mixed") return null;
    return getComputedStyle(document.querySelector(`.bar.${tone}`)).fill;
  };
  const found = [];
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !each.checkVisibility() || each.closest("title, desc, script")) continue;
    const svg = each instanceof SVGElement;
    const text = svg ? getComputedStyle(each).fill : getComputedStyle(each).color;
    const below = svg && each.classList.contains("bar-label") ? bar(each) : ground(each);
    if (!below) continue;
    const [high, low] = [light(text), light(below)].sort((a, b) => b - a);
    found.push([(high + 0.05) / (low + 0.05), each.textContent.trim().slice(0, 40), text, below]);
  }
  return found.sort((a, b) => a[0] - b[0]).slice(0, 3);
})()
"""


# How often each colour is in a picture.
PIXELS = """
(async () => {
  const picture = await createImageBitmap(await (await fetch("data:image/png;base64,%s")).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const data = canvas.getImageData(0, 0, picture.width, picture.height).data, found = {};
  for (let at = 0; at < data.length; at += 4) {
    const colour = data.slice(at, at + 3).join();
    found[colour] = (found[colour] ?? 0) + 1;
  }
  return found;
})()
"""


@pytest.mark.parametrize(("width", "dark"), SIZES)
@pytest.mark.parametrize("name", ["passed", "failed", "drills", "odd", "refused", "nothing"])
def test_it_fits_loads_nothing_and_has_no_error(
    browser: Browser, pages: Path, name: str, width: int, dark: bool
) -> None:
    browser.open(pages / f"{name}.html", width=width, dark=dark)
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("performance.getEntriesByType('resource').length") == 0
    # The page's policy would say here what it had to stop.
    wrong = ("Log.entryAdded", "Runtime.exceptionThrown")
    assert [each for each in browser.events if each["method"] in wrong] == []
    assert browser.evaluate("document.querySelector('h1').checkVisibility()")


@pytest.mark.parametrize(("width", "dark"), SIZES)
@pytest.mark.parametrize("name", ["failed", "drills", "refused"])
def test_every_text_can_be_read(
    browser: Browser, pages: Path, name: str, width: int, dark: bool
) -> None:
    browser.open(pages / f"{name}.html", width=width, dark=dark)
    worst = browser.evaluate(CONTRAST)
    assert worst
    assert worst[0][0] >= 4.5, worst


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_verdicts_and_numbers_are_seen(browser: Browser, pages: Path, width: int) -> None:
    browser.open(pages / "failed.html", width=width)
    seen = browser.evaluate("document.body.innerText")
    for words in (
        "✕ 2 of 5 passed, 1 failed (blue stops and comes back), "
        "2 not covered (blue's endpoint hangs, both hosts down)",
        "1 of 2 expectations failed",
        "All 6 expectations met.",
        "432 s",
        "within 380 s of the fault",
    ):
        assert words in seen


@pytest.mark.parametrize(("width", "layout"), [(DESKTOP, "wide"), (PHONE, "narrow")])
def test_one_timeline_of_a_run_is_seen_with_all_its_lanes(
    browser: Browser, pages: Path, width: int, layout: str
) -> None:
    browser.open(pages / "passed.html", width=width)
    figures = browser.evaluate(
        "[...document.querySelectorAll('#run-1 figure')].filter((it) => it.checkVisibility())"
        ".map((it) => it.className)"
    )
    assert figures == [layout]
    lanes = browser.evaluate(
        f"[...document.querySelectorAll('#run-1 figure.{layout} g.lane')]"
        ".filter((it) => it.getBoundingClientRect().height > 10).map((it) => it.dataset.name)"
    )
    for lane in (
        "Run: phases",
        "Fault: host stopped",
        "Signals: db-connectivity bookstore-api-blue",
        f"Alarms: {STATUS}",
        f"Health checks: {STATUS} (us-west-2)",
        f"DNS answers: {RECORD}",
        f"What the client saw: {RECORD}",
        f"Messages: {STATUS}",
    ):
        assert lane in lanes


@pytest.mark.parametrize(("width", "layout"), [(DESKTOP, "wide"), (PHONE, "narrow")])
@pytest.mark.parametrize("name", ["passed", "odd", "drills"])
def test_texts_of_pictures_neither_leave_them_nor_their_bars(
    browser: Browser, pages: Path, name: str, width: int, layout: str
) -> None:
    """Widths are estimated without a browser; here one measures them."""
    browser.open(pages / f"{name}.html", width=width)
    outside = browser.evaluate(
        "[...document.querySelectorAll('svg text')].filter((it) => it.checkVisibility())"
        ".filter((it) => { const own = it.getBoundingClientRect();"
        " const all = it.ownerSVGElement.getBoundingClientRect();"
        " return own.left < all.left - 1 || own.right > all.right + 1; })"
        ".map((it) => it.textContent)"
    )
    assert outside == []
    over = browser.evaluate(
        f"[...document.querySelectorAll('.{layout} svg')].flatMap((picture) => {{"
        " if (!picture.checkVisibility()) return [];"
        " const bars = [...picture.querySelectorAll('.bar')]"
        ".map((it) => it.getBoundingClientRect());"
        " return [...picture.querySelectorAll('.bar-label')].filter((label) => {"
        " const own = label.getBoundingClientRect();"
        " return !bars.some((bar) => bar.left <= own.left && own.right <= bar.right + 1"
        " && bar.top - 2 <= own.top && own.bottom <= bar.bottom + 3); })"
        ".map((it) => it.textContent);"
        "})"
    )
    assert over == []


def test_pointing_at_a_timeline_says_the_moment(browser: Browser, pages: Path) -> None:
    browser.open(pages / "passed.html", width=DESKTOP)
    pointer = browser.evaluate(
        "(() => { const it = document.querySelector('#run-1 .wide svg');"
        " const box = it.getBoundingClientRect(), to = (x) => it.dispatchEvent(new PointerEvent("
        " 'pointermove', {clientX: box.left + x * box.width, clientY: box.top + 50}));"
        " const label = it.querySelector('.pointer-label'), found = [];"
        " for (const x of [0.1, 0.6, 0.995]) { to(x);"
        " found.push([label.getAttribute('visibility'), label.textContent]); }"
        " return found; })()"
    )
    assert pointer[0][0] == "hidden"
    assert pointer[1][0] == "visible"
    assert 240 < float(pointer[1][1].removesuffix(" s")) < 270


def test_the_page_is_whole_without_its_script(browser: Browser, pages: Path) -> None:
    browser.ask("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(pages / "passed.html", width=DESKTOP)
        shot = browser.screenshot()
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.open(pages / "passed.html", width=DESKTOP)
    assert shot == browser.screenshot()


def test_transitions_are_there_when_asked_for(browser: Browser, pages: Path) -> None:
    browser.open(pages / "passed.html", width=PHONE)
    table = "document.querySelector('#run-1 .transitions table')"
    assert not browser.evaluate(f"{table}.checkVisibility()")
    browser.evaluate("document.querySelector('#run-1 .transitions summary').click()")
    assert browser.evaluate(f"{table}.checkVisibility()")
    assert browser.evaluate(f"{table}.rows.length") == 45
    assert browser.evaluate("document.documentElement.scrollWidth") == PHONE


def pixels(browser: Browser, folder: Path) -> dict[str, int]:
    """How often each colour is on the page, as ``red,green,blue``; leads to an empty page."""
    png = base64.b64encode(browser.screenshot()).decode()
    (folder / "empty.html").touch()
    browser.open(folder / "empty.html", width=DESKTOP)
    found: dict[str, int] = browser.evaluate(PIXELS % png)
    return found


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_light_and_dark_are_two_pictures_and_neither_is_blank(
    browser: Browser, pages: Path, width: int
) -> None:
    grounds = []
    for dark in (False, True):
        browser.open(pages / "passed.html", width=width, height=300, dark=dark)
        colours = pixels(browser, pages)
        ground = max(colours, key=lambda each: colours[each])
        assert len(colours) > 50
        assert colours[ground] < 0.98 * sum(colours.values())
        grounds.append(sum(map(int, ground.split(","))))
    assert grounds[0] > 600 > 150 > grounds[1]


def test_on_paper_it_has_the_wide_timeline(browser: Browser, pages: Path) -> None:
    browser.open(pages / "passed.html", width=PHONE)
    browser.ask("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        shown = browser.evaluate(
            "[...document.querySelectorAll('#run-1 figure')].filter((it) => it.checkVisibility())"
            ".map((it) => it.className)"
        )
        printed = browser.ask("Page.printToPDF", {"printBackground": True})["data"]
    finally:
        browser.ask("Emulation.setEmulatedMedia", {"media": ""})
    assert shown == ["wide"]
    assert len(printed) > 10_000
