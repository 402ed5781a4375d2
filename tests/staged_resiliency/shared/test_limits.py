"""Limits and choices are those of AWS's own models of its APIs and regions."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import get_args

import botocore.session
import pytest
from botocore.loaders import Loader
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from staged_resiliency import AlarmRule, InsufficientData
from staged_resiliency.failover.alarm_rule import Comparison
from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import limits
from tests.cases import cases
from tests.staged_resiliency.api_model import service_model


@cases(
    ("ours", "shape"),
    {
        "regions whose alarms it reads": (limits.ALARM_REGIONS, "CloudWatchRegion"),
        "regions of checkers": (limits.CHECKER_REGIONS, "HealthCheckRegion"),
        "statistics": (limits.FAILOVER_STATISTICS, "Statistic"),
        "comparisons": (get_args(Comparison), "ComparisonOperator"),
        "choices for too little data": (
            [choice.value for choice in InsufficientData],
            "InsufficientDataHealthStatus",
        ),
    },
)
def test_what_route_53_takes_are_these(ours: Sequence[str], shape: str) -> None:
    assert set(ours) == set(service_model("route53").shape_for(shape).enum)


def test_route_53_asks_for_so_many_regions_of_checkers() -> None:
    regions = service_model("route53").shape_for("HealthCheckRegionList")
    assert regions.metadata["min"] == limits.MIN_CHECKER_REGIONS


def test_the_regions_without_fis_are_those_where_cloudformation_has_no_experiment() -> None:
    """cfn-lint has the resource types of each region, from CloudFormation's registry."""
    without = {
        region
        for region in limits.ALARM_REGIONS
        if "AWS::FIS::ExperimentTemplate" not in PROVIDER_SCHEMA_MANAGER.get_resource_types(region)
    }
    assert set(limits.REGIONS_WITHOUT_FIS) == without


def test_metrics_of_health_checks_are_where_route_53s_api_is() -> None:
    for partition in Loader().load_data("endpoints")["partitions"]:
        found = partition["services"].get("route53")
        if found is None:
            continue
        api = found["endpoints"][found["partitionEndpoint"]]["credentialScope"]["region"]
        for region in limits.ALARM_REGIONS:
            if limits.partition_of(region) == partition["partition"]:
                assert limits.health_check_metrics_region(region) == api


def test_a_rule_has_exactly_the_fields_that_route_53_copies() -> None:
    named = {"comparison": "ComparisonOperator", "period_seconds": "Period"}
    ours = {
        named.get(field.name, field.name.title().replace("_", ""))
        for field in fields(AlarmRule)
        if field.compare
    }
    assert ours == set(service_model("route53").shape_for("CloudWatchAlarmConfiguration").members)


def test_the_partition_of_a_region_is_botocore_s() -> None:
    session = botocore.session.get_session()
    for region in limits.ALARM_REGIONS:
        assert limits.partition_of(region) == session.get_partition_for_region(region)


@cases(
    ("shape", "check"),
    {
        "concurrency": ("MaxConcurrency", probe_validation.max_concurrency),
        "errors": ("MaxErrors", probe_validation.max_errors),
    },
)
@pytest.mark.parametrize("value", ["0", "1", "07", "10", "12345678", "0%", "5%", "100%", "101%"])
def test_rates_are_those_that_state_manager_takes(
    shape: str, check: Callable[[str], str], value: str
) -> None:
    rule = service_model("ssm").shape_for(shape).metadata
    taken = re.search(rule["pattern"], value) is not None and len(value) <= rule["max"]
    if taken:
        assert check(value) == value
    else:
        with pytest.raises(ValueError, match="is not a number or share of instances"):
            check(value)
