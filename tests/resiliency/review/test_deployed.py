"""`resiliency review --deployed` compares with what is in the account, and asks what runs."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from resiliency.account import account
from resiliency.review.deployed import NEEDS
from tests.resiliency.conftest import Resiliency
from tests.resiliency.review.stacks import alarm, drill, machine, resource

ACCOUNT = "532151327118"
MACHINE = f"arn:aws:states:us-west-2:{ACCOUNT}:stateMachine:drill"


@cache
def client(service: str) -> Any:
    """A client; each takes a tenth of a second to make."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, region_name="us-west-2", **keys)


class Session:
    """A session whose clients answer as stubbed, and check each request by the API's model."""

    def __init__(self) -> None:
        self.region_name = "us-west-2"
        services = ("sts", "cloudformation", "stepfunctions")
        self.stubs = {each: Stubber(client(each)) for each in services}
        identity = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/ops"}
        self.stubs["sts"].add_response("get_caller_identity", identity)

    def client(self, service_name: str, region_name: str | None = None, *, config: Config) -> Any:
        return self.stubs[service_name].client


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Session]:
    made = Session()
    monkeypatch.setattr(account, "session", lambda profile, region: made)
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        for each in made.stubs.values():
            stack.enter_context(each)
        yield made


def synthesized(tmp_path: Any, resources: Mapping[str, Any], owner: str = ACCOUNT) -> str:
    """A cloud assembly of one stack."""
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{owner}/us-west-2",
        "properties": {"templateFile": "site.template.json", "stackName": "site"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {"site": artifact}}))
    (tmp_path / "site.template.json").write_text(json.dumps({"Resources": resources}))
    return str(tmp_path)


def deployed(session: Session, resources: Mapping[str, Any], *runs: str) -> None:
    """Stub the stack, with runs of its state machine in progress."""
    stubs = session.stubs
    given = {"StackName": "site", "TemplateStage": "Original"}
    body = json.dumps({"Resources": resources})
    stubs["cloudformation"].add_response("get_template", {"TemplateBody": body}, given)
    summaries = [
        {
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": MACHINE,
            "ResourceType": each["Type"],
            "LastUpdatedTimestamp": 0,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for logical_id, each in resources.items()
    ]
    stubs["cloudformation"].add_response(
        "list_stack_resources", {"StackResourceSummaries": summaries}, {"StackName": "site"}
    )
    executions = [
        {
            "executionArn": f"{MACHINE}:{each}",
            "stateMachineArn": MACHINE,
            "name": each,
            "status": "RUNNING",
            "startDate": 0,
        }
        for each in runs
    ]
    wanted = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING", "maxResults": 1}
    stubs["stepfunctions"].add_response("list_executions", {"executions": executions}, wanted)


def test_the_drill_that_runs_is_a_danger(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    deployed(session, drill(machine()), "run-1")
    after = synthesized(tmp_path, drill(machine(enabled=True)))
    printed = resiliency("review", after, "--deployed", status=1).out
    assert "the drill shutdown is running (run-1): an update may end its fault" in printed
    assert "the drill shutdown is enabled" in printed


def test_text_that_is_not_ascii_is_no_change(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    deployed(session, {"A": alarm("a", AlarmDescription="gr?n ?")})
    after = synthesized(tmp_path, {"A": alarm("a", AlarmDescription="grün 🚦")})
    assert resiliency("review", after, "--deployed").out == "no findings; resources: no changes\n"


def test_a_stack_that_is_not_deployed_is_new(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    session.stubs["cloudformation"].add_client_error(
        "get_template", "ValidationError", "Stack with id site does not exist"
    )
    after = synthesized(tmp_path, {"Key": resource("KMS::Key")})
    assert "add Key Key" in resiliency("review", after, "--deployed").out


def test_an_account_that_cant_be_asked(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    session.stubs["cloudformation"].add_client_error("get_template", "AccessDenied", "no")
    after = synthesized(tmp_path, {"Key": resource("KMS::Key")})
    done = resiliency("review", after, "--deployed", status=3)
    assert "may not cloudformation:GetTemplate on site; docs/reviewing-change-sets.md lists" in (
        done.err
    )


def test_stacks_of_another_account_cant_be_asked(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    after = synthesized(tmp_path, {"Key": resource("KMS::Key")}, owner="111111111111")
    done = resiliency("review", after, "--deployed", status=3)
    assert done.err == (
        f"the credentials are those of account {ACCOUNT}, and all stacks are in another one; give "
        "--profile with that account's\n"
    )


def test_stacks_of_another_account_are_left_out(
    session: Session, tmp_path: Any, resiliency: Resiliency
) -> None:
    session.stubs["cloudformation"].add_client_error(
        "get_template", "ValidationError", "Stack with id site does not exist"
    )
    after = synthesized(tmp_path, {"Key": resource("KMS::Key")})
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    other = {**manifest["artifacts"]["site"], "environment": "aws://111111111111/us-west-2"}
    other["properties"] = {"templateFile": "site.template.json", "stackName": "other"}
    manifest["artifacts"]["other"] = other
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    printed = resiliency("review", after, "--deployed")
    assert printed.err == "other: is in another account, and left out\n"
    assert "other" not in printed.out


def test_it_only_reads() -> None:
    assert all(operation.startswith(("Get", "List")) for _, operation in NEEDS)
