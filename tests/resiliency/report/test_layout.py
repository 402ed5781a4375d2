"""Layout as functions on numbers: axes, texts that fit, lanes, and where everything lies."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resiliency.report.charts import common_interval, comparison
from resiliency.report.journal_reader import parse_journal
from resiliency.report.timeline import NARROW, WIDE, TimelineLayout, milestones_of, timeline
from resiliency.report.timeline_data import (
    Bar,
    Lane,
    Tone,
    interval_of,
    lanes_of,
    merged,
    without_quiet,
)
from resiliency.svg import (
    FONT_SIZE,
    Drawing,
    Interval,
    Label,
    Mark,
    Rect,
    Scale,
    Shape,
    ShapeGroup,
    number_ticks,
    rows_of,
    shortened,
    text_width,
    tick_label,
    time_ticks,
)
from staged_resiliency.experiment.journal import Journal
from tests.journals import (
    BEGAN_AT,
    BLACKHOLED,
    BLUE,
    GREEN,
    REHEARSALS,
    STATUS,
    STOPPED,
    Data,
    aborted_run,
    run_of,
)


def journal(made: object) -> Journal:
    return parse_journal(made, "made here")


def stopped(**more: object) -> Journal:
    return journal({**run_of(STOPPED), **more})


def transition(at: float, source: str, subject: str, value: str, detail: str = "") -> Data:
    seconds = f"{36000 + at:09.3f}"
    whole, fraction = seconds.split(".")
    hours, rest = divmod(int(whole), 3600)
    moment = f"2026-11-03T{hours:02}:{rest // 60:02}:{rest % 60:02}.{fraction}Z"
    return {"at": moment, "source": source, "subject": subject, "value": value, "detail": detail}


# Axes


@pytest.mark.parametrize(
    ("start", "end", "most", "ticks"),
    [
        (0, 100, 6, [0, 30, 60, 90]),
        (-60, 600, 12, [-60, 0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]),
        (-63, 601, 5, [0, 300, 600]),
        (0, 4, 9, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]),
        (0, 20 * 86400, 3, [0, 10 * 86400, 20 * 86400]),
    ],
)
def test_ticks_of_time_are_round(
    start: float, end: float, most: int, ticks: Sequence[float]
) -> None:
    assert time_ticks(Interval(start, end), most) == ticks


@given(st.floats(-1e6, 1e6), st.floats(1, 1e7), st.integers(2, 20))
def test_ticks_lie_in_their_span_and_are_not_too_many(
    start: float, length: float, most: int
) -> None:
    for ticks in (
        time_ticks(Interval(start, start + length), most),
        number_ticks(Interval(start, start + length), most),
    ):
        assert len(ticks) <= most
        assert all(start - 1e-3 <= each <= start + length + 1e-3 for each in ticks)


def test_ticks_of_numbers_are_one_two_or_five() -> None:
    assert number_ticks(Interval(0, 432), 5) == [0, 200, 400]
    assert number_ticks(Interval(0, 1.08), 5) == [0, 0.5, 1]
    assert number_ticks(Interval(0, 150), 5) == [0, 50, 100, 150]


@pytest.mark.parametrize(
    ("seconds", "step", "label"),
    [
        (0, 60, "0"),
        (90, 30, "90 s"),
        (-60, 60, "\N{MINUS SIGN}1 min"),
        (7200, 3600, "2 h"),
        (172800, 86400, "2 d"),
        (0.5, 0.1, "0.5 s"),
    ],
)
def test_ticks_say_their_unit(seconds: float, step: float, label: str) -> None:
    assert tick_label(seconds, step) == label


def test_a_scale_goes_either_way() -> None:
    assert Scale(Interval(0, 10), 100, 200).at(5) == 150
    assert Scale(Interval(0, 10), 200, 100).at(2) == 180


# Texts


@given(st.text(), st.floats(0, 500))
def test_a_shortened_text_fits(text: str, width: float) -> None:
    short = shortened(text, width)
    assert text_width(short) <= width
    if text_width(text) <= width:
        assert short == text


def test_the_middle_of_a_long_name_goes() -> None:
    name = "bookstore-api-blue-" + "x" * 200 + "-connectivity-failed"
    short = shortened(name, 200)
    head, _, tail = short.partition("\N{HORIZONTAL ELLIPSIS}")
    assert name.startswith(head)
    assert name.endswith(tail)
    assert min(len(head), len(tail)) > 8
    assert shortened(name, 10) == ""


def test_wide_letters_count_for_more() -> None:
    assert text_width("漢字") == 2 * FONT_SIZE
    assert text_width("e\u0301") == text_width("e")
    assert text_width("iii") < text_width("nnn") < text_width("WWW")


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(1, 200)), max_size=30))
def test_labels_of_a_row_do_not_overlap(places: Sequence[tuple[float, float]]) -> None:
    rows = rows_of(places)
    assert len(rows) == len(places)
    for row in set(rows):
        members = sorted(each for each, of in zip(places, rows, strict=True) if of == row)
        assert all(left + width <= after for (left, width), (after, _) in pairwise(members))
    assert set(rows) == set(range(len(set(rows))))


# Lanes


def lane(run: Journal, group: str, name: str) -> Lane:
    """A lane of the timeline of a run."""
    lanes = lanes_of(run, interval_of(run))
    (found,) = [each for each in lanes if (each.group, each.name) == (group, name)]
    return found


def test_lanes_stand_in_the_order_in_which_one_thing_leads_to_another() -> None:
    run = stopped()
    groups = list(dict.fromkeys(each.group for each in lanes_of(run, interval_of(run))))
    assert groups == [
        *("Run", "Fault", "Signals", "Alarms", "Health checks", "DNS answers"),
        *("What the client saw", "Messages"),
    ]


@pytest.mark.parametrize("time_scale", [1, 20])
def test_bars_are_in_the_service_s_seconds_at_any_speed(time_scale: float) -> None:
    run = journal(run_of(STOPPED, time_scale=time_scale))
    clients = lane(run, "What the client saw", run.record)
    assert [(each.value, each.tone) for each in clients.bars] == [
        (BLUE, Tone.ACTIVE),
        ("no answer", Tone.BAD),
        (GREEN, Tone.STANDBY),
        (BLUE, Tone.ACTIVE),
    ]
    assert [round(each.began) for each in clients.bars] == [-58, 2, 268, 538]
    assert [round(each.ended) for each in clients.bars] == [2, 268, 538, 601]
    fault = lane(run, "Fault", "host stopped").bars
    assert [(round(each.began), round(each.ended)) for each in fault] == [(0, 420)]


@pytest.mark.parametrize(
    ("source", "value", "tone"),
    [
        ("alarm", "OK", Tone.CALM),
        ("alarm", "ALARM", Tone.BAD),
        ("alarm", "INSUFFICIENT_DATA", Tone.UNKNOWN),
        ("alarm", "strange", Tone.CHANGED),
        ("health check", "unhealthy", Tone.BAD),
        ("health check", "healthy", Tone.CALM),
        ("dns", "1.2.3.4", Tone.STANDBY),
        ("dns", "no answer", Tone.BAD),
        ("dns", "", Tone.BAD),
        ("client", "no answer", Tone.BAD),
        ("client", GREEN, Tone.STANDBY),
        ("client", "somebody else", Tone.CHANGED),
        ("signal", "missing", Tone.UNKNOWN),
        ("signal", "0.5", Tone.CHANGED),
        ("signal", "usual", Tone.CALM),
    ],
)
def test_a_state_has_the_tone_of_its_meaning(source: str, value: str, tone: Tone) -> None:
    seen = [transition(-5, source, "it", "usual"), transition(5, source, "it", value)]
    run = stopped(transitions=seen)
    assert lanes_of(run, interval_of(run))[-1].bars[-1].tone is tone


def test_a_fault_that_nobody_saw_is_drawn_from_the_run_s_times() -> None:
    run = stopped(transitions=[])
    (fault,) = lane(run, "Fault", "host stopped").bars
    assert (fault.began, fault.ended) == (0, 420)
    run = stopped(transitions=[], fault_ended_at=None)
    (fault,) = lane(run, "Fault", "host stopped").bars
    assert (fault.ended, fault.detail) == (interval_of(run).end, "has not ended")


def test_faults_of_two_hosts_have_a_lane_each() -> None:
    seen = [
        transition(0, "fault", "blue stopped", "injected"),
        transition(9, "fault", "green stopped", "injected"),
        transition(50, "fault", "blue stopped", "ended"),
    ]
    run = stopped(transitions=seen)
    assert [each.ended for each in lane(run, "Fault", "blue stopped").bars] == [50]
    assert lane(run, "Fault", "green stopped").bars[0].detail == "has not ended"


def test_subjects_stand_in_the_order_of_their_numbers() -> None:
    names = ["api-10", "api-2", "api-1-b", "api", "api-02"]
    run = stopped(transitions=[transition(1, "alarm", each, "OK") for each in names])
    found = [each.name for each in lanes_of(run, interval_of(run)) if each.group == "Alarms"]
    assert found == ["api", "api-1-b", "api-02", "api-2", "api-10"]


def test_an_alarm_that_is_weeks_old_does_not_stretch_the_time() -> None:
    run = stopped()
    assert interval_of(run) == Interval(-60, 601)
    assert lane(run, "Alarms", STATUS).bars[0].began == -60
    late = [*run_of(STOPPED)["transitions"], transition(20000, "message", STATUS, "OK")]
    assert interval_of(stopped(transitions=late)) == Interval(-60, 601)
    some = [*run_of(STOPPED)["transitions"], transition(640, "message", STATUS, "OK")]
    assert interval_of(stopped(transitions=some)) == Interval(-60, 640)


def test_a_long_preflight_takes_a_small_part_of_the_time() -> None:
    run = stopped(
        phases=[
            {
                "name": "preflight",
                "began_at": "2026-11-03T08:00:00.000Z",
                "ended_at": "2026-11-03T10:00:00.000Z",
                "outcome": "done",
            }
        ]
    )
    assert interval_of(run) == Interval(-90, 600)


def test_time_has_a_length_even_where_nothing_has() -> None:
    nothing = journal({**aborted_run(), "phases": [], "transitions": []})
    assert interval_of(nothing) == Interval(0, 1)
    at_once = stopped(
        observed_until=run_of(STOPPED)["injected_at"],
        fault_ended_at=None,
        phases=[],
        transitions=[],
    )
    assert interval_of(at_once) == Interval(0, 1)
    assert interval_of(journal({**aborted_run(), "phases": []})) == Interval(0, 1)
    assert interval_of(journal(aborted_run())) == Interval(0, 4)


def test_a_phase_that_was_cut_off_lasts_until_the_end_and_says_so() -> None:
    phases = [
        {
            "name": "observe",
            "began_at": "2026-11-03T10:00:01.000Z",
            "ended_at": None,
            "outcome": "stopped by the guard",
        }
    ]
    run = stopped(phases=phases)
    (bar,) = lane(run, "Run", "phases").bars
    assert (bar.ended, bar.tone) == (interval_of(run).end, Tone.CHANGED)
    assert bar.detail == "stopped by the guard"


def bars(*lengths: float, values: str = "ab") -> Sequence[Bar]:
    made, at = [], 0.0
    for number, length in enumerate(lengths):
        tone = (Tone.CALM, Tone.BAD)[number % 2]
        made.append(Bar(at, at + length, values[number % len(values)], tone))
        at += length
    return made


def test_bars_that_are_too_short_to_draw_become_one() -> None:
    found = merged(bars(100, 1, 1, 1, 100), 5)
    assert [(each.began, each.ended, each.value) for each in found] == [
        (0, 100, "a"),
        (100, 103, "3 changes"),
        (103, 203, "a"),
    ]
    assert found[1].tone is Tone.MIXED
    assert found[1].detail == "b, a"


def test_one_short_bar_between_long_ones_stays_itself() -> None:
    assert merged(bars(100, 0, 100), 5) == bars(100, 0, 100)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=300))
def test_merged_bars_leave_no_time_out_and_are_few(lengths: Sequence[float]) -> None:
    given_bars = bars(*lengths, values="abcdef")
    found = merged(given_bars, 1)
    assert found[0].began == 0
    assert found[-1].ended == given_bars[-1].ended
    assert all(each.ended == after.began for each, after in pairwise(found))
    assert len(found) <= 2 * sum(lengths) + 2


def test_quiet_lanes_of_a_large_group_are_taken_together() -> None:
    def of(name: str, *values: str) -> Lane:
        tones = {"OK": Tone.CALM, "ALARM": Tone.BAD}
        made = [Bar(n, n + 1, value, tones[value]) for n, value in enumerate(values)]
        return Lane("Alarms", name, made)

    lanes = [of(f"a{n}", "OK") for n in range(40)] + [of("loud", "OK", "ALARM"), of("b", "ALARM")]
    found = without_quiet(lanes, 8)
    assert [each.name for each in found] == ["loud", "b", "40 more"]
    assert found[-1].bars[0].value == "OK throughout"
    assert without_quiet(lanes[:8], 8) == lanes[:8]
    assert without_quiet([of("only", "OK"), *lanes[40:] * 5], 8)[0].name == "only"


# Pictures


def flat(shapes: Sequence[Shape]) -> Iterator[Shape]:
    for each in shapes:
        if isinstance(each, ShapeGroup):
            yield from flat(each.shapes)
        else:
            yield each


def holds(picture: Drawing) -> None:
    """Nothing lies outside of the picture, and no number is none."""
    for each in flat(picture.shapes):
        if isinstance(each, Rect):
            edges = (each.x, each.y, each.x + each.width, each.y + each.height)
            assert each.width > 0
        elif isinstance(each, Label):
            width = text_width(each.text) / (2 if each.anchor == "middle" else 1)
            left = each.x - (0 if each.anchor == "start" else width)
            right = each.x + (0 if each.anchor == "end" else width)
            edges = (left, each.y - 8, right, each.y)
        elif isinstance(each, Mark):
            edges = (each.x - 4, each.y - 4, each.x + 4, each.y + 4)
        else:
            continue
        assert all(math.isfinite(edge) for edge in edges)
        assert edges[0] >= -0.5, each
        assert edges[1] >= -0.5, each
        assert edges[2] <= picture.width + 0.5, each
        assert edges[3] <= picture.height + 0.5, each


def thousands() -> Data:
    """A signal that changes all the time, and a client that flaps."""
    seen = [transition(n * 0.1, "client", "record", (BLUE, GREEN)[n % 2]) for n in range(2000)]
    seen += [transition(n * 0.1, "signal", "latency", f"{n % 97 / 97:.4f}") for n in range(2000)]
    return {**run_of(STOPPED), "transitions": seen}


def many_subjects() -> Data:
    name = "service-" + "very-" * 60 + "long"
    seen = [transition(-5, "alarm", f"{name}-{n}", "OK") for n in range(200)]
    seen += [transition(n, "alarm", f"{name}-{n}", "ALARM") for n in range(150)]
    seen += [transition(n, "message", f"漢字 {name}-{n}", "ALARM" * 50) for n in range(40)]
    return {**run_of(STOPPED), "transitions": seen}


def at_one_moment() -> Data:
    seen = [transition(9, source, "x", str(n)) for source in ("dns", "client") for n in range(3)]
    end = transition(9, "dns", "x", "y")["at"]
    return {
        **run_of(STOPPED),
        "transitions": seen,
        "injected_at": end,
        "fault_ended_at": end,
        "observed_until": end,
        "phases": [],
    }


ODD = {
    "thousands of transitions": thousands(),
    "many subjects with long names": many_subjects(),
    "all at one moment": at_one_moment(),
    "no transitions": {**run_of(STOPPED), "transitions": []},
    "nothing at all": {**run_of(STOPPED), "transitions": [], "phases": [], "measures": None},
    "refused": aborted_run(),
    "refused before it looked": {**aborted_run(), "transitions": [], "phases": []},
    "prediction and objective far beyond": {
        **run_of(STOPPED),
        "objective_seconds": 1e9,
        "predicted_seconds": {"best": 1e6, "worst": 1e7},
    },
    "clock that went back": {**run_of(STOPPED), "observed_until": "2026-11-03T09:00:00.000Z"},
    **{each.experiment: run_of(each, time_scale=20) for each in REHEARSALS},
}


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
def test_everything_lies_within_the_picture(made: Data, layout: TimelineLayout) -> None:
    picture = timeline(journal(made), layout)
    holds(picture)
    assert picture.width == layout.width


def test_thousands_of_transitions_stay_a_small_picture() -> None:
    assert len(list(flat(timeline(journal(thousands()), WIDE).shapes))) < 1500


def test_the_moments_that_count_are_marked_at_their_time() -> None:
    found = [(round(each.at), each.label) for each in milestones_of(stopped())]
    assert found == [
        (0, "fault"),
        (420, "fault ended 420 s"),
        (187, "alarm 187 s"),
        (268, "failover 268 s"),
        (538, "failback 118 s after the fault's end"),
        (360, "objective 360 s"),
    ]
    assert milestones_of(journal(aborted_run())) == []
    # Clients were back before the fault's end was text.
    labels = [each.label for each in milestones_of(stopped(fault_ended_at=None))]
    assert labels == ["fault", "alarm 187 s", "failover 268 s", "objective 360 s"]


def test_the_prediction_is_a_band_from_best_to_worst() -> None:
    picture = timeline(stopped(), WIDE)
    (band,) = [each for each in picture.shapes if isinstance(each, Rect) and each.style == "band"]
    assert picture.scale is not None
    assert band.x == picture.scale.at(187.4)
    assert band.x + band.width == pytest.approx(picture.scale.at(380.3))
    texts = [each.text for each in picture.shapes if isinstance(each, Label)]
    assert "predicted 187 to 380 s" in texts
    beyond = timeline(stopped(predicted_seconds={"best": 5000, "worst": 6000}), WIDE)
    texts = [each.text for each in beyond.shapes if isinstance(each, Label)]
    assert "predicted 5,000 to 6,000 s →" in texts
    assert not [each for each in beyond.shapes if isinstance(each, Rect) and each.style == "band"]


def test_a_state_says_its_name_where_there_is_room_and_always_when_asked() -> None:
    short = replace(STOPPED, clients=((-60, BLUE), (100, GREEN), (103, BLUE)))
    picture = timeline(journal(run_of(short)), WIDE)
    (clients,) = [
        each
        for each in picture.shapes
        if isinstance(each, ShapeGroup) and each.name.startswith("What the client saw")
    ]
    text = [each.tooltip for each in clients.shapes if isinstance(each, Rect) and each.tooltip]
    assert f"{GREEN}, 100 s to 104 s" in text
    labels = [each.text for each in picture.shapes if isinstance(each, Label)]
    assert labels.count(BLUE) == 2
    assert GREEN not in labels


def test_what_happened_at_the_very_end_is_seen_within_the_axis() -> None:
    run = stopped(transitions=[transition(601, "client", "it", GREEN)])
    picture = timeline(run, WIDE)
    assert picture.scale is not None
    (bar,) = [
        each
        for each in flat(picture.shapes)
        if isinstance(each, Rect) and each.style == "bar standby"
    ]
    assert (bar.x + bar.width, bar.width) == (picture.scale.right, 2)


def test_the_timeline_is_described_in_words_too() -> None:
    text = timeline(stopped(), WIDE).description
    assert "failover 268 s" in text
    assert "no answer from 2.0 s" in text or "no answer from 2 s" in text
    assert f"{GREEN} from 268 s" in text


def test_prediction_and_measurement_share_a_scale_over_all_rows() -> None:
    runs = [stopped(), journal(run_of(BLACKHOLED))]
    interval = common_interval(runs)
    assert interval == Interval(0, 380.3)
    picture = comparison(runs[0], interval)
    assert picture is not None
    (diamond,) = [each for each in picture.shapes if isinstance(each, Mark)]
    (band,) = [each for each in picture.shapes if isinstance(each, Rect)]
    assert band.x < diamond.x < band.x + band.width
    assert comparison(runs[1], interval) is None
    assert runs[0].injected_at == BEGAN_AT
