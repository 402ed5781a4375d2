"""Which instances get the probe."""

from collections.abc import Callable

import pytest
from aws_cdk import Stack

from staged_resiliency import Instances, InstancesById, InstancesByName, InstancesByTag
from tests.staged_resiliency.support import INSTANCE_ID, an_instance, refused, text_parameter


@pytest.mark.parametrize(
    ("instances", "key", "values"),
    [
        pytest.param(
            InstancesByName(["shop-blue", "shop-green"]),
            "tag:Name",
            ["shop-blue", "shop-green"],
            id="names",
        ),
        pytest.param(InstancesById([INSTANCE_ID]), "InstanceIds", [INSTANCE_ID], id="ids"),
        pytest.param(InstancesByTag("fleet", ["web"]), "tag:fleet", ["web"], id="tag"),
        pytest.param(
            InstancesByTag("aws:autoscaling:groupName", ["web"]),
            "tag:aws:autoscaling:groupName",
            ["web"],
            id="tag of AWS",
        ),
        pytest.param(InstancesByTag("fleet", [""]), "tag:fleet", [""], id="tag without a value"),
    ],
)
def test_instances_are_found_by(instances: Instances, key: str, values: list[str]) -> None:
    assert (instances.target_key, instances.target_values) == (key, values)


def test_instances_of_the_same_stack_are_referred_to(stack: Stack) -> None:
    instances = InstancesById([an_instance(stack), text_parameter(stack, "Id")])
    first, second = stack.resolve(list(instances.target_values))
    assert first["Ref"].startswith("Instance")
    assert second == {"Ref": "Id"}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        pytest.param(
            lambda: InstancesByName([]),
            "InstancesByName: names: 0 are given; an association takes 1 to 50",
            id="no name",
        ),
        pytest.param(
            lambda: InstancesByName(["shop#blue"]),
            "InstancesByName: names: 'shop#blue' is not a Name tag (letters, "
            "digits, spaces and _ . : / = + @ -, at most 128); give one like bookstore-api-blue",
            id="name",
        ),
        pytest.param(
            lambda: InstancesById([INSTANCE_ID] * 51),
            "InstancesById: instances: 51 are given; an association takes 1 to 50",
            id="too many",
        ),
        pytest.param(
            lambda: InstancesById(["shop-blue"]),
            "InstancesById: instances: 'shop-blue' is not an EC2 instance id; give one like "
            "i-0ab55a49288f1da24",
            id="id",
        ),
        pytest.param(
            lambda: InstancesByTag("fleet,group", ["web"]),
            "InstancesByTag: key: 'fleet,group' is not a tag that selects instances "
            "(letters, digits, spaces and _ . : / = + @ -, at most 124); give one like fleet",
            id="key",
        ),
        pytest.param(
            lambda: InstancesByTag("fleet", ["web\n"]),
            "InstancesByTag: values: 'web\\n' is not a tag value (letters, digits, spaces and "
            "_ . : / = + @ -, at most 256); give one like ops",
            id="value",
        ),
    ],
)
def test_instances_are_refused(made: Callable[[], object], message: str) -> None:
    with refused(message):
        made()
