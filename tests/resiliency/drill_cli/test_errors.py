"""Whatever AWS answers is one line for people, and exit status 1."""

import subprocess
import sys
from pathlib import Path

import boto3
import botocore.exceptions as failures
import pytest

from resiliency.drill_cli import aws
from resiliency.errors import UserError
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.simulation import ApiError
from tests.resiliency.drill_cli.conftest import Drill

STACK = ("cloudformation", "ListStackResources")
IDENTITY = ("sts", "GetCallerIdentity")
OBJECTS = ("s3", "ListObjectsV2")
WHO = "arn:aws:sts::123456789012:user/moto"


@cases(
    ("operation", "error", "expected"),
    {
        "none": (IDENTITY, failures.NoCredentialsError(), "no AWS credentials"),
        "half": (
            IDENTITY,
            failures.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
            "the AWS credentials can't be read: Partial credentials found in env",
        ),
        "a process that fails": (
            IDENTITY,
            failures.CredentialRetrievalError(provider="process", error_msg="exit 1"),
            "the AWS credentials can't be read: Error when retrieving credentials from process",
        ),
        "signed out": (
            IDENTITY,
            failures.UnauthorizedSSOTokenError(),
            "the AWS credentials have expired; sign in",
        ),
        "expired": (IDENTITY, ApiError("ExpiredToken"), "the AWS credentials have expired"),
        "unknown": (
            IDENTITY,
            ApiError("InvalidClientTokenId"),
            "AWS rejects the credentials (InvalidClientTokenId)",
        ),
        "no network": (
            IDENTITY,
            failures.EndpointConnectionError(endpoint_url="https://sts"),
            "AWS can't be reached for sts:GetCall",
        ),
        "no proxy": (
            IDENTITY,
            failures.ProxyConnectionError(proxy_url="http://proxy"),
            "AWS can't be reached for sts:GetCallerIdentity in us-west-2",
        ),
        "no answer": (
            IDENTITY,
            failures.ReadTimeoutError(endpoint_url="https://sts"),
            "AWS can't be reached",
        ),
        "no right to see the stack": (
            STACK,
            ApiError("AccessDenied", "User: x is not authorized"),
            f"{WHO} may not cloudformation:ListStackResources on bookstore-production-drills; "
            "docs/drill-command.md lists the permissions that each subcommand needs (AWS says: U",
        ),
        "no right to see a drill": (
            ("stepfunctions", "DescribeStateMachine"),
            ApiError("AccessDeniedException"),
            "may not states:DescribeStateMachine on arn:aws:states:us-west-2:123456789012:"
            "stateMachine:bookstore-production-drill-shutdown",
        ),
        "no right to see journals": (
            OBJECTS,
            ApiError("AccessDenied"),
            f"may not s3:ListBucket on s3://{plans.BUCKET}/journals/db-blackhole/",
        ),
        "no bucket": (OBJECTS, ApiError("NoSuchBucket", "gone"), "AWS says NoSuchBucket"),
        "throttled": (
            ("scheduler", "GetSchedule"),
            ApiError("ThrottlingException"),
            "AWS throttles scheduler:GetSchedule, also after 4 attempts",
        ),
        "AWS fails": (STACK, ApiError("InternalFailure"), "AWS failed at cloudformation:List"),
        "something unheard of": (
            STACK,
            ApiError("Odd", "line one\nline \x1b[31mtwo"),
            "AWS says Odd: line one line \\x1b[31mtwo",
        ),
        "no endpoint": (
            STACK,
            failures.UnknownEndpointError(service_name="x", region_name="y"),
            "cloudformation:ListStackResources: Unable to construct an endpoint",
        ),
    },
)
def test_each_failure_is_one_line(
    operation: tuple[str, str],
    error: BaseException,
    expected: str,
    drill: Drill,
) -> None:
    drill.aws.refuse(*operation, error)
    printed = drill("list", status=1)
    assert expected in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


def test_without_the_stack_it_says_how_to_deploy_it(drill: Drill) -> None:
    drill.aws.resources = None
    assert drill("list", status=1).err == (
        "no stack bookstore-production-drills in account 123456789012, region us-west-2; deploy it "
        "(`npx cdk deploy bookstore-production-drills`), or check --region and --profile\n"
    )


def test_a_stack_without_drills_says_where_they_are_asked_for(drill: Drill) -> None:
    drill.aws.client("stepfunctions").create_state_machine(
        name="other",
        definition='{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
        roleArn="arn:aws:iam::123456789012:role/other",
    )
    other = "arn:aws:states:us-west-2:123456789012:stateMachine:other"
    gone = f"{other}-gone"
    kind = "AWS::StepFunctions::StateMachine"
    drill.aws.resources = [(kind, other), (kind, gone), (kind, "")]
    assert drill("list", status=1).err == (
        "bookstore-production-drills: holds no drills; give the service file some under `drills` "
        "and deploy it\n"
    )


@cases(
    ("definition", "expected"),
    {
        "no JSON": ("{", "this release can't read its plan"),
        "another release's": (
            '{"States": {"Plan": {"Result": {"plan": {"hypothesis": []}}}}}',
            "plan: service is missing",
        ),
    },
)
def test_a_plan_that_cannot_be_read_is_one_line(
    definition: str, expected: str, drill: Drill
) -> None:
    described = {
        **{"stateMachineArn": "arn", "name": "n", "roleArn": "arn", "type": "STANDARD"},
        **{"definition": definition, "creationDate": 0},
    }
    drill.aws.answers["stepfunctions", "DescribeStateMachine"] = lambda _: described
    error = drill("list", status=1).err
    assert expected in error
    assert "use the release that deployed it" in error
    assert len(error.splitlines()) == 1


def test_a_stack_of_another_service_with_the_same_name_is_refused(
    drill: Drill,
) -> None:
    words = ["drill", "list", "bookstore-production", "drills", "--region", "us-west-2"]
    assert (
        "is a drill of bookstore in production; name these"
        in drill.resiliency(*words, status=1).err
    )


def test_an_object_that_breaks_off_or_is_too_large_is_shown(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill.aws.put("journals/shutdown/run-1.json", "{}" + " " * 100)
    monkeypatch.setattr(aws, "_MOST_BYTES", 50)
    assert "run-1.json: is larger than 50 bytes" in drill("report", "shutdown", status=1).err

    class Body:
        def read(self, _: int) -> bytes:
            raise failures.ResponseStreamingError(error="broken off")

    monkeypatch.setattr(aws.Aws, "__call__", lambda *_, **__: {"Body": Body()})
    reader = aws.Aws.__new__(aws.Aws)
    reader.region, reader.identity = "us-west-2", ""
    with pytest.raises(UserError, match="can't be reached for s3:GetObject"):
        reader.text("bucket", "key")


@cases(
    ("configuration", "profile", "message"),
    {
        "an unknown profile": ("", "prod", r"no AWS profile 'prod'; .* have none"),
        "a configuration that is none": ("[profile\nx", None, "AWS's configuration can't be read"),
        "no region": ("", None, "no region; give --region"),
    },
)
def test_what_is_missing_for_a_session_is_named(
    configuration: str,
    profile: str | None,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "config").write_text(configuration, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=message):
        aws.session(profile, None)


def test_a_session_is_that_of_the_profile_and_region(drill: Drill) -> None:
    assert isinstance(aws.session(None, "eu-west-1"), boto3.session.Session)
    assert aws.session(None, "eu-west-1").region_name == "eu-west-1"


@pytest.mark.slow
def test_a_missing_module_of_our_own_is_no_missing_extra() -> None:
    code = (
        "import sys; sys.modules['resiliency.drill_cli.progress'] = None\n"
        "from resiliency import cli\n"
        "cli.main(['drill', 'list', 'bookstore', 'production', '--region', 'x'])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert "ModuleNotFoundError" in finished.stderr


def test_the_command_needs_neither_boto3_nor_rich_to_say_its_words() -> None:
    code = (
        "import sys; from resiliency import cli\n"
        "try: cli.main(['drill', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(int('boto3' in sys.modules or 'rich' in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert finished.returncode == 0
