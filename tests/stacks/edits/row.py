"""An edit of a service file, and the names of what edits change."""

import copy
import json
from collections.abc import Callable, Set
from dataclasses import dataclass

from tests.support import Data

GREEN_ID = "i-0123456789abcdef0"
STATUS = "bookstore-api-blue-StatusCheckFailed"
GREEN_STATUS = "bookstore-api-green-StatusCheckFailed"
PRIMARY = "primary A record bookstore.pingpublications.com."
SECONDARY = "secondary A record bookstore.pingpublications.com."
AAAA = {f"{role} AAAA record bookstore.pingpublications.com." for role in ("primary", "secondary")}
DB_ALARMS = {f"alarm bookstore-api-{color}-db-connectivity-failed" for color in ("blue", "green")}
CDN_ALARMS = {f"alarm bookstore-api-{color}-cdn-connectivity-failed" for color in ("blue", "green")}
SILENCE_ALARMS = {f"alarm bookstore-api-{color}-probe-silent" for color in ("blue", "green")}
PEER_ALARMS = {
    f"alarm bookstore-api-{color}-peer-connectivity-failed" for color in ("blue", "green")
}
ALARMS = {f"alarm {STATUS}", *DB_ALARMS, *CDN_ALARMS, *SILENCE_ALARMS}
FAILOVER_ALARM = "alarm bookstore-production-clients-on-standby"
ASSOCIATION = "association bookstore-production-probe"
AGENT = "bookstore-production-cloudwatch-agent"
MEMORY_ALARMS = {f"alarm bookstore-api-{color}-memory" for color in ("blue", "green")}
PROBE_PARTS = {"document of the probe", ASSOCIATION, "policy of the probe", *SILENCE_ALARMS}
SERVICE_PARTS = {
    *ALARMS,
    f"health check {STATUS}",
    PRIMARY,
    SECONDARY,
    "document of the probe",
    "policy of the probe",
}
TOPIC_PARTS = {"topic PingPublicationsSNS", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"}


def every(action: str, labels: set[str]) -> set[str]:
    """The same action on each of the labels."""
    return {f"{action} {label}" for label in labels}


def decided_by_another_check(former: str, now: str = "") -> set[str]:
    """Another health check decides the failover, of the same name unless a new one is given."""
    return {
        f"add health check {now or former}",
        f"remove health check {former}",
        f"modify {PRIMARY}",
        f"modify {FAILOVER_ALARM}",
    }


@dataclass(frozen=True)
class Row:
    """An edit, exactly what it changes, and what `resiliency review` says of it.

    Attributes:
        name: The edit, as docs/reviewing-change-sets.md names it.
        edit: Edits the production environment.
        expected: The changes.
        found: The dangers and warnings of `resiliency review`, each as ``<level> <topic>``.
        first: Edits the environment before the edit that is looked at.
        loses: Records that are gone afterwards.
        of_service: Edits the service, beside its production environment.
    """

    name: str
    edit: Callable[[Data], object]
    expected: set[str]
    found: Set[str] = frozenset()
    first: Callable[[Data], object] = lambda env: None
    loses: frozenset[str] = frozenset()
    of_service: Callable[[Data], object] = lambda data: None

    def sides(self, data: Data) -> tuple[Data, Data]:
        """The service before and after the edit."""
        before = copy.deepcopy(data)
        self.first(before["environments"]["production"])
        after = copy.deepcopy(before)
        self.edit(after["environments"]["production"])
        self.of_service(after)
        assert json.dumps(before) != json.dumps(after), "the edit does nothing"
        return before, after


def both_ids(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = GREEN_ID


def db_decides_too(env: Data) -> None:
    env["failover_on"] = ["status", "db"]


def db_decides(env: Data) -> None:
    env["failover_on"] = ["db"]
