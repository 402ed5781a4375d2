"""Finds the DNS records of stacks: each has one owner, wherever its stack is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.review.changes import items_of, object_of, properties
from staged_resiliency.experiment.json_codec import JsonObject

RECORD: Final = "AWS::Route53::RecordSet"
GROUP: Final = "AWS::Route53::RecordSetGroup"
_ZONE_KEYS: Final = ("HostedZoneId", "HostedZoneName")


Answer: TypeAlias = tuple[str, str, str]
"""Zone, name and type of what clients ask for."""


@dataclass(frozen=True, slots=True)
class RecordKey:
    """The properties by which Route 53 identifies a record."""

    zone: str
    name: str
    record_type: str
    identifier: str

    @property
    def answer(self) -> Answer:
        """The record's zone, name and type, which both records of a pair have in common."""
        return self.zone, self.name, self.record_type


@dataclass(frozen=True, slots=True)
class Owner:
    """The resource that defines a record."""

    stack: SynthesizedStack
    logical_id: str


def records_of(stacks: Sequence[SynthesizedStack]) -> Mapping[RecordKey, Owner]:
    """Return the records of stacks, each with the resource that defines it."""
    return {
        _key(record): Owner(stack, logical_id)
        for stack in stacks
        for logical_id, resource in stack.resources.items()
        for record in _records(resource)
    }


def _records(resource: JsonObject) -> Iterator[JsonObject]:
    given = properties(resource)
    if resource.get("Type") == RECORD:
        yield given
    elif resource.get("Type") == GROUP:
        zone = {key: given[key] for key in _ZONE_KEYS if key in given}
        yield from ({**zone, **object_of(each)} for each in items_of(given.get("RecordSets")))


def _key(record: JsonObject) -> RecordKey:
    zone = next((record[key] for key in _ZONE_KEYS if key in record), "")
    name, record_type = (_text(record.get(key)) for key in ("Name", "Type"))
    identifier = _text(record.get("SetIdentifier", ""))
    return RecordKey(_text(zone), name.rstrip(".").lower(), record_type, identifier)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
