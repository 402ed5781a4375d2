"""An account in which a drill's state machine runs, in moto, with the functions called for real.

How the parts are put together:

- moto interprets the state machine (``stepfunctions.execute_state_machine``). It would invoke
  Lambda functions in Docker; ``_invoke_lambda_function``, the one place where its interpreter does
  so, is replaced by a call of the handler, which returns or raises what Lambda's API would.
- The functions call botocore's real clients. S3, SNS, SQS, Step Functions and PutMetricData are
  moto's. FIS, EC2, Systems Manager, TestDNSAnswer and DescribeAlarms are answered by ``Service``
  by botocore's ``before-call`` event: after botocore has checked the parameters against its model;
  the scripted answers are checked against it too.
- Time is ``Service.now``: handlers wait on it, and so do the interpreter's retries.
- EventBridge's rule is played by ``finish``: where the execution's end matches ``cleanup_pattern``,
  the sweep is called with that event, twice more if it fails, as Lambda does. Its schedule is
  played by ``sweep_left``; ListExecutions, like the event, tells times of ``Service.now``.
"""

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

import botocore.awsrequest
import botocore.exceptions
import botocore.session
import botocore.validate
import moto
import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import handlers
from staged_resiliency.drills.runtime.aws_context import BotocoreAws
from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.plan import Plan, WatchedDrill
from staged_resiliency.drills.runtime.recorder import journal_key
from staged_resiliency.drills.state_machine import cleanup_pattern, definition
from staged_resiliency.experiment.json_codec import DataError
from tests.staged_resiliency.drills import plans, states_language
from tests.staged_resiliency.drills.service import ApiError, Script, Service

SCRIPTED = {
    "fis": "*",
    "ec2": "*",
    "ssm": "*",
    "route-53": "*",
    "cloudwatch": "DescribeAlarms",
}
_IAM = {
    "ListObjectsV2": "s3:ListBucket",
    "stepfunctions": "states",
    "route-53": "route53",
    "sfn": "states",
}
HANDLERS: Mapping[str, Callable[[object, object], object]] = {
    each.name: getattr(handlers, each.name) for each in functions.ALL
}


class FunctionError(Exception):
    """What a function dies of in a test."""


@dataclass
class Account:
    """The account.

    Attributes:
        service: What is drilled.
        world: Everything outside, for the functions.
        session: botocore's.
        used: IAM actions by the function that needed them.
        before: Called with (phase, how many calls of it were before) before a function runs.
        after: The same once it has run; what it raises the interpreter gets.
        phases: Names of the phases in the order of their calls.
        function: The function that runs.
        aborted: Whether nobody listens to the function that runs.
        log: What functions wrote into their logs.
        ended: When executions ended, by their ARNs.
        clients: Of the tests' own.
    """

    service: Service
    session: botocore.session.Session
    world: Context
    used: dict[str, set[str]] = field(default_factory=dict)
    before: Callable[[str, int], None] = lambda phase, count: None
    after: Callable[[str, int], None] = lambda phase, count: None
    phases: list[str] = field(default_factory=list)
    function: str = ""
    aborted: bool = False
    log: list[Mapping[str, object]] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str) -> Any:
        """A client of the tests' own."""
        if name not in self.clients:
            self.clients[name] = _session().create_client(name, region_name="us-west-2")
        return self.clients[name]

    # The state machine.

    def machine(self, plan: Plan, **changes: object) -> str:
        """Deploy the state machine of a drill; its ARN."""
        arns = {
            each.name: f"arn:aws:lambda:us-west-2:123456789012:function:{each.name}"
            for each in functions.OF_THE_MACHINE
        }
        made = self.client("stepfunctions").create_state_machine(
            name=plan.drill,
            definition=json.dumps({**definition(plan, arns), **changes}),
            roleArn="arn:aws:iam::123456789012:role/drills",
        )
        return str(made["stateMachineArn"])

    def start(self, machine: str, name: str = "run-1", given: str = "{}") -> str:
        """Start a run; its ARN."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=given
        )
        return str(started["executionArn"])

    def stop(self, execution: str) -> None:
        """Abort a run."""
        self.client("stepfunctions").stop_execution(executionArn=execution)

    def finish(self, execution: str) -> str:
        """Wait for the end of a run, and let EventBridge have it swept; the run's status."""
        described = self.wait(execution)
        status = str(described["status"])
        pattern = cleanup_pattern([described["stateMachineArn"]])
        if status in pattern["detail"]["status"]:
            self.sweep(described)
            while self.log[-1]["event"] == "the sweep goes on later":
                self.service.sleep(900)
                self.sweep_left(described["stateMachineArn"])
        return status

    def wait(self, execution: str) -> Mapping[str, Any]:
        """Wait, in real time, for the end of a run."""
        client = self.client("stepfunctions")
        patience = time.monotonic() + 120
        while True:
            described: Mapping[str, Any] = client.describe_execution(executionArn=execution)
            if described["status"] != "RUNNING":
                self.ended.setdefault(execution, self.service.now)
                return described
            assert time.monotonic() < patience, self.phases
            time.sleep(0.03)

    def sweep(self, described: Mapping[str, Any]) -> None:
        """Call the sweep as EventBridge and Lambda do."""
        event = {
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "detail": {
                "executionArn": described["executionArn"],
                "stateMachineArn": described["stateMachineArn"],
                "name": described["name"],
                "status": described["status"],
                "startDate": round(described["startDate"].timestamp() * 1000),
                "stopDate": round(self.ended[described["executionArn"]] * 1000),
            },
        }
        self._call_sweep(event)

    def sweep_left(self, *machines: str) -> None:
        """Call the sweep as its schedule does, with the drills of some state machines."""
        drills = [WatchedDrill(each.rpartition(":")[2], each) for each in machines]
        self._call_sweep(replace(plans.WATCH, drills=tuple(drills)).to_json())

    def _call_sweep(self, event: object) -> None:
        for attempt in range(3):
            self.function = "cleanup"
            try:
                handlers.cleanup(event, None)
            except Exception:
                if attempt == 2:
                    raise
                self.service.sleep(60 * (attempt + 1))
            else:
                return

    def invoke(self, parameters: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """What stands for Lambda's Invoke."""
        name = str(parameters["FunctionName"]).rpartition(":")[2]
        event = json.loads(parameters["Payload"])
        phase = event["phase"]
        count = self.phases.count(phase)
        self.phases.append(phase)
        self.function = name
        try:
            self.before(phase, count)
            answer = HANDLERS[name](event, None)
            self.after(phase, count)
        except (FunctionError, AwsError, DataError) as error:
            if self.aborted:
                return {"StatusCode": 200, "Payload": {}}  # to which nobody listens any more
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": document, "StatusCode": 200}
        return {"StatusCode": 200, "Payload": json.loads(json.dumps(answer))}

    # What is left behind.

    def objects(self) -> list[str]:
        """All keys in the bucket, without the prefix."""
        answer = self.client("s3").list_objects_v2(Bucket=plans.BUCKET)
        prefix = plans.SHUTDOWN.journal.prefix
        return [str(each["Key"]).removeprefix(prefix) for each in answer.get("Contents", ())]

    def journal(self, name: str = "run-1") -> Mapping[str, Any]:
        """The journal of a run."""
        key = plans.SHUTDOWN.journal.prefix + journal_key(self.service.plan.drill, name)
        body = self.client("s3").get_object(Bucket=plans.BUCKET, Key=key)["Body"]
        document: Mapping[str, Any] = json.loads(body.read())
        return document

    def versions(self, name: str = "run-1") -> int:
        """How often the journal of a run was written."""
        key = plans.SHUTDOWN.journal.prefix + journal_key(self.service.plan.drill, name)
        found = self.client("s3").list_object_versions(Bucket=plans.BUCKET, Prefix=key)
        return len(found.get("Versions", ()))

    def messages(self) -> list[Mapping[str, str]]:
        """All messages that were sent, as subscribers get them."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="messages")["QueueUrl"]
        found: list[Mapping[str, str]] = []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in got:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def metrics(self) -> list[tuple[str, float]]:
        """All data points that were published."""
        return [
            (each["MetricName"], each["Value"])
            for request in self.service.published
            for each in request["MetricData"]
        ]


@contextmanager
def account(
    plan: Plan = plans.SHUTDOWN, script: Script | None = None, *, start_now: float | None = None
) -> Iterator[Account]:
    """An account with bucket, topic and a queue that is subscribed to it."""
    service = Service(plan, script or Script())
    if start_now is not None:
        service.now = start_now
    with (
        pytest.MonkeyPatch.context() as patch,
        moto.mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
    ):
        patch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(states_language.parse))
        session = _session()
        made = Account(service, session, _no_world())
        _script(made, session)
        made.world = Context(
            aws=BotocoreAws(session),
            resolve=service.resolve,
            ask=service.ask,
            clock=lambda: service.now,
            sleep=service.sleep,
            log=lambda event, **fields: made.log.append(
                json.loads(json.dumps({"event": event, **fields}))
            ),
        )
        patch.setattr(handlers, "the_world", lambda: made.world)
        patch.setattr(lambda_eval_utils, "_invoke_lambda_function", made.invoke)
        patch.setattr(retrier_decl, "time", _Time(service))
        s3, sns, sqs = (made.client(each) for each in ("s3", "sns", "sqs"))
        s3.create_bucket(
            Bucket=plans.BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        s3.put_bucket_versioning(Bucket=plans.BUCKET, VersioningConfiguration={"Status": "Enabled"})
        topic = sns.create_topic(Name="PingPublicationsSNS")["TopicArn"]
        assert topic == plans.TOPIC
        queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        yield made


class _Time:
    """What the interpreter's retries wait on."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._service.sleep(seconds)


def _script(made: Account, session: botocore.session.Session) -> None:
    events = session.get_component("event_emitter")

    def remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["given"] = params

    def answer(
        model: Any, context: dict[str, Any], **_: object
    ) -> tuple[botocore.awsrequest.AWSResponse, dict[str, Any]] | None:
        service = model.service_model.service_id.hyphenize()
        prefix = {"sfn": "states", "route-53": "route53"}.get(service, service)
        action = _IAM.get(model.name, f"{prefix}:{model.name}")
        made.used.setdefault(made.function, set()).add(action)
        if service == "fis" and context["given"].get("tags"):
            made.used[made.function].add("fis:TagResource")  # which tags on creation ask for
        if service not in SCRIPTED or SCRIPTED[service] not in ("*", model.name):
            waiting = made.service.errors.get(model.name)
            if waiting:
                return _failed(waiting.pop(0))
            if model.name == "PutMetricData":
                made.service.published.append(context["given"])
            return None
        try:
            found = made.service.answer(model.name, context["given"])
        except ApiError as error:
            return _failed(error.code)
        report = botocore.validate.ParamValidator().validate(found, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return _response(200), found

    def on_our_clock(parsed: dict[str, Any], **_: object) -> None:
        for each in parsed.get("executions", ()):
            at = made.ended.get(each["executionArn"], made.service.now)
            each["stopDate"] = datetime.fromtimestamp(at, timezone.utc)

    events.register("after-call.stepfunctions.ListExecutions", on_our_clock)
    events.register("before-parameter-build", remember)
    events.register("before-call", answer)


_LOADER = botocore.session.Session().get_component("data_loader")


def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)  # whose cache is worth seconds
    return session


def _failed(code: str) -> tuple[botocore.awsrequest.AWSResponse, dict[str, Any]]:
    status = 429 if "hrottl" in code else 400
    return _response(status), {"Error": {"Code": code, "Message": "scripted"}}


def _response(status: int) -> botocore.awsrequest.AWSResponse:
    return botocore.awsrequest.AWSResponse("https://aws.test/", status, {}, io.BytesIO())


def _no_world() -> Context:
    def nothing(*_: object, **__: object) -> Any:
        raise AssertionError("not yet")

    return Context(nothing, nothing, nothing, nothing, nothing, nothing)


def throttled() -> botocore.exceptions.ClientError:
    """What Lambda answers when too many functions run."""
    return botocore.exceptions.ClientError(
        {
            "Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."},
            "ResponseMetadata": {"HTTPStatusCode": 429, "RequestId": "1"},
        },
        "Invoke",
    )


def timed_out() -> Exception:
    """What the interpreter raises when a task's TimeoutSeconds are over."""
    return EvalTimeoutError()


def with_script(script: Script, **changes: Any) -> Script:
    """A script with changes."""
    return replace(script, **changes)
