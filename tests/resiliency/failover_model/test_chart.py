"""The chart: what it shows, and that it is one sound file whatever names templates hold."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from resiliency.errors import UserError
from resiliency.failover_model.chart import Design, chart, write_chart
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.simulation import Percentiles, Verdict, failover_times
from tests.resiliency.failover_model.support import (
    all_of,
    graph_of,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)

SVG = "{http://www.w3.org/2000/svg}"
STATUS = unhealthy(status_alarm())
DB = probe_alarm("db-connectivity")
ALONE = failover_times(graph_of(pair_of(STATUS), DB), outages=50)
STOPPED = cast(Percentiles, ALONE[0].total)
NUMBERS = f"median {STOPPED.median:.0f}, p95 {STOPPED.p95:.0f}, worst {STOPPED.worst:.0f} s"
PEERS = failover_times(graph_of(pair_of(all_of(STATUS, healthy(peer_alarm()))), DB), outages=50)


def drawn(designs: Sequence[Design], objective: int | None = None) -> ET.Element:
    return ET.fromstring(chart(designs, objective))


def texts(picture: ET.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def of_class(picture: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in picture.iter() if name in element.get("class", "").split()]


def bars(picture: ET.Element, part: str) -> list[ET.Element]:
    return [each for each in of_class(picture, part) if each.get("height") == "14"]


def test_each_fault_is_there_with_its_numbers() -> None:
    shown = texts(drawn([Design("", ALONE)]))
    assert "shop.example.com A" in shown
    assert {str(verdict.fault) for verdict in ALONE} <= set(shown)
    assert NUMBERS in shown
    assert "never moves clients" in shown
    assert "clients stay, as they should" in shown


def test_a_bar_is_split_into_its_parts_and_ends_at_the_median() -> None:
    picture = drawn([Design("", ALONE[:1])])
    segments = [bars(picture, part)[0] for part in ("detect", "decide", "propagate", "cache")]
    for one, next_one in pairwise(segments):
        end = float(one.get("x", "")) + float(one.get("width", ""))
        assert end == pytest.approx(float(next_one.get("x", "")), abs=0.11)
    begin = float(segments[0].get("x", ""))
    end = float(segments[-1].get("x", "")) + float(segments[-1].get("width", ""))
    worst = float(of_class(picture, "range")[0].get("x2", ""))
    assert (end - begin) / (worst - begin) == pytest.approx(
        STOPPED.median / STOPPED.worst, abs=0.01
    )
    (diamond,) = of_class(picture, "p95")
    p95 = float(re.findall(r"[\d.]+", diamond.get("points", ""))[0])
    assert (p95 - begin) / (worst - begin) == pytest.approx(STOPPED.p95 / STOPPED.worst, abs=0.01)


def test_what_never_happens_has_no_bar() -> None:
    picture = drawn([Design("", [each for each in ALONE if each.never])])
    assert bars(picture, "detect") == []
    assert len(of_class(picture, "never")) == len(ALONE) - 2


def test_designs_stand_below_one_another_under_one_fault() -> None:
    shown = texts(drawn([Design("before", ALONE), Design("after", PEERS)]))
    assert shown.count("before") == shown.count("after") == len(ALONE)
    assert shown.count("host stopped") == 1


def test_designs_of_several_pairs_have_a_panel_for_each() -> None:
    other = [replace(each, pair=replace(each.pair, name="books.example.com")) for each in ALONE]
    shown = texts(drawn([Design("before", [*ALONE, *other]), Design("after", other)]))
    assert shown.count("shop.example.com A") == shown.count("books.example.com A") == 1
    assert shown.count("after") == len(other)


def test_the_objective_is_a_line_and_what_is_over_it_is_marked() -> None:
    picture = drawn([Design("", ALONE)], round(STOPPED.p95) - 10)
    assert len(of_class(picture, "objective")) == 1
    marked = [each.text for each in of_class(picture, "over")]
    assert f"misses: {NUMBERS}" in marked  # a word beside the color
    assert "misses: never moves clients" in marked
    assert "clients stay, as they should" not in marked
    assert of_class(drawn([Design("", ALONE)]), "objective") == []
    beyond = drawn([Design("", ALONE)], 5000)  # beyond all outages, it is in the picture too
    (line,) = of_class(beyond, "objective")
    assert float(line.get("x1", "")) <= float(beyond.get("width", ""))


def test_a_move_of_clients_that_were_served_is_shown_as_one() -> None:
    moved = failover_times(graph_of(pair_of(unhealthy(DB))), outages=20)
    shown = texts(drawn([Design("", moved)]))
    assert any(each.startswith("moved though served: median") for each in shown)


@pytest.mark.parametrize(
    "name", ['<script>alert("1")</script>', "a&b", "\x00\x1b[31m", "\ud800", "x" * 300]
)
def test_names_of_any_kind_leave_it_one_sound_file(name: str) -> None:
    verdict = replace(
        ALONE[0],
        fault=Fault(FaultKind.DEPENDENCY_BLACKHOLED, name),
        pair=replace(ALONE[0].pair, name=name),
    )
    text = chart([Design("", [verdict])])
    text.encode()
    picture = ET.fromstring(text)
    assert not list(picture.iter(f"{SVG}script"))
    assert all(len(each) <= 70 for each in texts(picture))


def test_it_needs_nothing_from_elsewhere_and_fits_light_and_dark() -> None:
    text = chart([Design("", ALONE)])
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "href" not in text
    assert "prefers-color-scheme: dark" in text


def test_it_is_described_to_screen_readers() -> None:
    picture = drawn([Design("before", ALONE)])
    assert picture.get("role") == "img"
    described = {element.get("id"): element.text or "" for element in picture}
    assert all(described[name] for name in picture.get("aria-labelledby", "").split())
    assert "shop.example.com before host stopped: median" in described["chart-about"]
    assert "endpoint dead: never" in described["chart-about"]


@pytest.mark.parametrize("seconds", [3.0, 500.0, 5_000.0, 80_000.0, 2_000_000.0])
def test_the_axis_has_a_few_ticks_whatever_its_length(seconds: float) -> None:
    longer: Verdict = replace(ALONE[0], total=replace(STOPPED, worst=seconds))
    ticks = of_class(drawn([Design("", [longer])]), "grid")
    assert 2 <= len(ticks) <= 8


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("times.png", "{file}: a chart is an SVG file; give a name that ends in .svg"),
        ("gone/times.svg", "{file}: can't be written (No such file or directory)"),
    ],
)
def test_a_file_that_can_not_be_is_refused(tmp_path: Path, name: str, message: str) -> None:
    file = tmp_path / name
    with pytest.raises(UserError) as raised:
        write_chart(file, [Design("", ALONE)])
    assert str(raised.value) == message.format(file=file)
