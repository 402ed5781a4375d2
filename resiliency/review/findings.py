"""Findings of a review, each with its danger, its subject and advice."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Final

from resiliency.cloud_assembly import JsonObject, SynthesizedStack
from resiliency.failover_model.expressions import TemplateError, Templates
from resiliency.failover_model.graph import FailoverGraph, RefusedPair
from resiliency.failover_model.template_reader import read_graph
from resiliency.review.changes import Change, counterpart
from resiliency.review.sides import templates_of


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


@dataclass(frozen=True)
class Sides:
    """The stacks before and after a change, with the changes between them.

    Attributes:
        running: State machines with a run in progress, by stack and logical id; None where the
            account was not asked.
    """

    before: Sequence[SynthesizedStack]
    after: Sequence[SynthesizedStack]
    changes: Sequence[Change]
    now: datetime
    running: Mapping[tuple[str, str], str] | None = None

    @cached_property
    def left(self) -> Sequence[SynthesizedStack]:
        """The stacks that only the first side has: they stay deployed."""
        return [each for each in self.before if counterpart(each, self.after) is None]

    @cached_property
    def templates(self) -> tuple[Templates, Templates]:
        """The templates of both sides."""
        return Templates(templates_of(self.before)), Templates(templates_of(self.after))

    @cached_property
    def graphs(self) -> tuple[FailoverGraph, FailoverGraph]:
        """What decides the failover on both sides, with the pairs that can't be followed."""
        return _graph(self.before), _graph(self.after)

    def of(self, *types: str) -> Sequence[Change]:
        """Return the changes of resources of some types."""
        return [each for each in self.changes if each.kind in types]


def _graph(stacks: Sequence[SynthesizedStack]) -> FailoverGraph:
    try:
        return read_graph(templates_of(stacks))
    except TemplateError as error:
        pairs = any('"Failover":' in json.dumps(each.resources) for each in stacks)
        return FailoverGraph((), (), (), [RefusedPair("", "", str(error))] if pairs else [])


def text_of(value: object) -> str:
    """Return a value of a template as short text; references stay as ``${LogicalId}``."""
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(text_of, parts))
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(text_of, value))
        case Mapping():
            return ", ".join(f"{key} {text_of(each)}" for key, each in value.items())
    return str(value)


def items_of(value: object) -> Sequence[object]:
    """Return a list of a template; an empty one where there is none."""
    return value if isinstance(value, list) else []


def object_of(value: object) -> JsonObject:
    """Return an object of a template; an empty one where there is none."""
    return value if isinstance(value, Mapping) else {}
