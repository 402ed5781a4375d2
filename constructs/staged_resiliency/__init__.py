"""Failover of EC2 pairs that survives the loss of an instance or of a dependency.

The names below are this package's public interface; everything else may change. They are
loaded when first used, so that reading a service file does not start the CDK.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from staged_resiliency.dashboard import ConnectivityMetric, ServiceDashboard
    from staged_resiliency.drills.drill import Drill
    from staged_resiliency.drills.drill_group import DrillGroup
    from staged_resiliency.drills.experiment import FaultExperiment
    from staged_resiliency.drills.faults import BlackholePort, Fault, StopInstance
    from staged_resiliency.drills.overdue_alarm import DrillOverdueAlarm
    from staged_resiliency.drills.runtime.plan import Predicted
    from staged_resiliency.drills.schedule import DrillSchedule
    from staged_resiliency.drills.target import DrillHost, DrillTarget, DrillWindow
    from staged_resiliency.experiment.expectations import (
        AlarmFires,
        AlarmQuiet,
        AlarmRecovers,
        ClientsMove,
        ClientsReturn,
        ClientsServed,
        ClientsStay,
        Expectation,
    )
    from staged_resiliency.failover.alarm_rule import AlarmRule, Comparison
    from staged_resiliency.failover.alarms import (
        ConnectivityAlarm,
        InstanceStatusAlarm,
        MissingData,
        SignalAlarm,
    )
    from staged_resiliency.failover.endpoint_health_check import (
        EndpointHealthCheck,
        HttpRequest,
        HttpsRequest,
        Request,
        TcpConnect,
    )
    from staged_resiliency.failover.health_checks import (
        AlarmHealthCheck,
        CalculatedHealthCheck,
        HealthCheck,
        InsufficientData,
    )
    from staged_resiliency.failover.instance_failover import InstanceFailover
    from staged_resiliency.failover.records import (
        AddressTarget,
        AliasTarget,
        FailoverRecords,
        HostedZone,
        LoadBalancer,
        Target,
    )
    from staged_resiliency.failover.signals import (
        AlarmSignal,
        EndpointSignal,
        FailoverHost,
        Signal,
        StatusSignal,
        WatchedHost,
    )
    from staged_resiliency.notifications.subscriptions import (
        EmailSubscription,
        HttpsSubscription,
        QueueSubscription,
        Subscription,
    )
    from staged_resiliency.notifications.topics import (
        AdoptedAlarmTopic,
        AlarmKey,
        AlarmTopic,
        AlarmTopicBase,
        Topic,
    )
    from staged_resiliency.probe.configuration import ProbeConfiguration
    from staged_resiliency.probe.instances import (
        Instances,
        InstancesById,
        InstancesByName,
        InstancesByTag,
    )
    from staged_resiliency.probe.probe_agent import ProbeAgent
    from staged_resiliency.probe.probe_alarms import PeerAlarm, ProbeSilentAlarm
    from staged_resiliency.probe.target_checks import (
        DnsCheck,
        HttpCheck,
        HttpsCheck,
        TargetCheck,
        TcpCheck,
        TlsCheck,
    )
    from staged_resiliency.shared.errors import InvalidInputError
    from staged_resiliency.shared.hosts import Color

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
    "DrillGroup",
    "DrillHost",
    "DrillOverdueAlarm",
    "DrillSchedule",
    "DrillTarget",
    "DrillWindow",
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
    "shared.errors",
    "shared.hosts",
    "notifications.subscriptions",
    "notifications.topics",
    "failover.alarm_rule",
    "failover.alarms",
    "failover.health_checks",
    "failover.endpoint_health_check",
    "failover.records",
    "failover.signals",
    "failover.instance_failover",
    "probe.target_checks",
    "probe.configuration",
    "probe.instances",
    "probe.probe_alarms",
    "probe.probe_agent",
    "experiment.expectations",
    "drills.schedule",
    "drills.runtime.plan",
    "drills.target",
    "drills.faults",
    "drills.experiment",
    "drills.drill_group",
    "drills.overdue_alarm",
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
