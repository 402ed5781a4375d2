"""What Route 53 answers between the updates of two records, in every order of the updates.

CloudFormation updates each record by itself. A health check that is added exists before a record
names it, and one that is removed goes after the last update.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import pytest

from resiliency.service_file import Service
from tests.stacks.change_set import create_only
from tests.stacks.edits import ROWS, Row
from tests.stacks.edits.row import PRIMARY
from tests.support import (
    Data,
    Template,
    example,
    example_data,
    records_of,
    resources_of,
    service_of,
    synthesize,
)

RECORD = "AWS::Route53::RecordSet"
STACK = "bookstore-production-failover"

Records: TypeAlias = Mapping[str, Data]
"""The records of a template, by logical id."""

KEEPING = [row for row in ROWS if not row.loses and f"modify {PRIMARY}" in row.expected]


def _records(template: Template) -> Records:
    return {id_: each["Properties"] for id_, each in resources_of(template, RECORD).items()}


def _around(row: Row) -> tuple[Records, Records]:
    before, after = row.sides(example_data())
    return _of(service_of(before)), _of(service_of(after))


def _of(service: Service) -> Records:
    return _records(synthesize([service])[STACK])


def _states(before: Records, after: Records, order: Sequence[str]) -> Iterator[Records]:
    """Yield the records before, between and after their updates."""
    now = dict(before)
    yield dict(now)
    for logical_id in order:
        now[logical_id] = after[logical_id]
        yield dict(now)


def _check(record: Data) -> str | None:
    return record["HealthCheckId"]["Ref"] if "HealthCheckId" in record else None


def _answers(records: Records, unhealthy: set[str]) -> dict[tuple[str, str], str]:
    """Answer each name and type as Route 53 does for failover records.

    Targets of aliases count as healthy. See
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
    """
    roles: dict[tuple[str, str], dict[str, Data]] = {}
    for record in records.values():
        pair = roles.setdefault((record["Name"], record["Type"]), {})
        assert record["Failover"] not in pair, "Route 53 refuses a second record of a role"
        pair[record["Failover"]] = record
    return {
        key: _value(pair["SECONDARY" if _check(pair["PRIMARY"]) in unhealthy else "PRIMARY"])
        for key, pair in roles.items()
    }


def _value(record: Data) -> str:
    return str(record.get("ResourceRecords", [None])[0] or record["AliasTarget"]["DNSName"])


def _health(*versions: Records) -> Iterator[set[str]]:
    """Yield each combination of unhealthy checks."""
    checks = {check for records in versions for each in records.values() if (check := _check(each))}
    for count in range(len(checks) + 1):
        yield from map(set, itertools.combinations(sorted(checks), count))


def test_the_edits_of_records_are_among_the_rows() -> None:
    names = {row.name for row in KEEPING}
    assert {"active: green", "TTL changed", "threshold of the status alarm edited"} <= names
    assert len(names) == 17


@pytest.mark.parametrize("row", KEEPING, ids=lambda row: row.name)
def test_every_state_between_the_updates_has_an_answer_of_before_or_after(row: Row) -> None:
    before, after = _around(row)
    assert set(before) == set(after), "no record is added, removed or replaced"
    changed = [logical_id for logical_id in before if before[logical_id] != after[logical_id]]
    assert changed
    for unhealthy, order in itertools.product(
        _health(before, after), itertools.permutations(changed)
    ):
        ends = _answers(before, unhealthy), _answers(after, unhealthy)
        for state in _states(before, after, order):
            answers = _answers(state, unhealthy)
            for key in ends[0]:
                assert answers[key] in {
                    _value(each) for each in (*before.values(), *after.values())
                }
            if len(changed) == 1:
                assert answers in ends


def _swap(order: Sequence[str], unhealthy: set[str]) -> list[str]:
    """Return the answers of the name while `active: green` is deployed."""
    (row,) = (row for row in ROWS if row.name == "active: green")
    before, after = _around(row)
    return [
        *itertools.chain.from_iterable(
            _answers(state, unhealthy).values() for state in _states(before, after, order)
        )
    ]


def _in_order_of_dependencies(template: Template) -> list[str]:
    resources = resources_of(template, RECORD)
    primary, secondary = resources
    assert resources[secondary]["DependsOn"] == [primary]
    return [primary, secondary]


def test_a_swap_away_from_a_host_that_is_down_never_sends_clients_back() -> None:
    template = synthesize([example()])[STACK]
    order = _in_order_of_dependencies(template)
    blue, green = (record["ResourceRecords"][0] for record in records_of(template))
    (blue_check,) = filter(None, map(_check, records_of(template)))
    assert _swap(order, {blue_check}) == [green] * 3
    # Were the secondary updated first, clients would go back to the host that is down.
    assert _swap(order[::-1], {blue_check}) == [green, blue, green]


def test_a_swap_of_healthy_hosts_moves_clients_once() -> None:
    template = synthesize([example()])[STACK]
    order = _in_order_of_dependencies(template)
    blue, green = (record["ResourceRecords"][0] for record in records_of(template))
    assert _swap(order, set()) == [blue, green, green]


def test_the_schemas_let_a_record_be_imported_and_checked_for_drift_and_a_group_not() -> None:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    record, group = (
        PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-west-2", kind).schema
        for kind in (RECORD, f"{RECORD}Group")
    )
    assert {"create", "read", "update", "delete", "list"} == set(record["handlers"])
    assert record["primaryIdentifier"] == [
        f"/properties/{key}" for key in ("Name", "HostedZoneId", "Type", "SetIdentifier")
    ]
    assert "handlers" not in group
    assert (group["primaryIdentifier"], group["readOnlyProperties"]) == (
        ["/properties/Id"],
        ["/properties/Id"],
    )
    assert create_only(RECORD) == ["/properties/HostedZoneName", "/properties/HostedZoneId"]
