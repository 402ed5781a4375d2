"""The pair of hosts."""

from typing import Annotated

from pydantic import AfterValidator, Field

from resiliency.service_file.model.values import (
    DomainName,
    DomainNameOrAddress,
    HostedZoneId,
    InstanceId,
    Section,
)
from staged_resiliency.shared import aws_ids, network_names
from staged_resiliency.shared.hosts import Color


class AliasTarget(Section):
    """A load balancer in front of a host, instead of an address."""

    dns_name: DomainName = Field(
        description="DNS name of the load balancer.",
        examples=["blue-1234567890.us-west-2.elb.amazonaws.com"],
    )
    hosted_zone_id: HostedZoneId = Field(
        description="The load balancer's own (canonical) hosted zone id.",
        examples=["Z1H1FL5HABSF5"],
    )
    ipv6: bool = Field(default=False, description="Also make the AAAA pair (dual-stack).")


class Host(Section):
    """One host of the pair."""

    name: Annotated[str, AfterValidator(aws_ids.host_name)] = Field(
        description="The instance's Name tag.", examples=["bookstore-api-blue"]
    )
    instance_id: InstanceId | None = Field(
        default=None,
        description="Id of the EC2 instance. A host with one gets a status alarm; the active "
        "host needs one when failover_on has 'status'.",
        examples=["i-0ab55a49288f1da24"],
    )
    address: Annotated[str, AfterValidator(network_names.ip_address)] | None = Field(
        default=None,
        description="IPv4 or IPv6 address that clients reach the host at.",
        examples=["52.11.79.9"],
    )
    ipv6_address: Annotated[str, AfterValidator(network_names.ipv6_address)] | None = Field(
        default=None,
        description="IPv6 address beside an IPv4 one: makes an AAAA pair too.",
        examples=["2600:1f14::9"],
    )
    alias: AliasTarget | None = Field(
        default=None, description="A load balancer in front of the host, instead of an address."
    )
    peer_address: DomainNameOrAddress | None = Field(
        default=None,
        description="Address or DNS name at which the other host's probe checks this one, such as "
        "the private address; the clients' address unless given.",
        examples=["10.0.0.4"],
    )

    @property
    def peer_check_address(self) -> str:
        """The address at which the other host's probe checks this host."""
        found = self.peer_address or self.address or (self.alias and self.alias.dns_name)
        return found or ""


class Hosts(Section):
    """The two hosts."""

    blue: Host = Field(description="The blue host.")
    green: Host = Field(description="The green host.")

    def of(self, color: Color) -> Host:
        """Return the host of a color."""
        return self.blue if color == "blue" else self.green
