"""An AWS account in moto, in which drills run with their functions called for real.

- moto interprets the state machine (``stepfunctions.execute_state_machine``). It would invoke
  Lambda functions in Docker; ``_invoke_lambda_function``, the one place where its interpreter does
  so, is replaced by a call of the handler, which returns or raises what Lambda's API would.
- The functions call botocore's real clients. S3, SNS, SQS, Step Functions and PutMetricData are
  moto's. FIS, EC2, Systems Manager, TestDNSAnswer and DescribeAlarms are answered by a
  ``SimulatedService``, and whatever a test puts into ``Account.answers``. botocore checks the
  parameters of every call against its model; answers are checked against it too.
- Time is ``SimulatedService.now``: handlers wait on it, and so do the interpreter's retries.
- EventBridge's rule is played by ``finish``: where the execution's end matches
  ``cleanup_pattern``, the cleanup is called with that event, twice more if it fails, as Lambda
  does. Its schedule is played by ``clean_up_missed``; DescribeExecution, like the event, returns
  times of ``SimulatedService.now``.
"""

import functools
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

import botocore.awsrequest
import botocore.exceptions
import botocore.session
import botocore.validate
import moto
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.s3.models import s3_backends
from moto.sns.models import Subscription
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path
from moto.stepfunctions.parser.models import (
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime import handlers
from staged_resiliency.drills.runtime.context import AwsError, BotocoreAws, Context
from staged_resiliency.drills.runtime.metrics import FAULTS_NOT_ENDED
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import journal_key, live_key
from staged_resiliency.drills.state_machine import cleanup_pattern, definition
from staged_resiliency.experiment.json_codec import DataError
from staged_resiliency.shared.names import drill_state_machine
from tests.fake_aws import plans, states_language
from tests.fake_aws.simulation import START, ApiError, Script, SimulatedService

ACCOUNT = "123456789012"
REGION = "us-west-2"

Answer = Mapping[str, Any]
Parameters = Mapping[str, Any]
Operation = tuple[str, str]

SIMULATED = (
    *("fis", "ec2", "ssm", "route53", "kms", "cloudformation", "rds", "lambda"),
    "cloudfront",
)
HANDLERS: Mapping[str, Callable[[object, object], object]] = {
    each.name: getattr(handlers, each.name) for each in functions.ALL
}
SERVICE_PATTERN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-*"


class FunctionError(Exception):
    """The error of a function that fails in a test."""


@dataclass
class Account:
    """The account.

    Attributes:
        service: The service that drills break, and the clock.
        context: Access to the outside, for the functions.
        calls: Every call of the code under test, in order.
        answers: Answers to operations in place of moto's and the service's, by service and
            operation.
        used: IAM actions by the function that needed them.
        before: Called with (phase, number of earlier calls of it) before a function runs.
        after: The same once it has run; what it raises the interpreter gets.
        phases: Names of the phases in the order of their calls.
        function: The function that runs.
        aborted: Whether the run was aborted while a function still runs.
        log: The functions' log.
        ended: When executions ended, by their ARNs.
        faults_not_ended: The values that the cleanup published.
    """

    service: SimulatedService
    context: Context
    calls: list[Operation] = field(default_factory=list)
    answers: dict[Operation, Callable[[Parameters], Answer]] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)
    before: Callable[[str, int], None] = lambda phase, count: None
    after: Callable[[str, int], None] = lambda phase, count: None
    phases: list[str] = field(default_factory=list)
    function: str = ""
    aborted: bool = False
    log: list[Mapping[str, object]] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)
    faults_not_ended: list[float] = field(default_factory=list)

    def client(self, name: str) -> Any:
        """A client of the test's own, whose calls are not recorded."""
        return _own_client(name)

    def refuse(self, service: str, operation: str, error: BaseException) -> None:
        """Let an operation fail from now on."""

        def answer(_: Parameters) -> Answer:
            raise error

        self.answers[service, operation] = answer

    # The state machine.

    def machine(self, plan: Plan, **changes: object) -> str:
        """Deploy the state machine of a drill; return its ARN."""
        arns = {
            each.name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{each.name}"
            for each in functions.ALL
        }
        made = self.client("stepfunctions").create_state_machine(
            name=drill_state_machine(plan.service, plan.environment, plan.drill),
            definition=json.dumps({**definition(plan, arns), **changes}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/drills",
        )
        return str(made["stateMachineArn"])

    def start(self, machine: str, name: str = "run-1", given: str = "{}") -> str:
        """Start a run; return its ARN."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=name, input=given
        )
        return str(started["executionArn"])

    def stop(self, execution: str) -> None:
        """Abort a run."""
        self.client("stepfunctions").stop_execution(executionArn=execution)

    def run(self, name: str = "run-1", given: str = "{}") -> str:
        """Run the drill of the service to its end; return the execution's status."""
        return self.finish(self.start(self.machine(self.service.plan), name, given))

    def start_aborted(self, phase: str, *, when: str = "after") -> str:
        """Start a run that is aborted before or after its first call of a phase; return its ARN."""
        machine = self.machine(self.service.plan)
        # The run's first call comes only after its name is known: the interpreter is slower.
        execution = f"{machine.replace(':stateMachine:', ':execution:')}:run-1"
        setattr(self, when, lambda called, _: self.stop(execution) if called == phase else None)
        return self.start(machine)

    def before_phase(self, phase: str, do: Callable[[], object], *, first: bool = False) -> None:
        """Do something before each call of a phase, or before the first one alone."""

        def before(called: str, count: int) -> None:
            if called == phase and not (first and count):
                do()

        self.before = before

    def finish(self, execution: str) -> str:
        """Wait for the end of a run, have it cleaned up by EventBridge; return its status."""
        described = self.wait(execution)
        status = str(described["status"])
        if status in cleanup_pattern(SERVICE_PATTERN)["detail"]["status"]:
            self.clean_up(described)
            while self.log[-1]["event"] == "the cleanup continues later":
                self.service.sleep(900)
                self.clean_up_missed()
        return status

    def is_running(self, execution: str) -> bool:
        # Asked directly: calls through botocore would take as much time as the run itself.
        found = stepfunctions_parser_backends[ACCOUNT][REGION].describe_execution(execution)
        return bool(found.status == "RUNNING")

    def wait(self, execution: str) -> Mapping[str, Any]:
        """Wait, in real time, for the end of a run."""
        deadline = time.monotonic() + 120
        while self.is_running(execution):
            assert time.monotonic() < deadline, self.phases
            time.sleep(0.002)
        self.ended.setdefault(execution, self.service.now)
        described: Mapping[str, Any] = self.client("stepfunctions").describe_execution(
            executionArn=execution
        )
        return described

    def clean_up(self, described: Mapping[str, Any]) -> None:
        """Call the cleanup as EventBridge and Lambda do."""
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
        self._call_cleanup(event)

    def clean_up_missed(self) -> None:
        """Call the cleanup as its schedule does."""
        self._call_cleanup(replace(plans.SCHEDULES, drills=()).to_json())

    def _call_cleanup(self, event: object) -> None:
        for attempt in range(3):
            self.function = "end"
            try:
                handlers.end(event, None)
            except Exception:
                if attempt == 2:
                    raise
                self.service.sleep(60 * (attempt + 1))
            else:
                return

    def invoke(self, parameters: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Invoke a function, in place of Lambda."""
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
                return {"StatusCode": 200, "Payload": {}}  # the result is no longer needed
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": document, "StatusCode": 200}
        return {"StatusCode": 200, "Payload": json.loads(json.dumps(answer))}

    # What runs leave behind.

    def put(self, key: str, text: str | bytes) -> None:
        """Write an object into the journal bucket."""
        body = text.encode() if isinstance(text, str) else text
        self.client("s3").put_object(Bucket=plans.BUCKET, Key=key, Body=body)

    def objects(self) -> list[str]:
        """All keys in the journal bucket."""
        answer = self.client("s3").list_objects_v2(Bucket=plans.BUCKET)
        return [str(each["Key"]) for each in answer.get("Contents", ())]

    def journal(self, name: str = "run-1") -> Mapping[str, Any]:
        key = journal_key(self.service.plan.drill, name)
        body = self.client("s3").get_object(Bucket=plans.BUCKET, Key=key)["Body"]
        document: Mapping[str, Any] = json.loads(body.read())
        return document

    def versions(self, name: str = "run-1") -> int:
        """How often the journal of a run was written."""
        key = journal_key(self.service.plan.drill, name)
        found = self.client("s3").list_object_versions(Bucket=plans.BUCKET, Prefix=key)
        return len(found.get("Versions", ()))

    def messages(self) -> list[Mapping[str, str]]:
        """All messages that were sent since the last call, as subscribers get them."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="messages")["QueueUrl"]
        found: list[Mapping[str, str]] = []
        while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for each in got:
                found.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def metrics(self) -> list[tuple[str, float]]:
        return [
            (each["MetricName"], each["Value"])
            for request in self.service.published
            for each in request["MetricData"]
        ]


AnyAccount = TypeVar("AnyAccount", bound=Account)


@contextmanager
def account(
    plan: Plan = plans.SHUTDOWN,
    script: Script | None = None,
    *,
    now: float = START,
    service: SimulatedService | None = None,
) -> Iterator[Account]:
    """An account with a journal bucket, a topic, and a queue that is subscribed to it."""
    simulated = service or SimulatedService(plan, script or Script(), now)
    with entered(Account, simulated) as made:
        sns, sqs = made.client("sns"), made.client("sqs")
        topic = sns.create_topic(Name="PingPublicationsSNS")["TopicArn"]
        assert topic == plans.TOPIC
        queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
        made.put(live_key(plan.drill), "{}")
        yield made


@contextmanager
def entered(
    kind: Callable[[SimulatedService, Context], AnyAccount],
    service: SimulatedService,
) -> Iterator[AnyAccount]:
    """An account of some class with a journal bucket, in which the functions run."""
    with (
        pytest.MonkeyPatch.context() as patch,
        _without_requests(),
        moto.mock_aws(config={"stepfunctions": {"execute_state_machine": True}}),
    ):
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setattr(AmazonStateLanguageParser, "parse", staticmethod(states_language.parse))
        patch.setattr(json_path, "parse", states_language.parse_path)
        # A definition is parsed when it runs; to parse it when it is deployed, too, takes as long.
        patch.setattr(StepFunctionsParserBackend, "_validate_definition", lambda definition: None)
        log: list[Mapping[str, object]] = []
        made: AnyAccount
        context = Context(
            aws=_shared_aws(),
            resolve=lambda name: made.service.resolve(name),
            ask=lambda address, endpoint, host: made.service.ask(address, endpoint, host),
            clock=lambda: made.service.now,
            sleep=lambda seconds: made.service.sleep(seconds),
            log=lambda event, **fields: log.append(
                json.loads(json.dumps({"event": event, **fields}))
            ),
        )
        made = kind(service, context)
        made.log = log
        patch.setattr(_Current, "account", made, raising=False)
        patch.setattr(handlers, "lambda_context", lambda: made.context)
        patch.setattr(lambda_eval_utils, "_invoke_lambda_function", made.invoke)
        patch.setattr(retrier_decl, "time", _Time(made))
        patch.setattr(Subscription, "private_key", lambda subscription: _signing_key())
        s3 = made.client("s3")
        s3.create_bucket(
            Bucket=plans.BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        s3.put_bucket_versioning(Bucket=plans.BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield made


@contextmanager
def _without_requests() -> Iterator[None]:
    """Keep moto from answering `requests`, for which it would register 1,300 URLs in each test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.core.models, "RESPONSES_METHODS", ())
        yield


class _Time:
    """The module ``time``, for the interpreter's retries."""

    def __init__(self, made: Account) -> None:
        self._made = made

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._made.service.sleep(seconds)


class _Current:
    """The account of the test that runs: sessions and clients are shared, as they are slow."""

    account: Account


def observed_session() -> botocore.session.Session:
    """A session for the code under test, whose calls the current account records and answers."""
    session = _new_session()
    events = session.get_component("event_emitter")

    def remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        context["parameters"] = params

    def answer(
        model: Any, context: dict[str, Any], **_: object
    ) -> tuple[botocore.awsrequest.AWSResponse, Answer] | None:
        made = _Current.account
        service, operation = str(model.service_model.service_name), str(model.name)
        given = context["parameters"]
        made.calls.append((service, operation))
        _note_use(made, service, operation, given)
        scripted = made.answers.get((service, operation))
        simulated = operation == "DescribeAlarms" or (
            service in SIMULATED and not operation.endswith(("Parameter", "ParametersByPath"))
        )
        waiting = made.service.errors.get(operation)
        if waiting:
            return _failed(ApiError(waiting.pop(0)))
        if operation == "PutMetricData":
            _note_metrics(made, given)
        if scripted is None and operation == "GetObject":
            return _object(given)
        if scripted is None and not simulated:
            return None
        try:
            found = scripted(given) if scripted else made.service.answer(operation, given)
        except ApiError as error:
            return _failed(error)
        report = botocore.validate.ParamValidator().validate(found, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return _response(200), found

    def on_our_clock(parsed: dict[str, Any], **_: object) -> None:
        made = _Current.account
        for each in (parsed, *parsed.get("executions", ())):
            if "stopDate" in each:
                at = made.ended.get(each["executionArn"], made.service.now)
                each["stopDate"] = moment(at)

    events.register("after-call.stepfunctions.ListExecutions", on_our_clock)
    events.register("after-call.stepfunctions.DescribeExecution", on_our_clock)
    events.register("before-parameter-build", remember)
    events.register("before-call", answer)
    return session


@functools.cache
def _signing_key() -> rsa.RSAPrivateKey:
    """The key of all messages: moto makes a new one for each, which takes longer than a run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@functools.cache
def _shared_aws() -> BotocoreAws:
    return BotocoreAws(observed_session())


@functools.cache
def _own_client(name: str) -> Any:
    return _new_session().create_client(name, region_name=REGION)


def _note_metrics(made: Account, given: Parameters) -> None:
    """Keep the data of runs and of faults that may last apart."""
    (first, *_) = given["MetricData"]
    if first["MetricName"] == FAULTS_NOT_ENDED:
        made.faults_not_ended.append(first["Value"])
    else:
        made.service.published.append(given)


def _note_use(made: Account, service: str, operation: str, given: Parameters) -> None:
    prefix = {"stepfunctions": "states"}.get(service, service)
    action = {"ListObjectsV2": "s3:ListBucket", "Invoke": "lambda:InvokeFunction"}.get(
        operation, f"{prefix}:{operation}"
    )
    made.used.setdefault(made.function, set()).add(action)
    if service == "fis" and given.get("tags"):
        made.used[made.function].add("fis:TagResource")  # required for tags on creation


def moment(at: float) -> datetime:
    """A moment as botocore returns it."""
    return datetime.fromtimestamp(at, timezone.utc)


_LOADER = botocore.session.Session().get_component("data_loader")


def _new_session() -> botocore.session.Session:
    """A session of botocore that shares the models, which take seconds to load."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return session


def _object(given: Parameters) -> tuple[botocore.awsrequest.AWSResponse, Answer]:
    """Answer GetObject as moto would: runs read many objects, each request would take 3 ms."""
    stored = s3_backends[ACCOUNT]["aws"].get_object(given["Bucket"], given["Key"])
    if stored is None:
        return _failed(ApiError("NoSuchKey"))
    return _response(200), {"Body": io.BytesIO(stored.value)}


def _failed(error: ApiError) -> tuple[botocore.awsrequest.AWSResponse, dict[str, Any]]:
    status = 429 if "hrottl" in error.code else 400
    return _response(status), {"Error": {"Code": error.code, "Message": error.message}}


def _response(status: int) -> botocore.awsrequest.AWSResponse:
    return botocore.awsrequest.AWSResponse("https://aws.test/", status, {}, io.BytesIO())


def throttled() -> botocore.exceptions.ClientError:
    """Lambda's error where too many functions run."""
    return botocore.exceptions.ClientError(
        {
            "Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."},
            "ResponseMetadata": {"HTTPStatusCode": 429, "RequestId": "1"},
        },
        "Invoke",
    )


def timed_out() -> Exception:
    """The interpreter's error when a task's TimeoutSeconds are over."""
    return EvalTimeoutError()
