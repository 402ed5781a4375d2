"""An account with the example's drills, for the command: moto's APIs, and scripted ones.

Step Functions' state machines, S3 and EventBridge Scheduler are moto's. What moto lacks, or
does not let tests steer in time, is answered by ``answers``, by botocore's ``before-call`` event:
after botocore has checked the parameters against its model, and checked against it in turn.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import boto3
import botocore.awsrequest
import botocore.loaders
import botocore.session
import botocore.validate
import moto

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.state_machine import definition
from tests.resiliency.drill_cli import plans

ACCOUNT = "123456789012"
REGION = "us-west-2"
NOW = datetime(2026, 11, 3, 19, 30, tzinfo=timezone.utc).timestamp()
"""A Tuesday, half past eleven in Los Angeles."""

Answer = Mapping[str, Any]
Parameters = Mapping[str, Any]
Operation = tuple[str, str]


class ApiError(Exception):
    """An error as AWS answers it."""

    def __init__(self, code: str, message: str = "no") -> None:
        super().__init__(code)
        self.code, self.message = code, message


class Clock:
    """Time that passes when somebody waits; what is due happens then."""

    def __init__(self, now: float = NOW) -> None:
        self._now = now
        self._due: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds
        assert self._now < NOW + 2 * 86_400, "somebody waits for ever"
        due = [each for each in self._due if each[0] <= self._now]
        self._due = [each for each in self._due if each[0] > self._now]
        for _, what in due:
            what()

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        self._due.append((self._now + seconds, what))


@dataclass
class Run:
    """A scripted run: events are seen once their time has come."""

    arn: str
    began_at: float
    events: list[dict[str, Any]] = field(default_factory=list)
    status: str = "RUNNING"
    ended_at: float | None = None

    def enter(self, name: str, at: float) -> None:
        self._event("TaskStateEntered", at, stateEnteredEventDetails={"name": name})

    def leave(self, name: str, at: float, said: Mapping[str, object], key: str) -> None:
        output = json.dumps({key: said})
        details = {"name": name, "output": output}
        self._event("TaskStateExited", at, stateExitedEventDetails=details)

    def fail(self, at: float, error: str, cause: str) -> None:
        details = {"resourceType": "lambda", "resource": "invoke", "error": error, "cause": cause}
        self._event("TaskFailed", at, taskFailedEventDetails=details)

    def phase(self, name: str, key: str, at: float, until: float, **said: object) -> None:
        """A phase of one call."""
        self.enter(name, at)
        answer = {"go": True, "again": False, "began_at": at, "experiment": None, "told": "done"}
        self.leave(name, until, {**answer, **said}, key)

    def end(self, status: str, at: float) -> None:
        self._event("ExecutionSucceeded", at)
        self.status, self.ended_at = status, at

    def _event(self, kind: str, at: float, **details: object) -> None:
        self.events.append(
            {"id": len(self.events) + 1, "type": kind, "timestamp": moment(at), **details}
        )


@dataclass
class Account:
    """The account.

    Attributes:
        session: boto3's.
        clock: Time.
        machines: ARN of each drill's state machine, by the drill's name.
        resources: Of the stack: types and physical ids; None where there is no stack.
        answers: What is scripted, by service and operation, each a function of the parameters.
        runs: Scripted runs.
        asked: Every call, in order.
        alarms: State of each alarm.
    """

    session: boto3.session.Session
    clock: Clock
    machines: dict[str, str] = field(default_factory=dict)
    resources: list[tuple[str, str]] | None = field(default_factory=list)
    answers: dict[Operation, Callable[[Parameters], Answer]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    asked: list[Operation] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str) -> Any:
        """A client of the tests' own, whose calls are not recorded."""
        if name not in self._clients:
            self._clients[name] = _session().client(name)
        return self._clients[name]

    def deploy(self, plan: Plan, schedule: str | None = None) -> None:
        """A drill's state machine, with a schedule."""
        arns = {each.name: f"arn:aws:lambda:::{each.name}" for each in functions.OF_THE_MACHINE}
        made = self.client("stepfunctions").create_state_machine(
            name=f"bookstore-production-drill-{plan.drill}",
            definition=json.dumps(definition(plan, arns)),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/drills",
        )
        arn = made["stateMachineArn"]
        self.machines[plan.drill] = arn
        assert self.resources is not None
        self.resources.append(("AWS::StepFunctions::StateMachine", arn))
        if schedule is not None:
            self.client("scheduler").create_schedule(
                Name=f"Schedule-{plan.drill}",
                GroupName="bookstore-production-drills",
                ScheduleExpression=schedule,
                ScheduleExpressionTimezone="America/Los_Angeles",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
                    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/starter",
                    "Input": json.dumps({"StateMachineArn": arn, "Name": "<x>"}),
                },
            )
            self.resources.append(("AWS::Scheduler::Schedule", f"Schedule-{plan.drill}"))

    def begin(self, drill: str, name: str, at: float | None = None) -> Run:
        """A run under way."""
        arn = f"{self.machines[drill].replace(':stateMachine:', ':execution:')}:{name}"
        run = Run(arn, self.clock.now() if at is None else at)
        self.runs.append(run)
        return run

    def put(self, key: str, text: str | bytes) -> None:
        """An object in the bucket, below the prefix."""
        body = text.encode() if isinstance(text, str) else text
        prefix = plans.SHUTDOWN.journal.prefix
        self.client("s3").put_object(Bucket=plans.BUCKET, Key=f"{prefix}{key}", Body=body)

    def record(self, journal: Mapping[str, Any], name: str) -> None:
        """A journal in the bucket."""
        self.put(f"journals/{journal['experiment']}/{name}.json", json.dumps(journal))

    def refuse(self, service: str, operation: str, error: BaseException) -> None:
        """Let an operation fail."""

        def answer(_: Parameters) -> Answer:
            raise error

        self.answers[service, operation] = answer

    # What is scripted.

    def resource_page(self, _: Parameters) -> Answer:
        if self.resources is None:
            raise ApiError("ValidationError", "Stack with id x does not exist")
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": f"R{index}",
                    "ResourceType": kind,
                    "PhysicalResourceId": physical,
                    "LastUpdatedTimestamp": moment(NOW),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for index, (kind, physical) in enumerate(self.resources)
            ]
        }

    def executions(self, asked: Parameters) -> Answer:
        prefix = asked["stateMachineArn"].replace(":stateMachine:", ":execution:") + ":"
        found = [
            each
            for each in sorted(self.runs, key=lambda each: -each.began_at)
            if each.arn.startswith(prefix)
            and asked.get("statusFilter") in (None, self._status(each))
        ]
        return {
            "executions": [
                {
                    "executionArn": each.arn,
                    "stateMachineArn": asked["stateMachineArn"],
                    "name": each.arn.rsplit(":", 1)[1],
                    "status": self._status(each),
                    "startDate": moment(each.began_at),
                }
                for each in found[: asked.get("maxResults", 100)]
            ]
        }

    def execution(self, asked: Parameters) -> Answer:
        run = self._run(asked["executionArn"])
        status = self._status(run)
        stopped = {} if status == "RUNNING" else {"stopDate": moment(run.ended_at or 0)}
        return {
            "executionArn": run.arn,
            "stateMachineArn": "arn",
            "status": status,
            "startDate": moment(run.began_at),
            **stopped,
        }

    def history(self, asked: Parameters) -> Answer:
        """Five events a page, so that pages matter."""
        run = self._run(asked["executionArn"])
        now = moment(self.clock.now())
        seen = [each for each in run.events if each["timestamp"] <= now]
        if asked.get("reverseOrder"):
            seen.reverse()
        start = int(asked.get("nextToken", "0"))
        page = {"events": seen[start : start + 5]}
        more = {"nextToken": str(start + 5)} if start + 5 < len(seen) else {}
        return {**page, **more}

    def start(self, asked: Parameters) -> Answer:
        arn = asked["stateMachineArn"].replace(":stateMachine:", ":execution:")
        self.runs.append(Run(f"{arn}:{asked['name']}", self.clock.now()))
        return {"executionArn": self.runs[-1].arn, "startDate": moment(self.clock.now())}

    def instances(self, asked: Parameters) -> Answer:
        (only,) = asked["Filters"]
        found = [{"InstanceId": each, "State": {"Name": "running"}} for each in only["Values"]]
        return {"Reservations": [{"Instances": found}]}

    def template(self, asked: Parameters) -> Answer:
        blackhole = asked["id"] == plans.TEMPLATES[1]
        action = "aws:ssm:send-command" if blackhole else "aws:ec2:stop-instances"
        arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{plans.INSTANCE}"
        guard = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{plans.GUARD}"
        return {
            "experimentTemplate": {
                "id": asked["id"],
                "targets": {"Host": {"resourceType": "aws:ec2:instance", "resourceArns": [arn]}},
                "actions": {"Fault": {"actionId": action}},
                "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": guard}],
            }
        }

    def described_alarms(self, asked: Parameters) -> Answer:
        at = moment(NOW - 86400)
        return {
            "MetricAlarms": [
                {
                    "AlarmName": name,
                    "StateValue": self.alarms.get(name, "OK"),
                    "StateTransitionedTimestamp": at,
                }
                for name in asked["AlarmNames"]
                if self.alarms.get(name) != "missing"
            ],
            "CompositeAlarms": [],
        }

    def _run(self, arn: str) -> Run:
        for each in self.runs:
            if each.arn == arn:
                return each
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def _status(self, run: Run) -> str:
        ended = run.ended_at is not None and run.ended_at <= self.clock.now()
        return run.status if ended else "RUNNING"


@contextmanager
def account() -> Iterator[Account]:
    """An account with a bucket and a group of schedules, and no drills yet."""
    with moto.mock_aws():
        made = Account(_session(), Clock())
        made.answers.update(
            {
                ("cloudformation", "ListStackResources"): made.resource_page,
                ("stepfunctions", "ListExecutions"): made.executions,
                ("stepfunctions", "DescribeExecution"): made.execution,
                ("stepfunctions", "GetExecutionHistory"): made.history,
                ("stepfunctions", "StartExecution"): made.start,
                ("ec2", "DescribeInstances"): made.instances,
                ("fis", "GetExperimentTemplate"): made.template,
                ("fis", "ListExperiments"): lambda _: {"experiments": []},
                ("cloudwatch", "DescribeAlarms"): made.described_alarms,
                ("ssm", "DescribeInstanceInformation"): lambda _: {
                    "InstanceInformationList": [
                        {"InstanceId": plans.INSTANCE, "PingStatus": "Online"}
                    ]
                },
            }
        )
        _listen(made)
        made.client("s3").create_bucket(
            Bucket=plans.BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        made.client("scheduler").create_schedule_group(Name="bookstore-production-drills")
        assert made.resources is not None
        made.resources.append(("AWS::Scheduler::ScheduleGroup", "bookstore-production-drills"))
        yield made


@contextmanager
def bookstore(*others: Plan) -> Iterator[Account]:
    """The account with the example's drills."""
    with account() as made:
        made.deploy(plans.SHUTDOWN, "cron(0 10 ? * TUE#1 *)")
        made.deploy(plans.BLACKHOLE, "cron(0 10 ? * TUE#2 *)")
        for each in others:
            made.deploy(each)
        yield made


def moment(at: float) -> datetime:
    """A moment as botocore gives it."""
    return datetime.fromtimestamp(at, timezone.utc)


def chunk(phase: str, at: float, seen: Sequence[tuple[float, str, str, str]]) -> str:
    """What a call of a function leaves behind."""
    observations = [
        {"at": when, "source": source, "subject": subject, "value": value, "detail": ""}
        for when, source, subject, value in seen
    ]
    return json.dumps(
        {
            "phase": phase,
            "began_at": at,
            "ended_at": at + 40,
            "go": True,
            "told": "",
            "cut_short": "",
            "fault_may_last": False,
            "observations": observations,
        }
    )


# Models are large, and read once for all tests.
_LOADER = botocore.loaders.create_loader()


def _session() -> boto3.session.Session:
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    return boto3.session.Session(botocore_session=core, region_name=REGION)


def _listen(made: Account) -> None:
    events = made.session.events

    def parameters(params: Parameters, context: dict[str, Any], **_: object) -> None:
        context["asked"] = params

    def called(model: Any, context: dict[str, Any], **_: object) -> object:
        operation = (str(model.service_model.service_name), str(model.name))
        made.asked.append(operation)
        answer = made.answers.get(operation)
        if answer is None:
            return None
        try:
            found = answer(context["asked"])
        except ApiError as error:
            told = {"Code": error.code, "Message": error.message}
            return _response(400), {"Error": told, "ResponseMetadata": {}}
        report = botocore.validate.ParamValidator().validate(found, model.output_shape)
        assert not report.has_errors(), report.generate_report()
        return _response(200), found

    events.register("before-parameter-build", parameters)
    events.register("before-call", called)


def _response(status: int) -> botocore.awsrequest.AWSResponse:
    return botocore.awsrequest.AWSResponse("https://example.com", status, {}, None)
