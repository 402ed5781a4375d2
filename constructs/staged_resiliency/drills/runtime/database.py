"""A database of Amazon RDS that is to fail over: its description, and why it can't.

See https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html
"""

from collections.abc import Sequence
from typing import Final

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.fault_settings import Database
from staged_resiliency.experiment.json_codec import JsonObject

AVAILABLE: Final = "available"

_NOT_FOUND: Final = ("DBInstanceNotFound", "DBClusterNotFoundFault")


def describe(database: Database, context: Context) -> JsonObject:
    """Return RDS's description of a database; an empty object where it does not exist."""
    identifier = database.identifier
    try:
        if database.is_cluster:
            answer = context.aws("rds", "DescribeDBClusters", DBClusterIdentifier=identifier)
            (found,) = answer["DBClusters"]
        else:
            answer = context.aws("rds", "DescribeDBInstances", DBInstanceIdentifier=identifier)
            (found,) = answer["DBInstances"]
    except AwsError as error:
        if error.code not in _NOT_FOUND:
            raise
        return {}
    described: JsonObject = found
    return described


def status_of(described: JsonObject) -> str:
    """Return the status in a description; empty where the database does not exist."""
    return str(described.get("DBInstanceStatus") or described.get("Status") or "")


def traps_of(database: Database, described: JsonObject) -> Sequence[str]:
    """Return why a database can't fail over now, or would be lost without a standby."""
    if not described:
        return [f"{database} does not exist in the region"]
    status = status_of(described)
    found = [] if status == AVAILABLE else [f"{database} is {status}, not {AVAILABLE}"]
    if database.is_cluster:
        members = described.get("DBClusterMembers", ())
        if all(each["IsClusterWriter"] for each in members):
            found.append(
                f"{database} has no reader to fail over to, so both hosts would lose it until its "
                "writer is back; add a reader"
            )
        return found
    cluster = described.get("DBClusterIdentifier")
    if cluster:
        found.append(
            f"{database} belongs to DB cluster {cluster}, which fails over as a whole; "
            f"give db_cluster: {cluster}"
        )
    elif not described["MultiAZ"]:
        found.append(
            f"{database} is not Multi-AZ and has no standby, so both hosts would lose it until it "
            "has rebooted; make it Multi-AZ"
        )
    found += [
        f"the reboot of {database} would also apply its parameter group "
        f"{each['DBParameterGroupName']}, which waits for one; reboot it beforehand"
        for each in described.get("DBParameterGroups", ())
        if each["ParameterApplyStatus"] == "pending-reboot"
    ]
    return found
