"""The example's drills as their plans tell them."""

from dataclasses import replace
from typing import Final

from staged_resiliency.drills.runtime.plan import (
    Endpoint,
    FaultKind,
    Host,
    Journal,
    Plan,
    Predicted,
    Record,
    Timeouts,
    Window,
)
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
)

RECORD: Final = "bookstore.pingpublications.com"
BLUE: Final = "bookstore-api-blue"
GREEN: Final = "bookstore-api-green"
BLUE_ADDRESS: Final = "54.213.54.171"
GREEN_ADDRESS: Final = "52.11.79.9"
INSTANCE: Final = "i-0ab55a49288f1da24"
STATUS: Final = f"{BLUE}-StatusCheckFailed"
DATABASE: Final = f"{BLUE}-db-connectivity-failed"
GUARD: Final = f"{GREEN}-probe-silent"
BUCKET: Final = "bookstore-production-drills-journals"
TEMPLATES: Final = ("EXT1a2b3c4d5e6f7", "EXT7f6e5d4c3b2a1")

_SHUTDOWN: Final = (
    ClientsMove(RECORD, GREEN, 360),
    ClientsReturn(RECORD, BLUE, 600),
    AlarmFires(STATUS, 300),
    AlarmRecovers(STATUS, 600),
    AlarmQuiet(f"{GREEN}-db-connectivity-failed"),
)
_BLACKHOLE: Final = (
    ClientsStay(RECORD, BLUE),
    AlarmFires(DATABASE, 240),
    AlarmRecovers(DATABASE, 300),
)

SHUTDOWN: Final = Plan(
    service="bookstore",
    environment="production",
    drill="shutdown",
    region="us-west-2",
    fault=FaultKind.STOP_INSTANCE,
    broken=BLUE,
    active=Host(BLUE, INSTANCE, (BLUE_ADDRESS,), BLUE_ADDRESS),
    standby=Host(GREEN, None, (GREEN_ADDRESS,), GREEN_ADDRESS),
    dependency=None,
    port=None,
    record=Record(RECORD, "A", "Z2EHK3FAEUNRMI"),
    endpoint=Endpoint("http", 80, "/version/"),
    objective_seconds=360,
    fault_seconds=600,
    hypothesis=_SHUTDOWN,
    alarms=(STATUS, DATABASE, f"{GREEN}-db-connectivity-failed"),
    expected_alarms=(STATUS,),
    guard_alarms=(GUARD,),
    experiment_template_id=TEMPLATES[0],
    experiment_templates=TEMPLATES,
    enabled=True,
    journal=Journal(BUCKET, "bookstore/"),
    topic_arn="arn:aws:sns:us-west-2:123456789012:PingPublicationsSNS",
    namespace="Bookstore",
    timeouts=Timeouts.of(600, _SHUTDOWN),
    window=Window(("TUE",), "09:00", "17:00", "America/Los_Angeles"),
    predicted=Predicted(160, 270, 335, 380),
    runbook="https://wiki.example.com/bookstore/drills",
)

BLACKHOLE: Final = replace(
    SHUTDOWN,
    drill="db-blackhole",
    fault=FaultKind.BLACKHOLE,
    dependency="db",
    port=5432,
    fault_seconds=300,
    hypothesis=_BLACKHOLE,
    expected_alarms=(DATABASE,),
    experiment_template_id=TEMPLATES[1],
    timeouts=Timeouts.of(300, _BLACKHOLE),
    predicted=None,
    runbook="",
    enabled=False,
)

STANDBY: Final = replace(
    SHUTDOWN,
    drill="standby-shutdown",
    broken=GREEN,
    standby=replace(SHUTDOWN.standby, instance_id="i-0123456789abcdef0"),
    hypothesis=(ClientsStay(RECORD, BLUE), ClientsServed(RECORD)),
)
