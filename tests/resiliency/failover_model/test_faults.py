"""Each signal shows of each fault what the documentation and the probe say."""

from dataclasses import replace

import pytest

from resiliency.failover_model.faults import (
    Effect,
    Fault,
    FaultKind,
    effect,
    faults_of,
    metric_effect,
    watched_host,
)
from resiliency.failover_model.graph import BasicHealthCheck, HealthCheck, Metric
from tests.cases import cases
from tests.resiliency.failover_model.support import (
    all_of,
    endpoint,
    graph_of,
    healthy,
    pair_of,
    peer_alarm,
    probe_alarm,
    status_alarm,
    unhealthy,
)

ALARMS = {
    "status": status_alarm(),
    "system": status_alarm(metric=Metric("AWS/EC2", "StatusCheckFailed_System")),
    "db": probe_alarm("db-connectivity"),
    "cdn": probe_alarm("cdn-connectivity"),
    "peer": peer_alarm(),
    "watching": probe_alarm("peer-connectivity", host="shop-green", Observer="shop-blue"),
    "heartbeat": probe_alarm("probe-heartbeat"),
    "queue": status_alarm(metric=Metric("Shop", "queue-length")),
}

# fault: what each of the above shows, where it shows anything
SHOWN = {
    Fault(FaultKind.HOST_STOPPED): {
        "status": Effect.SILENT,
        "system": Effect.SILENT,
        "db": Effect.SILENT,
        "cdn": Effect.SILENT,
        "peer": Effect.UNANSWERED,
        "watching": Effect.SILENT,
        "heartbeat": Effect.SILENT,
    },
    Fault(FaultKind.HOST_IMPAIRED): {
        "status": Effect.IMPAIRED,
        "db": Effect.SILENT,
        "cdn": Effect.SILENT,
        "peer": Effect.UNANSWERED,
        "watching": Effect.SILENT,
        "heartbeat": Effect.SILENT,
    },
    Fault(FaultKind.ENDPOINT_DEAD): {"peer": Effect.REFUSED},
    Fault(FaultKind.ENDPOINT_HANGS): {"peer": Effect.UNRESPONSIVE},
    Fault(FaultKind.DEPENDENCY_BLACKHOLED, "db"): {"db": Effect.UNANSWERED},
    Fault(FaultKind.DATABASE_FAILED_OVER, "db"): {"db": Effect.INTERRUPTED},
    Fault(FaultKind.PROBE_DEAD): {
        "db": Effect.SILENT,
        "cdn": Effect.SILENT,
        "watching": Effect.SILENT,
        "heartbeat": Effect.SILENT,
    },
}


@pytest.mark.parametrize("fault", SHOWN, ids=str)
@pytest.mark.parametrize("signal", [name for name in ALARMS if name != "queue"])
def test_a_signal_shows_of_a_fault_what_it_must(fault: Fault, signal: str) -> None:
    shown = metric_effect(fault, ALARMS[signal], host="shop-blue")
    assert shown is SHOWN[fault].get(signal, Effect.NONE)


def test_what_an_unknown_metric_shows_is_not_guessed() -> None:
    fault = Fault(FaultKind.HOST_STOPPED)
    for watches_host in (True, False):
        shown = metric_effect(fault, ALARMS["queue"], host="b", watches_host=watches_host)
        assert shown is Effect.UNKNOWN


BY_NAME = endpoint("blue.example.com")
OF_GREEN = healthy(probe_alarm("peer-connectivity", host="shop-green", Observer="shop-blue"))


@cases(
    ("kind", "check", "of_primary", "shown"),
    {
        "a stopped host": (FaultKind.HOST_STOPPED, endpoint(), True, Effect.UNANSWERED),
        "an impaired host": (FaultKind.HOST_IMPAIRED, endpoint(), True, Effect.UNANSWERED),
        "a dead endpoint": (FaultKind.ENDPOINT_DEAD, endpoint(), True, Effect.REFUSED),
        "a dead probe": (FaultKind.PROBE_DEAD, endpoint(), True, Effect.NONE),
        "the other host": (FaultKind.HOST_STOPPED, endpoint("192.0.2.2"), True, Effect.NONE),
        "a name below the primary": (FaultKind.ENDPOINT_DEAD, BY_NAME, True, Effect.REFUSED),
        "a name below the secondary": (FaultKind.ENDPOINT_DEAD, BY_NAME, False, Effect.NONE),
        "a signal below the secondary": (
            FaultKind.HOST_STOPPED,
            unhealthy(status_alarm()),
            False,
            Effect.NONE,
        ),
        "what the dead host says of the secondary": (
            FaultKind.HOST_STOPPED,
            OF_GREEN,
            False,
            Effect.SILENT,
        ),
        "HTTP of an endpoint that hangs": (
            FaultKind.ENDPOINT_HANGS,
            endpoint(kind="HTTP"),
            True,
            Effect.UNRESPONSIVE,
        ),
        "TCP, which only connects": (
            FaultKind.ENDPOINT_HANGS,
            endpoint(kind="TCP"),
            True,
            Effect.NONE,
        ),
    },
)
def test_a_health_check_shows_of_a_fault_what_it_must(
    kind: FaultKind, check: BasicHealthCheck, of_primary: bool, shown: Effect
) -> None:
    pair = pair_of(check) if of_primary else pair_of(healthy(peer_alarm()), check)
    assert effect(Fault(kind), check, pair, of_primary=of_primary) is shown


def test_the_other_host_does_not_show_what_is_about_another_one() -> None:
    shown = metric_effect(
        Fault(FaultKind.ENDPOINT_DEAD), peer_alarm(), host="shop-green", watches_host=False
    )
    assert shown is Effect.NONE


@cases(
    ("check", "host"),
    {
        "by the dimension of our own alarm": (unhealthy(status_alarm()), "shop-blue"),
        "not by another alarm's name": (unhealthy(status_alarm(name="mine")), None),
        "by the peer's": (
            all_of(unhealthy(status_alarm(name="mine")), unhealthy(peer_alarm())),
            "shop-blue",
        ),
        "not by an endpoint": (endpoint(), None),
    },
)
def test_the_watched_host_is_known(check: HealthCheck, host: str | None) -> None:
    assert watched_host(pair_of(check)) == host


@cases(
    ("check", "dependencies"),
    {
        "those of the watched host": (unhealthy(status_alarm()), ["db"]),
        "all, where no host is named": (endpoint(), ["db", "cdn"]),
        "all, where nothing decides": (None, ["db", "cdn"]),
    },
)
def test_each_measured_dependency_is_a_fault_once(
    check: HealthCheck | None, dependencies: list[str]
) -> None:
    graph = graph_of(
        pair_of(check),
        probe_alarm("db-connectivity"),
        probe_alarm("db-connectivity", 3),
        probe_alarm("cdn-connectivity", host="shop-green"),
        peer_alarm(),
    )
    faults = faults_of(graph, graph.pairs[0])
    assert [fault.dependency for fault in faults if fault.dependency] == dependencies
    assert [str(fault) for fault in faults[:5]] == [
        "host stopped",
        "host impaired",
        "endpoint dead",
        "endpoint hangs",
        "probe dead",
    ]
    assert str(faults[5]) == "dependency blackholed: db"


def test_no_failover_helps_where_clients_are_served_or_both_hosts_lose_the_same() -> None:
    assert [kind for kind in FaultKind if not Fault(kind).hurts] == [
        FaultKind.DEPENDENCY_DEGRADED,
        FaultKind.DATABASE_FAILED_OVER,
        FaultKind.PROBE_DEAD,
        FaultKind.SECONDARY_LOST,
        FaultKind.HOST_CUT_OFF,
    ]


def test_a_check_that_only_connects_does_not_notice_an_endpoint_that_hangs() -> None:
    hangs = Fault(FaultKind.ENDPOINT_HANGS)
    connects = replace(ALARMS["peer"], connects_only=True)
    assert metric_effect(hangs, connects, host="shop-blue") is Effect.NONE
    dead = Fault(FaultKind.ENDPOINT_DEAD)
    assert metric_effect(dead, connects, host="shop-blue") is Effect.REFUSED
