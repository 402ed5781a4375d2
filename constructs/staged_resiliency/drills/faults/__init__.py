"""The faults of drills, a class for each; every fault ends by itself.

A class has the fault's parameters, its action of AWS FIS where it has one, the permissions that it
needs, and its effect on the metric of each alarm.
"""

from staged_resiliency.drills.faults.blackhole_dependency import BlackholeDependency
from staged_resiliency.drills.faults.blackhole_port import BlackholePort
from staged_resiliency.drills.faults.degrade_dependency import (
    MAX_DELAY_MILLISECONDS,
    MAX_RESPONSE_MILLISECONDS,
    DegradeDependency,
)
from staged_resiliency.drills.faults.deny_origin import DenyOrigin
from staged_resiliency.drills.faults.document_fault import ipv4_or_name
from staged_resiliency.drills.faults.fault import (
    Action,
    Fault,
    FisFault,
    PairOfHosts,
    Place,
    Statement,
    Target,
    instance_arns,
    is_at,
    start_hosts,
)
from staged_resiliency.drills.faults.stop_instance import StopInstance

__all__ = [
    "MAX_DELAY_MILLISECONDS",
    "MAX_RESPONSE_MILLISECONDS",
    "Action",
    "BlackholeDependency",
    "BlackholePort",
    "DegradeDependency",
    "DenyOrigin",
    "Fault",
    "FisFault",
    "PairOfHosts",
    "Place",
    "Statement",
    "StopInstance",
    "Target",
    "instance_arns",
    "ipv4_or_name",
    "is_at",
    "start_hosts",
]
