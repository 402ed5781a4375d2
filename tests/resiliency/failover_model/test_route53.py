"""Health checks and answers are what Route 53's documentation says.

Sources, all in https://docs.aws.amazon.com/Route53/latest/:
G: DeveloperGuide/dns-failover-determining-health-of-endpoints.html
C: DeveloperGuide/health-checks-how-route-53-chooses-records.html
A: APIReference/API_HealthCheckConfig.html
"""

import itertools

import pytest

from resiliency.failover_model.alarm_evaluation import Point
from resiliency.failover_model.route53 import (
    InsufficientData,
    Role,
    alarm_health,
    answer,
    calculated_health,
    status,
    unhealthy_checkers_needed,
)
from tests.cases import cases

# C, "Failover records" and "Records without a health check are always healthy"
ANSWERS = {
    (True, True): Role.PRIMARY,
    (True, False): Role.PRIMARY,
    (True, None): Role.PRIMARY,
    (False, True): Role.SECONDARY,
    (False, False): Role.PRIMARY,  # "both unhealthy: returns the primary record"
    (False, None): Role.SECONDARY,
    (None, True): Role.PRIMARY,
    (None, False): Role.PRIMARY,
    (None, None): Role.PRIMARY,
}


@pytest.mark.parametrize(
    ("primary", "secondary"), list(itertools.product((True, False, None), repeat=2))
)
def test_a_pair_answers_as_documented(primary: bool | None, secondary: bool | None) -> None:
    assert answer(primary, secondary) is ANSWERS[primary, secondary]


# A, Disabled and Inverted
@pytest.mark.parametrize(
    ("healthy", "inverted", "disabled", "expected"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (True, True, False, False),
        (False, True, False, True),
        (True, False, True, True),
        (False, False, True, True),  # "considers the status to always be healthy"
        (True, True, True, False),  # "to stop routing traffic, change the value of Inverted"
        (False, True, True, False),
    ],
)
def test_inverted_and_disabled_act_as_documented(
    healthy: bool, inverted: bool, disabled: bool, expected: bool
) -> None:
    assert status(healthy, inverted=inverted, disabled=disabled) is expected


# G, "health checks that monitor CloudWatch alarms", and A, InsufficientDataHealthStatus
@cases(
    ("signs", "insufficient_data", "last_known", "expected"),
    {
        "the stream says OK": ("0000", "Unhealthy", True, True),
        "the stream says ALARM": ("00XX", "Healthy", True, False),
        "one of two is not enough": ("000X", "Unhealthy", True, True),
        "silence is health": ("----", "Healthy", False, True),
        "silence is failure": ("----", "Unhealthy", True, False),
        "silence keeps health": ("----", "LastKnownStatus", True, True),
        "silence keeps failure": ("----", "LastKnownStatus", False, False),
        "a new one is healthy": ("----", "LastKnownStatus", None, True),
        "one good point is no silence": ("0---", "Unhealthy", True, True),
        "one bad point is too little": ("---X", "Healthy", True, True),
        "one bad point that is old enough is not": ("--X-", "Healthy", True, False),
    },
)
def test_a_health_check_on_an_alarm_reads_the_data_stream(
    signs: str, insufficient_data: str, last_known: bool | None, expected: bool
) -> None:
    health = alarm_health(
        [Point(sign) for sign in signs],
        evaluation_periods=2,
        insufficient_data=InsufficientData(insufficient_data),
        last_known=last_known,
    )
    assert health is expected


# A, HealthThreshold
@pytest.mark.parametrize(
    ("children", "threshold", "expected"),
    [
        ((True, True), 2, True),
        ((True, False), 2, False),
        ((True, False), 1, True),
        ((False, False), 1, False),
        ((False, False), 0, True),
        ((True, True), 3, False),
        ((), 0, True),
    ],
)
def test_a_calculated_health_check_counts_healthy_children(
    children: tuple[bool, ...], threshold: int, expected: bool
) -> None:
    assert calculated_health(children, threshold) is expected


# Source G says: healthy above 18 per cent of the checkers, unhealthy at 18 per cent or fewer.
@pytest.mark.parametrize(("checkers", "needed"), [(1, 1), (5, 5), (6, 5), (16, 14), (100, 82)])
def test_an_endpoint_is_unhealthy_when_18_per_cent_of_checkers_or_fewer_reach_it(
    checkers: int, needed: int
) -> None:
    assert unhealthy_checkers_needed(checkers) == needed
    assert (checkers - needed) / checkers <= 0.18
    assert (checkers - needed + 1) / checkers > 0.18
