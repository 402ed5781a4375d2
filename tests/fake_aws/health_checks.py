"""Health checks in moto that keep all of their settings, as Route 53's do.

moto drops the alarm of a health check, and what Route 53 does while the alarm has no data. It also
keeps no copy of the alarm's rule, which Route 53 makes when a health check is made or updated.
"""

from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult
from moto.route53 import models
from moto.route53.models import HealthCheck
from moto.route53.responses import Route53

from tests.support import Data

_ENDPOINT: Data = {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False}
_UPDATED = (
    *("IPAddress", "Port", "ResourcePath", "FullyQualifiedDomainName", "SearchString"),
    *("FailureThreshold", "Inverted", "Disabled", "HealthThreshold", "ChildHealthChecks"),
    *("EnableSNI", "Regions", "AlarmIdentifier", "InsufficientDataHealthStatus"),
)


def keep_settings(patch: pytest.MonkeyPatch) -> None:
    """Make moto's health checks keep what they are given."""
    create, update = Route53.create_health_check, Route53.update_health_check

    def created(response: Any) -> ActionResult:
        answer = create(response)
        check = _made(answer)
        given = response._get_param("HealthCheckConfig")
        usual = _ENDPOINT if given["Type"] not in ("CLOUDWATCH_METRIC", "CALCULATED") else {}
        check.given = {"Inverted": False, "Disabled": False, **usual, **given}
        _copy_alarm(response, check)
        return answer

    def updated(response: Any) -> ActionResult:
        answer = update(response)
        check = _made(answer)
        for name in _UPDATED:
            value = response._get_param(name)
            if value is not None:
                check.given[name] = value
        for name in response._get_param("ResetElements") or ():
            check.given.pop(name, None)
        _copy_alarm(response, check)
        return answer

    # Route 53's ids of zones begin with Z.
    zone_id = models.create_route53_zone_id
    patch.setattr(models, "create_route53_zone_id", lambda **given: f"Z{zone_id(**given)}")
    patch.setattr(Route53, "create_health_check", created)
    patch.setattr(Route53, "update_health_check", updated)
    patch.setattr(HealthCheck, "health_check_config", property(lambda check: check.given))


def _made(answer: ActionResult) -> Any:
    result: Any = answer.result
    return result["HealthCheck"]


def _copy_alarm(response: Any, check: Any) -> None:
    identifier = check.given.get("AlarmIdentifier")
    if not identifier:
        return
    backend = cloudwatch_backends[response.current_account][identifier["Region"]]
    alarm = backend.alarms.get(identifier["Name"])
    if alarm is not None:
        check.cloud_watch_alarm_configuration = {
            "EvaluationPeriods": alarm.evaluation_periods,
            "Threshold": alarm.threshold,
            "ComparisonOperator": alarm.comparison_operator,
            "Period": alarm.period,
            "MetricName": alarm.metric_name,
            "Namespace": alarm.namespace,
            "Statistic": alarm.statistic,
            "Dimensions": [{"Name": each.name, "Value": each.value} for each in alarm.dimensions],
        }
