"""What a service file says of its failover's time is what its templates say."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from resiliency.failover_model.graph import Alarm, FailoverGraph
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file.model.service import Service
from resiliency.service_file.timing_graph import deciding_graph
from tests.properties import fewer_examples
from tests.resiliency.service_file.test_any_valid_service import SERVICES
from tests.support import Data, example, resources_of, service_of, synthesize

# Metrics of alarms that decide nothing.
OF_PEOPLE = ("-latency", "-certificate-days", "HealthCheckStatus")


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
    assert by_name(described.alarms) == by_name(
        [alarm for alarm in read.alarms if not alarm.metric.name.endswith(OF_PEOPLE)]
    )
    assert sorted(map(str, described.probes)) == sorted(map(str, read.probes))


def test_every_signal_of_the_example_has_equal_times_in_both_models() -> None:
    def all_signals(environment: Data) -> None:
        environment["failover_on"] = ["status", "peer", "endpoint", "db", "cdn"]
        environment["endpoint"]["check"] = {"interval_seconds": 10, "search_text": "blue"}
        environment["dependencies"]["cdn"]["alarm"] = {"missing_data": "ignore"}
        environment["probe"] = {"interval_seconds": 30, "timeout_seconds": 2.5}

    require_alike(example(all_signals))


def test_what_is_known_of_the_model_is_read_from_the_template_alike() -> None:
    service = example(
        lambda env: env.update(assumptions={"extra_periods": [3, 5], "client_cache": 30})
    )
    require_alike(service)
    (pair,) = of_the_file(service).pairs
    assert pair.known == (("extra_periods", 3, 5), ("client_cache", 30, 30))


def test_the_slowest_pace_of_a_dependency_is_equal_in_both_models() -> None:
    def one_slow(environment: Data) -> None:
        environment["dependencies"]["cdn"]["check"] = {"interval_seconds": 60, "timeout_seconds": 9}

    require_alike(example(one_slow))
    (probe,) = of_the_file(example(one_slow)).probes
    assert (probe.interval_seconds, probe.timeout_seconds) == (60, 9)


def test_alarms_on_latencies_and_certificates_decide_nothing_and_disturb_no_reader() -> None:
    def measured(environment: Data) -> None:
        environment["dependencies"]["db"] |= {
            "check": {"protocol": "tls"},
            "latency": {
                "percentiles": True,
                "alarm": {"above_milliseconds": 250, "statistic": "p95"},
            },
            "certificate": {"alarm_days": 14},
        }

    require_alike(example(measured))
    templates = synthesize([example(measured)])
    alarms = resources_of(
        templates["bookstore-production-failover"], "AWS::CloudWatch::Alarm"
    ).values()
    names = {str(alarm["Properties"]["AlarmName"]) for alarm in alarms}
    assert names >= {
        f"bookstore-api-{color}-db-{kind}"
        for color in ("blue", "green")
        for kind in ("latency-high", "certificate-expires")
    }


@pytest.mark.slow
@fewer_examples(10)
@given(SERVICES)
def test_a_sound_service_file_and_its_templates_say_the_same(data: Data) -> None:
    require_alike(service_of(data))
