"""What a drill's plan says of its fault: its kind, and what only faults of that kind have."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from staged_resiliency.drills.runtime.hosts import Endpoint


class FaultKind(Enum):
    """The kind of fault that a drill injects into a host."""

    STOP_INSTANCE = "stop_instance"
    BLACKHOLE = "blackhole"
    DEGRADE = "degrade"
    RDS_FAILOVER = "rds_failover"
    DENY_ORIGIN = "deny_origin"

    @property
    def runs_on_host(self) -> bool:
        """Whether a command on the host injects the fault, and not AWS FIS itself."""
        return self in (FaultKind.BLACKHOLE, FaultKind.DEGRADE)

    @property
    def description(self) -> str:
        """The name of the fault in journals of drills and of rehearsals."""
        return {
            FaultKind.STOP_INSTANCE: "host stopped",
            FaultKind.BLACKHOLE: "dependency blackholed",
            FaultKind.DEGRADE: "dependency degraded",
            FaultKind.RDS_FAILOVER: "database failed over",
            FaultKind.DENY_ORIGIN: "origin denied",
        }[self]


@dataclass(frozen=True, slots=True)
class Command:
    """The Systems Manager command that injects a fault on the host.

    Attributes:
        document: Name of its document.
        effect: What it does, in the words of messages: ``drops what HOST sends to NAME``.
    """

    document: str
    effect: str


@dataclass(frozen=True, slots=True)
class GremlinAttack:
    """The attack that Gremlin runs in place of an experiment of AWS FIS.

    Attributes:
        team_id: The team of the hosts' clients.
        secret_arn: The secret that holds the API key.
        kind: Gremlin's name of the attack, such as ``packet_loss``.
        args: Its arguments, as Gremlin's command line takes them.
        clients: Identifiers of the clients by the names of their hosts; empty where a client is
            found by its tags.
        tags: Tags that a client must have besides the ID of its instance.
    """

    team_id: str
    secret_arn: str
    kind: str
    args: tuple[str, ...]
    clients: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Database:
    """A database of Amazon RDS that a drill makes fail over; both hosts lose it meanwhile.

    Attributes:
        identifier: Of the DB instance or the DB cluster.
        is_cluster: Whether it is a DB cluster.
        alarms_seconds: How long after the fault an alarm may still fire because of it; the run
            observes for as long.
    """

    identifier: str
    is_cluster: bool
    alarms_seconds: int = 0

    def __str__(self) -> str:
        return f"DB {'cluster' if self.is_cluster else 'instance'} {self.identifier}"

    @property
    def resource(self) -> str:
        """The last part of its ARN."""
        return f"{'cluster' if self.is_cluster else 'db'}:{self.identifier}"

    @property
    def lock(self) -> str:
        """The name of its lock, and the tag of its experiments."""
        return f"{'cluster' if self.is_cluster else 'db'}-{self.identifier}"


@dataclass(frozen=True, slots=True)
class Origin:
    """The bucket that a drill denies a CloudFront distribution, and the pair that then fails over.

    Attributes:
        distribution_arn: ARN of the distribution.
        bucket: Name of the S3 bucket that is its origin.
        record: DNS name of the dependency, which clients use.
        primary: DNS name of the distribution.
        secondary: DNS name of the target that serves clients while the primary fails.
        endpoint: The path that is asked of both, by the record's name; its answer names no host.
        alarm: Name of the alarm that fires while clients are sent to the secondary; empty for none.
        alarm_region: Region of that alarm.
    """

    distribution_arn: str
    bucket: str
    record: str
    primary: str
    secondary: str
    endpoint: Endpoint
    alarm: str = ""
    alarm_region: str = ""

    @property
    def distribution_id(self) -> str:
        """The ID of the distribution."""
        return self.distribution_arn.rpartition("/")[2]

    @property
    def objects(self) -> str:
        """The ARN of all objects in the bucket."""
        return f"arn:{self.distribution_arn.split(':')[1]}:s3:::{self.bucket}/*"

    @property
    def lock(self) -> str:
        """The name of the distribution's lock."""
        return f"distribution-{self.distribution_id}"
