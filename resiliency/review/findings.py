"""Findings of a review, each with its danger, its subject and advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from resiliency.review.changes import Change


class Level(Enum):
    """The danger of a finding."""

    DANGER = "danger"
    WARNING = "warning"
    NOTE = "note"


class Topic(Enum):
    """The subject of a finding, in the order in which a review lists them."""

    CLIENTS = "clients"
    NAMES = "names"
    PERMISSIONS = "permissions"
    PROTECTION = "protection"
    HOSTS = "hosts"
    TIME = "time"
    COST = "cost"
    MESSAGES = "messages"
    DRILLS = "drills"
    REST = "rest"


TITLES: Final[Mapping[Topic, str]] = {
    Topic.CLIENTS: "Clients: names without an answer, and clients sent elsewhere",
    Topic.NAMES: "Replaced resources, and names that are in use",
    Topic.PERMISSIONS: "Permissions that widen",
    Topic.PROTECTION: "Alarms, guards and notifications that go away",
    Topic.HOSTS: "What Systems Manager runs on hosts",
    Topic.TIME: "Failover time",
    Topic.COST: "Cost",
    Topic.MESSAGES: "Messages that people get while it is deployed",
    Topic.DRILLS: "Drills",
    Topic.REST: "Other changes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that ops need to know of a change.

    Attributes:
        stack: The stack whose update it is about; empty where it is about all.
        text: What happens, as a sentence without the full stop.
        advice: What to do; empty where there is nothing to do.
        resources: Logical ids of the resources whose changes it explains.
    """

    level: Level
    topic: Topic
    stack: str
    text: str
    advice: str = ""
    resources: tuple[str, ...] = ()


def explaining(
    topic: Topic,
    changes: Sequence[Change],
    text: str,
    advice: str = "",
    level: Level = Level.WARNING,
) -> Finding:
    """Make a finding that explains changes of one stack."""
    ids = tuple(each.logical_id for each in changes)
    return Finding(level, topic, changes[0].stack.name, text, advice, ids)
