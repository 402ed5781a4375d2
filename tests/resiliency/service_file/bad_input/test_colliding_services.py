"""Two service files may not claim what AWS gives to one only."""

import json
from pathlib import Path

import pytest
import yaml

from resiliency.service_file import ServiceFileError, load
from tests.cases import cases
from tests.support import EXAMPLE_CORE, example_data

Edits = dict[str, str]

# What a second service needs of its own.
OWN: Edits = {
    "service: bookstore": "service: cafe",
    "name: bookstore-api-blue": "name: cafe-blue",
    "name: bookstore-api-green": "name: cafe-green",
    "record: bookstore.ping": "record: cafe.ping",
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def problems_of(bookstore: Edits, cafe: Edits) -> list[str]:
    """Return the problems of two services, each the example with edits."""
    Path("services").mkdir()
    for name, edits in (("bookstore", bookstore), ("cafe", OWN | cafe)):
        text = EXAMPLE_CORE
        for old, new in edits.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        Path(f"services/{name}.yaml").write_text(text, encoding="utf-8")
    try:
        load(Path("services"))
    except ServiceFileError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_two_services_may_share_account_zone_topic_and_dependencies() -> None:
    assert problems_of({}, {}) == []


def unchanged(*keys: str) -> Edits:
    return {key: key for key in keys}


CDN_FAILS_OVER: Edits = {
    "port: 80 }": "port: 80, failover: { primary: { dns_name: d1.cloudfront.net }, "
    "secondary: { dns_name: cdn.example.com } } }"
}

HOST_ALIKE = (
    "services/cafe.yaml:15: environments.production.hosts.blue.name: 'bookstore-api-blue' is also "
    "a host of another pair in 532151327118 us-west-2, whose alarms would have the same names; "
    "rename one of them; the other one is at services/bookstore.yaml:15"
)
RECORD_ALIKE = (
    "services/cafe.yaml:11: environments.production.endpoint.record: "
    "'bookstore.pingpublications.com' is also the record of another environment; give each "
    "environment its own; the other one is at services/bookstore.yaml:11"
)


@cases(
    ("bookstore", "cafe", "message"),
    {
        "service name": (
            {},
            unchanged("service: bookstore"),
            "services/cafe.yaml:2: service: 'bookstore' is also the name of another service; "
            "rename one of them; the other one is at services/bookstore.yaml:2",
        ),
        "record": ({}, unchanged("record: bookstore.ping"), RECORD_ALIKE),
        "record in other letters": (
            {},
            {"record: bookstore.ping": "record: Bookstore.Ping"},
            RECORD_ALIKE,
        ),
        "record in a zone without an id": (
            {},
            unchanged("record: bookstore.ping") | {", id: Z2EHK3FAEUNRMI": ""},
            RECORD_ALIKE,
        ),
        "host": ({}, unchanged("name: bookstore-api-blue"), HOST_ALIKE),
        "host of the other colour": (
            {},
            {"name: bookstore-api-green": "name: bookstore-api-blue"},
            HOST_ALIKE.replace(":15: ", ":16: ").replace("hosts.blue", "hosts.green"),
        ),
        "stack": (
            {"  production:": "  cafe-production:"},
            {"service: bookstore": "service: bookstore-cafe"},
            "services/cafe.yaml:6: environments.production: its stack "
            "'bookstore-cafe-production-failover' has the name of another environment's; rename "
            "one of them; the other one is at services/bookstore.yaml:6",
        ),
        "connectivity alarm": (
            {"cdn: {": "blue-db: {"},
            {"name: bookstore-api-blue": "name: bookstore-api-blue-blue"},
            "services/cafe.yaml:18: environments.production.dependencies.db: blue's alarm on it, "
            "'bookstore-api-blue-blue-db-connectivity-failed', has the name of another host's "
            "alarm; rename the dependency; the other one is at services/bookstore.yaml:19",
        ),
        "peer alarm": (
            {"name: bookstore-api-blue": "name: api", "cdn: {": "x-peer: {"},
            {
                "name: bookstore-api-blue": "name: api-x",
                "    dependencies:": "    probe: { peer: true }\n    dependencies:",
            },
            "services/cafe.yaml:15: environments.production.hosts.blue.name: its peer alarm "
            "'api-x-peer-connectivity-failed' has the name of another host's alarm on a "
            "dependency; rename one of them; the other one is at services/bookstore.yaml:19",
        ),
        "alarm on a disk": (
            {
                "name: bookstore-api-blue": "name: api",
                "bookstore-api-green,": "bookstore-api-green, instance_id: i-0123456789abcdef0,",
                "    dependencies:": "    cloudwatch_agent: { disk_percent: { /: 85 } }\n"
                "    dependencies:",
            },
            {
                "name: bookstore-api-blue": "name: api-disk",
                "    dependencies:": "    alarms: { root: { label: R, below: 1, metric: "
                "{ namespace: S, name: r, dimensions: { Host: '{host}' } } } }\n"
                "    dependencies:",
            },
            "services/cafe.yaml:17: environments.production.alarms.root: blue's alarm "
            "'api-disk-root' has the name of another alarm; rename it; the other one is at "
            "services/bookstore.yaml:17",
        ),
        "failover of one dependency": (
            CDN_FAILS_OVER,
            CDN_FAILS_OVER,
            "services/cafe.yaml:19: environments.production.dependencies.cdn.host: "
            "'cdn.bookstore.pingpublications.com' fails over, and is also a record that another "
            "environment or dependency has; let one of them have the records; the other one is at "
            "services/bookstore.yaml:19",
        ),
    },
)
def test_what_two_services_claim_is_reported_once(
    bookstore: Edits, cafe: Edits, message: str
) -> None:
    assert problems_of(bookstore, cafe) == [message]


def test_one_record_name_may_stand_in_two_zones_of_one_name() -> None:
    other_zone = {"Z2EHK3FAEUNRMI": "Z0000000000000"}
    assert problems_of({}, unchanged("record: bookstore.ping") | other_zone) == []


@cases(
    "elsewhere",
    {
        "account": {'"532151327118"': '"111111111111"'},
        "region": {"us-west-2": "eu-west-1"},
    },
)
def test_hosts_of_one_name_may_stand_in_two_places(elsewhere: Edits) -> None:
    hosts = unchanged("name: bookstore-api-blue", "name: bookstore-api-green")
    assert problems_of({}, hosts | elsewhere) == []


def test_a_file_with_problems_of_its_own_still_claims_its_record() -> None:
    cafe = unchanged("record: bookstore.ping") | {"active: blue": "active: bleu"}
    assert problems_of({}, cafe) == [
        RECORD_ALIKE,
        "services/cafe.yaml:12: environments.production.active: 'bleu' is not one of the values "
        "allowed here; did you mean blue?",
    ]


def test_the_problems_of_all_files_are_reported_in_the_order_of_file_and_line() -> None:
    messages = problems_of(
        {"active: blue": "active: bleu", "port: 5432": "port: 0"},
        unchanged("record: bookstore.ping") | {"service: bookstore": "service: Cafe"},
    )
    assert [line.split(": ")[0] for line in messages] == [
        "services/bookstore.yaml:12",
        "services/bookstore.yaml:18",
        "services/cafe.yaml:2",
        "services/cafe.yaml:11",
    ]


def test_a_topic_that_another_service_makes_is_not_adopted() -> None:
    arn = "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"
    messages = problems_of({}, {"topic_name: PingPublicationsSNS": f'topic_arn: "{arn}"'})
    assert messages == [
        "services/cafe.yaml:9: environments.production.notifications.topic_arn: is the topic "
        "PingPublicationsSNS that another environment creates; give topic_name: PingPublicationsSNS"
    ]


def test_services_that_share_a_topic_give_it_the_same_tags() -> None:
    shared = "topic_name: PingPublicationsSNS"
    assert problems_of({shared: f"{shared}, tags: {{ team: ops }}"}, {}) == [
        "services/cafe.yaml:9: environments.production.notifications.tags: differs from the tags "
        "that another environment gives the topic PingPublicationsSNS, at "
        "services/bookstore.yaml:9; give the same"
    ]


def test_two_drills_do_not_have_one_state_machine() -> None:
    data = example_data(whole=True)
    env = data["environments"]["production"]
    other = json.loads(json.dumps(env))
    for color in ("blue", "green"):
        other["hosts"][color]["name"] = f"cafe-{color}"
    other["endpoint"]["record"] = "cafe.pingpublications.com"
    env["drills"]["a-drill-b"] = env["drills"].pop("shutdown")
    other["drills"]["b"] = other["drills"].pop("shutdown")
    data["environments"]["production-drill-a"] = other
    Path("bookstore.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    with pytest.raises(ServiceFileError) as error:
        load(Path("bookstore.yaml"))
    (problem,) = error.value.problems
    assert problem.path == "environments.production-drill-a.drills.b"
    assert problem.message.startswith(
        "its state machine 'bookstore-production-drill-a-drill-b' has the name of another drill's; "
        "rename one of them; the other one is at bookstore.yaml:"
    )


DRILLS = """    drills:
      objective_seconds: 360
      shutdown: {{ fault: stop_instance, host: active, duration_minutes: 11, schedule: "{}" }}
"""


def drills_at(schedule: str) -> Edits:
    """A drill in a service whose active host has the example's instance."""
    return {"    active: blue\n": f"    active: blue\n{DRILLS.format(schedule)}"}


def test_drills_of_two_services_on_one_instance_are_apart() -> None:
    found = problems_of(drills_at("cron(0 10 ? * TUE#1 *)"), drills_at("cron(30 10 ? * TUE#1 *)"))
    (message,) = found
    assert message.startswith("services/cafe.yaml:")
    assert message.endswith(
        "environments.production.drills.shutdown.schedule: starts on 2026-01-06 at 10:30 UTC, too "
        "close to shutdown of bookstore in production, which has the instance i-0ab55a49288f1da24 "
        "too: drills on one instance must not overlap, and a run may take 6170 s; give one of them "
        "another day"
    )


def test_drills_of_two_services_on_one_instance_may_run_on_two_days() -> None:
    at = drills_at("cron(0 10 ? * TUE#1 *)"), drills_at("cron(0 10 ? * TUE#2 *)")
    assert problems_of(*at) == []
