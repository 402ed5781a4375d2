"""What the failover-time model says of a drill."""

from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.simulation import failover_times
from resiliency.service_file.timing_graph import deciding_graph, predicted
from staged_resiliency.drills.runtime.plan import Predicted
from tests.support import Data, example


def of(drill: str, *failover_on: str) -> Predicted | None:
    """Of a drill of the example, which decides by these signals."""

    def edit(environment: Data) -> None:
        environment["failover_on"] = list(failover_on)
        for each in environment["drills"].values():
            if isinstance(each, dict):
                each["duration_minutes"] = 15

    service = example(edit, whole=True)
    environment = service.environments["production"]
    assert environment.drills is not None
    return predicted(service, environment, environment.drills.by_name[drill])


def test_it_is_what_the_timing_command_says() -> None:
    service = example(whole=True)
    graph = deciding_graph(service, service.environments["production"])
    (verdict,) = failover_times(graph, only=[Fault(FaultKind.HOST_STOPPED)])
    assert verdict.total is not None
    prediction = of("shutdown", "status")
    assert prediction is not None
    assert abs(prediction.p95 - verdict.total.p95) <= 0.5
    assert (prediction.best, prediction.worst) == (
        round(verdict.total.best),
        round(verdict.total.worst),
    )


def test_a_blackhole_that_moves_nobody_has_none() -> None:
    assert of("db-blackhole", "status") is None


def test_a_blackhole_that_moves_clients_has_one() -> None:
    found = of("db-blackhole", "status", "db")
    assert found is not None
    assert found.best < found.median < found.p95 < found.worst
    assert of("cdn-blackhole", "status", "db") is None
