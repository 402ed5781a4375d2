"""What the failover-time model says of a drill, to be held against what is measured."""

from staged_resiliency.drills.hypotheses import moves_clients
from staged_resiliency.drills.plan import Predicted
from staged_resiliency.service.drill_model import DrillSettings
from staged_resiliency.service.drilling import alarms_of, fault_of, pair_of
from staged_resiliency.service.model import Environment, Service
from staged_resiliency.service.timing_graph import deciding_pair
from staged_resiliency.timing.faults import Fault, Kind
from staged_resiliency.timing.outages import failover_times


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
    fault = Fault(Kind.HOST_STOPPED)
    if drill.fault == "blackhole":
        fault = Fault(Kind.DEPENDENCY_BLACKHOLED, drill.dependency)
    (verdict,) = failover_times(deciding_pair(service, environment), only=[fault])
    if verdict.total is None:
        return None
    total = verdict.total
    return Predicted(round(total.best), round(total.median), round(total.p95), round(total.worst))
