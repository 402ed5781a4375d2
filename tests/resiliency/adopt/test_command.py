"""`resiliency adopt` of the recipe: its service file, output, options, permissions and errors."""

from pathlib import Path

import pytest
from botocore.client import BaseClient

from resiliency.account import readers
from resiliency.drill_cli.aws import action
from tests.iam_findings import actions_of
from tests.resiliency.adopt.accounts import RECORD, REGION, HandMade, recipe
from tests.resiliency.adopt.conftest import Adopt, fields
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
    made.route53.change_tags_for_resource(
        ResourceType="healthcheck",
        ResourceId=recipe(made).check,
        AddTags=[{"Key": "Name", "Value": "bookstore-api-blue-StatusCheckFailed"}],
    )
    assert fields(adopt()) == set()


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
    made: HandMade, adopt: Adopt, tmp_path: Path, resiliency: Resiliency
) -> None:
    recipe(made)
    text = Path(adopt()["service_file"]).read_text(encoding="utf-8")
    edited = tmp_path / "edited.yaml"
    edited.write_text(text.replace("Bookstore API", "Books"), encoding="utf-8")
    found = adopt("--service-file", str(edited))
    assert ("alarm", "AlarmDescription") in fields(found)
    edited.write_text("service: [", encoding="utf-8")
    for file, message in ((edited, "edited.yaml"), (tmp_path, "is a folder")):
        assert message in resiliency("adopt", RECORD, "--service-file", file, status=2).err


def test_the_policy_allows_what_adopt_asks_for_and_nothing_else(
    made: HandMade, adopt: Adopt, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe(made)
    asked: set[tuple[str, str]] = set()
    call = BaseClient._make_api_call

    def recorded(client: BaseClient, operation: str, given: object) -> object:
        asked.add((client.meta.service_model.service_name, operation))
        return call(client, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", recorded)
    adopt()
    # Only hosts behind load balancers have these.
    asked |= {readers.BALANCERS, readers.TARGET_GROUPS, readers.TARGETS}
    assert {action(*each) for each in asked} - {"sts:GetCallerIdentity"} == actions_of("adopt.json")


@pytest.mark.parametrize("value", ["db", "db=host", "=host:1", "db=host:port"])
def test_a_dependency_of_another_form_is_a_usage_error(value: str, resiliency: Resiliency) -> None:
    done = resiliency("adopt", "shop.example.com", "--dependency", value, status=2)
    assert "is not of the form NAME=HOST:PORT" in done.err


def test_an_account_that_can_not_be_asked_has_an_exit_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    done = resiliency("adopt", "shop.example.com", "--region", "us-west-2", status=3)
    assert "no AWS credentials" in done.err
