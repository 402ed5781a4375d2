"""Templates as somebody else's hand would write them, and chance that is none."""

import copy
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from resiliency.failover_model.alarm_evaluation import Missing
from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.graph import (
    Alarm,
    AlarmCheck,
    CalculatedCheck,
    EndpointCheck,
    FailoverGraph,
    HealthCheck,
    Metric,
    Pair,
    Record,
)
from resiliency.failover_model.route53 import InsufficientData
from resiliency.failover_model.template_reader import read_graph

Data = dict[str, Any]
TEMPLATES = Path(__file__).parent / "templates"


class Always(random.Random):
    """Draws the same number each time."""

    def __new__(cls, _share: float) -> "Always":
        return super().__new__(cls)

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def random(self) -> float:
        return self._share


PAIR = (TEMPLATES / "pair.yaml").read_text(encoding="utf-8")
_PARSED: Data = yaml.safe_load(PAIR)


def hand_written() -> Data:
    """The template of ``templates/pair.yaml``, to be edited freely."""
    return copy.deepcopy(_PARSED)


def edited(edit: Callable[[Data], object]) -> Mapping[str, Data]:
    """The template above after an edit of its resources, as the only one."""
    template = hand_written()
    edit(template["Resources"])
    return {"site": template}


def changed(place: str, value: object) -> Mapping[str, Data]:
    """The template above with one property changed, as ``First.TTL``."""

    def edit(resources: Data) -> None:
        logical_id, *keys, last = place.split(".")
        target = resources[logical_id]["Properties"]
        for key in keys:
            target = target[key]
        target[last] = value

    return edited(edit)


def refusal(templates: Mapping[str, Any]) -> str:
    """Why templates are refused."""
    with pytest.raises(TemplateError) as raised:
        read_graph(templates)
    return str(raised.value)


def status_alarm(**changes: Any) -> Alarm:
    """The alarm on a host's EC2 status checks, as the library makes it."""
    settings: Data = {
        "name": "shop-blue-StatusCheckFailed",
        "metric": Metric("AWS/EC2", "StatusCheckFailed", (("InstanceId", "i-1"),)),
        "statistic": "Maximum",
        "comparison": "GreaterThanOrEqualToThreshold",
        "threshold": 1.0,
        "period_seconds": 60,
        "evaluation_periods": 1,
        "datapoints_to_alarm": 1,
        "missing": Missing.BREACHING,
    }
    return Alarm(**{**settings, **changes})


def probe_alarm(name: str, periods: int = 2, host: str = "shop-blue", **more: str) -> Alarm:
    """An alarm on what a probe publishes, as the library makes it."""
    return Alarm(
        name=f"{host}-{name}-failed",
        metric=Metric("Shop", name, (("Host", host), *more.items())),
        statistic="Average",
        comparison="LessThanThreshold",
        threshold=1.0,
        period_seconds=60,
        evaluation_periods=periods,
        datapoints_to_alarm=periods,
    )


def peer_alarm() -> Alarm:
    """The alarm on what green says of blue."""
    return probe_alarm("peer-connectivity", Observer="shop-green")


def unhealthy(alarm: Alarm, **more: Any) -> AlarmCheck:
    """A health check on an alarm for which too little data is failure."""
    return AlarmCheck(alarm.name, alarm, InsufficientData.UNHEALTHY, **more)


def healthy(alarm: Alarm, **more: Any) -> AlarmCheck:
    """A health check on an alarm for which too little data is health."""
    return AlarmCheck(alarm.name, alarm, InsufficientData.HEALTHY, **more)


def endpoint(address: str = "192.0.2.1", kind: str = "HTTP", **more: Any) -> EndpointCheck:
    """A health check of blue's endpoint."""
    return EndpointCheck("endpoint", kind, address, **more)


def all_of(*children: HealthCheck, threshold: int | None = None, **more: Any) -> CalculatedCheck:
    """A health check that needs all of others, or so many of them."""
    needed = len(children) if threshold is None else threshold
    return CalculatedCheck("all", children, needed, **more)


def pair_of(
    primary: HealthCheck | None, secondary: HealthCheck | None = None, ttl_seconds: int = 60
) -> Pair:
    """A pair with these health checks."""
    return Pair(
        "shop.example.com",
        "A",
        Record(("192.0.2.1",), ttl_seconds, primary),
        Record(("192.0.2.2",), ttl_seconds, secondary),
    )


def graph_of(pair: Pair, *alarms: Alarm) -> FailoverGraph:
    """A graph of one pair and alarms that decide nothing."""
    return FailoverGraph([pair], alarms)
