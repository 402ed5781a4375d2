"""Plans of drills: those of the example service, and some others."""

from dataclasses import replace

from staged_resiliency.drills.runtime.durations import Timeouts
from staged_resiliency.drills.runtime.fault_settings import Command, Database, FaultKind, Origin
from staged_resiliency.drills.runtime.hosts import Endpoint, Host, Record
from staged_resiliency.drills.runtime.plan import Plan, Predicted, Window
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules, WatchedDrill
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
)

RECORD = "bookstore.pingpublications.com"
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
BLUE_ADDRESS, GREEN_ADDRESS = "54.213.54.171", "52.11.79.9"
INSTANCE = "i-0ab55a49288f1da24"
STATUS_ALARM = f"{BLUE}-StatusCheckFailed"
DB_ALARM = f"{BLUE}-db-connectivity-failed"
GREEN_DB_ALARM = f"{GREEN}-db-connectivity-failed"
GUARD_ALARM = f"{GREEN}-probe-silent"
TEMPLATE, OTHER_TEMPLATE = "EXT1a2b3c4d5e6f7", "EXT7f6e5d4c3b2a1"
DATABASE_TEMPLATE = "EXT0a1b2c3d4e5f6"
DATABASE_ARN = "arn:aws:rds:us-west-2:123456789012:db:shop-db"
BUCKET = "bookstore-production-drills"
MACHINE = "arn:aws:states:us-west-2:123456789012:stateMachine:bookstore-production-drill-shutdown"
EXECUTION = f"{MACHINE.replace('stateMachine', 'execution')}:run-1"
TOPIC = "arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS"

CLIENT_FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:client"

_SHUTDOWN = (
    ClientsMove(RECORD, GREEN),
    AlarmFires(STATUS_ALARM, 300),
    ClientsReturn(RECORD, BLUE, 600),
    AlarmRecovers(STATUS_ALARM, 600),
    AlarmQuiet(GREEN_DB_ALARM),
)
_BLACKHOLE = (
    AlarmFires(DB_ALARM, 240),
    AlarmRecovers(DB_ALARM, 300),
    AlarmQuiet(GREEN_DB_ALARM),
    ClientsStay(RECORD, BLUE),
    ClientsServed(RECORD),
)

SHUTDOWN = Plan(
    service="bookstore",
    environment="production",
    drill="shutdown",
    region="us-west-2",
    fault=FaultKind.STOP_INSTANCE,
    target=BLUE,
    active=Host(BLUE, INSTANCE, (BLUE_ADDRESS,), BLUE_ADDRESS),
    standby=Host(GREEN, None, (GREEN_ADDRESS,), GREEN_ADDRESS),
    dependency=None,
    port=None,
    record=Record(RECORD, "Z2EHK3FAEUNRMI"),
    endpoint=Endpoint("http", 80, "/version/", "environment"),
    objective_seconds=360,
    fault_seconds=600,
    hypothesis=_SHUTDOWN,
    alarms=(STATUS_ALARM, DB_ALARM, GREEN_DB_ALARM, GUARD_ALARM),
    expected_alarms=(STATUS_ALARM,),
    guard_alarms=(GUARD_ALARM,),
    experiment_template_id=TEMPLATE,
    enabled=True,
    journal_bucket=BUCKET,
    topic_arn=TOPIC,
    more_topic_arns=(),
    namespace="Bookstore",
    timeouts=Timeouts.of(600, _SHUTDOWN, 360),
    window=Window(("TUE",), 9, 17, "America/Los_Angeles"),
    predicted=Predicted(160, 270, 335, 380),
    runbook="https://runbooks.example.com/bookstore",
    stack="bookstore-production-failover",
)

IN_VPC = replace(SHUTDOWN, client_function=CLIENT_FUNCTION)

BLACKHOLE = replace(
    SHUTDOWN,
    drill="db-blackhole",
    fault=FaultKind.BLACKHOLE,
    dependency="db",
    command=Command(
        "AWSFIS-Run-Network-Packet-Loss-Sources",
        f"drops what {BLUE} sends to db.bookstore.pingpublications.com",
    ),
    fault_seconds=300,
    hypothesis=_BLACKHOLE,
    expected_alarms=(DB_ALARM,),
    experiment_template_id=OTHER_TEMPLATE,
    timeouts=Timeouts.of(300, _BLACKHOLE, 360),
    predicted=None,
    notify_passed=False,
)

_DEGRADE = (
    ClientsStay(RECORD, BLUE),
    ClientsServed(RECORD),
    AlarmQuiet(DB_ALARM),
    AlarmQuiet(GREEN_DB_ALARM),
    ClientsFast(RECORD, 0.8),
)

DEGRADE = replace(
    BLACKHOLE,
    drill="db-slow",
    fault=FaultKind.DEGRADE,
    command=Command(
        "AWSFIS-Run-Network-Latency-Sources",
        f"delays what {BLUE} sends to db.bookstore.pingpublications.com by 300 ms",
    ),
    hypothesis=_DEGRADE,
    expected_alarms=(),
    timeouts=Timeouts.of(300, _DEGRADE, 360),
)

_FAILOVER = (
    ClientsStay(RECORD, BLUE),
    ClientsServedAgain(RECORD),
    AlarmQuiet(STATUS_ALARM),
    AlarmRecovers(DB_ALARM, 230),
    AlarmRecovers(GREEN_DB_ALARM, 230),
    AlarmQuiet(GUARD_ALARM),
)

RDS_FAILOVER = replace(
    SHUTDOWN,
    drill="db-failover",
    fault=FaultKind.RDS_FAILOVER,
    dependency="db",
    database=Database("shop-db", is_cluster=False, alarms_seconds=290),
    fault_seconds=120,
    hypothesis=_FAILOVER,
    expected_alarms=(),
    experiment_template_id=DATABASE_TEMPLATE,
    timeouts=Timeouts.of(120, _FAILOVER, 360, late_seconds=1800, alarms_seconds=290),
    predicted=None,
)

IMAGES = "images.pingpublications.com"
PRIMARY = "d111111abcdef8.cloudfront.net"
SECONDARY = f"{IMAGES}.s3-website-us-west-2.amazonaws.com"
ORIGIN_BUCKET = "bookstore-images"
ON_SECONDARY = "bookstore-production-images-on-secondary"

DENIED = Origin(
    distribution_arn="arn:aws:cloudfront::123456789012:distribution/E1PA6795UKMFR9",
    bucket=ORIGIN_BUCKET,
    record=IMAGES,
    primary=PRIMARY,
    secondary=SECONDARY,
    endpoint=Endpoint("http", 80, "/status.txt", None),
    alarm=ON_SECONDARY,
    alarm_region="us-east-1",
)

_DENY_ORIGIN = (
    ClientsMove(IMAGES, SECONDARY),
    ClientsReturn(IMAGES, PRIMARY, 370),
    ClientsStay(RECORD, BLUE),
    ClientsServed(RECORD),
    AlarmFires(ON_SECONDARY, 480),
    AlarmRecovers(ON_SECONDARY, 480),
    AlarmQuiet(STATUS_ALARM),
    AlarmQuiet(GUARD_ALARM),
)

DENY_ORIGIN = replace(
    SHUTDOWN,
    drill="images-failover",
    fault=FaultKind.DENY_ORIGIN,
    dependency="images",
    origin=DENIED,
    hypothesis=_DENY_ORIGIN,
    expected_alarms=(ON_SECONDARY,),
    experiment_template_id="",
    timeouts=Timeouts.of(600, _DENY_ORIGIN, 360),
    predicted=None,
)

DRY_SHUTDOWN = replace(SHUTDOWN, enabled=False)
DRY_BLACKHOLE = replace(BLACKHOLE, enabled=False)

STANDBY_SHUTDOWN = replace(
    SHUTDOWN,
    drill="standby-shutdown",
    target=GREEN,
    standby=replace(SHUTDOWN.standby, instance_id="i-0123456789abcdef0"),
    hypothesis=(ClientsStay(RECORD, BLUE), ClientsServed(RECORD)),
)

SCHEDULES = DrillSchedules(
    service="bookstore",
    environment="production",
    drills=(WatchedDrill("shutdown", MACHINE),),
    journal_bucket=BUCKET,
    namespace="Bookstore",
)
