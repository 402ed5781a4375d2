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
from resiliency.failover_model.graph import Alarm, Metric
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


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.HOST_STOPPED, Effect.UNANSWERED),
        (FaultKind.HOST_IMPAIRED, Effect.UNANSWERED),
        (FaultKind.ENDPOINT_DEAD, Effect.REFUSED),
        (FaultKind.PROBE_DEAD, Effect.NONE),
    ],
)
def test_an_endpoint_check_shows_what_clients_meet(kind: FaultKind, expected: Effect) -> None:
    pair = pair_of(endpoint())
    assert effect(Fault(kind), endpoint(), pair, of_primary=True) is expected


def test_an_endpoint_check_of_the_other_host_shows_nothing() -> None:
    check = endpoint("192.0.2.2")
    assert (
        effect(Fault(FaultKind.HOST_STOPPED), check, pair_of(check), of_primary=True) is Effect.NONE
    )


def test_an_endpoint_check_by_name_below_the_primary_is_about_the_primary() -> None:
    check = endpoint("blue.example.com")
    fault = Fault(FaultKind.ENDPOINT_DEAD)
    assert effect(fault, check, pair_of(check), of_primary=True) is Effect.REFUSED
    assert effect(fault, check, pair_of(None, check), of_primary=False) is Effect.NONE


def test_signals_below_the_secondary_show_nothing_of_the_primarys_faults() -> None:
    check = unhealthy(status_alarm())
    pair = pair_of(healthy(peer_alarm()), check)
    assert effect(Fault(FaultKind.HOST_STOPPED), check, pair, of_primary=False) is Effect.NONE


def test_what_the_dead_host_says_of_the_secondary_falls_silent() -> None:
    check = healthy(probe_alarm("peer-connectivity", host="shop-green", Observer="shop-blue"))
    pair = pair_of(healthy(peer_alarm()), check)
    assert effect(Fault(FaultKind.HOST_STOPPED), check, pair, of_primary=False) is Effect.SILENT


def test_the_other_host_does_not_show_what_is_about_another_one() -> None:
    shown = metric_effect(
        Fault(FaultKind.ENDPOINT_DEAD), peer_alarm(), host="shop-green", watches_host=False
    )
    assert shown is Effect.NONE


@pytest.mark.parametrize(
    ("alarms", "host"),
    [
        ([status_alarm()], "shop-blue"),
        ([status_alarm(name="mine")], None),
        ([status_alarm(name="mine"), peer_alarm()], "shop-blue"),
    ],
)
def test_the_watched_host_is_known_by_dimension_or_by_our_own_alarms_name(
    alarms: list[Alarm], host: str | None
) -> None:
    assert watched_host(pair_of(all_of(*map(unhealthy, alarms)))) == host


def test_a_pair_without_alarms_names_no_host() -> None:
    assert watched_host(pair_of(endpoint())) is None


@cases(
    ("check", "dependencies"),
    {
        "those of the watched host": (unhealthy(status_alarm()), ["db"]),
        "all, where no host is named": (endpoint(), ["db", "cdn"]),
        "all, where nothing decides": (None, ["db", "cdn"]),
    },
)
def test_each_measured_dependency_is_a_fault_once(check: object, dependencies: list[str]) -> None:
    graph = graph_of(
        pair_of(check),  # type: ignore[arg-type]
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
    for kind, expected in (("HTTP", Effect.UNRESPONSIVE), ("TCP", Effect.NONE)):
        check = endpoint(kind=kind)
        assert effect(hangs, check, pair_of(check), of_primary=True) is expected
