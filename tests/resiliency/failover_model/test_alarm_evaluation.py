"""Alarms are evaluated as AWS documents it: each row of its tables, each example of its text.

Source of all cases: "Using Amazon CloudWatch alarms" in the CloudWatch User Guide,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html, in its
version of 17 May 2023 unless a case names another; today's alarms-and-missing-data.html there has
the same two tables of five rows each. Former versions are those of AWS's public
repository awsdocs/amazon-cloudwatch-user-guide.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from resiliency.failover_model.alarm_evaluation import (
    AlarmState,
    Comparison,
    Missing,
    Point,
    evaluate,
    point,
)
from resiliency.failover_model.assumptions import Assumptions
from staged_resiliency.shared import time_limits
from tests.cases import cases

RETAIN = "retain"
COLUMNS = (Missing.MISSING, Missing.IGNORE, Missing.BREACHING, Missing.NOT_BREACHING)

# source, data points, M of N = 3, then the four columns. Two cells of former versions say otherwise
# than today's text: row 5 of table 1 ALARM for ignore, of 2019 and 2020; and of table 2 OK for
# missing, of July 2019.
ROWS = """
table 1, row 1                    | 0 - X - X | 3 | OK                | OK     | OK    | OK
table 1, row 2                    | 0 - - - - | 3 | OK                | OK     | OK    | OK
table 1, row 3                    | - - - - - | 3 | INSUFFICIENT_DATA | retain | ALARM | OK
table 1, row 4                    | 0 X X - X | 3 | ALARM             | ALARM  | ALARM | ALARM
table 1, row 5                    | - - X - - | 3 | ALARM             | retain | ALARM | OK
table 2, row 1                    | 0 - X - X | 2 | ALARM             | ALARM  | ALARM | ALARM
table 2, row 2                    | 0 0 X 0 X | 2 | ALARM             | ALARM  | ALARM | ALARM
table 2, row 3                    | 0 - X - - | 2 | OK                | OK     | ALARM | OK
table 2, row 4                    | - - - - 0 | 2 | OK                | OK     | ALARM | OK
table 2, row 5                    | - - - X - | 2 | ALARM             | retain | ALARM | OK
table 1, row 5 until June 2019    | - - - - X | 3 | INSUFFICIENT_DATA | retain | ALARM | OK
table 1, row 6 of January 2019    | X - - - - | 3 | ALARM             | retain | ALARM | OK
table 2, row 5 until June 2019    | - - - - X | 2 | INSUFFICIENT_DATA | retain | ALARM | OK
table 2, row 5 of 2020            | - - X - - | 2 | ALARM             | retain | ALARM | OK
"""

# What the text says, beyond the tables: source, data points, M, treatment, state
EXAMPLES = """
premature: not at once, newest      | - - - - X | 3 | missing | INSUFFICIENT_DATA
premature: not at once, one missing | - - - X - | 3 | missing | INSUFFICIENT_DATA
premature: so a good point prevails | - - - X 0 | 3 | missing | OK
premature: so a good point prevails | - - X - 0 | 3 | missing | OK
premature: though few               | - - X - - | 3 | missing | ALARM
premature: others breaching         | - - X X - | 3 | missing | ALARM
premature: others breaching         | - - X - X | 3 | missing | ALARM
premature: M of N                   | - - X X - | 2 | missing | ALARM
table 1, row 2, evaluated again     | - - - - - | 3 | breaching | ALARM
no point is missing                 | X X 0 0 0 | 3 | breaching | OK
no point is missing                 | 0 0 X X X | 3 | notBreaching | ALARM
figure: third to fifth period       | 0 0 X X X | 3 | missing | ALARM
figure: sixth period                | X X X X 0 | 3 | missing | OK
figure: ninth period                | X 0 0 0 X | 3 | missing | OK
"""


def points(signs: str) -> Sequence[Point]:
    return [Point(sign) for sign in signs.split()]


def cells(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split("|")]


def table_cases() -> Iterator[object]:
    for source, signs, needed, *states in cells(ROWS):
        for missing, state in zip(COLUMNS, states, strict=True):
            for former in AlarmState:
                expected = former if state == RETAIN else AlarmState(state)
                yield pytest.param(
                    signs,
                    int(needed),
                    missing,
                    former,
                    expected,
                    id=f"{source}: {missing.value} after {former.value}",
                )


@pytest.mark.parametrize(("signs", "needed", "missing", "former", "expected"), list(table_cases()))
def test_each_cell_of_awss_tables_is_what_comes_out(
    signs: str, needed: int, missing: Missing, former: AlarmState, expected: AlarmState
) -> None:
    state = evaluate(
        points(signs),
        evaluation_periods=3,
        datapoints_to_alarm=needed,
        missing=missing,
        former=former,
    )
    assert state is expected


@pytest.mark.parametrize(
    ("signs", "needed", "missing", "expected"),
    [pytest.param(*case, id=f"{source}: {case[0]}") for source, *case in cells(EXAMPLES)],
)
def test_each_example_of_awss_text_is_what_comes_out(
    signs: str, needed: str, missing: str, expected: str
) -> None:
    state = evaluate(
        points(signs),
        evaluation_periods=3,
        datapoints_to_alarm=int(needed),
        missing=Missing(missing),
        former=AlarmState.OK,
    )
    assert state is AlarmState(expected)


def test_the_one_published_evaluation_range_is_the_assumed_one() -> None:
    assert 3 + time_limits.extra_periods(300) == 5


@cases(
    ("periods", "length", "queried", "oldest"),
    {
        # Events of CloudWatch in the test data of two projects: the start of the oldest data point
        # that decided the state, as nothing newer was there.
        "tidal-music/cw-alert-router": (1, 60, "06:56:05", "06:50"),
        "overmindtech/aws-source": (2, 60, "14:07:25", "14:01"),
        "an alarm on a load balancer": (1, 300, "01:57:48", "01:50"),
    },
)
def test_published_events_are_within_the_assumed_range(
    periods: int, length: int, queried: str, oldest: str
) -> None:
    at, begin = (datetime.fromisoformat(f"2026-01-01T{each}") for each in (queried, oldest))
    whole_minutes = int((at - begin).total_seconds() // 60)
    read = -(-whole_minutes * 60 // length)
    assert read <= periods + Assumptions().periods_beyond(length).high
    # With a range of two more, as AWS publishes it for 300 s, the data points would not count.
    assert (read > periods + 2) == (length == 60)


def test_all_points_must_breach_unless_said_otherwise() -> None:
    assert evaluate(points("0 X X"), evaluation_periods=3) is AlarmState.OK
    assert evaluate(points("X X X"), evaluation_periods=3) is AlarmState.ALARM


@pytest.mark.parametrize("missing", Missing)
def test_enough_bad_points_are_enough_whatever_missing_ones_count_as(missing: Missing) -> None:
    state = evaluate(
        points("X - X - 0 - -"), evaluation_periods=5, datapoints_to_alarm=2, missing=missing
    )
    assert state is AlarmState.ALARM


@pytest.mark.parametrize(
    ("comparison", "value", "expected"),
    [
        ("GreaterThanOrEqualToThreshold", 1, "X"),
        ("GreaterThanOrEqualToThreshold", 0.9, "0"),
        ("GreaterThanThreshold", 1, "0"),
        ("GreaterThanThreshold", 1.1, "X"),
        ("LessThanOrEqualToThreshold", 1, "X"),
        ("LessThanOrEqualToThreshold", 1.1, "0"),
        ("LessThanThreshold", 1, "0"),
        ("LessThanThreshold", 0.9, "X"),
        ("LessThanThreshold", None, "-"),
    ],
)
def test_a_value_is_compared_with_the_threshold_of_1(
    comparison: Comparison, value: float | None, expected: str
) -> None:
    assert point(value, comparison, 1) is Point(expected)


@pytest.mark.parametrize(
    ("signs", "needed", "message"),
    [
        ("X X", 3, "2 data points for 3 evaluation periods; give those of the whole evaluation"),
        ("X X X", 4, "4 of 3 data points to alarm; allowed: 1 to 3"),
        ("X X X", 0, "0 of 3 data points to alarm; allowed: 1 to 3"),
    ],
)
def test_what_is_no_evaluation_is_refused(signs: str, needed: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(points(signs), evaluation_periods=3, datapoints_to_alarm=needed)
