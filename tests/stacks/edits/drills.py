"""Edits of the drills of a service, and edits that drills follow."""

from collections.abc import Callable

from staged_resiliency.drills import functions
from tests.stacks.deployed_drills import SECURITY_GROUPS, SUBNETS
from tests.stacks.edits.row import (
    ALARMS,
    ASSOCIATION,
    FAILOVER_ALARM,
    GREEN_STATUS,
    PRIMARY,
    SECONDARY,
    STATUS,
    Row,
    both_ids,
    every,
)
from tests.support import Data

DRILLS = ("shutdown", "db-blackhole", "cdn-blackhole")
NAMES = {drill: f"bookstore-production-drill-{drill}" for drill in DRILLS}
DASHBOARD = "modify dashboard bookstore-production"
OVERDUE = {f"alarm {name}-overdue" for name in NAMES.values()}
# Roles that may start the hosts.
STARTERS_OF_HOSTS = {
    "role: Assumed by Lambda for the drills of bookstore: ends the fault, records the verdict, "
    "cleans up, and counts the days since a drill passed.",
    "role: Assumed by AWS FIS for experiments on bookstore-api-blue and bookstore-api-green.",
}


ROLES_OF_FUNCTIONS = {
    f"role: Assumed by Lambda for the drills of bookstore: {duty}."
    for duty in (
        "checks whether a run may begin, takes the lock, and observes what clients see",
        "starts the experiment, and waits until its fault begins",
        "ends the fault, records the verdict, cleans up, and counts the days since a drill passed",
    )
}
GREMLIN = {
    "team_id": "9676868b-60d2-5ebe-aa66-c1de8162ff9d",
    "secret_arn": "arn:aws:secretsmanager:us-west-2:532151327118:secret:gremlin-AbC123",
}


def _machines(*drills: str) -> set[str]:
    return {f"machine {NAMES[drill]}" for drill in drills or DRILLS}


def _faults(*drills: str) -> set[str]:
    return {f"fault {NAMES[drill]}" for drill in drills or DRILLS}


def _schedule(drill: str) -> str:
    return f"schedule: Starts the drill {drill} of Bookstore API."


CLEANUP = "schedule: Cleans up after drills that were aborted, timed out or failed."
WATCHDOG = "schedule: Counts, once a day, the days since each drill passed."


def _parts(drill: str) -> set[str]:
    """All that a drill has for itself."""
    name = NAMES.get(drill, f"bookstore-production-drill-{drill}")
    return {
        f"fault {name}",
        f"machine {name}",
        _schedule(drill),
        f"alarm {name}-overdue",
    }


ORIGIN: Data = {
    "fault": "deny_origin", "dependency": "cdn", "distribution_id": "E1PA6795UKMFR9",
    "origin_bucket": "bookstore-images", "duration_minutes": 12,
    "schedule": "cron(0 10 ? * WED#1 *)",
}  # fmt: skip


def _cdn_fails_over(env: Data) -> None:
    env["dependencies"]["cdn"] |= {
        "check": {"protocol": "http"},
        "failover": {
            "primary": {"dns_name": "d111111abcdef8.cloudfront.net"},
            "secondary": {"dns_name": "cdn.example.com"},
        },
    }


def _origin_is_denied(env: Data) -> None:
    _cdn_fails_over(env)
    env["drills"]["more"] = dict(ORIGIN)


def _of(drill: str, **changes: object) -> Callable[[Data], object]:
    return lambda env: env["drills"][drill].update(changes)


DRILL_ROWS = [
    Row("drills enabled", lambda env: env["drills"].update(enabled=True),
        every("modify", _machines()) | {DASHBOARD},
        found={"warning drills"}),
    Row("objective of drills changed", lambda env: env["drills"].update(objective_seconds=300),
        every("modify", _machines()) | {DASHBOARD}),
    Row("window of drills changed", lambda env: env["drills"].update(window={"from_hour": 10}),
        every("modify", _machines())),
    Row("schedule of a drill changed", _of("shutdown", schedule="cron(0 11 ? * TUE#1 *)"),
        {f"modify {_schedule('shutdown')}"}),
    Row("time zone of a drill changed", _of("shutdown", timezone="Europe/Dublin"),
        {f"modify {_schedule('shutdown')}", *every("modify", _machines("shutdown"))}),
    Row("duration of a drill changed", _of("shutdown", duration_minutes=15),
        every("modify", _faults("shutdown") | _machines("shutdown"))),
    Row("dependency of a drill changed", _of("db-blackhole", dependency="cdn"),
        every("modify", _faults("db-blackhole") | _machines("db-blackhole")),
        found={"warning drills", "warning protection"}),
    Row("scope of a blackhole changed", _of("db-blackhole", scope="port"),
        every("modify", _faults("db-blackhole") | _machines("db-blackhole"))
        | {"add role: Assumed by AWS FIS for experiments on bookstore-api-blue and "
           "bookstore-api-green."},
        found={"warning permissions"}),
    Row("drill of a database added",
        lambda env: env["drills"].update(more={
            "fault": "rds_failover", "dependency": "db", "db_instance": "shop-db",
            "schedule": "cron(0 10 ? * WED#1 *)"}),
        {*every("add", _parts("more")), f"modify {WATCHDOG}", DASHBOARD,
         "add role: Assumed by AWS FIS for experiments on DB instance shop-db.",
         "add AWS::IAM::Policy"},
        found={"warning permissions"}),
    Row("database of a drill changed", lambda env: env["drills"]["more"].update(db_instance="b"),
        {"modify fault bookstore-production-drill-more",
         "modify machine bookstore-production-drill-more",
         "add role: Assumed by AWS FIS for experiments on DB instance b.", "add AWS::IAM::Policy",
         "remove role: Assumed by AWS FIS for experiments on DB instance shop-db.",
         "remove AWS::IAM::Policy"},
        first=lambda env: env["drills"].update(more={
            "fault": "rds_failover", "dependency": "db", "db_instance": "shop-db",
            "schedule": "cron(0 10 ? * WED#1 *)"}),
        found={"warning drills", "warning permissions"}),
    Row("drill of an origin added", lambda env: env["drills"].update(more=ORIGIN),
        {*every("add", _parts("more") - {"fault bookstore-production-drill-more"}),
         f"modify {WATCHDOG}", DASHBOARD, "add AWS::IAM::Policy"},
        first=_cdn_fails_over,
        found={"warning permissions"}),
    Row("origin of a drill changed", lambda env: env["drills"]["more"].update(origin_bucket="b-2"),
        {"modify machine bookstore-production-drill-more", "modify AWS::IAM::Policy"},
        first=_origin_is_denied,
        found={"warning drills", "warning permissions"}),
    Row("host of a drill changed", _of("shutdown", host="standby"),
        every("modify", _faults("shutdown") | _machines("shutdown")),
        first=both_ids,
        found={"warning drills", "warning protection"}),
    Row("drill added",
        lambda env: env["drills"].update(more={**env["drills"]["shutdown"],
                                               "schedule": "cron(0 10 ? * WED#1 *)"}),
        {*every("add", _parts("more")), f"modify {WATCHDOG}", DASHBOARD}),
    Row("drill removed", lambda env: env["drills"].pop("db-blackhole"),
        {*every("remove", _parts("db-blackhole")), f"modify {WATCHDOG}", DASHBOARD},
        found={"warning protection"}),
    Row("runbook of drills given",
        lambda env: env["drills"].update(runbook="https://wiki.example.com/drills"),
        every("modify", _machines()) | {DASHBOARD}),
    Row("messages of passed drills turned off",
        lambda env: env["drills"].update(notify_passed=False), every("modify", _machines())),
    Row("keys of volumes given",
        lambda env: env["drills"].update(
            volume_keys=["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"]),
        every("modify", STARTERS_OF_HOSTS | _machines()),
        found={"warning permissions"}),
    Row("network of private hosts given",
        lambda env: env["drills"].update(
            network={"subnets": SUBNETS, "security_groups": SECURITY_GROUPS}),
        {
            "add function: Drills of Bookstore API: resolves names and asks hosts as their clients "
            "do, from within their VPC.",
            "add role: Assumed by Lambda for the drills of bookstore: resolves names and asks "
            "hosts as their clients do, from within their VPC.",
            *every("modify", {f"role: Assumed by Lambda for the drills of bookstore: {each.duty}."
                             for each in functions.ALL}),
            *every("modify", _machines()),
            f"modify {WATCHDOG}", f"modify {CLEANUP}",
        },
        found={"warning permissions"}),
    Row("Gremlin injects the faults",
        lambda env: env["drills"].update(engine={"gremlin": GREMLIN}),
        every("modify", _machines() | ROLES_OF_FUNCTIONS)
        | every("remove", _faults()
               | {"role: Assumed by AWS FIS for experiments on bookstore-api-blue and "
                  "bookstore-api-green."}),
        found={"warning drills", "warning permissions"}),
    Row("active: green, with drills", lambda env: env.update(active="green"),
        {
            f"add health check {GREEN_STATUS}",
            f"remove health check {STATUS}",
            f"modify {FAILOVER_ALARM}",
            f"modify {PRIMARY}", f"modify {SECONDARY}",
            *every("modify", _faults() | _machines()),
            DASHBOARD,
        },
        first=both_ids,
        found={"warning clients", "warning drills", "warning protection"}),
    Row("dependency added, with drills",
        lambda env: env["dependencies"].update(
            search={"label": "Search", "host": "search.pingpublications.com", "port": 9200}),
        {
            "add alarm bookstore-api-blue-search-connectivity-failed",
            "add alarm bookstore-api-green-search-connectivity-failed",
            f"modify {ASSOCIATION}",
            *every("modify", _machines()),
            DASHBOARD,
        },
        found={"warning hosts"}),
    Row("label of a dependency edited, with drills",
        lambda env: env["dependencies"]["db"].update(label="Main database"),
        {f"modify {alarm}" for alarm in ALARMS if "-db-" in alarm}),
    Row("TTL changed, with drills", lambda env: env["endpoint"].update(ttl_seconds=10),
        {f"modify {PRIMARY}", f"modify {SECONDARY}", *every("modify", _machines("shutdown"))}),
]  # fmt: skip
