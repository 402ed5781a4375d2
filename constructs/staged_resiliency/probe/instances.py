"""The selection of instances that get the probe: one class per way to select."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import aws_ids, limits
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


class Instances(ABC):
    """Instances of the stack's account and region; use one of the kinds below."""

    @property
    @abstractmethod
    def target_key(self) -> str:
        """The key by which State Manager selects targets: a tag, or the instance's ID."""

    @property
    @abstractmethod
    def target_values(self) -> Sequence[str]:
        """The values of the key; an instance with any of them is selected."""


@dataclass(frozen=True, slots=True)
class InstancesByName(Instances):
    """Instances by their Name tags; an instance that takes over a name gets the probe.

    Attributes:
        names: 1 to 50 Name tags.

    Raises:
        InvalidInputError: No name, more than 50, or an invalid one.
    """

    target_key: ClassVar[str] = "tag:Name"
    names: Sequence[str]

    def __post_init__(self) -> None:
        _check_values(self, "names", self.names, aws_ids.host_name)

    @property
    def target_values(self) -> Sequence[str]:
        """The names."""
        return list(self.names)


@dataclass(frozen=True, slots=True)
class InstancesById(Instances):
    """Instances by their ids, or as the CDK's own type.

    Attributes:
        instances: 1 to 50 instances or ids.

    Raises:
        InvalidInputError: No instance, more than 50, or an invalid id.
    """

    target_key: ClassVar[str] = "InstanceIds"
    instances: "Sequence[ec2.IInstance | str]"

    def __post_init__(self) -> None:
        _check_values(self, "instances", self.target_values, aws_ids.instance_id)

    @property
    def target_values(self) -> Sequence[str]:
        """The ids."""
        return [each if isinstance(each, str) else each.instance_id for each in self.instances]


@dataclass(frozen=True, slots=True)
class InstancesByTag(Instances):
    """Instances with a tag; an instance that gets the tag later gets the probe then.

    Attributes:
        key: Key of the tag, 1 to 124 characters, such as ``aws:autoscaling:groupName``.
        values: 1 to 50 values of it.

    Raises:
        InvalidInputError: No value, more than 50, or an invalid key or value.
    """

    key: str
    values: Sequence[str]

    def __post_init__(self) -> None:
        checked("InstancesByTag", "key", self.key, probe_validation.target_tag)
        _check_values(self, "values", self.values, aws_ids.tag_value)

    @property
    def target_key(self) -> str:
        """The tag."""
        return f"tag:{self.key}"

    @property
    def target_values(self) -> Sequence[str]:
        """The tag's values."""
        return list(self.values)


def _check_values(
    instances: Instances, name: str, given: Sequence[str], check: Callable[[str], str]
) -> None:
    owner = type(instances).__name__
    if not 1 <= len(given) <= limits.MAX_TARGET_VALUES:
        raise InvalidInputError(
            f"{owner}: {name}: {len(given)} are given; an association takes 1 to "
            f"{limits.MAX_TARGET_VALUES}"
        )
    for value in given:
        checked(owner, name, value, check)
