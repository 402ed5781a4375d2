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
    InstanceStatusAlarm,
    InsufficientData,
    MissingData,
    Signal,
    StatusSignal,
    TcpConnect,
    WatchedHost,
)
from staged_resiliency.shared.hosts import COLORS, Color
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


@cases(
    ("signal", "target", "changes"),
    {
        "an address for the record": (EndpointSignal(), ADDRESS, {}),
        "a load balancer by its name": (
            EndpointSignal(),
            ALIAS,
            {"FullyQualifiedDomainName": LOAD_BALANCER, "IPAddress": None},
        ),
        "with a given host header": (
            EndpointSignal(HttpRequest(host_header="internal.example.com")),
            ADDRESS,
            {"FullyQualifiedDomainName": "internal.example.com", "ResourcePath": "/"},
        ),
        "without a name when it only connects": (
            EndpointSignal(TcpConnect(5432)),
            ADDRESS,
            {
                "Type": "TCP",
                "Port": 5432,
                "FullyQualifiedDomainName": None,
                "ResourcePath": None,
            },
        ),
        "in the interval and with the threshold given": (
            EndpointSignal(interval_seconds=10, failure_threshold=1),
            ADDRESS,
            {"RequestInterval": 10, "FailureThreshold": 1},
        ),
    },
)
def test_the_endpoint_signal_asks(
    signal: EndpointSignal, target: AddressTarget | AliasTarget, changes: Data
) -> None:
    usual = {
        "Type": "HTTP",
        "IPAddress": "52.11.79.8",
        "FullyQualifiedDomainName": "shop.example.com",
        "Port": 80,
        "ResourcePath": "/version/",
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "Inverted": False,
    }
    template = synthesized(lambda stack: signal.health_check(stack, watched(target)))
    assert only(template, HEALTH_CHECK) == {
        "HealthCheckConfig": {
            key: value for key, value in (usual | changes).items() if value is not None
        },
        "HealthCheckTags": [{"Key": "Name", "Value": "shop-blue-endpoint"}],
    }


@cases(
    ("color", "said", "status"),
    {
        "blue, and what the alarm says": ("blue", None, "LastKnownStatus"),
        "green, and what the signal says": ("green", InsufficientData.UNHEALTHY, "Unhealthy"),
    },
)
def test_the_alarm_signal_follows_the_alarm_of_the_active_host(
    color: Color, said: InsufficientData | None, status: str
) -> None:
    def build(stack: Stack) -> None:
        alarms = {
            each: an_alarm(stack, each, alarm_name=f"{each}-db", missing_data=MissingData.IGNORE)
            for each in COLORS
        }
        AlarmSignal("db", alarms, said).health_check(stack, watched(color=color))

    config = only(synthesized(build), HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {"Name": f"{color}-db", "Region": REGION}
    assert config["InsufficientDataHealthStatus"] == status


@pytest.mark.parametrize(("color", "known"), [("blue", "green"), ("green", "blue")])
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
