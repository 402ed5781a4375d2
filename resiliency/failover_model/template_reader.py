"""Reads pairs of failover records, and what decides them, from templates made by any tool."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, TypeAlias

from resiliency.failover_model.expressions import (
    Reference,
    TemplateError,
    Templates,
    mapping,
    present,
)
from resiliency.failover_model.graph import (
    ALIAS_TTL_SECONDS,
    Alarm,
    CalculatedCheck,
    EndpointCheck,
    FailoverGraph,
    Pair,
    Record,
    RefusedPair,
)
from resiliency.failover_model.health_check_reader import ALARM, HealthCheckReader
from resiliency.failover_model.overrides import known
from resiliency.failover_model.probe_settings import read_probes
from resiliency.failover_model.route53 import Role
from resiliency.failover_model.values import Values
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared import names

_RECORD: Final = "AWS::Route53::RecordSet"
_GROUP: Final = "AWS::Route53::RecordSetGroup"
_ZONE_KEYS: Final = ("HostedZoneId", "HostedZoneName")


def read_graph(
    by_stack: Mapping[str, JsonObject], parameters: Mapping[str, str] | None = None
) -> FailoverGraph:
    """Read the failover records, health checks and alarms from templates.

    ``parameters`` replaces defaults of the templates' parameters. A pair that can't be read does
    not hide the others: the graph has it as refused, with the reason.

    Raises:
        TemplateError: There is no failover pair, or none that can be followed to its signals.

    Example:
        >>> read_graph({"site": {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}})
        Traceback (most recent call last):
        ...
        resiliency.failover_model.expressions.TemplateError: site: no failover records ...
    """
    named = ", ".join(by_stack) or "no template"
    try:
        templates = Templates(by_stack, parameters or {})
        probes = read_probes(templates)
        reader = _Reader(templates, HealthCheckReader(templates, probes))
        pairs, refused = reader.pairs()
        if not pairs and refused:
            raise TemplateError(refused[0].reason)
        if not pairs:
            raise TemplateError(
                f"{named}: no failover records there; give the templates that define the pair"
            )
        return FailoverGraph(pairs, reader.readable_alarms(), probes, refused)
    except RecursionError:
        raise TemplateError(f"{named}: a value refers to itself, or is nested too deeply") from None


def has_records(by_stack: Mapping[str, JsonObject]) -> bool:
    """Whether templates have any DNS record."""
    return any(
        each.get("Type") in (_RECORD, _GROUP)
        for template in by_stack.values()
        for each in template["Resources"].values()
    )


_PairKey: TypeAlias = tuple[str, str, str]
"""Hosted zone, name and type of a pair's records."""


@dataclass(slots=True)
class _Reader:
    templates: Templates
    checks: HealthCheckReader

    def pairs(self) -> tuple[Sequence[Pair], Sequence[RefusedPair]]:
        """Read all pairs, and why others can't be read."""
        found: dict[_PairKey, dict[Role, Record]] = {}
        primaries: dict[_PairKey, Reference] = {}
        refused: dict[_PairKey, str] = {}
        for reference, where, record in self._records():
            if "Failover" not in record:
                continue
            key = ("", where, "")
            try:
                values = Values(self.templates, reference.stack, record, where)
                zone, kind = _zone(values), values.text("Type")
                name = values.text("Name").rstrip(".").lower()
                key = (zone, name, kind)
                self.templates.require_unconditional(reference)
                role = Role(values.choice("Failover", [each.value for each in Role]))
                roles = found.setdefault(key, {})
                if role in roles:
                    raise TemplateError(
                        f"{where}: is a second {role.value} of {name} {kind}; a pair has one"
                    )
                roles[role] = self._record(values)
                if role is Role.PRIMARY:
                    primaries[key] = reference
            except TemplateError as error:
                refused.setdefault(key, str(error))
        pairs = []
        for key, both in _joined(found).items():
            if key not in refused:
                try:
                    pair = _pair(key[1], key[2], both)
                    primary = primaries.get(key) or next(
                        primaries[other] for other in primaries if other[1:] == key[1:]
                    )
                    pair = replace(
                        pair,
                        known=self._known(primary.stack),
                        dependency=self._dependency(primary),
                        stack=primary.stack,
                    )
                    pairs.append(pair)
                except TemplateError as error:
                    refused[key] = str(error)
        return pairs, [RefusedPair(key[1], key[2], reason) for key, reason in refused.items()]

    def _dependency(self, reference: Reference) -> str | None:
        """Read the dependency whose own name a record has; None for the name of a service."""
        resource = self.templates.resource(reference) or {}
        metadata = mapping(resource.get("Metadata", {}), f"{reference}: Metadata")
        name = metadata.get(names.DEPENDENCY_METADATA)
        return name if isinstance(name, str) and name else None

    def _known(self, stack: str) -> tuple[tuple[str, float, float], ...]:
        """Read what the metadata of a template give in place of assumptions."""
        where = f"{stack}: Metadata: FailoverAssumptions"
        metadata = self.templates.by_stack[stack].get("Metadata", {})
        given = mapping(metadata, where).get("FailoverAssumptions", {})
        read = []
        for name, span in mapping(given, where).items():
            try:
                least, most = map(float, span)
                known(name, least, most)
            except (TypeError, ValueError, AttributeError) as error:
                raise TemplateError(f"{where}: {name}: {error}") from None
            read.append((name, least, most))
        return tuple(read)

    def readable_alarms(self) -> Sequence[Alarm]:
        """Read the alarms on a single metric; others can't be signals, so they are left out."""
        alarms = []
        for reference, _ in self.templates.resources(ALARM):
            try:
                alarms.append(self.checks.alarm(reference))
            except TemplateError:
                continue
        return alarms

    def _records(self) -> Iterator[tuple[Reference, str, JsonObject]]:
        for reference, properties in self.templates.resources(_RECORD):
            yield reference, str(reference), properties
        for reference, properties in self.templates.resources(_GROUP):
            where = str(reference)
            records = properties.get("RecordSets")
            if not isinstance(records, list) or not all(isinstance(r, Mapping) for r in records):
                raise TemplateError(f"{where}: RecordSets: is no list of records")
            zone = {key: properties[key] for key in _ZONE_KEYS if key in properties}
            for number, record in enumerate(map(present, records)):
                # A record of a group may name its zone itself.
                yield reference, f"{where}: RecordSets[{number}]", {**zone, **record}

    def _record(self, record: Values) -> Record:
        given, where = record.given, record.where
        check = reference = None
        if "HealthCheckId" in given:
            place = (record.stack, given["HealthCheckId"], f"{where}: HealthCheckId")
            reference, check = self.templates.reference(*place), self.checks.named_check(*place)
        if "AliasTarget" in given:
            alias = record.inner("AliasTarget")
            target = alias.text("DNSName")
            if not alias.flag("EvaluateTargetHealth"):
                return Record((target,), ALIAS_TTL_SECONDS, check, False, reference)
            groups = self.checks.target_groups(record.stack, target)
            both = [*([] if check is None else [check]), *groups]
            if len(both) > 1:
                check = CalculatedCheck(f"{target} and its record", tuple(both), len(both))
            elif groups:
                check = groups[0]
            return Record((target,), ALIAS_TTL_SECONDS, check, not groups, reference)
        values = given.get("ResourceRecords")
        if not isinstance(values, list) or not values:
            raise TemplateError(f"{where}: ResourceRecords: is no list of values")
        texts = [
            self.templates.text(record.stack, each, f"{where}: ResourceRecords") for each in values
        ]
        return Record(tuple(texts), record.whole("TTL", least=0), check, False, reference)


def _zone(record: Values) -> str:
    for key in _ZONE_KEYS:
        if key in record.given:
            # Only whether two records have the same zone matters.
            return json.dumps(record.given[key], sort_keys=True, default=str)
    raise TemplateError(f"{record.where}: names no hosted zone")


def _joined(
    records: Mapping[_PairKey, Mapping[Role, Record]],
) -> Mapping[_PairKey, Mapping[Role, Record]]:
    """Join a primary and a secondary of one name, where two templates name the zone differently.

    One has it as a resource and another one as a parameter, so only the deployment knows that it
    is the same zone.
    """
    joined = {key: dict(roles) for key, roles in records.items()}
    halves = [key for key, roles in joined.items() if len(roles) == 1]
    for first, second in combinations(halves, 2):
        unknown = any(not zone.startswith('"') for zone in (first[0], second[0]))
        apart = joined[first].keys().isdisjoint(joined[second])
        if first[1:] == second[1:] and unknown and apart:
            joined[first] |= joined.pop(second)
            return _joined(joined)
    return joined


def _pair(name: str, kind: str, roles: Mapping[Role, Record]) -> Pair:
    for role in Role:
        if role not in roles:
            raise TemplateError(
                f"{name} {kind}: has no {role.value} record; give the template that defines it too"
            )
    for role, record in roles.items():
        for check in record.checks:
            if isinstance(check, EndpointCheck) and check.address.rstrip(".").lower() == name:
                # Route53/latest/APIReference/API_HealthCheckConfig.html: FullyQualifiedDomainName
                raise TemplateError(
                    f"{name} {kind}: {check.label} of the {role.value} record checks the record's "
                    "own name, for which AWS calls the results unpredictable; check the host's "
                    "address or a name of its own"
                )
    return Pair(name, kind, roles[Role.PRIMARY], roles[Role.SECONDARY])
