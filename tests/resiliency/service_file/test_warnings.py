"""What is allowed in a service file but reported all the same."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from resiliency.service_file.model.service import Environment
from resiliency.service_file.warnings import (
    ServiceWarning,
    bare_connections,
    notes_of,
    warnings_of,
)
from resiliency.service_file.yaml_source import Document, parse
from tests.resiliency.service_file.bad_input.cases import Case, cases_of
from tests.support import EXAMPLE_CORE, example, service_of

TABLES = Path(__file__).parent / "tables"
NOTED = (
    EXAMPLE_CORE.replace("52.11.79.9 }", "52.11.79.9, instance_id: i-0123abcd }").replace(
        "topic_name: PingPublicationsSNS", "topic_name: Pings, subscriptions: [ops@example.com]"
    )
    + "    probe: { roles: [bookstore-api] }\n"
)
STOP = (
    "{ fault: stop_instance, host: active, duration_minutes: 12, "
    'schedule: "cron(0 10 ? * TUE#1 *)" }'
)
DRILLED = f"""{NOTED}\
    drills:
      objective_seconds: 540
      drill: {STOP}
"""


def environment_of(case: Case) -> Environment:
    document = Document("bookstore.yaml")
    parse(case.content, document)
    return service_of(document.data).environments["production"]


def lines_of(found: Iterable[ServiceWarning]) -> list[str]:
    return [f"{each.id} {each}" for each in found]


@pytest.mark.parametrize(
    "case", [*cases_of(TABLES / "warnings.txt", EXAMPLE_CORE)], ids=lambda case: case.name
)
def test_an_edit_of_the_example_has_these_warnings(case: Case) -> None:
    assert lines_of(warnings_of(environment_of(case))) == case.problems


NOTES = [*cases_of(TABLES / "notes.txt", NOTED), *cases_of(TABLES / "drill_notes.txt", DRILLED)]


@pytest.mark.parametrize("case", NOTES, ids=lambda case: case.name)
def test_an_edit_of_the_example_has_these_notes(case: Case) -> None:
    assert lines_of(notes_of(environment_of(case))) == case.problems


def test_a_warning_reads_as_path_and_message() -> None:
    assert str(ServiceWarning("id", "hosts.green", "is asleep")) == "hosts.green: is asleep"


def database(**settings: object) -> Environment:
    db = {"label": "Database", "host": "db.example.com", **settings}
    edited = example(lambda env: env.update(dependencies={"db": db}))
    return edited.environments["production"]


@pytest.mark.parametrize(
    ("port", "advice"),
    [
        (5432, "give check: { protocol: postgresql }"),
        (6379, "give check: { protocol: redis }"),
        (
            3306,
            "and MySQL and MariaDB refuse a host after 100 bare connections; "
            "give check: { protocol: mysql, user: NAME }",
        ),
    ],
)
def test_a_bare_connection_to_a_database_is_warned_of_with_its_protocol(
    port: int, advice: str
) -> None:
    (warning,) = bare_connections(database(port=port))
    assert warning.path == "dependencies.db.check.protocol"
    assert warning.message.startswith(f"tcp to port {port}: a server that hangs for minutes ")
    assert warning.message.endswith(advice)


def test_the_protocol_of_a_database_and_another_port_are_not_warned_of() -> None:
    assert not [*bare_connections(database(port=5432, check={"protocol": "postgresql"}))]
    assert not [*bare_connections(database(port=8080))]
