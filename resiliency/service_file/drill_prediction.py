"""What the failover-time model says of a drill, to be held against what is measured."""

from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.simulation import failover_times
from resiliency.service_file.drill_mapping import alarms_of, fault_of, pair_of
from resiliency.service_file.drill_model import DrillSettings
from resiliency.service_file.model import Environment, Service
from resiliency.service_file.timing_graph import deciding_pair
from staged_resiliency.drills.hypothesis import moves_clients
from staged_resiliency.drills.runtime.plan import Predicted


def predicted(service: Service, environment: Environment, drill: DrillSettings) -> Predicted | None:
    """How long clients take to the standby, in whole seconds; None where they stay.

    Args:
        service: A sound service.
        environment: One of its environments, with drills.
        drill: One of these.
    """
    if not moves_clients(
        fault_of(environment, drill), pair_of(environment), alarms_of(environment)
    ):
        return None
    fault = Fault(FaultKind.HOST_STOPPED)
    if drill.fault == "blackhole":
        fault = Fault(FaultKind.DEPENDENCY_BLACKHOLED, drill.dependency)
    (verdict,) = failover_times(deciding_pair(service, environment), only=[fault])
    if verdict.total is None:
        return None
    total = verdict.total
    return Predicted(round(total.best), round(total.median), round(total.p95), round(total.worst))
