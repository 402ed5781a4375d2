"""The network from which drills observe clients of private hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from staged_resiliency.shared import aws_ids, limits
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, wrong_type

if TYPE_CHECKING:  # a module of two megabytes, needed for annotations only
    from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True, slots=True)
class DrillNetwork:
    """The network from which drills observe clients of private hosts.

    A function in it resolves names by the VPC's resolver and asks the hosts over IPv4. It calls no
    AWS API, so the subnets need neither NAT nor VPC endpoints; to reach a host by a public address
    it needs NAT. The hosts' security groups must let it in.

    Attributes:
        subnets: Subnets of the hosts' VPC, or their ids: 1 to 16, better in two zones.
        security_groups: Security groups of the function, or their ids: 1 to 5.

    Raises:
        InvalidInputError: None, too many, the same twice, or something else than their ids.

    Example:
        >>> DrillNetwork(["subnet-0ab55a49288f1da24"], ["sg-0123456789abcdef0"]).subnet_ids
        ('subnet-0ab55a49288f1da24',)
    """

    subnets: "Sequence[ec2.ISubnet | str]"
    security_groups: "Sequence[ec2.ISecurityGroup | str]"

    def __post_init__(self) -> None:
        """Check the values."""
        for name, ids, most, check in (
            ("subnets", self.subnet_ids, limits.MAX_FUNCTION_SUBNETS, aws_ids.subnet_id),
            (
                "security_groups",
                self.security_group_ids,
                limits.MAX_FUNCTION_SECURITY_GROUPS,
                aws_ids.security_group_id,
            ),
        ):
            if not 1 <= len(ids) <= most:
                raise InvalidInputError(
                    f"DrillNetwork: {name}: {len(ids)} are given; allowed: 1 to {most}"
                )
            for number, each in enumerate(ids):
                checked("DrillNetwork", name, each, check)
                if each in ids[:number]:
                    raise InvalidInputError(f"DrillNetwork: {name}: {each} is given twice")

    @property
    def subnet_ids(self) -> tuple[str, ...]:
        """The ids of the subnets."""
        return _ids("subnets", self.subnets, "subnet_id")

    @property
    def security_group_ids(self) -> tuple[str, ...]:
        """The ids of the security groups."""
        return _ids("security_groups", self.security_groups, "security_group_id")


def _ids(name: str, given: Sequence[object], attribute: str) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise wrong_type("DrillNetwork", name, given, "a list")
    found = [each if isinstance(each, str) else getattr(each, attribute, each) for each in given]
    for each in found:
        if not isinstance(each, str):
            raise wrong_type("DrillNetwork", name, each, f"{name} or their ids")
    return tuple(map(str, found))
