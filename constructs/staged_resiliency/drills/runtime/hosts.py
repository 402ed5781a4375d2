"""The two hosts of a plan, and the record and the endpoint by which clients reach them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """One host of the pair.

    Attributes:
        name: The Name tag.
        instance_id: Required for the target of the fault.
        addresses: The record's answer while this host serves; empty where the record is an alias,
            whose addresses change.
        reached_at: Address or DNS name of the host itself, whichever host serves clients.
    """

    name: str
    instance_id: str | None
    addresses: tuple[str, ...]
    reached_at: str


@dataclass(frozen=True, slots=True)
class Record:
    """The failover record that clients use, of type A."""

    name: str
    hosted_zone_id: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint at which a host answers with its own name.

    Attributes:
        scheme: ``http`` or ``https``.
        field: Key of the JSON object in the answer whose value is the host's Name tag; None where
            the answer names no host, and the address shows which one answered.
    """

    scheme: str
    port: int
    path: str
    field: str | None = "environment"

    def __str__(self) -> str:
        shows = "its address" if self.field is None else f"{self.field!r} in its JSON answer"
        return f"{self.path} by {self.scheme} on port {self.port}; {shows} shows the host"
