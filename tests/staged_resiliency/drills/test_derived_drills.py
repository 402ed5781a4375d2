"""Drills whose guards, expectations and time limits follow from a failover and its alarms."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from constructs import Construct

from staged_resiliency import (
    AddressTarget,
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    AlarmSignal,
    BlackholeDependency,
    BlackholePort,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
    ConnectivityAlarm,
    DegradeDependency,
    Drill,
    DrillGroup,
    DrillSchedule,
    DrillTarget,
    EndpointSignal,
    FailOverDbCluster,
    FailOverDbInstance,
    FailoverHost,
    HealthCheck,
    InstanceFailover,
    MissingData,
    ProbeConfiguration,
    Signal,
    StatusSignal,
    StopInstance,
    TcpCheck,
    WatchedHost,
)
from tests.cases import cases
from tests.staged_resiliency.support import (
    HERE,
    TOPIC_ARN,
    a_connectivity_alarm,
    a_failover,
    a_peer_alarm,
    an_alarm,
    an_instance,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import resources_of

BLUE, GREEN = "shop-blue", "shop-green"
IDS = {BLUE: "i-0123456789abcdef0", GREEN: "i-0123456789abcdef1"}
RECORD = "shop.example.com"
PROBE = ProbeConfiguration(
    service="shop",
    namespace="Shop",
    dependencies={"db": TcpCheck("db.example.com", 5432)},
    peers={BLUE: TcpCheck("10.0.0.1", 80), GREEN: TcpCheck("10.0.0.2", 80)},
)


@pytest.fixture
def here() -> Stack:
    """A stack whose region is known."""
    return Stack(env=HERE)


def on_the_database(stack: Stack, host: str) -> ConnectivityAlarm:
    """The alarm on a host's connections to the database."""
    return a_connectivity_alarm(
        stack, f"Database-{host}", host_name=host, missing_data=MissingData.BREACHING
    )


def target_of(failover: InstanceFailover, **changes: Any) -> DrillTarget:
    """The target of the drills of a failover, with arguments changed."""
    usual: dict[str, Any] = {
        "environment": "production",
        "namespace": "Shop",
        "objective_seconds": 540,
    }
    return DrillTarget.of(failover, **{**usual, **changes})


def with_a_database(stack: Stack) -> DrillTarget:
    """The target of the drills of a failover whose hosts have an alarm on their database."""
    database = [on_the_database(stack, host) for host in IDS]
    return target_of(a_failover(stack), alarms=database, probe=PROBE)


def a_drill(stack: Stack, target: DrillTarget, **changes: Any) -> Drill:
    """A drill in one statement, with arguments changed."""
    usual: dict[str, Any] = {
        "name": "shutdown",
        "fault": StopInstance(BLUE, IDS[BLUE], duration_minutes=12),
        "schedule": DrillSchedule("cron(0 10 ? * TUE#1 *)"),
    }
    group = DrillGroup(stack, "Drills", service=target, topic=TOPIC_ARN)
    return Drill(stack, "Drill", group=group, **{**usual, **changes})


def test_a_shutdown_is_one_statement(here: Stack) -> None:
    drill = a_drill(here, target_of(a_failover(here)))
    assert drill.guards == ("shop-green-StatusCheckFailed",)
    assert drill.hypothesis == (
        ClientsMove(RECORD, GREEN),
        ClientsReturn(RECORD, BLUE, 800),
        AlarmFires("shop-blue-StatusCheckFailed", 540),
        AlarmRecovers("shop-blue-StatusCheckFailed", 680),
        AlarmQuiet("shop-green-StatusCheckFailed"),
    )
    assert drill.plan.alarms == (
        "shop-blue-StatusCheckFailed",
        "shop-green-StatusCheckFailed",
    )


def test_a_blackhole_is_one_statement(here: Stack) -> None:
    database = [on_the_database(here, host) for host in IDS]
    peers = [
        a_peer_alarm(here, f"Peer-{host}", host_name=host, observer=observer)
        for host, observer in ((BLUE, GREEN), (GREEN, BLUE))
    ]
    target = target_of(a_failover(here), alarms=[*database, *peers], probe=PROBE)
    drill = a_drill(
        here,
        target,
        fault=BlackholePort(BLUE, IDS[BLUE], 6, destination_port=5432),
        dependency="db",
    )
    assert drill.guards == (
        "shop-green-StatusCheckFailed",
        "shop-green-peer-connectivity-failed",
        "shop-green-db-connectivity-failed",
    )
    assert drill.hypothesis[:2] == (ClientsStay(RECORD, BLUE), ClientsServed(RECORD))
    fires = [each.alarm for each in drill.hypothesis if isinstance(each, AlarmFires)]
    assert fires == ["shop-blue-db-connectivity-failed"]


@pytest.mark.slow
def test_a_shutdown_of_an_instance_of_the_same_stack_is_one_statement(here: Stack) -> None:
    """Its id, and so the names of its alarms, are known only at deployment."""
    blue, green = an_instance(here, "Blue"), an_instance(here, "Green")
    failover = a_failover(
        here,
        blue=FailoverHost(BLUE, AddressTarget(ipv4="52.11.79.8"), blue),
        green=FailoverHost(GREEN, AddressTarget(ipv4="52.11.79.9"), green),
    )
    drill = a_drill(here, target_of(failover), fault=StopInstance(BLUE, blue, duration_minutes=12))
    assert drill.guards == (failover.status_alarms["green"].alarm_name,)
    assert AlarmFires(failover.status_alarms["blue"].alarm_name, 540) in drill.hypothesis


@pytest.mark.parametrize("destination", ["db.example.com", "DB.Example.com."])
def test_a_dependency_is_cut_off_by_its_name_however_it_is_written(
    here: Stack, destination: str
) -> None:
    target = with_a_database(here)
    fault = BlackholeDependency(BLUE, IDS[BLUE], 6, destination)
    drill = a_drill(here, target, fault=fault, dependency="db")
    fires = [each.alarm for each in drill.hypothesis if isinstance(each, AlarmFires)]
    assert fires == ["shop-blue-db-connectivity-failed"]


def test_a_degraded_dependency_has_a_bound_of_the_response_time(here: Stack) -> None:
    target = with_a_database(here)
    fault = DegradeDependency(
        BLUE, IDS[BLUE], 6, "db.example.com", loss_percent=10, response_milliseconds=700
    )
    drill = a_drill(here, target, fault=fault, dependency="db")
    assert drill.hypothesis[:3] == (
        ClientsStay(RECORD, BLUE),
        ClientsServed(RECORD),
        ClientsFast(RECORD, 0.7),
    )
    assert drill.guards == ("shop-green-StatusCheckFailed", "shop-green-db-connectivity-failed")


def test_a_database_fails_over_by_one_statement(here: Stack) -> None:
    target = with_a_database(here)
    fault = FailOverDbInstance("shop-db", "DB.example.com.")
    drill = a_drill(here, target, fault=fault, dependency="db")
    assert drill.hypothesis[:2] == (ClientsStay(RECORD, BLUE), ClientsServedAgain(RECORD))
    recover = [each.alarm for each in drill.hypothesis if isinstance(each, AlarmRecovers)]
    assert recover == [f"{host}-db-connectivity-failed" for host in IDS]
    assert drill.guards == ("shop-blue-StatusCheckFailed", "shop-green-StatusCheckFailed")
    assert drill.plan.target == BLUE
    assert drill.plan.instances == ("db-shop-db", *sorted(IDS.values()))


@pytest.mark.slow
def test_databases_fail_over_whose_identifiers_are_known_only_at_deployment() -> None:
    def build(stack: Stack) -> None:
        target = with_a_database(stack)
        group = DrillGroup(stack, "Drills", service=target, topic=TOPIC_ARN)
        for number in (1, 2):
            Drill(
                stack,
                f"Drill{number}",
                group=group,
                name=f"db-{number}",
                fault=FailOverDbCluster(
                    text_parameter(stack, f"Database{number}"), "db.example.com"
                ),
                schedule=DrillSchedule(f"cron(0 10 ? * TUE#{number} *)"),
            )

    template = synthesized(build)
    aims = [
        each["Properties"]["Targets"]["Database"]["ResourceArns"][0]["Fn::Join"][1][-1]
        for each in resources_of(template, "AWS::FIS::ExperimentTemplate").values()
    ]
    assert aims == [{"Ref": "Database1"}, {"Ref": "Database2"}]
    assert len(resources_of(template, "AWS::IAM::Policy")) == 2


def test_what_is_given_is_not_derived(here: Stack) -> None:
    given = [AlarmFires("shop-blue-StatusCheckFailed", 700)]
    drill = a_drill(here, target_of(a_failover(here)), hypothesis=given)
    assert (drill.guards, drill.hypothesis) == (("shop-green-StatusCheckFailed",), tuple(given))


def test_an_alarm_of_another_kind_is_observed_and_not_judged(here: Stack) -> None:
    other = an_alarm(here, "QueueDepth")
    target = target_of(a_failover(here), alarms=[other])
    drill = a_drill(here, target)
    assert other.alarm_name in drill.plan.alarms
    assert other.alarm_name not in {getattr(each, "alarm", "") for each in drill.hypothesis}


class _OwnSignal(Signal):
    name = "own"

    def health_check(self, scope: Construct, watched: WatchedHost) -> HealthCheck:
        alarm = watched.status_alarm
        assert alarm is not None
        return AlarmSignal("own", {watched.color: alarm}).health_check(scope, watched)


def _ipv6(host: str) -> FailoverHost:
    address = "2600:1f14::8" if host == BLUE else "2600:1f14::9"
    return FailoverHost(host, AddressTarget(ipv6=address), IDS[host])


def _own_alarms(stack: Stack) -> AlarmSignal:
    return AlarmSignal(
        "queue",
        {"blue": an_alarm(stack, "Blue"), "green": an_alarm(stack, "Green", alarm_name="green")},
    )


BY_HAND = "use DrillTarget(...) itself, and give each Drill its guards and hypothesis"
REFUSED: dict[str, Any] = {
    "a signal of one's own": (
        lambda stack: target_of(a_failover(stack, failover_on=[_OwnSignal()])),
        f"DrillTarget: failover: how a fault affects the signal 'own' is not known; {BY_HAND}",
    ),
    "an alarm of one's own that decides": (
        lambda stack: target_of(a_failover(stack, failover_on=[_own_alarms(stack)])),
        "DrillTarget: failover: shop-blue-queue-depth decides the failover, but how a fault "
        "affects it is not known; " + BY_HAND,
    ),
    "IPv6 alone": (
        lambda stack: target_of(a_failover(stack, blue=_ipv6(BLUE), green=_ipv6(GREEN))),
        "DrillTarget: failover: shop-blue has no IPv4 address, and drills send their requests to "
        "hosts over IPv4; give AddressTarget(ipv4=...)",
    ),
    "an alarm on another host": (
        lambda stack: target_of(a_failover(stack), alarms=[on_the_database(stack, "shop-red")]),
        "DrillTarget: alarms: shop-red-db-connectivity-failed is on shop-red, which is no host of "
        "the failover; give alarms on shop-blue and shop-green",
    ),
    "an alarm by its name": (
        lambda stack: target_of(a_failover(stack), alarms=["shop-blue-db"]),
        "DrillTarget: alarms: 'shop-blue-db' is of type str; give alarms, such as a "
        "ConnectivityAlarm",
    ),
    "another probe": (
        lambda stack: target_of(
            a_failover(stack),
            alarms=[on_the_database(stack, BLUE)],
            probe=ProbeConfiguration("shop", "Shop", {"cdn": TcpCheck("cdn.example.com", 80)}),
        ),
        "DrillTarget: probe: it does not measure what shop-blue-db-connectivity-failed watches; "
        "give the configuration of the probe on these hosts",
    ),
    "no failover": (
        lambda stack: target_of("shop"),  # type: ignore[arg-type]
        "DrillTarget: failover: 'shop' is of type str; give an InstanceFailover",
    ),
    "a port that nobody knows": (
        lambda stack: a_drill(
            stack,
            target_of(a_failover(stack), alarms=[on_the_database(stack, BLUE)]),
            fault=BlackholePort(BLUE, IDS[BLUE], 6, destination_port=5432),
        ),
        "Drill: guards: is not given, and the port that shop-blue-db-connectivity-failed "
        "watches is not known; give DrillTarget.of(probe=...) the probe's configuration",
    ),
    "nothing that guards": (
        lambda stack: a_drill(
            stack,
            target_of(
                a_failover(stack, green=FailoverHost(GREEN, AddressTarget(ipv4="52.11.79.9")))
            ),
        ),
        "Drill: guards: no alarm would stop the fault; give one that shows whether the other host "
        "is healthy, such as its status alarm",
    ),
    "a fault shorter than the objective": (
        lambda stack: a_drill(
            stack,
            target_of(a_failover(stack)),
            fault=StopInstance(BLUE, IDS[BLUE], duration_minutes=8),
        ),
        "Drill: fault: may end after 480 s, before clients of shop.example.com reach shop-green, "
        "which may take 540 s; give more duration_minutes",
    ),
    "a database that decides": (
        lambda stack: a_drill(
            stack,
            target_of(
                a_failover(stack, failover_on=[StatusSignal(), _database_signal(stack)]),
                probe=PROBE,
            ),
            fault=FailOverDbInstance("shop-db", "db.example.com"),
        ),
        "Drill: fault: would send clients to shop-green, which loses the database too: "
        "shop-blue-db-connectivity-failed decides the failover, and may fire in the 120 s that a "
        "failover of the database may take; remove db from failover_on, or let the alarm wait "
        "with evaluation_periods: 5",
    ),
    "a failover longer than the objective": (
        lambda stack: a_drill(
            stack,
            target_of(a_failover(stack), objective_seconds=100),
            fault=FailOverDbInstance("shop-db", "db.example.com"),
        ),
        "Drill: fault: DB instance shop-db may take 120 s to fail over, and the objective is 100 "
        "s; give DrillTarget more objective_seconds",
    ),
    "an active host without an instance": (
        lambda stack: a_drill(
            stack,
            target_of(
                a_failover(
                    stack,
                    blue=FailoverHost(BLUE, AddressTarget(ipv4="52.11.79.8")),
                    failover_on=[EndpointSignal()],
                )
            ),
            fault=FailOverDbCluster("shop", "db.example.com"),
        ),
        "Drill: fault: shop-blue, the active host, has no instance in the service, which drills "
        "lock while they run; give DrillHost its instance",
    ),
    "an ARN of a database": (
        lambda stack: FailOverDbCluster("shop:cluster", "db.example.com"),
        "FailOverDbCluster: identifier: 'shop:cluster' is not an identifier of a DB instance or DB "
        "cluster (lower-case letters, digits and single hyphens, a letter first, at most 63); give "
        "one like shop-db",
    ),
    "a database with its port": (
        lambda stack: FailOverDbInstance("shop", "db.example.com:5432"),
        "FailOverDbInstance: destination: 'db.example.com:5432' is neither a DNS name nor an IP "
        "address (a port has a key of its own); give one like db.example.com",
    ),
    "a stop that moves nobody": (
        lambda stack: a_drill(
            stack,
            target_of(
                a_failover(stack, failover_on=[_database_signal(stack)]),
                probe=PROBE,
            ),
        ),
        "Drill: fault: would stop the active host while no signal of failover_on treats missing "
        "data as failure, so clients would stay with it; add 'status' to failover_on",
    ),
}


def _database_signal(stack: Stack) -> AlarmSignal:
    alarms = {
        color: a_connectivity_alarm(
            stack,
            f"Database-{color}",
            host_name=f"shop-{color}",
            missing_data=MissingData.NOT_BREACHING,
        )
        for color in ("blue", "green")
    }
    return AlarmSignal("db", alarms)  # type: ignore[arg-type]


@cases(("make", "message"), REFUSED)
def test_what_can_not_be_derived_is_refused(
    make: Callable[[Stack], object], message: str, here: Stack
) -> None:
    with refused(message):
        make(here)
