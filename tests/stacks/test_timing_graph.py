"""What a service file says of its failover's time is what its templates say."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from resiliency.failover_model.graph import Alarm, FailoverGraph
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file.model import Service
from resiliency.service_file.timing_graph import deciding_graph
from tests.properties import fewer_examples
from tests.resiliency.service_file.test_any_valid_service import SERVICES
from tests.support import Data, example, service_of, synthesize


def of_the_file(service: Service) -> FailoverGraph:
    graphs = [deciding_graph(service, environment) for environment in service.environments.values()]
    return FailoverGraph(
        [pair for graph in graphs for pair in graph.pairs],
        [alarm for graph in graphs for alarm in graph.alarms],
        [probe for graph in graphs for probe in graph.probes],
    )


def by_name(alarms: Sequence[Alarm]) -> Sequence[Alarm]:
    return sorted(alarms, key=lambda alarm: (alarm.name, alarm.metric.namespace, str(alarm)))


def require_alike(service: Service) -> None:
    described, read = of_the_file(service), read_graph(synthesize([service]))
    assert sorted(map(str, described.pairs)) == sorted(map(str, read.pairs))
    # The alarm on failovers follows a health check, so it is no signal of one.
    signals = [alarm for alarm in read.alarms if alarm.metric.name != "HealthCheckStatus"]
    assert by_name(described.alarms) == by_name(signals)
    assert sorted(map(str, described.probes)) == sorted(map(str, read.probes))


def test_every_signal_of_the_example_is_told_alike() -> None:
    def all_signals(environment: Data) -> None:
        environment["failover_on"] = ["status", "peer", "endpoint", "db", "cdn"]
        environment["endpoint"]["check"] = {"interval_seconds": 10, "search_text": "blue"}
        environment["dependencies"]["cdn"]["alarm"] = {"missing_data": "ignore"}
        environment["probe"] = {"interval_seconds": 30, "timeout_seconds": 2.5}

    require_alike(example(all_signals))


@pytest.mark.slow
@fewer_examples(5)
@given(SERVICES)
def test_a_sound_service_file_and_its_templates_say_the_same(data: Data) -> None:
    require_alike(service_of(data))
