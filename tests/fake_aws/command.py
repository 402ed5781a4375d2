"""The account with the example's drills, for `resiliency drill`; its runs are scripted.

moto's executions end at once, and at the time of the machine. So what Step Functions returns of
them is scripted here: the events of a ``Run`` are returned once their time has come.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

import boto3

from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.states import RESULT_KEYS
from staged_resiliency.drills.runtime.store import live_key
from tests.fake_aws import plans
from tests.fake_aws.account import (
    REGION,
    Account,
    Answer,
    Parameters,
    entered,
    moment,
    observed_session,
)
from tests.fake_aws.simulation import ApiError, SimulatedService

NOW: Final = datetime(2026, 11, 3, 19, 30, tzinfo=timezone.utc).timestamp()
"""A Tuesday, half past eleven in Los Angeles."""

DEPLOYED: Final = NOW - 60 * 86_400.0
"""When the resources of the stacks were last changed, unless a test says otherwise."""

GROUP: Final = "bookstore-production-drills"
"""The group of schedules."""


class SharedSession:
    """boto3's session for the command, whose clients are made once for all tests."""

    def __init__(self, region: str | None = None) -> None:
        self.region_name = region or REGION

    def client(self, service_name: str, region_name: str | None = None, *, config: object) -> Any:
        return _client(service_name, region_name or self.region_name)


@functools.cache
def _client(service_name: str, region: str) -> Any:
    return _boto3_session().client(service_name, region_name=region)


@functools.cache
def _boto3_session() -> boto3.session.Session:
    return boto3.session.Session(botocore_session=observed_session(), region_name=REGION)


@dataclass
class Run:
    """A scripted run."""

    arn: str
    began_at: float
    events: list[dict[str, Any]] = field(default_factory=list)
    status: str = "RUNNING"
    ended_at: float | None = None

    def enter(self, name: str, at: float) -> None:
        self.add_event("TaskStateEntered", at, stateEnteredEventDetails={"name": name})

    def leave(self, name: str, at: float, result: Mapping[str, object]) -> None:
        data = {RESULT_KEYS[name]: result} if name in RESULT_KEYS else result
        output = json.dumps(data)
        details = {"name": name, "output": output}
        self.add_event("TaskStateExited", at, stateExitedEventDetails=details)

    def fail(self, at: float, error: str, cause: str) -> None:
        details = {"resourceType": "lambda", "resource": "invoke", "error": error, "cause": cause}
        self.add_event("TaskFailed", at, taskFailedEventDetails=details)

    def phase(self, name: str, at: float, until: float, **result: object) -> None:
        """A phase of one call."""
        self.enter(name, at)
        usual = {"go": True, "again": False, "began_at": at, "experiment": None, "message": "done"}
        self.leave(name, until, {**usual, **result})

    def end(self, status: str, at: float) -> None:
        self.add_event("ExecutionSucceeded", at)
        self.status, self.ended_at = status, at

    def add_event(self, kind: str, at: float, **details: object) -> None:
        self.events.append(
            {"id": len(self.events) + 1, "type": kind, "timestamp": moment(at), **details}
        )


@dataclass
class CommandAccount(Account):
    """An account whose runs are scripted.

    Attributes:
        machines: ARN of each drill's state machine, by the drill's name.
        resources: Types and physical ids of the stack's resources; None where there is no stack.
        runs: Scripted runs.
    """

    machines: dict[str, str] = field(default_factory=dict)
    resources: list[tuple[str, str]] | None = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    stacks: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)
    stack_status: dict[str, str] = field(default_factory=dict)

    def deploy(self, plan: Plan, schedule: str | None = None) -> None:
        """Deploy a drill's state machine, and its schedule."""
        arn = self.machine(plan)
        self.machines[plan.drill] = arn
        assert self.resources is not None
        self.resources.append(("AWS::StepFunctions::StateMachine", arn))
        if schedule is not None:
            self.client("scheduler").create_schedule(
                Name=f"Schedule-{plan.drill}",
                GroupName=GROUP,
                ScheduleExpression=schedule,
                ScheduleExpressionTimezone="America/Los_Angeles",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    "Arn": "arn:aws:scheduler:::aws-sdk:sfn:startExecution",
                    "RoleArn": "arn:aws:iam::123456789012:role/starter",
                    "Input": json.dumps({"StateMachineArn": arn, "Name": "<x>"}),
                },
            )
            self.resources.append(("AWS::Scheduler::Schedule", f"Schedule-{plan.drill}"))

    def begin(self, drill: str, name: str, at: float | None = None) -> Run:
        arn = f"{self.machines[drill].replace(':stateMachine:', ':execution:')}:{name}"
        run = Run(arn, self.service.now if at is None else at)
        self.runs.append(run)
        return run

    def record(self, journal: Mapping[str, Any], name: str) -> None:
        """Write a journal into the bucket."""
        self.put(f"journals/{journal['experiment']}/{name}.json", json.dumps(journal))

    # Scripted operations.

    def list_stack_resources(self, given: Parameters) -> Answer:
        name = given["StackName"]
        found = self.resources if name.endswith("-drills") else self.stacks.get(name)
        if found is None:
            raise ApiError("ValidationError", "Stack with id x does not exist")
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": f"R{index}",
                    "ResourceType": kind,
                    "PhysicalResourceId": physical,
                    "LastUpdatedTimestamp": moment(self.changed.get(physical, DEPLOYED)),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for index, (kind, physical) in enumerate(found)
            ]
        }

    def describe_stacks(self, given: Parameters) -> Answer:
        name = given["StackName"]
        if name not in self.stacks and not name.endswith("-drills"):
            raise ApiError("ValidationError", f"Stack with id {name} does not exist")
        status = self.stack_status.get(name, "UPDATE_COMPLETE")
        created = moment(DEPLOYED)
        return {"Stacks": [{"StackName": name, "CreationTime": created, "StackStatus": status}]}

    def list_executions(self, given: Parameters) -> Answer:
        prefix = given["stateMachineArn"].replace(":stateMachine:", ":execution:") + ":"
        found = [
            each
            for each in sorted(self.runs, key=lambda each: -each.began_at)
            if each.arn.startswith(prefix)
            and given.get("statusFilter") in (None, self._status(each))
        ]
        return {
            "executions": [
                {
                    "executionArn": each.arn,
                    "stateMachineArn": given["stateMachineArn"],
                    "name": each.arn.rsplit(":", 1)[1],
                    "status": self._status(each),
                    "startDate": moment(each.began_at),
                }
                for each in found[: given.get("maxResults", 100)]
            ]
        }

    def describe_execution(self, given: Parameters) -> Answer:
        run = self._run(given["executionArn"])
        status = self._status(run)
        stopped = {} if status == "RUNNING" else {"stopDate": moment(run.ended_at or 0)}
        return {
            "executionArn": run.arn,
            "stateMachineArn": "arn",
            "status": status,
            "startDate": moment(run.began_at),
            **stopped,
        }

    def get_execution_history(self, given: Parameters) -> Answer:
        """Five events a page, so that pages matter."""
        run = self._run(given["executionArn"])
        now = moment(self.service.now)
        seen = [each for each in run.events if each["timestamp"] <= now]
        if given.get("reverseOrder"):
            seen.reverse()
        start = int(given.get("nextToken", "0"))
        page = {"events": seen[start : start + 5]}
        more = {"nextToken": str(start + 5)} if start + 5 < len(seen) else {}
        return {**page, **more}

    def start_execution(self, given: Parameters) -> Answer:
        arn = given["stateMachineArn"].replace(":stateMachine:", ":execution:")
        self.runs.append(Run(f"{arn}:{given['name']}", self.service.now))
        return {"executionArn": self.runs[-1].arn, "startDate": moment(self.service.now)}

    def _run(self, arn: str) -> Run:
        for each in self.runs:
            if each.arn == arn:
                return each
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def _status(self, run: Run) -> str:
        ended = run.ended_at is not None and run.ended_at <= self.service.now
        return run.status if ended else "RUNNING"


@contextmanager
def bookstore(*others: Plan) -> Iterator[CommandAccount]:
    """The account with the example's drills, of which the blackhole is a dry run."""
    with entered(CommandAccount, SimulatedService(plans.SHUTDOWN, now=NOW)) as made:
        made.answers.update(
            {
                ("cloudformation", "DescribeStacks"): made.describe_stacks,
                ("cloudformation", "ListStackResources"): made.list_stack_resources,
                ("stepfunctions", "ListExecutions"): made.list_executions,
                ("stepfunctions", "DescribeExecution"): made.describe_execution,
                ("stepfunctions", "GetExecutionHistory"): made.get_execution_history,
                ("stepfunctions", "StartExecution"): made.start_execution,
            }
        )
        made.client("scheduler").create_schedule_group(Name=GROUP)
        made.resources = [("AWS::Scheduler::ScheduleGroup", GROUP)]
        made.stacks = {
            "bookstore-production-failover": [
                ("AWS::CloudWatch::Alarm", plans.STATUS_ALARM),
                ("AWS::CloudWatch::Dashboard", "bookstore-production"),
            ]
        }
        made.put(live_key("shutdown"), "{}")
        made.deploy(plans.SHUTDOWN, "cron(0 10 ? * TUE#1 *)")
        made.deploy(plans.DRY_BLACKHOLE, "cron(0 10 ? * TUE#2 *)")
        for each in others:
            made.deploy(each)
        yield made


def phase_record(phase: str, at: float, seen: Sequence[tuple[float, str, str, str]]) -> str:
    """The record that a call of a function leaves behind."""
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
            "message": "",
            "cut_short": "",
            "fault_may_last": False,
            "observations": observations,
        }
    )
