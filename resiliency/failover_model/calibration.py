"""Learns from past drills how many periods CloudWatch reads before it acts on missing data.

An alarm fires for missing data at the first evaluation whose range no longer has the last data
point. So the time of that query and the last data point before the stop give the range. The input
is the journals of drills, what `aws cloudwatch describe-alarm-history` printed, and, to know the
last data point itself, what `aws cloudwatch get-metric-statistics` printed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from resiliency.errors import UserError
from resiliency.failover_model.assumptions import extra_periods_name
from staged_resiliency.experiment.journal import Journal, journal_from_json
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.shared.time_limits import MINUTE

_STOPPED: Final = "host stopped"
_MISSING: Final = re.compile(r"no datapoints were received for (\d+) periods?")
_POINTS_BEFORE_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Evidence:
    """One alarm that fired for missing data during a drill.

    Attributes:
        assumption: Name of the assumption that it is about.
        least: The fewest periods that CloudWatch may have read beyond the evaluation periods.
        most: The most.
    """

    alarm: str
    run_id: str
    assumption: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class _Firing:
    alarm: str
    queried_at: float
    period_seconds: int
    evaluation_periods: int


def calibrate(files: Sequence[Path]) -> Sequence[Evidence]:
    """Find the evidence in journals, alarm histories and metric statistics, in any order.

    Raises:
        UserError: A file of none of these kinds, or no alarm that fired for missing data in a drill
            that stopped a host.
    """
    journals: list[Journal] = []
    firings: list[_Firing] = []
    points: dict[str, list[float]] = {}
    for file in files:
        match _content(file):
            case {"AlarmHistoryItems": list(items)}:
                firings += _firings(items, file)
            case {"Datapoints": list(found), "Label": str(metric)}:
                points.setdefault(metric, []).extend(_moment(each["Timestamp"]) for each in found)
            case document:
                try:
                    journals.append(journal_from_json(document, str(file)))
                except DataError as error:
                    raise UserError(
                        f"{error}; allowed are journals of drills, and what `aws cloudwatch "
                        "describe-alarm-history` and `get-metric-statistics` print as JSON"
                    ) from None
    found = [
        each
        for journal in journals
        for firing in firings
        if (each := _evidence(journal, firing, points)) is not None
    ]
    if not found:
        raise UserError(
            "--calibrate: no alarm fired for missing data in a drill that stopped a host; give "
            "the journals of such drills and the history of the host's status alarm"
        )
    return found


def agreed(evidence: Sequence[Evidence]) -> Mapping[str, tuple[int, int]]:
    """Return for each assumption the range on which the evidence agrees.

    Where it does not agree, the range has all that was found.
    """
    found = {}
    for name in dict.fromkeys(each.assumption for each in evidence):
        about = [each for each in evidence if each.assumption == name]
        least, most = max(each.least for each in about), min(each.most for each in about)
        if least > most:
            least, most = min(each.least for each in about), max(each.most for each in about)
        found[name] = (least, most)
    return found


def calibration_lines(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield lines to print: each piece of evidence, and the options that follow from all."""
    for each in evidence:
        extent = str(each.least) if each.least == each.most else f"{each.least} to {each.most}"
        yield f"{each.alarm}, run {each.run_id}: {each.assumption} {extent}"
    for name, (least, most) in agreed(evidence).items():
        value = str(least) if least == most else f"{least}:{most}"
        yield f"give --assume {name}={value}"
        if name == "extra_periods":
            given = f"{least}" if least == most else f"[{least}, {most}]"
            yield f"or, in the service file, assumptions: {{ {name}: {given} }}"


def _content(file: Path) -> object:
    try:
        content: object = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: is not there") from None
    except OSError as error:
        raise UserError(f"{file}: can't be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is not JSON in UTF-8 ({error})") from None
    return content


def _firings(items: Sequence[Any], file: Path) -> Iterator[_Firing]:
    """Find the changes to ALARM for missing data in an alarm's history."""
    for item in items:
        try:
            if item["HistoryItemType"] != "StateUpdate":
                continue
            state = json.loads(item["HistoryData"])["newState"]
            missing = _MISSING.search(state["stateReason"])
            if state["stateValue"] == "ALARM" and missing:
                data = state["stateReasonData"]
                yield _Firing(
                    str(item["AlarmName"]),
                    _moment(data["queryDate"]),
                    int(data["period"]),
                    int(missing[1]),
                )
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{file}: has an item that is not of the form of describe-alarm-history "
                f"({type(error).__name__}: {error})"
            ) from None


def _evidence(
    journal: Journal, firing: _Firing, points: Mapping[str, Sequence[float]]
) -> Evidence | None:
    """Compare a firing with the last data point before it; None if the drill did not cause it."""
    injected, until = journal.injected_at, journal.observed_until
    if journal.kind != "drill" or journal.fault != _STOPPED or injected is None or until is None:
        return None
    if journal.host not in firing.alarm or not injected <= firing.queried_at <= until:
        return None
    last = [
        at
        for metric, all_of_them in points.items()
        if metric in firing.alarm
        for at in all_of_them
        if injected - _POINTS_BEFORE_SECONDS <= at <= firing.queried_at
    ]
    minute = injected // MINUTE * MINUTE
    # Without data points: that of the minute before, of the same one, or, as stopping takes some
    # time, of the next one may have been the last.
    earliest, latest = (max(last), max(last)) if last else (minute - MINUTE, minute + MINUTE)
    newest = firing.queried_at // MINUTE * MINUTE
    least, most = (
        int((newest - at - MINUTE) // firing.period_seconds) - firing.evaluation_periods
        for at in (latest, earliest)
    )
    name = extra_periods_name(firing.period_seconds)
    return Evidence(firing.alarm, journal.run_id, name, max(0, least), max(0, most))


def _moment(text: str) -> float:
    form = "%Y-%m-%dT%H:%M:%S.%f%z" if "." in text else "%Y-%m-%dT%H:%M:%S%z"
    return datetime.strptime(text, form).timestamp()
