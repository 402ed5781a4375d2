"""The rule of an alarm: the metric, and when it breaches."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency.shared import alarm_settings, limits, validation
from staged_resiliency.shared.digest import digest, stable
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, wrong_type

Comparison = Literal[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
]
"""How a statistic is compared with a threshold."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """The eight fields of an alarm that Route 53 copies into a health check, and no others.

    Route 53 does not follow the alarm's state: it evaluates the metric itself, by these fields. So
    a rule can't express what Route 53 can't evaluate: metric math, percentiles, periods under a
    minute. See
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-updating-cloudwatch-alarm-settings.html

    Attributes:
        namespace: CloudWatch namespace of the metric; 1 to 255 characters.
        metric_name: Name of the metric; 1 to 255 characters.
        dimensions: All dimensions of the metric, by name; at most 30. Names have 1 to 255
            characters, values 1 to 1,024.
        statistic: Average, Maximum, Minimum, SampleCount or Sum.
        comparison: How the statistic is compared with the threshold, as CloudWatch names it or
            as the CDK's ``ComparisonOperator``.
        threshold: The value compared with, in the metric's unit.
        period_seconds: Length of a period in seconds, a multiple of 60; 60 unless given.
        evaluation_periods: Periods in a row that must breach; 1 unless given.
        metric_account: Account that a CDK metric is pinned to; not one of the eight. The alarm
            must be in the same one.
        metric_region: Region that a CDK metric is pinned to, likewise.

    Raises:
        InvalidInputError: A field can't be followed by Route 53 or is refused by CloudWatch.
    """

    namespace: str
    metric_name: str
    dimensions: Mapping[str, str]
    statistic: str
    comparison: Comparison | cloudwatch.ComparisonOperator
    threshold: float
    period_seconds: int = 60
    evaluation_periods: int = 1
    metric_account: str | None = field(default=None, compare=False, repr=False)
    metric_region: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        for name, text, most in self._texts():
            checked("AlarmRule", name, text, _between_one_and(most))
        checked("AlarmRule", "statistic", self.statistic, alarm_settings.failover_statistic)
        if isinstance(self.comparison, cloudwatch.ComparisonOperator):
            object.__setattr__(self, "comparison", _name_of(self.comparison))
        checked("AlarmRule", "comparison", str(self.comparison), _comparison)
        checked("AlarmRule", "threshold", self.threshold, _finite)
        checked(
            "AlarmRule",
            "period_seconds",
            self.period_seconds,
            alarm_settings.failover_period_seconds,
        )
        checked("AlarmRule", "evaluation_periods", self.evaluation_periods, self._window)
        if len(self.dimensions) > limits.MAX_DIMENSIONS:
            raise InvalidInputError(
                f"AlarmRule: dimensions: {len(self.dimensions)} are given; "
                f"CloudWatch takes at most {limits.MAX_DIMENSIONS}"
            )

    def _texts(self) -> Iterator[tuple[str, str, int]]:
        """Yield the metric's texts, each with its field and its maximum length."""
        yield "namespace", self.namespace, limits.MAX_NAMESPACE_CHARACTERS
        yield "metric_name", self.metric_name, limits.MAX_METRIC_NAME_CHARACTERS
        for name, value in self.dimensions.items():
            yield "dimensions", name, limits.MAX_DIMENSION_NAME_CHARACTERS
            yield "dimensions", value, limits.MAX_DIMENSION_VALUE_CHARACTERS

    @property
    def known_at_deployment(self) -> Sequence[str]:
        """Texts known only at deployment, which the alarm's name must contain (docs/adr/0003)."""
        return [text for _, text, _ in self._texts() if not is_literal(text)]

    @property
    def alarm_name(self) -> str:
        """A name for an alarm with this rule: the metric's name and its dimensions' values."""
        known_later = [] if is_literal(self.namespace) else [self.namespace]
        return "-".join([*known_later, self.metric_name, *self.dimensions.values()])

    def _window(self, evaluation_periods: int) -> int:
        if evaluation_periods < 1:
            raise ValueError(f"{evaluation_periods} periods can't be evaluated; give 1 or more")
        alarm_settings.alarm_window_seconds(self.period_seconds, evaluation_periods)
        return evaluation_periods

    @classmethod
    def on_metric(
        cls,
        metric: cloudwatch.IMetric,
        *,
        comparison: Comparison | cloudwatch.ComparisonOperator,
        threshold: float,
        evaluation_periods: int = 1,
    ) -> "AlarmRule":
        """Make a rule from a metric of the CDK.

        The metric's label and colour are dropped: with a label the CDK renders the alarm as metric
        math, which Route 53 refuses.

        Args:
            metric: The metric; its statistic and period are used.
            comparison: How the statistic is compared with the threshold.
            threshold: The value compared with, in the metric's unit.
            evaluation_periods: Periods in a row that must breach; 1 unless given.

        Raises:
            InvalidInputError: The metric is an expression, is filtered by unit, or has a
                statistic or period that Route 53 can't follow.
        """
        if isinstance(metric, str) or not hasattr(metric, "to_metric_config"):
            raise wrong_type("AlarmRule", "metric", metric, "a Metric of the CDK")
        if not isinstance(metric, cloudwatch.Metric):
            raise InvalidInputError(
                "AlarmRule: metric: a metric math expression can't be followed by a Route 53 "
                "health check; publish its result as a metric and give that"
            )
        if metric.unit is not None:
            raise InvalidInputError(
                f"AlarmRule: metric: is filtered by the unit {metric.unit.name}, which Route 53 "
                "does not copy, so it would read other data than the alarm; leave unit out"
            )
        return cls(
            namespace=metric.namespace,
            metric_name=metric.metric_name,
            dimensions=dict(metric.dimensions or {}),
            statistic=metric.statistic,
            comparison=comparison,
            threshold=threshold,
            period_seconds=int(metric.period.to_seconds()),
            evaluation_periods=evaluation_periods,
            metric_account=metric.account,
            metric_region=metric.region,
        )


def rule_digest(rule: AlarmRule) -> str:
    """Return the digest of the eight fields that Route 53 copies from an alarm."""
    return digest(
        stable(rule.namespace),
        stable(rule.metric_name),
        sorted([stable(name), stable(value)] for name, value in rule.dimensions.items()),
        stable(rule.statistic),
        stable(rule.period_seconds),
        stable(rule.evaluation_periods),
        stable(rule.threshold),
        str(rule.comparison),
    )


def _between_one_and(most: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value:
            raise ValueError(f"an empty text is given; give 1 to {most} characters")
        return validation.at_most(value, most, "the text")

    return check


def _name_of(comparison: cloudwatch.ComparisonOperator) -> str:
    """Return a comparison as CloudWatch names it: LESS_THAN_THRESHOLD is LessThanThreshold."""
    return comparison.name.title().replace("_", "")


def _comparison(value: str) -> str:
    if value not in get_args(Comparison):
        raise ValueError(
            f"{validation.shown(value)} is a comparison that Route 53 health checks can't follow; "
            f"allowed: {', '.join(get_args(Comparison))}"
        )
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number to compare with; give one like 1")
    return value
