"""Which instances get the probe."""

from typing import Any

from aws_cdk import Stack

from staged_resiliency import Instances, InstancesById, InstancesByName, InstancesByTag
from tests.cases import cases
from tests.staged_resiliency.support import (
    INSTANCE_ID,
    NO_INSTANCE_ID,
    NO_NAME_TAG,
    an_instance,
    refused,
    text_parameter,
)


@cases(
    ("instances", "key", "values"),
    {
        "names": (
            InstancesByName(["shop-blue", "shop-green"]),
            "tag:Name",
            ["shop-blue", "shop-green"],
        ),
        "ids": (InstancesById([INSTANCE_ID]), "InstanceIds", [INSTANCE_ID]),
        "tag": (InstancesByTag("fleet", ["web"]), "tag:fleet", ["web"]),
        "tag of AWS": (
            InstancesByTag("aws:autoscaling:groupName", ["web"]),
            "tag:aws:autoscaling:groupName",
            ["web"],
        ),
        "tag without a value": (InstancesByTag("fleet", [""]), "tag:fleet", [""]),
    },
)
def test_instances_are_found_by(instances: Instances, key: str, values: list[str]) -> None:
    assert (instances.target_key, instances.target_values) == (key, values)


def test_instances_of_the_same_stack_are_referred_to(stack: Stack) -> None:
    instances = InstancesById([an_instance(stack), text_parameter(stack, "Id")])
    first, second = stack.resolve(list(instances.target_values))
    assert first["Ref"].startswith("Instance")
    assert second == {"Ref": "Id"}


@cases(
    ("kind", "given", "message"),
    {
        "no name": (InstancesByName, ([],), "names: 0 are given; an association takes 1 to 50"),
        "name": (InstancesByName, (["shop#blue"],), f"names: 'shop#blue' {NO_NAME_TAG}"),
        "too many": (
            InstancesById,
            ([INSTANCE_ID] * 51,),
            "instances: 51 are given; an association takes 1 to 50",
        ),
        "id": (InstancesById, (["shop-blue"],), f"instances: 'shop-blue' {NO_INSTANCE_ID}"),
        "key": (
            InstancesByTag,
            ("fleet,group", ["web"]),
            "key: 'fleet,group' is not a tag that selects instances (letters, digits, spaces and "
            "_ . : / = + @ -, at most 124); give one like fleet",
        ),
        "value": (
            InstancesByTag,
            ("fleet", ["web\n"]),
            "values: 'web\\n' is not a tag value (letters, digits, spaces and _ . : / = + @ -, at "
            "most 256); give one like ops",
        ),
    },
)
def test_instances_are_refused(kind: type[Any], given: tuple[Any, ...], message: str) -> None:
    with refused(f"{kind.__name__}: {message}"):
        kind(*given)
