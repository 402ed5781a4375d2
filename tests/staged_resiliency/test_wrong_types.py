"""A wrong type is refused by the argument's name, also of an object or a collection."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    AlarmHealthCheck,
    AlarmRule,
    AlarmTopic,
    DrillGroup,
    DrillSchedule,
    DrillWindow,
    ExchangeCheck,
    HttpCheck,
    InstancesById,
    InstancesByName,
    ProbeAgent,
    ProbeConfiguration,
    StopInstance,
    TcpCheck,
)
from staged_resiliency.shared.wrong_types import names_wrong_types
from tests.staged_resiliency.support import INSTANCE_ID, TOPIC_ARN, a_rule, an_alarm, refused

PROBE: dict[str, Any] = {
    "configuration": ProbeConfiguration("shop", "Shop", {"db": TcpCheck("db.example.com", 5432)}),
    "instances": InstancesByName(["shop-blue"]),
}


class OfOnesOwn:
    def __repr__(self) -> str:
        return "<own>"


OWN: Any = OfOnesOwn()
NUMBER: Any = 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: a_rule(dimensions=["Host"]),
            "AlarmRule: dimensions: ['Host'] is of type list; give Mapping[str, str]",
        ),
        (
            lambda: StopInstance("shop-blue", NUMBER, duration_minutes=5),
            "StopInstance: instance: 7 is of type int; give IInstance | str",
        ),
        (
            lambda: StopInstance("shop-blue", instance=OWN, duration_minutes=5),
            "StopInstance: instance: <own> is of type OfOnesOwn; give IInstance | str",
        ),
        (
            lambda: ExchangeCheck("db.example.com", 5432, steps=[OWN]),
            "ExchangeCheck: steps: [<own>] is of type list; give Sequence[Step]",
        ),
        (
            lambda: HttpCheck("db.example.com", headers=OWN),
            "HttpCheck: headers: <own> is of type OfOnesOwn; give Mapping[str, str]",
        ),
        (
            lambda: DrillWindow(days=NUMBER),
            "DrillWindow: days: 7 is of type int; give Sequence[str]",
        ),
        (lambda: DrillSchedule(NUMBER), "DrillSchedule: expression: 7 is of type int; give str"),
        (
            lambda: InstancesById([INSTANCE_ID, OWN]),
            f"InstancesById: instances: ['{INSTANCE_ID}', <own>] is of type list; give "
            "Sequence[IInstance | str]",
        ),
        (
            lambda: ProbeConfiguration("shop", "Shop", peers={"blue": OWN}),
            "ProbeConfiguration: peers: {'blue': <own>} is of type dict; give "
            "Mapping[str, TargetCheck]",
        ),
    ],
)
def test_data_is_refused_by_the_argument(make: Callable[[], object], message: str) -> None:
    with refused(message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda stack: ProbeAgent(stack, "Probe", **{**PROBE, "configuration": OWN}),
            "ProbeAgent: configuration: <own> is of type OfOnesOwn; give ProbeConfiguration",
        ),
        (
            lambda stack: ProbeAgent(stack, "Probe", **PROBE, roles=NUMBER),
            "ProbeAgent: roles: 7 is of type int; give Sequence[IRole | str]",
        ),
        (
            lambda stack: AlarmTopic(stack, "Topic", topic_name="ops", encryption_key=OWN),
            "AlarmTopic: encryption_key: <own> is of type OfOnesOwn; give ",
        ),
        (
            lambda stack: AlarmHealthCheck(stack, "Check", alarm=an_alarm(stack), label=OWN),
            "AlarmHealthCheck: label: <own> is of type OfOnesOwn; give str",
        ),
        (
            lambda stack: DrillGroup(stack, "Drills", service=OWN, topic=TOPIC_ARN),
            "DrillGroup: service: <own> is of type OfOnesOwn; give DrillTarget",
        ),
    ],
)
def test_a_construct_refuses_it_by_the_argument(
    make: Callable[[Stack], object], message: str
) -> None:
    with pytest.raises(ValueError, match=r"\w+: \w+: ") as raised:
        make(Stack())
    assert message in str(raised.value)
    assert raised.value.__cause__ is not None


class EveryKind:
    """A class with an argument of each kind of type, whose constructor always fails."""

    def __init__(
        self,
        *,
        count: int = 1,
        share: float = 1,
        color: Literal["blue", "green"] = "blue",
        port: Annotated[int, "of TCP"] = 53,
        parent: object = None,
    ) -> None:
        raise TypeError("from inside")


EveryKind.__init__.__annotations__["parent"] = "NameOfNothing"  # known to type checkers alone
names_wrong_types(EveryKind)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("count", True, "True is of type bool; give int"),
        ("share", "half", "'half' is of type str; give float"),
        ("color", 3, "3 is of type int; give Literal['blue', 'green']"),
        ("port", "dns", "'dns' is of type str; give int"),
    ],
)
def test_a_plain_value_is_compared_with_its_annotation(name: str, value: Any, message: str) -> None:
    with refused(f"EveryKind: {name}: {message}"):
        EveryKind(**{name: value})


@pytest.mark.parametrize("given", [{"share": 2}, {"color": "red"}, {"parent": 7}, {"unknown": 7}])
def test_an_error_without_a_wrong_type_is_raised_as_it_is(given: dict[str, Any]) -> None:
    """A text that is not allowed has a check of its own; what can't be compared is no reason."""
    with pytest.raises(TypeError, match=r"from inside|unexpected keyword argument 'unknown'"):
        EveryKind(**given)


def test_other_errors_stay_as_they_are() -> None:
    make: Any = AlarmRule
    with pytest.raises(TypeError, match="missing 6 required positional arguments"):
        make()
    stack = Stack()
    an_alarm(stack, alarm_name="first")
    with pytest.raises(RuntimeError, match="already a Construct"):
        an_alarm(stack, alarm_name="second")
