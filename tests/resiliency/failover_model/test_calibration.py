"""How many periods CloudWatch reads is learned from drills that stopped a host."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from resiliency.failover_model.alarm_readings import alarm_readings
from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.calibration import Evidence, agreed, calibrate, calibration_lines
from resiliency.failover_model.faults import Effect
from tests.cases import cases
from tests.journals import drill_runs
from tests.resiliency.conftest import Resiliency
from tests.resiliency.failover_model.support import Always, status_alarm

ALARM = "bookstore-api-blue-StatusCheckFailed"
STOP = datetime(2026, 11, 3, 18, 0, 30, tzinfo=timezone.utc)
Data = dict[str, object]
Write = Callable[..., Sequence[Path]]


def journal(stop: datetime = STOP, **changes: object) -> Data:
    """The journal of a drill that stopped blue."""
    template = next(each for each in drill_runs(1) if each["fault"] == "host stopped")
    return {
        **template,
        "injected_at": _text(stop),
        "observed_until": _text(stop + timedelta(minutes=30)),
        "host": "bookstore-api-blue",
        **changes,
    }


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def history(queried: datetime, *, period: int = 60, periods: int = 1, state: str = "ALARM") -> Data:
    """What `aws cloudwatch describe-alarm-history` prints."""
    reason = (
        f"Threshold Crossed: no datapoints were received for {periods} "
        f"period{'s' if periods > 1 else ''} and {periods} missing datapoints were treated as "
        "[Breaching]."
    )
    data = {
        "version": "1.0",
        "oldState": {"stateValue": "OK"},
        "newState": {
            "stateValue": state,
            "stateReason": reason,
            "stateReasonData": {
                "version": "1.0",
                "queryDate": queried.strftime("%Y-%m-%dT%H:%M:%S.092+0000"),
                "statistic": "Maximum",
                "period": period,
                "recentDatapoints": [],
                "threshold": 1.0,
            },
        },
    }
    item = {
        "AlarmName": ALARM,
        "AlarmType": "MetricAlarm",
        "Timestamp": "2026-11-03T18:06:09.605000+00:00",
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from OK to {state}",
        "HistoryData": json.dumps(data),
    }
    return {"AlarmHistoryItems": [{**item, "HistoryItemType": "Action", "HistoryData": "{}"}, item]}


def points(last: datetime) -> Data:
    """What `aws cloudwatch get-metric-statistics` prints: unordered."""
    times = [last - timedelta(minutes=back) for back in (2, 0, 1)]
    return {
        "Label": "StatusCheckFailed",
        "Datapoints": [
            {"Timestamp": at.isoformat(), "Maximum": 0.0, "Unit": "Count"} for at in times
        ],
    }


@pytest.fixture
def files(tmp_path: Path) -> Write:
    def write(*documents: object) -> Sequence[Path]:
        written = []
        for number, document in enumerate(documents):
            file = tmp_path / f"{number}.json"
            file.write_text(json.dumps(document), encoding="utf-8")
            written.append(file)
        return written

    return write


def at(minute: int, second: int = 9) -> datetime:
    return STOP.replace(minute=minute, second=second)


def test_the_last_point_and_the_query_give_the_number(files: Write) -> None:
    # The newest whole minute is 18:05, and 18:00 is no longer read: 18:01 to 18:05 are.
    (found,) = calibrate(files(points(at(0, 0)), history(at(6)), journal()))
    assert (found.alarm, found.assumption, found.least, found.most) == (
        ALARM,
        "extra_periods",
        4,
        4,
    )


@pytest.mark.parametrize("extra", [2, 3, 4, 5])
def test_it_finds_the_number_by_which_the_model_fires(files: Write, extra: int) -> None:
    given = replace(Assumptions(), extra_periods=Range(extra, extra, "periods", "a test"))
    readings = alarm_readings(
        status_alarm(),
        Effect.SILENT,
        periods_read=1 + extra,
        fault_at=30,
        assumptions=given,
        chance=Always(0.4),  # the check at second 24 is the last
    )
    fired = next(seconds for seconds, signs in readings.starting(-30) if set(signs) == {"-"})
    queried = STOP.replace(second=0) + timedelta(seconds=fired)
    (found,) = calibrate(files(journal(), points(at(0, 0)), history(queried)))
    assert (found.least, found.most) == (extra, extra)
    (rough,) = calibrate(files(journal(), history(queried)))
    assert rough.least <= extra <= rough.most


def test_more_drills_leave_fewer_numbers(files: Write) -> None:
    later = STOP.replace(day=10, second=50)
    found = calibrate(
        files(
            journal(),
            journal(later, run_id="2026-11-10"),
            history(at(6)),
            history(later.replace(minute=7, second=3)),
        )
    )
    assert [(each.least, each.most) for each in found] == [(3, 5), (4, 6)]
    assert agreed(found) == {"extra_periods": (4, 5)}
    assert list(calibration_lines(found))[-2:] == [
        "give --assume extra_periods=4:5",
        "or, in the service file, assumptions: { extra_periods: [4, 5] }",
    ]


def test_where_drills_do_not_agree_all_that_was_found_is_given() -> None:
    found = [Evidence("a", "1", "extra_periods", 2, 2), Evidence("a", "2", "extra_periods", 5, 5)]
    assert agreed(found) == {"extra_periods": (2, 5)}


def test_long_periods_are_another_number(files: Write) -> None:
    documents = [journal(), points(at(0, 0)), history(at(16, 4), period=300)]
    (found,) = calibrate(files(*documents))
    assert (found.assumption, found.least, found.most) == ("extra_long_periods", 2, 2)


@cases(
    "documents",
    {
        "no history": [journal()],
        "no drill": [history(at(6))],
        "not ALARM": [journal(), history(at(6), state="OK")],
        "after the drill": [journal(), history(at(50))],
        "another host": [journal(host="bookstore-api-green"), history(at(6))],
        "another fault": [journal(fault="dependency blackholed"), history(at(6))],
    },
)
def test_without_evidence_it_says_what_to_give(
    documents: Sequence[Data], files: Write, resiliency: Resiliency
) -> None:
    done = resiliency("timing", "--calibrate", *map(str, files(*documents)), status=1)
    assert done.err == (
        "--calibrate: no alarm fired for missing data in a drill that stopped a host; give the "
        "journals of such drills and the history of the host's status alarm\n"
    )


def test_what_is_neither_journal_nor_history_is_refused(
    files: Write, resiliency: Resiliency
) -> None:
    broken = {"AlarmHistoryItems": [{"HistoryItemType": "StateUpdate", "HistoryData": "{"}]}
    for document, message in ((["x"], "allowed are journals"), (broken, "describe-alarm-history")):
        error = resiliency("timing", "--calibrate", *map(str, files(document)), status=1).err
        assert message in error
        assert len(error.splitlines()) == 1


def test_the_command_prints_the_option_to_give(files: Write, resiliency: Resiliency) -> None:
    given = files(journal(run_id="2026-11-03"), history(at(6)))
    done = resiliency("timing", "--calibrate", *map(str, given))
    assert done.out == (
        f"{ALARM}, run 2026-11-03: extra_periods 3 to 5\ngive --assume extra_periods=3:5\n"
        "or, in the service file, assumptions: { extra_periods: [3, 5] }\n"
    )
