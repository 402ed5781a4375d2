"""The faults of databases: an instance or a cluster of Amazon RDS fails over, with AWS FIS."""

from dataclasses import dataclass
from typing import ClassVar, Final

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults import (
    Action,
    FisFault,
    PairOfHosts,
    Place,
    Statement,
    Target,
    is_at,
)
from staged_resiliency.drills.runtime.durations import RULE_LATE_SECONDS
from staged_resiliency.drills.runtime.fault_settings import Database, FaultKind
from staged_resiliency.shared import aws_ids, network_names
from staged_resiliency.shared.literals import checked

DATABASE_FAILOVER_MINUTES: Final = 2
"""The longest time that a failover takes as a rule.

Source: AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html (60 to 120 seconds; under 35 for a
Multi-AZ DB cluster). Large transactions and a lengthy recovery take longer.
"""


@dataclass(frozen=True, slots=True)
class DatabaseFault(FisFault):
    """A failover of a database, which can't be stopped once it has begun and ends by itself.

    Both hosts lose the database. Nobody is expected to move: every client is served again within
    the objective, by the same host. The alarms on the database, on peers and on metrics of the
    team's own may fire on either host, and recover.
    """

    kind = FaultKind.RDS_FAILOVER
    late_seconds = RULE_LATE_SECONDS
    host_name = ""
    instance = ""
    duration_minutes = DATABASE_FAILOVER_MINUTES
    action_id: ClassVar[str]
    fails_over: ClassVar[str]
    describes: ClassVar[str]
    is_cluster: ClassVar[bool]

    identifier: str
    destination: str

    def __post_init__(self) -> None:
        """Check the values."""
        owner = type(self).__name__
        checked(owner, "identifier", self.identifier, aws_ids.rds_identifier)
        checked(owner, "destination", self.destination, network_names.dns_name_or_address)

    @property
    def database(self) -> Database:
        """The database that fails over."""
        return Database(self.identifier, self.is_cluster)

    @property
    def role_id(self) -> str:
        """Id of the role that AWS FIS assumes, which permits a failover of this database only."""
        return f"RdsFailoverRole-{self.database.lock}"

    def target(self, place: Place) -> Target:
        """The target of the experiment template."""
        kind, key = ("cluster", "Clusters") if self.is_cluster else ("db", "DBInstances")
        return Target("Database", f"aws:rds:{kind}", self._arn(place), key)

    def action(self, place: Place) -> Action:
        """The action that makes the database fail over."""
        parameters = {} if self.is_cluster else {"forceFailover": "true"}
        return Action(self.action_id, f"Makes {self.database} fail over.", parameters)

    def statements(self, pair: PairOfHosts) -> list[Statement]:
        """The permissions to describe the database and to make it fail over."""
        return [
            {
                "Sid": "FailOverTheDatabase",
                "Effect": "Allow",
                "Action": [self.describes, self.fails_over],
                "Resource": self._arn(pair.place),
            }
        ]

    def describe(self, place: Place) -> Statement:
        """The permission to describe this database only."""
        return {
            "Sid": "DescribeTheDatabase",
            "Effect": "Allow",
            "Action": self.describes,
            "Resource": self._arn(place),
        }

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on an alarm's metric: on both hosts, what needs the database may fail."""
        if alarm.watches is AlarmKind.DEPENDENCY:
            return AlarmEffect.MAY_FAIL if self.reaches(alarm) else AlarmEffect.NONE
        # The page that the other host requests may need the database, as may the application.
        application = alarm.watches is AlarmKind.OTHER and alarm.host and not alarm.is_guard
        may_fail = application or alarm.watches is AlarmKind.PEER
        return AlarmEffect.MAY_FAIL if may_fail else AlarmEffect.NONE

    def reaches(self, alarm: WatchedAlarm) -> bool:
        """Whether an alarm watches the database, on either host."""
        return is_at(alarm, self.destination)

    def breaks(self, host: str) -> bool:
        """Return False: the fault breaks neither host, though both lose the database."""
        return False

    def _arn(self, place: Place) -> str:
        start = f"arn:{place.partition}:rds:{place.region}:{place.account}"
        return f"{start}:{self.database.resource}"


@dataclass(frozen=True, slots=True)
class FailOverDbInstance(DatabaseFault):
    """Reboots a Multi-AZ DB instance of Amazon RDS with a failover to its standby, with AWS FIS.

    Both hosts lose the database for 60 to 120 seconds as a rule. A drill is refused where the
    instance is not Multi-AZ.

    Attributes:
        identifier: The DB instance identifier.
        destination: DNS name or address at which the hosts reach the database.

    Raises:
        InvalidInputError: A value that RDS would refuse.

    Example:
        >>> FailOverDbInstance("shop-db", "db.example.com").database.resource
        'db:shop-db'

    See https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
    """

    action_id = "aws:rds:reboot-db-instances"
    fails_over = "rds:RebootDBInstance"
    describes = "rds:DescribeDBInstances"
    is_cluster = False


@dataclass(frozen=True, slots=True)
class FailOverDbCluster(DatabaseFault):
    """Makes an Aurora or a Multi-AZ DB cluster fail over to one of its readers, with AWS FIS.

    Both hosts lose the database until a reader is the writer. A drill is refused where the cluster
    has no reader.

    Attributes:
        identifier: The DB cluster identifier.
        destination: DNS name or address at which the hosts reach the writer.

    Raises:
        InvalidInputError: A value that RDS would refuse.

    Example:
        >>> FailOverDbCluster("shop", "db.example.com").database.resource
        'cluster:shop'

    See https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
    """

    action_id = "aws:rds:failover-db-cluster"
    fails_over = "rds:FailoverDBCluster"
    describes = "rds:DescribeDBClusters"
    is_cluster = True
