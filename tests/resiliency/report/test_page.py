"""The page as a browser reads it: its texts, that it loads nothing, that names stay names."""

import base64
import copy
import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from resiliency.report import JournalError, page, write_page
from resiliency.report.charts import histories
from resiliency.report.journal_reader import parse_journal
from resiliency.svg import Label, Mark, Polyline
from staged_resiliency.experiment.json_codec import JsonObject
from tests.journals import (
    BEGAN_AT,
    BLUE,
    GREEN,
    HANGS,
    LATE,
    RECORD,
    STATUS,
    STOPPED,
    Data,
    aborted_run,
    drill_runs,
    rehearsals,
    run_of,
)
from tests.resiliency.report.test_layout import ODD, transition

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Elements, attributes and texts; fails where a tag is not closed by its own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words:
            self.texts.append((self._open[-1] if self._open else "", words))

    def all(self, tag: str) -> Sequence[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, *tags: str) -> Sequence[str]:
        return [text for tag, text in self.texts if not tags or tag in tags]


def made(*journals: JsonObject) -> str:
    return page(journals, title="Rehearsal", made_at=BEGAN_AT)


ANOTHER = replace(STOPPED, experiment="another")
FIVE = page(rehearsals(), title="Rehearsal of bookstore", made_at=BEGAN_AT)


def test_the_verdict_comes_first_in_words() -> None:
    read = Page(FIVE)
    assert read.text_of("h1") == [
        "△ 3 of 5 passed, 2 not covered (blue's endpoint hangs, both hosts down)"
    ]
    assert read.text_of("title")[0].startswith("3 of 5 passed, 2 not covered (blue's endpoint")
    assert "bookstore, production" in read.text_of("dd")
    assert "20 times as fast; every duration is the service's own" in read.text_of("dd")
    assert "2026-11-03 10:00:00 UTC" in read.text_of("dd")


def test_a_failure_is_named_in_the_first_line() -> None:
    journals = [run_of(LATE), *rehearsals()[1:], aborted_run(ANOTHER)]
    read = Page(page(journals, title="R"))
    assert read.text_of("h1") == [
        "✕ 2 of 6 passed, 1 failed (blue stops and comes back), 1 aborted (another), "
        "2 not covered (blue's endpoint hangs, both hosts down)"
    ]
    assert (
        "1 of 2 expectations failed: clients of bookstore.pingpublications.com reach "
        "bookstore-api-green 432 s after the fault; expected within 380 s"
    ) in read.text_of("p")
    assert any(each.startswith("Aborted: the alarm") for each in read.text_of("p"))


def test_what_the_design_does_not_cover_is_amber_and_says_what_would_cover_it() -> None:
    text = page([run_of(HANGS)], title="R")
    read = Page(text)
    assert '<header class="not-covered">' in text
    assert read.text_of("h1") == ["△ 0 of 1 passed, 1 not covered (blue's endpoint hangs)"]
    assert (
        f"Not covered: clients of {RECORD} are served: not so 6 s after the fault (no answer); "
        f"no deciding signal ({STATUS}) shows it; add endpoint"
    ) in read.text_of("p")
    assert re.search(r"header\.not-covered h1.*color: var\(--stop\)", text)
    assert re.search(r"\.badge\.not-covered.*color: var\(--stop\)", text)


def rows(text: str, style: str) -> Sequence[Sequence[str]]:
    """The cells of a table's body rows, as texts."""
    (table,) = re.findall(rf'<table class="{style}[^>]*>(.*?)</table>', text, re.DOTALL)
    body = table.partition("<tbody")[2]
    return [
        [
            " ".join(Page(f"<td{cell}</td>").text_of())
            for cell in re.findall(r"<t[hd]\b(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    ]


def test_the_summary_has_every_number_of_a_run() -> None:
    assert rows(FIVE, "summary")[0] == [
        "blue stops and comes back host stopped",
        "✓ Passed",
        *("187 s", "268 s", "360 s"),
        *("187 s", "270 s", "335 s", "380 s"),
        "",
        *("118 s", "266 s", "55.81 %"),
    ]
    assert rows(FIVE, "summary")[2][2:5] == ["148 s", "\N{EN DASH}", "360 s"]
    assert len(rows(FIVE, "summary")) == 5
    assert "Results over time" not in FIVE  # as there is one run of each


def test_each_expectation_has_measurement_and_bound() -> None:
    assert rows(made(run_of(STOPPED)), "plain expectations") == [
        [
            "clients of bookstore.pingpublications.com reach bookstore-api-green",
            *("✓ Passed", "after 268 s", "within 380 s of the fault"),
        ],
        [
            "clients of bookstore.pingpublications.com are back on bookstore-api-blue",
            *("✓ Passed", "after 118 s", "within 240 s of the fault's end"),
        ],
        [f"{STATUS} fires", "✓ Passed", "after 187 s", "within 310 s of the fault"],
        [f"{STATUS} is OK again", "✓ Passed", "after 60 s", "within 150 s of the fault's end"],
        [f"{GREEN}-db-connectivity-failed stays quiet", "✓ Passed", "throughout", "throughout"],
    ]
    refused = rows(made(aborted_run()), "plain expectations")
    assert [each[1] for each in refused] == ["○ Not judged"] * 5


def test_the_page_loads_nothing() -> None:
    read = Page(FIVE)
    for tag, attributes in read.elements:
        assert tag not in ("link", "img", "iframe", "object", "base", "form")
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not any(name.startswith("on") or name == "style" for name in attributes)
    (style,) = re.findall(r"<style>(.*?)</style>", FIVE, re.DOTALL)
    assert set(re.findall(r"url\((.*?)\)", style)) == {"#hatch", "#mixed"}
    assert "@import" not in style


def test_the_policy_lets_the_page_s_own_style_and_script_in_and_nothing_else() -> None:
    (policy,) = [
        each["content"]
        for each in Page(FIVE).all("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", FIVE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none'; ")


def test_every_link_and_label_leads_somewhere() -> None:
    for text in (FIVE, page(drill_runs(3), title="Drills")):
        read = Page(text)
        ids = [each["id"] for _, each in read.elements if "id" in each]
        assert len(ids) == len(set(ids))
        for _, attributes in read.elements:
            wanted = (attributes.get("aria-labelledby") or "").split()
            wanted += [(attributes.get("href") or "#run-1").removeprefix("#")]
            assert set(wanted) <= set(ids)


def test_pictures_and_tables_are_described_to_screen_readers() -> None:
    read = Page(FIVE)
    pictures = read.all("svg")
    assert len([each for each in pictures if each.get("role") == "img"]) == 10
    for each in pictures:
        assert each.get("aria-hidden") == "true" or each.get("aria-labelledby")
    assert FIVE.count("<caption>") == FIVE.count("<table")
    assert all(each.get("scope") for each in read.all("th"))
    headings = [int(tag[1]) for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_a_verdict_is_never_shown_by_color_alone() -> None:
    text = made(run_of(LATE), aborted_run(ANOTHER))
    for style, words in (("passed", "✓ Passed"), ("failed", "✕ Failed"), ("aborted", "○ ")):
        badges = re.findall(rf'<span class="badge {style}">(.*?)</span>', text)
        assert badges
        assert all(each.startswith(words) for each in badges)


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_odd_journals_make_a_sound_page(name: str) -> None:
    text = made(ODD[name])
    Page(text)
    pictures = re.findall(r"<svg xmlns.*?</svg>", text, re.DOTALL)
    assert len([each for each in pictures if "timeline" in each[:400]]) == 2
    for each in pictures:
        ET.fromstring(each)
    assert "nan" not in re.sub(
        r"<(style|script)>.*?</\1>", "", text, flags=re.DOTALL
    ).lower().split('"')


def test_no_journals_make_a_page_that_says_so() -> None:
    read = Page(page([], title="Drills"))
    assert read.text_of("h1") == ["○ Nothing was run"]
    assert not read.all("table")


HOSTILE = "</text></svg></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"


def hostile(value: Any, key: str = "") -> Any:
    """A journal with every free text replaced."""
    if isinstance(value, dict):
        return {name: hostile(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [hostile(each, key) for each in value]
    fixed = ("kind", "status", "source", "at", "schema_version")
    if not isinstance(value, str) or key in fixed or key.endswith("_at") or key == "observed_until":
        return value
    return HOSTILE


def test_names_of_strangers_stay_names() -> None:
    journals = [hostile(copy.deepcopy(dict(each))) for each in (run_of(STOPPED), run_of(LATE))]
    text = page(journals, title=HOSTILE, notes=[HOSTILE])
    read = Page(text)
    assert len(read.all("script")) == 1
    assert not read.all("img")
    assert "alert(1)</script>" not in text
    assert HOSTILE in "".join(read.text_of("li"))
    assert "49" not in "".join(read.text_of("li"))


def test_control_characters_and_reversed_writing_do_not_reach_the_page() -> None:
    text = made({**run_of(STOPPED), "service": "a\x00\x1b[31m\u202eb\ud800c"})
    assert "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m" in text
    assert not re.search("[\x00\x1b\u202e\ud800]", text)
    text.encode()


@pytest.mark.slow
def test_runs_of_the_same_drill_are_shown_over_time() -> None:
    text = page(drill_runs(17), title="Drills")
    read = Page(text)
    assert read.text_of("h1") == ["✓ 3 of 3 passed"]
    assert (
        "The newest run of each; of all runs 49 of 51 passed, 1 failed (shutdown), 1 aborted"
        in text
    )
    assert len(rows(text, "summary")) == 3
    assert len(re.findall(r'<section class="run"', text)) == 51
    charts = re.findall(r'<svg [^>]*class="history".*?</svg>', text, re.DOTALL)
    assert len(charts) == 3
    signs = [re.findall(r'<use href="#sign-(\w+)"', each) for each in charts]
    assert [each.count("dot") for each in signs] == [17, 17, 15]
    assert (signs[2].count("cross"), signs[2].count("ring")) == (1, 1)
    assert "objective 360 s" in charts[2]
    assert "objective" not in charts[0]
    assert "Failed, failover 418 s" in charts[2]


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_run_of_a_drill_decides(order: int) -> None:
    runs = [run_of(STOPPED, injected_at=BEGAN_AT), run_of(LATE, injected_at=BEGAN_AT + 86400)]
    read = Page(page(runs[::order], title="Drills"))
    assert read.text_of("h1") == ["✕ 0 of 1 passed, 1 failed (blue stops and comes back)"]


def test_results_over_time_name_the_service_where_there_are_several() -> None:
    other = [{**each, "service": "library"} for each in drill_runs(2)]
    charts = histories([parse_journal(each, "it") for each in [*drill_runs(2), *other]])
    assert [each.name for each in charts][:4] == [
        "bookstore production: cdn-blackhole",
        "bookstore production: db-blackhole",
        "bookstore production: shutdown",
        "library production: cdn-blackhole",
    ]


def test_a_chart_of_hours_has_an_axis_in_hours() -> None:
    long = {**run_of(STOPPED), "objective_seconds": 7200}
    (chart,) = histories([parse_journal(long, "it"), parse_journal(long, "it")])
    labels = [each.text for each in chart.drawing.shapes if isinstance(each, Label)]
    assert labels[:4] == ["0", "1 h", "2 h", "objective 7,200 s"]


def test_a_run_without_the_number_is_below_the_axis() -> None:
    (chart,) = histories([parse_journal(run_of(STOPPED), "it"), parse_journal(aborted_run(), "it")])
    marks = {each.sign: each for each in chart.drawing.shapes if isinstance(each, Mark)}
    (zero,) = [
        each.y for each in chart.drawing.shapes if isinstance(each, Label) and each.text == "0 s"
    ]
    assert marks["dot"].y < zero < marks["ring"].y
    assert not [each for each in chart.drawing.shapes if isinstance(each, Polyline)]


def test_changes_too_quick_to_draw_are_explained_where_there_are_any() -> None:
    quick = [transition(n * 0.1, "client", RECORD, (BLUE, GREEN)[n % 2]) for n in range(50)]
    assert "changes too quick to draw" in made({**run_of(STOPPED), "transitions": quick})
    assert "changes too quick to draw" not in FIVE


def test_a_phase_that_was_cut_off_says_so() -> None:
    phase = {**run_of(STOPPED)["phases"][3], "ended_at": None, "outcome": "stopped by the guard"}
    read = Page(made({**run_of(STOPPED), "phases": [phase]}))
    assert "cut off, from 1 s" in read.text_of("li")
    assert "stopped by the guard" in read.text_of("span")


def test_a_journal_that_can_t_be_shown_is_named_by_number_and_run() -> None:
    wrong: Data = {**run_of(LATE), "time_scale": -1}
    with pytest.raises(
        JournalError, match=r"^journal 2 \(rehearsal-1793700000\): time_scale: found -1"
    ):
        page([run_of(STOPPED), wrong], title="R")
    with pytest.raises(
        JournalError, match=r"^journal 1: is not a journal: found 7; must be an object"
    ):
        page(cast(Any, [7]), title="R")


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    write_page(file, rehearsals(), title="Rehearsal of bookstore", made_at=BEGAN_AT)
    assert file.read_text(encoding="utf-8") == FIVE
    # Who has the former page open keeps reading that one.
    former = tmp_path / "former.html"
    former.hardlink_to(file)
    write_page(file, [], title="Another")
    assert "Nothing was run" in file.read_text(encoding="utf-8")
    assert former.read_text(encoding="utf-8") == FIVE
    former.replace(file)
    with pytest.raises(JournalError):
        write_page(file, [{}], title="R")
    assert file.read_text(encoding="utf-8") == FIVE
    with pytest.raises(OSError, match="gone"):
        write_page(tmp_path / "gone" / "page.html", [], title="R")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_page(tmp_path / "folder", [], title="R")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "page.html"]
