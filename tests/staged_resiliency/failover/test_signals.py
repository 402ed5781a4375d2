"""What can decide a failover, and what health check each signal makes."""

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    AddressTarget,
    AlarmSignal,
    AliasTarget,
    EndpointSignal,
    FailoverHost,
    HttpRequest,
    HttpsRequest,
    InstanceStatusAlarm,
    InsufficientData,
    MissingData,
    Signal,
    StatusSignal,
    TcpConnect,
    WatchedHost,
)
from staged_resiliency.shared.hosts import Color
from tests.cases import cases
from tests.staged_resiliency.support import (
    HEALTH_CHECK,
    REGION,
    a_status_alarm,
    an_alarm,
    refused,
    synthesized,
)
from tests.support import Data, only

ADDRESS = AddressTarget(ipv4="52.11.79.8")
LOAD_BALANCER = "blue-1234567890.eu-west-1.elb.amazonaws.com"
ALIAS = AliasTarget(LOAD_BALANCER, "Z32O12XQLNTSW2")


def watched(
    target: AddressTarget | AliasTarget = ADDRESS,
    color: Color = "blue",
    status_alarm: InstanceStatusAlarm | None = None,
) -> WatchedHost:
    """The active host of a pair, as a signal gets it."""
    return WatchedHost(
        color=color,
        host=FailoverHost(f"shop-{color}", target),
        status_alarm=status_alarm,
        record_name="shop.example.com",
    )


def health_check_of(signal: Signal, host: WatchedHost) -> Data:
    """The properties of the health check that a signal makes."""
    return only(synthesized(lambda stack: signal.health_check(stack, host)), HEALTH_CHECK)


def test_the_status_signal_follows_the_hosts_status_alarm() -> None:
    def build(stack: Stack) -> None:
        StatusSignal().health_check(stack, watched(status_alarm=a_status_alarm(stack)))

    config = only(synthesized(build), HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {"Name": "shop-blue-StatusCheckFailed", "Region": REGION}
    assert config["InsufficientDataHealthStatus"] == "Unhealthy"


def test_the_status_signal_needs_an_instance(stack: Stack) -> None:
    with refused(
        "StatusSignal: the active host 'shop-blue' has no instance; give FailoverHost(instance=...)"
    ):
        StatusSignal().health_check(stack, watched())


def test_the_endpoint_signal_asks_an_address_for_the_record() -> None:
    assert health_check_of(EndpointSignal(), watched()) == {
        "HealthCheckConfig": {
            "Type": "HTTP",
            "IPAddress": "52.11.79.8",
            "FullyQualifiedDomainName": "shop.example.com",
            "Port": 80,
            "ResourcePath": "/version/",
            "RequestInterval": 30,
            "FailureThreshold": 3,
            "Inverted": False,
        },
        "HealthCheckTags": [{"Key": "Name", "Value": "shop-blue-endpoint"}],
    }


def test_the_endpoint_signal_asks_a_load_balancer_by_its_name() -> None:
    config = health_check_of(EndpointSignal(), watched(ALIAS))["HealthCheckConfig"]
    assert config["FullyQualifiedDomainName"] == LOAD_BALANCER
    assert "IPAddress" not in config


def test_the_endpoint_signal_keeps_a_given_host_header() -> None:
    signal = EndpointSignal(HttpsRequest(host_header="internal.example.com"))
    config = health_check_of(signal, watched())["HealthCheckConfig"]
    assert config["FullyQualifiedDomainName"] == "internal.example.com"


def test_the_endpoint_signal_sends_no_name_when_it_only_connects() -> None:
    config = health_check_of(EndpointSignal(TcpConnect(5432)), watched())["HealthCheckConfig"]
    assert (config["Type"], config["Port"]) == ("TCP", 5432)
    assert "FullyQualifiedDomainName" not in config


def test_the_endpoint_signal_has_the_interval_and_threshold_given() -> None:
    signal = EndpointSignal(HttpRequest(), interval_seconds=10, failure_threshold=1)
    config = health_check_of(signal, watched())["HealthCheckConfig"]
    assert (config["RequestInterval"], config["FailureThreshold"]) == (10, 1)


def test_the_endpoint_signal_refuses_a_private_address(stack: Stack) -> None:
    with refused(
        "EndpointHealthCheck: address: '10.0.0.1' can't be reached by Route 53's checkers; "
        "give a public address"
    ):
        EndpointSignal().health_check(stack, watched(AddressTarget(ipv4="10.0.0.1")))


def alarm_signal_on(
    stack: Stack, color: Color, insufficient_data: InsufficientData | None = None
) -> None:
    """The health check on one of two alarms."""
    colors: tuple[Color, Color] = ("blue", "green")
    alarms = {
        each: an_alarm(stack, each, alarm_name=f"{each}-db", missing_data=MissingData.IGNORE)
        for each in colors
    }
    signal = AlarmSignal("db", alarms, insufficient_data)
    signal.health_check(stack, watched(color=color))


@pytest.mark.parametrize("color", ["blue", "green"])
def test_the_alarm_signal_follows_the_alarm_of_the_active_host(color: Color) -> None:
    template = synthesized(lambda stack: alarm_signal_on(stack, color))
    config = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {"Name": f"{color}-db", "Region": REGION}


@cases(
    ("said", "status"),
    {
        "what the alarm says": (None, "LastKnownStatus"),
        "what the signal says": (InsufficientData.UNHEALTHY, "Unhealthy"),
    },
)
def test_the_alarm_signal_says_what_too_little_data_counts_as(
    said: InsufficientData | None, status: str
) -> None:
    template = synthesized(lambda stack: alarm_signal_on(stack, "blue", said))
    assert only(template, HEALTH_CHECK)["HealthCheckConfig"]["InsufficientDataHealthStatus"] == (
        status
    )


@cases(("color", "known"), {"blue": ("blue", "green"), "green": ("green", "blue")})
def test_the_alarm_signal_needs_an_alarm_of_the_active_host(
    color: Color, known: Color, stack: Stack
) -> None:
    signal = AlarmSignal("db", {known: an_alarm(stack)})
    with refused(
        f"AlarmSignal 'db': there is no alarm for the active host {color}; "
        "give one for blue and one for green"
    ):
        signal.health_check(stack, watched(color=color))


def test_a_signal_of_ones_own_must_make_a_health_check() -> None:
    class Silent(Signal):
        """A signal that forgot what to make."""

    with pytest.raises(TypeError, match="health_check"):
        Silent()  # type: ignore[abstract]
