"""Failover of EC2 pairs that survives the loss of an instance or of a dependency.

The names below are this package's public interface; everything else may change. They are
loaded when first used, so that reading a service file does not start the CDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staged_resiliency.alarm_rule import AlarmRule, Comparison
    from staged_resiliency.alarms import (
        ConnectivityAlarm,
        InstanceStatusAlarm,
        MissingData,
        SignalAlarm,
    )
    from staged_resiliency.dashboard import ConnectivityMetric, ServiceDashboard
    from staged_resiliency.drills.cadence import CadenceAlarm
    from staged_resiliency.drills.drill import Drill
    from staged_resiliency.drills.drilled import DrilledHost, DrilledService, DrillWindow
    from staged_resiliency.drills.experiment import FaultExperiment
    from staged_resiliency.drills.faults import BlackholePort, Fault, StopInstance
    from staged_resiliency.drills.plan import Predicted
    from staged_resiliency.drills.runner import DrillRunner
    from staged_resiliency.drills.schedule import DrillSchedule
    from staged_resiliency.endpoint_health_check import (
        EndpointHealthCheck,
        HttpRequest,
        HttpsRequest,
        Request,
        TcpConnect,
    )
    from staged_resiliency.errors import InvalidInputError
    from staged_resiliency.experiment.hypothesis import (
        AlarmFires,
        AlarmQuiet,
        AlarmRecovers,
        ClientsMove,
        ClientsReturn,
        ClientsServed,
        ClientsStay,
        Expectation,
    )
    from staged_resiliency.failover import InstanceFailover
    from staged_resiliency.health_checks import (
        AlarmHealthCheck,
        CalculatedHealthCheck,
        HealthCheck,
        InsufficientData,
    )
    from staged_resiliency.notifications import (
        AdoptedAlarmTopic,
        AlarmKey,
        AlarmTopic,
        AlarmTopicBase,
        Topic,
    )
    from staged_resiliency.pair import Color
    from staged_resiliency.probe.alarms import PeerAlarm, ProbeSilentAlarm
    from staged_resiliency.probe.configuration import ProbeConfiguration
    from staged_resiliency.probe.instances import (
        Instances,
        InstancesById,
        InstancesByName,
        InstancesByTag,
    )
    from staged_resiliency.probe.probe_agent import ProbeAgent
    from staged_resiliency.probe.target_checks import (
        DnsCheck,
        HttpCheck,
        HttpsCheck,
        TargetCheck,
        TcpCheck,
        TlsCheck,
    )
    from staged_resiliency.records import (
        AddressTarget,
        AliasTarget,
        FailoverRecords,
        HostedZone,
        LoadBalancer,
        Target,
    )
    from staged_resiliency.signals import (
        AlarmSignal,
        EndpointSignal,
        FailoverHost,
        Signal,
        StatusSignal,
        WatchedHost,
    )
    from staged_resiliency.subscriptions import (
        EmailSubscription,
        HttpsSubscription,
        QueueSubscription,
        Subscription,
    )

__all__ = [
    "AddressTarget",
    "AdoptedAlarmTopic",
    "AlarmFires",
    "AlarmHealthCheck",
    "AlarmKey",
    "AlarmQuiet",
    "AlarmRecovers",
    "AlarmRule",
    "AlarmSignal",
    "AlarmTopic",
    "AlarmTopicBase",
    "AliasTarget",
    "BlackholePort",
    "CadenceAlarm",
    "CalculatedHealthCheck",
    "ClientsMove",
    "ClientsReturn",
    "ClientsServed",
    "ClientsStay",
    "Color",
    "Comparison",
    "ConnectivityAlarm",
    "ConnectivityMetric",
    "DnsCheck",
    "Drill",
    "DrillRunner",
    "DrillSchedule",
    "DrillWindow",
    "DrilledHost",
    "DrilledService",
    "EmailSubscription",
    "EndpointHealthCheck",
    "EndpointSignal",
    "Expectation",
    "FailoverHost",
    "FailoverRecords",
    "Fault",
    "FaultExperiment",
    "HealthCheck",
    "HostedZone",
    "HttpCheck",
    "HttpRequest",
    "HttpsCheck",
    "HttpsRequest",
    "HttpsSubscription",
    "InstanceFailover",
    "InstanceStatusAlarm",
    "Instances",
    "InstancesById",
    "InstancesByName",
    "InstancesByTag",
    "InsufficientData",
    "InvalidInputError",
    "LoadBalancer",
    "MissingData",
    "PeerAlarm",
    "Predicted",
    "ProbeAgent",
    "ProbeConfiguration",
    "ProbeSilentAlarm",
    "QueueSubscription",
    "Request",
    "ServiceDashboard",
    "Signal",
    "SignalAlarm",
    "StatusSignal",
    "StopInstance",
    "Subscription",
    "Target",
    "TargetCheck",
    "TcpCheck",
    "TcpConnect",
    "TlsCheck",
    "Topic",
    "WatchedHost",
]

_HOMES = (
    "errors",
    "pair",
    "subscriptions",
    "notifications",
    "alarm_rule",
    "alarms",
    "health_checks",
    "endpoint_health_check",
    "records",
    "signals",
    "failover",
    "probe.target_checks",
    "probe.configuration",
    "probe.instances",
    "probe.alarms",
    "probe.probe_agent",
    "experiment.hypothesis",
    "drills.schedule",
    "drills.plan",
    "drills.drilled",
    "drills.faults",
    "drills.experiment",
    "drills.runner",
    "drills.cadence",
    "drills.drill",
    "dashboard",
)


# Hidden from type checkers, which would else take every misspelt name for a public one.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it."""
        if name in __all__:
            for home in _HOMES:
                module = import_module(f"{__name__}.{home}")
                if name in vars(module):
                    value: object = vars(module)[name]
                    globals()[name] = value
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, for completion."""
    return sorted({*globals(), *__all__})
