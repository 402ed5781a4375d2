"""Gremlin in place of AWS FIS, to inject the faults of drills."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from staged_resiliency.drills.faults import (
    BlackholeDependency,
    BlackholePort,
    DegradeDependency,
    Fault,
    StopInstance,
)
from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.shared import aws_ids, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, require_one_of

# What Gremlin's attacks exclude by default: its own control plane, and DNS.
_NOT_GREMLIN: Final = "^api.gremlin.com"
_NOT_DNS: Final = "^53"


@dataclass(frozen=True, slots=True)
class GremlinEngine:
    """Gremlin, which injects the faults of a service's drills in place of AWS FIS.

    Gremlin's agent runs on both hosts. Each attack is aimed at the identifier of one client: the
    one given, or the only active one with the tag ``instance-id`` of the host, which the agent
    gives itself on EC2, and all other tags.

    Attributes:
        team_id: The team of the hosts' clients.
        secret_arn: The secret of Secrets Manager, in the drills' region, whose whole text is an
            API key of the team. The functions read it when they run.
        kms_key: ARN of the customer-managed KMS key of that secret; AWS's own unless given.
        clients: Identifiers of the hosts' clients, by the names of the hosts.
        tags: Tags that a host's client must have, besides ``instance-id``.

    Raises:
        InvalidInputError: A value that AWS or Gremlin would refuse, or both clients and tags.

    Example:
        >>> engine = GremlinEngine(
        ...     team_id="9676868b-60d2-5ebe-aa66-c1de8162ff9d",
        ...     secret_arn="arn:aws:secretsmanager:eu-west-1:111111111111:secret:gremlin-AbC123",
        ... )
        >>> fault = BlackholeDependency("shop-blue", "i-0123456789abcdef0", 5, "db.example.com")
        >>> engine.attack(fault).args
        ('-l', '300', '-h', '^api.gremlin.com,db.example.com', '-p', '^53')

    See https://www.gremlin.com/docs/fault-injection-experiments
    """

    team_id: str
    secret_arn: str
    kms_key: str | None = None
    clients: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the values."""
        owner = "GremlinEngine"
        checked(owner, "team_id", self.team_id, validation.gremlin_team)
        checked(owner, "secret_arn", self.secret_arn, aws_ids.secret_arn)
        if self.kms_key is not None:
            checked(owner, "kms_key", self.kms_key, aws_ids.kms_key_arn)
        for identifier in self.clients.values():
            checked(owner, "clients", identifier, validation.gremlin_name)
        for text in (*self.tags, *self.tags.values()):
            checked(owner, "tags", text, validation.gremlin_name)
        if self.clients and self.tags:
            raise InvalidInputError(
                f"{owner}: tags: a client that is given by its identifier needs no tags; give "
                "clients or tags"
            )

    def require_hosts(self, hosts: Collection[str]) -> None:
        """Refuse clients of other hosts, of one host alone, or one client of both."""
        for name in self.clients:
            require_one_of("GremlinEngine", "clients", name, hosts)
        if self.clients and len(set(self.clients.values())) != len(hosts):
            raise InvalidInputError(
                f"GremlinEngine: clients: give each host a client of its own: {', '.join(hosts)}"
            )

    def attack(self, fault: Fault) -> GremlinAttack:
        """Return the attack that injects a fault; all but shutdowns have a duration.

        Raises:
            InvalidInputError: Gremlin has no attack for the fault.
        """
        kind, args = _attack(fault)
        return GremlinAttack(
            team_id=self.team_id,
            secret_arn=self.secret_arn,
            kind=kind,
            args=args,
            clients=self.clients,
            tags=self.tags,
        )


def _attack(fault: Fault) -> tuple[str, tuple[str, ...]]:
    length = ("-l", str(fault.duration_minutes * 60))
    if isinstance(fault, StopInstance):
        # A shutdown has no length: the run starts the instance again.
        return "shutdown", ("-d", "1")
    if isinstance(fault, BlackholeDependency):
        return "blackhole", (*length, *_to(fault.destination))
    if isinstance(fault, BlackholePort):
        ports = f"{_NOT_DNS},{fault.destination_port}"
        return "blackhole", (*length, "-h", _NOT_GREMLIN, "-p", ports, "-P", "TCP")
    if isinstance(fault, DegradeDependency):
        if fault.jitter_milliseconds:
            raise InvalidInputError(
                "GremlinEngine: jitter_milliseconds: Gremlin delays each packet by the same time; "
                "leave it out"
            )
        if fault.delay_milliseconds is not None:
            delay = ("-m", str(fault.delay_milliseconds))
            return "latency", (*length, *_to(fault.destination), *delay)
        loss = ("-r", str(fault.loss_percent))
        return "packet_loss", (*length, *_to(fault.destination), *loss)
    raise InvalidInputError(
        f"GremlinEngine: Gremlin has no attack for {type(fault).__name__}; leave the engine out"
    )


def _to(destination: str) -> tuple[str, ...]:
    """Arguments that limit an attack to what the host exchanges with a destination."""
    if is_literal(destination) and network_names.is_address(destination):
        return ("-i", destination, "-h", _NOT_GREMLIN, "-p", _NOT_DNS)
    return ("-h", f"{_NOT_GREMLIN},{destination}", "-p", _NOT_DNS)
