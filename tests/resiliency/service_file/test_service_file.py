"""What a sound service file says: values, defaults, and the forms that each part may take."""

from collections.abc import Callable
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from resiliency.service_file import ServiceFileError, load
from resiliency.service_file.model.hosts import AliasTarget
from resiliency.service_file.model.service import Environment, Service
from tests.cases import cases
from tests.support import (
    EXAMPLE_CORE,
    EXAMPLE_FILE,
    Data,
    example,
    example_data,
    production,
    service_of,
)


def environment(edit: Callable[[Data], object] | None = None) -> Environment:
    """The example's environment, edited."""
    return example(edit).environments["production"]


def only_what_is_required() -> Data:
    data = example_data()
    del data["display_name"], data["namespace"]
    environment = production(data)
    del environment["failover_on"], environment["dependencies"]
    environment["endpoint"] = {"record": "bookstore.pingpublications.com"}
    return data


def test_the_example_loads_to_what_it_says() -> None:
    text = EXAMPLE_FILE.read_text(encoding="utf-8")
    assert load(EXAMPLE_FILE) == [Service.model_validate(yaml.safe_load(text))]


@cases(
    ("name", "title", "namespace"),
    {
        "one word": ("bookstore", "Bookstore", "Bookstore"),
        "several words": ("book-store-2", "Book Store 2", "BookStore2"),
    },
)
def test_texts_and_metrics_are_named_after_the_service_unless_the_file_names_them(
    name: str, title: str, namespace: str
) -> None:
    service = service_of(only_what_is_required() | {"service": name})
    assert (service.title, service.metric_namespace) == (title, namespace)


def test_the_names_in_the_file_come_before_those_made_from_the_service() -> None:
    service = example()
    assert (service.title, service.metric_namespace) == ("Bookstore API", "Bookstore")


def test_environments_stand_beside_each_other_in_the_order_of_the_file() -> None:
    data = example_data()
    staging = example_data()["environments"]["production"]
    staging |= {"account": "111111111111", "active": "green"}
    staging["hosts"]["green"]["instance_id"] = "i-0123abcd"
    staging["endpoint"]["record"] = "staging.pingpublications.com"
    data["environments"] = {"staging": staging, **data["environments"]}
    service = service_of(data)
    assert [(name, env.account, env.active) for name, env in service.environments.items()] == [
        ("staging", "111111111111", "green"),
        ("production", "532151327118", "blue"),
    ]


@cases(
    ("endpoint", "port"),
    {
        "http by default": ({}, 80),
        "https": ({"check": {"protocol": "https"}}, 443),
        "tcp": ({"check": {"protocol": "tcp"}}, 80),
        "given": ({"port": 8443, "check": {"protocol": "https"}}, 8443),
    },
)
def test_the_port_follows_the_protocol_unless_given(endpoint: Data, port: int) -> None:
    record = {"record": "bookstore.pingpublications.com"}
    assert environment(
        lambda env: env.update(endpoint=record | endpoint)
    ).endpoint.serving_port == (port)


def with_hosts(**more: tuple[object, object]) -> Callable[[Data], object]:
    """Replace the hosts' addresses; each argument holds blue's and green's value."""

    def edit(env: Data) -> None:
        for index, color in enumerate(("blue", "green")):
            host = env["hosts"][color]
            del host["address"]
            host |= {key: values[index] for key, values in more.items()}

    return edit


BALANCER = {"dns_name": "Pair.us-west-2.elb.amazonaws.com.", "hosted_zone_id": "Z1H1FL5HABSF5"}


@cases(
    ("edit", "blue"),
    {
        "IPv6 only": (
            with_hosts(address=("2600:1F14:0::9", "2600:1f14::a")),
            {"address": "2600:1f14::9"},
        ),
        "dual stack": (
            with_hosts(
                address=("54.213.54.171", "52.11.79.9"),
                ipv6_address=("2600:1f14::9", "2600:1f14::A"),
            ),
            {"address": "54.213.54.171", "ipv6_address": "2600:1f14::9"},
        ),
        "load balancer": (
            with_hosts(alias=(BALANCER, {**BALANCER, "dns_name": "green.elb.amazonaws.com"})),
            {
                "alias": AliasTarget(
                    dns_name="pair.us-west-2.elb.amazonaws.com", hosted_zone_id="Z1H1FL5HABSF5"
                )
            },
        ),
        "private addresses": (
            with_hosts(
                address=("10.0.0.4", "10.0.1.4"),
            ),
            {"address": "10.0.0.4"},
        ),
    },
)
def test_a_host_is_reached_at(edit: Callable[[Data], object], blue: dict[str, object]) -> None:
    expected = {"address": None, "ipv6_address": None, "alias": None} | blue
    host = environment(edit).hosts.blue
    assert {key: getattr(host, key) for key in expected} == expected


def test_a_load_balancer_may_stand_beside_an_address_of_the_same_kind() -> None:
    def edit(env: Data) -> None:
        del env["hosts"]["green"]["address"]
        env["hosts"]["green"]["alias"] = BALANCER

    assert environment(edit).hosts.green.address is None


def test_a_dual_stack_load_balancer_may_stand_beside_two_addresses() -> None:
    def edit(env: Data) -> None:
        env["hosts"]["blue"]["ipv6_address"] = "2600:1f14::9"
        del env["hosts"]["green"]["address"]
        env["hosts"]["green"]["alias"] = {**BALANCER, "ipv6": True}

    alias = environment(edit).hosts.green.alias
    assert alias is not None
    assert alias.ipv6 is True


@pytest.mark.parametrize(
    "subscriber",
    [
        "ops@example.com",
        "ops+bookstore@mail.example.co.uk",
        "https://alerts.example.com/sns?token=1",
        "https://alerts.example.com:8443/",
        "arn:aws:sqs:us-west-2:532151327118:alerts",
        "arn:aws:lambda:us-west-2:532151327118:function:alerts:live",
        "+15555550100",
    ],
)
def test_a_subscriber_may_be(subscriber: str) -> None:
    edited = environment(lambda env: env["notifications"].update(subscriptions=[subscriber]))
    assert edited.notifications.subscriptions == [subscriber]


def test_an_existing_topic_may_be_in_another_partition_with_its_region() -> None:
    arn = "arn:aws-cn:sns:cn-north-1:532151327118:Pings"
    edited = environment(
        lambda env: env.update(region="cn-north-1", notifications={"topic_arn": arn})
    )
    assert edited.notifications.topic_arn == arn


def test_tags_of_an_environment_come_before_those_of_the_service() -> None:
    data = example_data() | {"tags": {"team": "books", "cost center": "4711"}}
    production(data)["tags"] = {"team": "ops", "stage": ""}
    service = service_of(data)
    assert service.tags_of(service.environments["production"]) == {
        "team": "ops",
        "cost center": "4711",
        "stage": "",
    }


def test_no_host_needs_an_instance_when_status_does_not_decide() -> None:
    def edit(env: Data) -> None:
        del env["hosts"]["blue"]["instance_id"]
        env["failover_on"] = ["endpoint", "db"]

    assert environment(edit).failover_on == ["endpoint", "db"]


@cases(
    ("path", "written", "canonical"),
    {
        "dot": ("hosted_zone.name", "pingPublications.com.", "pingpublications.com"),
        "zone id": ("hosted_zone.id", "/hostedzone/Z123", "Z123"),
        "apex": ("endpoint.record", "Pingpublications.com", "pingpublications.com"),
        "b": ("endpoint.record", "B.pingpublications.com", "b.pingpublications.com"),
        "dependency": ("dependencies.db.host", "DB.Example.com", "db.example.com"),
        "IPv4": ("dependencies.db.host", "10.0.0.5", "10.0.0.5"),
        "IPv6": ("dependencies.db.host", "FD00::0:5", "fd00::5"),
        "peer": ("hosts.blue.peer_address", "Blue.Internal.", "blue.internal"),
    },
)  # fmt: skip
def test_names_and_addresses_are_kept_in_one_form(path: str, written: str, canonical: str) -> None:
    *sections, last = path.split(".")

    def edit(env: Data) -> None:
        reduce(getitem, sections, env)[last] = written

    found: Any = environment(edit).model_dump()
    assert reduce(getitem, [*sections, last], found) == canonical


def test_subfolders_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "teams" / "a").mkdir(parents=True)
    (tmp_path / "teams" / "a" / "books.yaml").write_text(EXAMPLE_CORE, encoding="utf-8")
    assert [service.service for service in load(tmp_path)] == ["bookstore"]


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "linked").symlink_to(tmp_path)
    with pytest.raises(ServiceFileError) as error:
        load(tmp_path / "services")
    assert str(error.value) == (
        f"{tmp_path / 'services' / 'linked'}: is a link to a folder, which is not followed; move "
        "the folder here"
    )


def test_a_folder_is_read_in_the_order_of_file_names(tmp_path: Path) -> None:
    text = EXAMPLE_FILE.read_text(encoding="utf-8")
    for name in ("c.yaml", "a.yml", "b.yaml"):
        letter = name[0]
        own = text.replace("service: bookstore", f"service: {letter}")
        own = own.replace("name: bookstore-api", f"name: {letter}")
        own = own.replace("record: bookstore", f"record: {letter}")
        # Drills of several services on one instance must not overlap.
        own = own.replace("instance_id: i-0", f"instance_id: i-{letter}")
        (tmp_path / name).write_text(own, encoding="utf-8")
    (tmp_path / "README.md").write_text("not a service")
    assert [service.service for service in load(tmp_path)] == ["a", "b", "c"]


def test_a_single_file_may_have_any_name(tmp_path: Path) -> None:
    file = tmp_path / "service.txt"
    file.write_bytes(EXAMPLE_FILE.read_bytes())
    assert load(file) == [example(whole=True)]


@pytest.mark.parametrize(
    ("edit", "peers", "probe"),
    [
        pytest.param(lambda env: None, False, True, id="dependencies"),
        pytest.param(lambda env: env.pop("dependencies"), False, False, id="nothing"),
        pytest.param(lambda env: env.update(probe={"peer": True}), True, True, id="peers"),
        pytest.param(lambda env: env.update(failover_on=["peer"]), True, True, id="peers decide"),
        pytest.param(
            lambda env: (
                env.pop("dependencies"),
                env.update(probe={"statsd": {"metrics": ["errors"]}}),
            ),
            *(False, True),
            id="metrics of the application",
        ),
    ],
)
def test_there_is_a_probe_where_it_has_something_to_measure(
    edit: Callable[[Data], object], peers: bool, probe: bool
) -> None:
    edited = environment(edit)
    assert (edited.has_peers, edited.has_probe) == (peers, probe)


def test_the_hosts_ask_each_other_where_clients_ask_them_unless_said_otherwise() -> None:
    def edit(env: Data) -> None:
        env["hosts"]["blue"]["peer_address"] = "10.0.0.4"

    hosts = environment(edit).hosts
    assert (hosts.blue.peer_check_address, hosts.green.peer_check_address) == (
        "10.0.0.4",
        "52.11.79.9",
    )


def test_a_host_behind_a_load_balancer_is_asked_there() -> None:
    balancers = {"green": {**BALANCER, "dns_name": "green.elb.amazonaws.com"}, "blue": BALANCER}
    edited = environment(with_hosts(alias=(balancers["blue"], balancers["green"])))
    assert edited.hosts.green.peer_check_address == "green.elb.amazonaws.com"


@pytest.mark.parametrize(
    ("namespace", "name", "dimensions"),
    [
        pytest.param("Bookstore", "errors", '{ Host: "{host}" }', id="a name"),
        pytest.param("Bookstore", "orders.paid", "{ Host: bookstore-api-blue }", id="a beginning"),
        pytest.param("Bookstore", "errors", '{ Host: "{host}", shop: books }', id="a tag"),
        pytest.param("Bookstore", "db-connectivity", '{ Host: "{host}" }', id="of the probe"),
        pytest.param(
            *("Bookstore", "statsd-dropped", '{ Host: "{host}", Class: limit }'), id="dropped lines"
        ),
        pytest.param("Bookstore", "drill-score", "{ Service: bookstore }", id="of drills"),
        pytest.param("Other", "requests", "{ }", id="of another namespace"),
    ],
)
def test_an_alarm_may_watch_what_the_application_or_the_product_publishes(
    tmp_path: Path, namespace: str, name: str, dimensions: str
) -> None:
    file = tmp_path / "bookstore.yaml"
    file.write_text(
        EXAMPLE_CORE
        + f"""\
    probe: {{ statsd: {{ metrics: [errors, "orders.*"], tags: [shop] }} }}
    alarms:
      other:
        label: Other
        metric: {{ namespace: {namespace}, name: {name}, dimensions: {dimensions} }}
        at_least: 5
""",
        encoding="utf-8",
    )
    (service,) = load(file)
    assert service.environments["production"].alarms.keys() == {"other"}
