"""What no other subject of a review explains."""

from tests.resiliency.review.stacks import (
    alarm,
    pair,
    resource,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
)


def test_the_rest_is_short() -> None:
    before = {
        "A": alarm("a"),
        "B": resource("KMS::Key", Description="one"),
        "D": resource("S3::Bucket", {"DeletionPolicy": "Retain"}),
    }
    after = {
        "A": alarm(
            "a", AlarmDescription="b", Threshold=2, Period=120, Unit="Count", Statistic="Sum"
        ),
        "B": resource("KMS::Key", Description="two"),
        "C": resource("KMS::Key"),
    }
    assert texts(reviewed(before, after), "rest") == [
        "note modify Alarm a (Statistic, Threshold, Period, AlarmDescription...), Key B "
        "(Description)",
        "note add Key C",
        "note remove Bucket D (stays in the account: Retain)",
    ]


def test_stacks_that_are_left_stay_deployed() -> None:
    before, after = [stack({"A": alarm()}, "old")], [stack({"K": resource("KMS::Key")}, "new")]
    found = reviewed_stacks(before, after)
    assert texts(found, "rest")[0] == (
        "warning not among the later stacks, so that they stay deployed as they are: old"
    )


def test_equal_sides_have_no_findings() -> None:
    found = reviewed(pair(), pair())
    assert (list(found.findings), list(found.changes)) == ([], [])
