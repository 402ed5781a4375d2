"""A wrong type is refused by the argument's name, also of an object or a collection."""

import re
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
from tests.support import Data

PROBE: dict[str, Any] = {
    "configuration": ProbeConfiguration("shop", "Shop", {"db": TcpCheck("db.example.com", 5432)}),
    "instances": InstancesByName(["shop-blue"]),
}


class OfOnesOwn:
    def __repr__(self) -> str:
        return "<own>"


OWN: Any = OfOnesOwn()


SHOP = {"service": "shop", "namespace": "Shop"}
DATABASE = {"host": "db.example.com", "port": 5432}
STOP = {"host": "shop-blue", "duration_minutes": 5}


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (StopInstance, {**STOP, "instance": 7}, "instance: 7 is of type int; give IInstance | str"),
        (
            StopInstance,
            {**STOP, "instance": OWN},
            "instance: <own> is of type OfOnesOwn; give IInstance | str",
        ),
        (
            ExchangeCheck,
            {**DATABASE, "steps": [OWN]},
            "steps: [<own>] is of type list; give Sequence[Step]",
        ),
        (
            HttpCheck,
            {"host": "db.example.com", "headers": OWN},
            "headers: <own> is of type OfOnesOwn; give Mapping[str, str]",
        ),
        (DrillWindow, {"days": 7}, "days: 7 is of type int; give Sequence[str]"),
        (DrillSchedule, {"expression": 7}, "expression: 7 is of type int; give str"),
        (
            InstancesById,
            {"instances": [INSTANCE_ID, OWN]},
            f"instances: ['{INSTANCE_ID}', <own>] is of type list; give Sequence[IInstance | str]",
        ),
        (
            ProbeConfiguration,
            {**SHOP, "peers": {"blue": OWN}},
            "peers: {'blue': <own>} is of type dict; give Mapping[str, TargetCheck]",
        ),
    ],
)
def test_data_is_refused_by_the_argument(kind: type[Any], given: Data, message: str) -> None:
    with refused(f"{kind.__name__}: {message}"):
        kind(**given)


def test_the_dimensions_of_a_rule_are_refused_by_the_argument() -> None:
    with refused("AlarmRule: dimensions: ['Host'] is of type list; give Mapping[str, str]"):
        a_rule(dimensions=["Host"])


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (
            ProbeAgent,
            {**PROBE, "configuration": OWN},
            "configuration: <own> is of type OfOnesOwn; give ProbeConfiguration",
        ),
        (ProbeAgent, {**PROBE, "roles": 7}, "roles: 7 is of type int; give Sequence[IRole | str]"),
        (
            AlarmTopic,
            {"topic_name": "ops", "encryption_key": OWN},
            "encryption_key: <own> is of type OfOnesOwn; give ",
        ),
        (AlarmHealthCheck, {"label": OWN}, "label: <own> is of type OfOnesOwn; give str"),
        (
            DrillGroup,
            {"service": OWN, "topic": TOPIC_ARN},
            "service: <own> is of type OfOnesOwn; give DrillTarget",
        ),
    ],
)
def test_a_construct_refuses_it_by_the_argument(kind: type[Any], given: Data, message: str) -> None:
    stack = Stack()
    more = {"alarm": an_alarm(stack)} if kind is AlarmHealthCheck else {}
    with pytest.raises(ValueError, match=f"^{re.escape(f'{kind.__name__}: {message}')}") as raised:
        kind(stack, "It", **given, **more)
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
