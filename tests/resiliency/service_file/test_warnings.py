"""What is allowed in a service file but reported all the same."""

from collections.abc import Callable, Iterable
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
from tests.support import EXAMPLE_CORE, Data, example, service_of


def edited(edit: Callable[[Data], object] | None = None) -> Environment:
    return example(edit).environments["production"]


TABLES = Path(__file__).parent / "tables"
NOTED = (
    EXAMPLE_CORE.replace("52.11.79.9 }", "52.11.79.9, instance_id: i-0123abcd }").replace(
        "topic_name: PingPublicationsSNS", "topic_name: Pings, subscriptions: [ops@example.com]"
    )
    + "    probe: { roles: [bookstore-api] }\n"
)


def environment_of(case: Case) -> Environment:
    document = Document("bookstore.yaml")
    parse(case.content, document)
    return service_of(document.data).environments["production"]


def told(found: Iterable[ServiceWarning]) -> list[str]:
    return [f"{each.id} {each}" for each in found]


@pytest.mark.parametrize(
    "case", [*cases_of(TABLES / "warnings.txt", EXAMPLE_CORE)], ids=lambda case: case.name
)
def test_an_edit_of_the_example_has_these_warnings(case: Case) -> None:
    assert told(warnings_of(environment_of(case))) == case.problems


@pytest.mark.parametrize(
    "case", [*cases_of(TABLES / "notes.txt", NOTED)], ids=lambda case: case.name
)
def test_an_edit_of_the_example_has_these_notes(case: Case) -> None:
    assert told(notes_of(environment_of(case))) == case.problems


def combined(*edits: Callable[[Data], object]) -> Callable[[Data], object]:
    return lambda env: [edit(env) for edit in edits]


def with_instances(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123abcd"


def with_role(env: Data) -> None:
    env["probe"] = {"roles": ["bookstore-api"]}


def subscribed(env: Data) -> None:
    env["notifications"] = {"topic_name": "Pings", "subscriptions": ["ops@example.com"]}


NETWORK = {"subnets": ["subnet-0ab55a49288f1da24"], "security_groups": ["sg-0123abcd"]}


def drilled(edit: Callable[[Data], object]) -> list[str]:
    """The notes of an environment with a drill that stops the active host, without the others."""

    def drills(env: Data) -> None:
        schedule = "cron(0 10 ? * TUE#1 *)"
        stop = {"fault": "stop_instance", "host": "active", "schedule": schedule}
        env["drills"] = {"objective_seconds": 540, "shutdown": {**stop, "duration_minutes": 12}}

    whole = combined(with_instances, with_role, subscribed, drills, edit)
    return [str(each) for each in notes_of(edited(whole))]


def private(env: Data) -> None:
    env["hosts"]["blue"]["address"], env["hosts"]["green"]["address"] = "10.0.0.4", "10.0.1.4"
    env["drills"]["network"] = NETWORK


PROBES_OF_PRIVATE_HOSTS = (
    "hosts: bookstore-api-blue and bookstore-api-green have private addresses: their probes need "
    "NAT, or VPC endpoints for monitoring, ec2, ssm, ssmmessages and ec2messages and a package "
    "repository in the network"
)
OBSERVED_IN_THE_VPC = (
    "drills.network: the function that observes clients calls no AWS API, so its subnets need "
    "neither NAT nor VPC endpoints; sg-0123abcd must allow port 80 out to both hosts, whose "
    "groups must let it in"
)


def test_a_host_that_drills_stop_needs_an_address_that_stays() -> None:
    (note,) = drilled(lambda env: None)
    assert note == (
        "hosts.blue.address: 54.213.54.171 must be an Elastic IP, since an instance that a drill "
        "stops loses any other public address; runs are refused unless it is one"
    )


def test_a_private_address_stays_and_its_host_needs_a_way_to_aws() -> None:
    assert drilled(private) == [PROBES_OF_PRIVATE_HOSTS, OBSERVED_IN_THE_VPC]


def test_without_a_probe_private_hosts_need_no_way_to_aws() -> None:
    def edit(env: Data) -> None:
        private(env)
        del env["dependencies"]

    assert drilled(edit) == [OBSERVED_IN_THE_VPC]


def test_the_vpc_of_a_private_zone_has_to_be_one_of_its_own() -> None:
    def edit(env: Data) -> None:
        private(env)
        env["hosted_zone"]["private"] = True

    zone = "; the VPC must be associated with the zone pingpublications.com"
    assert drilled(edit)[-1] == OBSERVED_IN_THE_VPC + zone


def test_public_addresses_are_reached_from_a_vpc_through_nat_alone() -> None:
    found = drilled(lambda env: env["drills"].update(network=NETWORK))
    assert found[:3] == [
        OBSERVED_IN_THE_VPC,
        *(
            f"hosts.{color}.address: {address} is public, and the function that observes clients "
            "reaches it from drills.network through a NAT gateway alone; give the subnets one, or "
            "the private address"
            for color, address in (("blue", "54.213.54.171"), ("green", "52.11.79.9"))
        ),
    ]


def test_drills_in_govcloud_are_allowed_where_they_observe_from_a_vpc() -> None:
    def edit(env: Data) -> None:
        private(env)
        env["region"] = "us-gov-west-1"

    assert drilled(edit) == [PROBES_OF_PRIVATE_HOSTS, OBSERVED_IN_THE_VPC]


def test_a_warning_reads_as_path_and_message() -> None:
    assert str(ServiceWarning("id", "hosts.green", "is asleep")) == "hosts.green: is asleep"


def database(**settings: object) -> Environment:
    def edit(env: Data) -> None:
        env["dependencies"] = {"db": {"label": "Database", "host": "db.example.com", **settings}}

    return edited(edit)


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


@pytest.mark.parametrize(
    ("signals", "noted"), [(["status"], []), (["status", "peer", "endpoint"], ["peer, endpoint"])]
)
def test_signals_that_may_take_a_failover_of_the_database_for_one_of_the_host_are_noted(
    signals: list[str], noted: list[str]
) -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = signals
        env["drills"] = {
            "objective_seconds": 300,
            "db-failover": {
                "fault": "rds_failover",
                "dependency": "db",
                "db_instance": "shop-db",
                "schedule": "cron(0 10 ? * WED#1 *)",
            },
        }

    assert [note.message for note in notes_of(edited(edit)) if "db-failover" in note.path] == [
        f"makes db fail over, and failover_on has {names}: if these watch something that "
        "needs db, clients are sent to bookstore-api-green, which has lost it too, and the drill "
        "fails; let them watch something that does not need it"
        for names in noted
    ]
