"""The digest of a rule changes with its eight fields, and with nothing else."""

import re
import string
from dataclasses import fields, replace
from typing import Any

from aws_cdk import Token
from hypothesis import example, given
from hypothesis import strategies as st

from staged_resiliency import AlarmRule
from staged_resiliency.failover.alarm_rule import rule_digest
from tests.staged_resiliency.support import a_rule

texts = st.text(min_size=1, max_size=12) | st.text(string.ascii_letters, min_size=1, max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "namespace": texts,
    "metric_name": texts,
    "dimensions": st.dictionaries(texts, texts, max_size=4),
    "statistic": st.sampled_from(["Average", "Maximum", "Minimum", "SampleCount", "Sum"]),
    "comparison": st.sampled_from(
        [
            "GreaterThanOrEqualToThreshold",
            "GreaterThanThreshold",
            "LessThanOrEqualToThreshold",
            "LessThanThreshold",
        ]
    ),
    "threshold": st.integers(-3, 3) | st.floats(-1e200, 1e200),
    "period_seconds": st.integers(1, 60).map(lambda minutes: 60 * minutes),
    "evaluation_periods": st.integers(1, 24),
}
rules = st.builds(AlarmRule, **VALUES)


def test_the_rules_below_have_every_field() -> None:
    assert set(VALUES) == {field.name for field in fields(AlarmRule) if field.compare}


@st.composite
def rule_and_edited(draw: st.DrawFn) -> tuple[AlarmRule, AlarmRule]:
    """A rule, and the same with one field drawn anew, which may give the same value."""
    rule = draw(rules)
    field = draw(st.sampled_from(sorted(VALUES)))
    return rule, replace(rule, **{field: draw(VALUES[field])})


@given(rule_and_edited())
@example((a_rule(threshold=0.0), a_rule(threshold=-0.0)))
@example((a_rule(threshold=1), a_rule(threshold=1.0)))
@example((a_rule(threshold=1), a_rule(threshold=1.0000000000000002)))
@example((a_rule(dimensions={"a": "b"}), a_rule(dimensions={"b": "a"})))
@example((a_rule(dimensions={"a": "b c"}), a_rule(dimensions={"a b": "c"})))
@example((a_rule(namespace="ab", metric_name="c"), a_rule(namespace="a", metric_name="bc")))
@example((a_rule(namespace="a", metric_name="b"), a_rule(namespace="b", metric_name="a")))
def test_digests_are_equal_exactly_when_the_rules_are(rules: tuple[AlarmRule, AlarmRule]) -> None:
    one, other = rules
    assert (rule_digest(one) == rule_digest(other)) == (one == other)


@given(rules, st.randoms(use_true_random=False))
def test_the_order_of_dimensions_does_not_matter(rule: AlarmRule, random: Any) -> None:
    shuffled = list(rule.dimensions.items())
    random.shuffle(shuffled)
    assert rule_digest(replace(rule, dimensions=dict(shuffled))) == rule_digest(rule)


@given(rules)
def test_a_digest_is_eight_upper_case_hexadecimal_digits(rule: AlarmRule) -> None:
    assert re.fullmatch(r"[0-9A-F]{8}", rule_digest(rule))


def test_a_digest_stays_what_it_was() -> None:
    # Another digest for the same rule would replace every deployed health check.
    assert rule_digest(a_rule()) == "CEA6AC65"


def test_two_values_known_at_deployment_have_one_digest() -> None:
    one, other = (a_rule(dimensions={"Id": Token.as_string({"Ref": name})}) for name in "AB")
    assert one != other
    assert rule_digest(one) == rule_digest(other)


def test_a_value_known_at_deployment_has_another_digest_than_a_plain_one() -> None:
    token = a_rule(dimensions={"Id": Token.as_string({"Ref": "A"})})
    assert rule_digest(token) != rule_digest(a_rule(dimensions={"Id": "A"}))
