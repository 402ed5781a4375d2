"""What drills expect and are stopped by, beside the failover-time model."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from resiliency.failover_model.assumptions import Assumptions, Range
from resiliency.failover_model.faults import FaultKind
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file.mapping import guards_of, hypothesis_of
from resiliency.service_file.model.service import Environment
from staged_resiliency.drills.alarm_effects import AlarmKind, WatchedAlarm
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
)
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from staged_resiliency.experiment.verdict import Run, Status, judge
from staged_resiliency.shared import time_limits
from tests.cases import cases
from tests.support import Data, example, synthesize

RECORD = "bookstore.pingpublications.com"
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
_BOTH = ("db", "cdn")
_OF_HOSTS = ("StatusCheckFailed", "probe-silent")


def drilled(edit: Callable[[Data], object] | None = None) -> Environment:
    return example(edit, whole=True).environments["production"]


def expected(environment: Environment, name: str) -> list[object]:
    assert environment.drills is not None
    drill = environment.drills.by_name[name]
    return list(hypothesis_of(environment, drill))


def fires(environment: Environment, name: str) -> list[str]:
    """The alarms that a drill expects to fire."""
    return [each.alarm for each in expected(environment, name) if isinstance(each, AlarmFires)]


def guarded(environment: Environment, name: str) -> list[str]:
    assert environment.drills is not None
    return list(guards_of(environment, environment.drills.by_name[name]))


def _both_ids(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"


def _db_decides(env: Data) -> None:
    _both_ids(env)
    env["failover_on"] = ["status", "db"]
    env["drills"]["db-blackhole"]["duration_minutes"] = 12


def _cdn_over_https(env: Data) -> None:
    _by_port(env)
    env["dependencies"]["cdn"]["port"] = 443
    env["drills"]["cdn-blackhole"]["duration_minutes"] = 12


def _by_port(env: Data) -> None:
    env["drills"]["cdn-blackhole"]["scope"] = "port"


def _standby_stops(env: Data) -> None:
    _both_ids(env)
    env["drills"]["shutdown"]["host"] = "standby"


def _peers(env: Data) -> None:
    env["probe"] = {"peer": True}


def _peers_by_port(env: Data) -> None:
    _peers(env)
    _by_port(env)


def test_when_the_active_host_stops_clients_reach_the_standby_and_come_back() -> None:
    assert expected(drilled(), "shutdown") == [
        ClientsMove(RECORD, GREEN),
        ClientsReturn(RECORD, BLUE, 800),
        AlarmFires(f"{BLUE}-StatusCheckFailed", 540),
        AlarmRecovers(f"{BLUE}-StatusCheckFailed", 680),
        AlarmFires(f"{BLUE}-probe-silent", 630),
        AlarmRecovers(f"{BLUE}-probe-silent", 650),
        AlarmQuiet(f"{GREEN}-db-connectivity-failed"),
        AlarmQuiet(f"{GREEN}-cdn-connectivity-failed"),
        AlarmQuiet(f"{GREEN}-probe-silent"),
    ]


def test_when_the_standby_stops_clients_notice_nothing() -> None:
    found = expected(drilled(_standby_stops), "shutdown")
    assert found[:2] == [ClientsStay(RECORD, BLUE), ClientsServed(RECORD)]
    assert AlarmFires(f"{GREEN}-StatusCheckFailed", 540) in found
    assert AlarmQuiet(f"{BLUE}-StatusCheckFailed") in found


def test_a_blackhole_fires_its_dependencys_alarm_on_that_host_and_no_other() -> None:
    assert expected(drilled(_both_ids), "db-blackhole") == [
        ClientsStay(RECORD, BLUE),
        ClientsServed(RECORD),
        AlarmFires(f"{BLUE}-db-connectivity-failed", 350),
        AlarmRecovers(f"{BLUE}-db-connectivity-failed", 230),
        AlarmQuiet(f"{BLUE}-StatusCheckFailed"),
        AlarmQuiet(f"{BLUE}-cdn-connectivity-failed"),
        AlarmQuiet(f"{BLUE}-probe-silent"),
        AlarmQuiet(f"{GREEN}-StatusCheckFailed"),
        AlarmQuiet(f"{GREEN}-db-connectivity-failed"),
        AlarmQuiet(f"{GREEN}-cdn-connectivity-failed"),
        AlarmQuiet(f"{GREEN}-probe-silent"),
    ]


def test_a_blackhole_during_which_nobody_is_served_fails() -> None:
    """Clients who get no answer stay where they are, too."""
    clients = [
        each
        for each in expected(drilled(), "db-blackhole")
        if isinstance(each, (ClientsStay, ClientsServed))
    ]
    served = [Observation(at, Source.CLIENT, RECORD, BLUE) for at in range(0, 600, 5)]
    silent = [replace(each, value=NO_ANSWER) for each in served if each.at < 300]
    run = Run(injected_at=0, ended_at=300, until=600)
    assert judge(clients, served, run).status is Status.PASSED
    found = judge(clients, [*silent, *(each for each in served if each.at >= 300)], run)
    assert found.status is Status.FAILED
    assert (
        found.message == f"clients of {RECORD} are served: not so 0 s after the fault (no answer)"
    )


def test_a_blackhole_of_what_decides_moves_clients() -> None:
    found = expected(drilled(_db_decides), "db-blackhole")
    assert found[0] == ClientsMove(RECORD, GREEN)
    assert found[1] == ClientsReturn(RECORD, BLUE, 380)
    assert not [each for each in found if isinstance(each, ClientsStay)]


def test_without_port_443_a_host_falls_silent_and_its_silence_is_what_is_expected() -> None:
    found = expected(drilled(_cdn_over_https), "cdn-blackhole")
    assert fires(drilled(_cdn_over_https), "cdn-blackhole") == [f"{BLUE}-probe-silent"]
    assert AlarmFires(f"{BLUE}-probe-silent", 690) in found
    # Without data, and without taking that for failure, the dependency's own alarm can't fire.
    assert AlarmQuiet(f"{BLUE}-cdn-connectivity-failed") in found
    assert AlarmQuiet(f"{BLUE}-StatusCheckFailed") in found


def test_without_port_443_alarms_that_take_silence_for_failure_fire_too() -> None:
    def edit(env: Data) -> None:
        _cdn_over_https(env)
        env["dependencies"]["db"]["alarm"] = {"missing_data": "breaching"}

    assert fires(drilled(edit), "cdn-blackhole") == [
        f"{BLUE}-db-connectivity-failed",
        f"{BLUE}-probe-silent",
    ]


@pytest.mark.parametrize("missing", ["not_breaching", "ignore", "cloudwatch_default", "breaching"])
def test_without_port_443_clients_move_unless_silence_is_health(missing: str) -> None:
    def edit(env: Data) -> None:
        _cdn_over_https(env)
        env["failover_on"] = ["status", "db"]
        env["dependencies"]["db"]["alarm"] = {"missing_data": missing}
        env["drills"]["db-blackhole"]["duration_minutes"] = 12

    moved = isinstance(expected(drilled(edit), "cdn-blackhole")[0], ClientsMove)
    assert moved == (missing in ("cloudwatch_default", "breaching"))


def test_a_port_is_cut_off_for_everything_that_is_asked_on_it() -> None:
    def edit(env: Data) -> None:
        env["dependencies"]["search"] = {"label": "S", "host": "s.example.com", "port": 80}
        _peers(env)
        _by_port(env)

    # Blue asks green on port 80 too, so it takes green for dead.
    assert set(fires(drilled(edit), "cdn-blackhole")) == {
        f"{BLUE}-cdn-connectivity-failed",
        f"{BLUE}-search-connectivity-failed",
        f"{GREEN}-peer-connectivity-failed",
    }


@pytest.mark.parametrize("port", [80, 443])
def test_a_dependency_is_cut_off_alone_whatever_its_port(port: int) -> None:
    def edit(env: Data) -> None:
        env["dependencies"]["cdn"]["port"] = port
        env["dependencies"]["search"] = {"label": "S", "host": "s.example.com", "port": port}
        _peers(env)

    environment = drilled(edit)
    assert fires(environment, "cdn-blackhole") == [f"{BLUE}-cdn-connectivity-failed"]
    assert AlarmQuiet(f"{BLUE}-probe-silent") in expected(environment, "cdn-blackhole")


def test_what_is_checked_at_the_same_name_is_cut_off_with_it() -> None:
    def edit(env: Data) -> None:
        same = "CDN.bookstore.pingpublications.com."
        env["dependencies"]["images"] = {"label": "I", "host": same, "port": 8080}
        check = {"protocol": "dns"}
        env["dependencies"]["name"] = {"label": "N", "host": same, "check": check}

    # A query for the name goes to a DNS server, which is reached as before.
    assert set(fires(drilled(edit), "cdn-blackhole")) == {
        f"{BLUE}-cdn-connectivity-failed",
        f"{BLUE}-images-connectivity-failed",
    }


def _degraded(env: Data) -> None:
    _both_ids(env)
    env["failover_on"] = ["status", "db"]
    schedule = env["drills"].pop("db-blackhole")["schedule"]
    env["drills"]["db-slow"] = {
        "fault": "degrade",
        "dependency": "db",
        "host": "active",
        "delay_milliseconds": 300,
        "response_milliseconds": 800,
        "duration_minutes": 5,
        "schedule": schedule,
    }


def test_while_a_dependency_is_degraded_clients_are_served_in_time_and_no_alarm_fires() -> None:
    found = expected(drilled(_degraded), "db-slow")
    alarms = {f"{host}-{name}-connectivity-failed" for host in (BLUE, GREEN) for name in _BOTH}
    alarms |= {f"{host}-{name}" for host in (BLUE, GREEN) for name in _OF_HOSTS}
    assert [each for each in found if not isinstance(each, AlarmQuiet)] == [
        ClientsStay(RECORD, BLUE),
        ClientsServed(RECORD),
        ClientsFast(RECORD, 0.8),
    ]
    assert {each.alarm for each in found if isinstance(each, AlarmQuiet)} == alarms


def _failing_over(env: Data) -> None:
    _both_ids(env)
    env["probe"] = {"peer": True}
    env["drills"]["db-failover"] = {
        "fault": "rds_failover",
        "dependency": "db",
        "db_cluster": "shop",
        "schedule": "cron(0 10 ? * WED#1 *)",
    }


def test_while_a_database_fails_over_clients_stay_and_alarms_of_both_hosts_may_fire() -> None:
    found = expected(drilled(_failing_over), "db-failover")
    assert found[:2] == [ClientsStay(RECORD, BLUE), ClientsServedAgain(RECORD)]
    may_fire = [f"{host}-{name}-connectivity-failed" for host in (BLUE, GREEN)
                for name in ("db", "peer")]  # fmt: skip
    recover = [each for each in found if isinstance(each, AlarmRecovers)]
    assert [each.alarm for each in recover] == may_fire
    assert {each.within_seconds for each in recover} == {230}
    quiet = {f"{host}-{name}" for host in (BLUE, GREEN)
             for name in (*_OF_HOSTS, "cdn-connectivity-failed")}  # fmt: skip
    assert {each.alarm for each in found if isinstance(each, AlarmQuiet)} == quiet
    assert len(found) == 2 + len(may_fire) + len(quiet)


def test_a_database_that_fails_over_is_guarded_by_the_health_of_both_hosts() -> None:
    assert guarded(drilled(_failing_over), "db-failover") == [
        f"{host}-{name}" for host in (BLUE, GREEN) for name in _OF_HOSTS
    ]


def _own_alarms(env: Data) -> None:
    _failing_over(env)
    metric = {"namespace": "Shop", "name": "errors"}
    of_host = {"metric": {**metric, "dimensions": {"Host": "{host}"}}, "label": "E", "at_least": 9}
    env["alarms"] = {
        "errors": {**of_host, "statistic": "Sum"},
        "cpu": {**of_host, "statistic": "Average", "in_drills": "guard"},
        "orders": {"metric": metric, "label": "O", "statistic": "Maximum", "at_least": 9},
    }


def test_alarms_of_the_application_on_a_host_may_fire_too_and_guards_may_not() -> None:
    found = expected(drilled(_own_alarms), "db-failover")
    recover = {each.alarm for each in found if isinstance(each, AlarmRecovers)}
    quiet = {each.alarm for each in found if isinstance(each, AlarmQuiet)}
    assert {f"{BLUE}-errors", f"{GREEN}-errors"} <= recover
    assert {f"{BLUE}-cpu", f"{GREEN}-cpu", f"{RECORD}-orders"} <= quiet
    assert guarded(drilled(_own_alarms), "db-failover")[-1] == f"{BLUE}-cpu"


def test_a_failover_that_waits_long_enough_sends_nobody_to_the_other_host() -> None:
    """One with as many periods as ``check`` asks for; one with fewer it refuses."""

    def edit(periods: int) -> Callable[[Data], None]:
        def change(env: Data) -> None:
            _failing_over(env)
            env["failover_on"] = ["status", "db"]
            env["dependencies"]["db"]["alarm"] = {"evaluation_periods": periods}
            env["drills"]["db-blackhole"]["duration_minutes"] = 12

        return change

    with pytest.raises(AssertionError, match="evaluation_periods: 5"):
        drilled(edit(4))
    found = expected(drilled(edit(5)), "db-failover")
    assert ClientsStay(RECORD, BLUE) in found


@pytest.mark.parametrize("offset", range(0, 60, 5))
def test_no_outage_has_more_periods_with_failed_samples_than_is_allowed_for(offset: int) -> None:
    """Samples of an outage of two minutes, from any second on, play into so many minutes."""
    alarm = WatchedAlarm("db", AlarmKind.DEPENDENCY, BLUE, sample_seconds=15)
    samples = range(0, 600, 10)
    failed = [at for at in samples if 120 + offset - 5 < at + 5 and at < 240 + offset]
    assert len({at // 60 for at in failed}) <= alarm.periods_of(120) == 4


def test_a_stopped_host_does_not_answer_its_peer_and_reports_nothing_of_it() -> None:
    found = expected(drilled(_peers), "shutdown")
    assert AlarmFires(f"{BLUE}-peer-connectivity-failed", 290) in found
    assert AlarmQuiet(f"{GREEN}-peer-connectivity-failed") in found


@cases(
    ("edit", "drill", "guards"),
    {
        "no instance id": (None, "shutdown", ["probe-silent"]),
        "both": (_both_ids, "shutdown", ["StatusCheckFailed", "probe-silent"]),
        "blackhole": (
            _both_ids,
            "db-blackhole",
            ["StatusCheckFailed", "probe-silent", "db-connectivity-failed"],
        ),
        "degraded": (
            _degraded,
            "db-slow",
            ["StatusCheckFailed", "probe-silent", "db-connectivity-failed"],
        ),
        "another dependency decides": (
            _db_decides,
            "cdn-blackhole",
            [
                "StatusCheckFailed",
                "probe-silent",
                "cdn-connectivity-failed",
                "db-connectivity-failed",
            ],
        ),
        "not whether it answers the broken host, which can't ask": (
            _peers_by_port,
            "cdn-blackhole",
            ["probe-silent", "cdn-connectivity-failed"],
        ),
        "whether it answers the broken host": (
            _peers,
            "db-blackhole",
            ["probe-silent", "peer-connectivity-failed", "db-connectivity-failed"],
        ),
    },
)
def test_a_drill_is_stopped_by_alarms_that_tell_whether_the_standby_is_well(
    edit: Callable[[Data], object] | None, drill: str, guards: list[str]
) -> None:
    assert guarded(drilled(edit), drill) == [f"{GREEN}-{each}" for each in guards]


def test_a_stop_of_the_standby_is_stopped_by_alarms_of_the_active_host() -> None:
    assert guarded(drilled(_standby_stops), "shutdown") == [
        f"{BLUE}-StatusCheckFailed",
        f"{BLUE}-probe-silent",
    ]


def test_no_more_alarms_stop_a_drill_than_fis_takes() -> None:
    def edit(env: Data) -> None:
        _both_ids(env)
        for number in range(9):
            name = f"d{number}"
            env["dependencies"][name] = {"label": "D", "host": "d.example.com", "port": 80}
        _by_port(env)

    found = guarded(drilled(edit), "cdn-blackhole")
    assert len(found) == 5
    assert found[:2] == [f"{GREEN}-StatusCheckFailed", f"{GREEN}-probe-silent"]


# The steps after the alarm take no time, so that the model shows the alarm alone.
ALONE = Assumptions(
    **{
        name: Range(0, 0, "nothing", "given")
        for name in ("health_check_uptake", "dns_propagation", "resolver_floor", "client_cache")
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("periods", [1, 3])
@pytest.mark.parametrize(
    ("signal", "kind", "alarm"),
    [
        ("status", FaultKind.HOST_STOPPED, f"{BLUE}-StatusCheckFailed"),
        ("db", FaultKind.DEPENDENCY_BLACKHOLED, f"{BLUE}-db-connectivity-failed"),
        ("peer", FaultKind.HOST_STOPPED, f"{BLUE}-peer-connectivity-failed"),
    ],
)
def test_bounds_are_above_the_worst_of_the_failover_time_model_and_near_it(
    signal: str, kind: FaultKind, alarm: str, periods: int
) -> None:
    def edit(env: Data) -> None:
        settings = {"evaluation_periods": periods}
        env["failover_on"] = [signal]
        env["endpoint"]["ttl_seconds"] = 0
        env["status_alarm"] = env["peer_alarm"] = settings
        env["dependencies"]["db"]["alarm"] = settings

    def edit_drills(env: Data) -> None:
        edit(env)
        for drill in ("shutdown", "db-blackhole", "cdn-blackhole"):
            env["drills"][drill] |= {"duration_minutes": 30, "duration_reason": "ample"}

    drill = "db-blackhole" if signal == "db" else "shutdown"
    graph = read_graph(synthesize([example(edit)]))
    (worst,) = [
        verdict.total.worst
        for verdict in failover_times(graph, outages=500, assumptions=ALONE)
        if verdict.fault.kind is kind
        and verdict.total is not None
        and verdict.fault.dependency in (None, "db")
    ]
    (bound,) = [
        each.within_seconds
        for each in expected(drilled(edit_drills), drill)
        if isinstance(each, AlarmFires) and each.alarm == alarm
    ]
    if signal == "db":
        bound -= time_limits.SET_UP_SECONDS  # the model counts from the fault, a drill from FIS
    assert worst <= bound
    # A bound far off would let a slow alarm pass: two evaluations and a period are its play.
    assert bound <= worst + 140


def test_what_is_assumed_is_what_the_failover_time_model_assumes_at_most() -> None:
    assumed = {
        "extra_periods": time_limits.EXTRA_PERIODS,
        "extra_long_periods": time_limits.EXTRA_LONG_PERIODS,
        "evaluation_interval": time_limits.EVALUATION_INTERVAL_SECONDS,
        "status_metric_delay": time_limits.STATUS_METRIC_DELAY_SECONDS,
        "custom_metric_delay": time_limits.CUSTOM_METRIC_DELAY_SECONDS,
        "probe_batch": time_limits.PROBE_BATCH_SECONDS,
        "health_check_uptake": time_limits.HEALTH_CHECK_UPTAKE_SECONDS,
        "dns_propagation": time_limits.DNS_PROPAGATION_SECONDS,
        "resolver_floor": time_limits.RESOLVER_FLOOR_SECONDS,
    }
    assert {name: getattr(Assumptions(), name).high for name in assumed} == assumed


def test_an_alarm_of_two_out_of_three_is_given_a_second_good_period_to_recover() -> None:
    def limit(datapoints: int) -> float:
        def edit(env: Data) -> None:
            env["dependencies"]["db"]["alarm"] = {
                "evaluation_periods": 3,
                "datapoints_to_alarm": datapoints,
                "missing_data": "breaching",
            }
            env["drills"]["db-blackhole"]["duration_minutes"] = 10

        (recovers,) = [
            each
            for each in expected(drilled(edit), "db-blackhole")
            if isinstance(each, AlarmRecovers) and "db-connectivity" in each.alarm
        ]
        return recovers.within_seconds

    assert limit(2) == limit(3) + 60
    assert limit(1) == limit(3) + 120
