"""`resiliency adopt` of the recipe and of a larger account: the file, its output, its policy."""

from pathlib import Path
from typing import Any

import pytest

from resiliency.account import readers
from resiliency.drill_cli.aws import Aws, action
from tests.iam_findings import actions_of
from tests.resiliency.adopt.accounts import (
    RECORD,
    REGION,
    ZONE,
    HandMade,
    pair,
    recipe,
)
from tests.resiliency.adopt.conftest import Adopt, Refusal, fields
from tests.resiliency.conftest import Resiliency

pytestmark = pytest.mark.slow


def test_the_recipe_is_described(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    found = adopt("--dependency", "db=db.example.com:5433", "--dependency", "cdn=c.example.com:80")
    assert (found["service"]["service"], found["service"]["display_name"]) == (
        "bookstore",
        "Bookstore API",
    )
    env = found["env"]
    assert (env["active"], env["failover_on"], env["region"]) == ("blue", ["status"], REGION)
    assert {color: host["name"] for color, host in env["hosts"].items()} == {
        "blue": "bookstore-api-blue",
        "green": "bookstore-api-green",
    }
    assert env["dependencies"] == {
        "cdn": {"label": "CDN", "host": "c.example.com", "port": 80},
        "db": {"label": "Database", "host": "db.example.com", "port": 5433},
    }
    assert env["notifications"]["topic_arn"].endswith(":PingPublicationsSNS")
    assert found["unknown"] == [
        "whether something on the hosts publishes the same metrics already: stop it then"
    ]
    assert fields(found) == {("health check", "Name")}


def test_what_aws_does_not_know_is_marked_in_the_file(made: HandMade, adopt: Adopt) -> None:
    recipe(made)
    found = adopt()
    text = Path(found["service_file"]).read_text(encoding="utf-8")
    assert text.count("# CHECK: AWS does not know what the hosts connect to") == 2
    assert "dependency db: its host and port; give --dependency db=HOST:PORT" in found["unknown"]


def test_nothing_is_found_where_all_is_equal(made: HandMade, adopt: Adopt) -> None:
    _, check = recipe(made)
    made.route53.change_tags_for_resource(
        ResourceType="healthcheck",
        ResourceId=check,
        AddTags=[{"Key": "Name", "Value": "bookstore-api-blue-StatusCheckFailed"}],
    )
    assert fields(adopt()) == set()


def test_a_larger_account_yields_the_right_service_and_nothing_else(
    made: HandMade, adopt: Adopt, refusal: Refusal
) -> None:
    zone = made.zone()
    inner = made.zone(private=True)
    topics = {name: made.topic(name) for name in ("shop-ops", "books-ops", "mail-ops", "others")}
    addresses: dict[str, list[str]] = {}
    for service in ("shop", "books", "mail"):
        blue, blue_address = made.instance(f"{service}-blue")
        _, green_address = made.instance(f"{service}-green")
        topic = topics[f"{service}-ops"]
        alarm = made.status_alarm(f"{service}-blue", blue, topic, AlarmDescription="down")
        made.connectivity_alarms(
            "db", topic, "", hosts=service, Namespace=service.title(), AlarmDescription="db"
        )
        check = made.health_check(alarm)
        addresses[service] = [blue_address, green_address]
        made.records(
            zone,
            *pair(blue_address, green_address, check, name=f"{service}.{ZONE}", service=service),
        )
    for number in range(10):
        instance, _ = made.instance(f"other-{number}")
        made.status_alarm(f"other-{number}", instance, topics["others"])
    made.records(inner, *pair("10.0.0.1", "10.0.0.2", None, name=f"shop.{ZONE}", service="inner"))
    for service in ("books", "mail"):
        found = adopt(record=f"{service}.{ZONE}")
        assert found["name"] == service
        assert found["service"]["namespace"] == service.title()
        hosts = found["env"]["hosts"]
        assert [hosts[color]["name"] for color in hosts] == [f"{service}-blue", f"{service}-green"]
        assert [hosts[color]["address"] for color in hosts] == addresses[service]
        assert found["env"]["notifications"] == {"topic_arn": topics[f"{service}-ops"]}
        names = [each["name"] for each in found["resources"]]
        assert not any("other" in name for name in names)
        others = {"shop", "books", "mail"} - {service}
        assert not any(other in name for name in names for other in others)
    assert "give one with --zone" in refusal(f"shop.{ZONE}")
    found = adopt("--zone", zone, record=f"shop.{ZONE}")
    assert found["env"]["hosted_zone"]["id"] == zone
    assert found["env"]["hosts"]["blue"]["address"] == addresses["shop"][0]
    # Nothing shows the hosts of the other one, and no health checker of Route 53 can reach them.
    assert "has no instance_id" in refusal("--zone", inner, f"shop.{ZONE}")


def test_text_fits_60_columns_and_has_no_colour(
    made: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    recipe(made)
    monkeypatch.setenv("COLUMNS", "60")
    printed = resiliency("adopt", RECORD, "--out", tmp_path, status=1).out
    assert "\x1b" not in printed
    prose = [
        line for line in printed.splitlines() if not line.startswith(("     ", "service file"))
    ]
    assert max(map(len, prose)) <= 60
    for title in ("Found", "Not shown by the account", "Differs from", "What becomes", "Plan"):
        assert title in printed


def test_an_edited_file_can_be_compared(
    made: HandMade, adopt: Adopt, tmp_path: Path, refusal: Refusal
) -> None:
    recipe(made)
    file = Path(adopt()["service_file"])
    edited = tmp_path / "edited.yaml"
    text = file.read_text(encoding="utf-8")
    edited.write_text(text.replace("Bookstore API", "Books"), encoding="utf-8")
    found = adopt("--service-file", str(edited))
    assert ("alarm", "AlarmDescription") in fields(found)
    edited.write_text("service: [", encoding="utf-8")
    assert "edited.yaml" in refusal(RECORD, "--service-file", str(edited))
    assert "is a folder" in refusal(RECORD, "--service-file", str(tmp_path))


@pytest.mark.no_cover
def test_the_policy_allows_what_adopt_asks_for_and_nothing_else(
    made: HandMade, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[str, str]] = set()
    call, pages = Aws.__call__, Aws.pages

    def recorded_call(aws: Aws, service: str, operation: str, **given: Any) -> Any:
        asked.add((service, operation))
        return call(aws, service, operation, **given)

    def recorded_pages(aws: Aws, of: tuple[str, str], **given: object) -> Any:
        asked.add(of)
        return pages(aws, of, **given)

    recipe(made)
    monkeypatch.setattr(Aws, "__call__", recorded_call)
    monkeypatch.setattr(Aws, "pages", recorded_pages)
    adopt()
    # Only hosts behind load balancers have these.
    asked |= {readers.BALANCERS, readers.TARGET_GROUPS, readers.TARGETS}
    assert {action(*each) for each in asked} - {"sts:GetCallerIdentity"} == actions_of("adopt.json")
