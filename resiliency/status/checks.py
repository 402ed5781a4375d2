"""The checks of a status: each reads one part of the account, and says what is not well."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from resiliency.account import readers
from resiliency.drill_cli.aws import Aws, Operation
from resiliency.drill_cli.listing import rows_of
from resiliency.errors import UserError
from resiliency.failover_model.graph import Pair
from resiliency.failover_model.simulation import failover_times
from resiliency.report.wording import day
from resiliency.status.deployed import Deployed
from resiliency.status.dns import health_checks, records, serving
from resiliency.status.hosts import agents
from resiliency.status.sections import Section
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.drill_status import Score
from staged_resiliency.drills.runtime.durations import EXPIRY_DAYS
from staged_resiliency.experiment.json_codec import JsonObject

DETECT: Final[Operation] = ("cloudformation", "DetectStackDrift")
DETECTION: Final[Operation] = ("cloudformation", "DescribeStackDriftDetectionStatus")
DRIFTS: Final[Operation] = ("cloudformation", "DescribeStackResourceDrifts")

_DRIFT_POLLS: Final = 60
_DRIFT_SECONDS: Final = 5.0
_OUTAGES: Final = 300
_DAY: Final = 86_400.0

Check = Callable[[Deployed, Context, Section], None]


def alarms(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that every alarm of the stacks exists, is OK, and notifies somebody."""
    for name, alarm in _alarms(deployed):
        if alarm is None:
            section.row("missing", name)
            section.find(f"the alarm {name} does not exist", "deploy its stack again")
            continue
        state = str(alarm.get("StateValue"))
        since = alarm.get("StateUpdatedTimestamp")
        text = f"since {since:%Y-%m-%d %H:%M} UTC" if isinstance(since, datetime) else ""
        section.row(state, name, text)
        if state != "OK":
            section.find(
                f"{name} is in {state} {text}: {alarm.get('StateReason', '')}",
                str(alarm.get("AlarmDescription") or "mend what it watches"),
            )
        if not alarm.get("ActionsEnabled", True) or not alarm.get("AlarmActions"):
            why = "has no actions" if alarm.get("ActionsEnabled", True) else "is switched off"
            section.find(f"{name} {why}, so nobody is notified", "deploy its stack again")


def topics(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that every topic of the alarms has a subscriber who confirmed."""
    arns = dict.fromkeys(
        str(each)
        for _, alarm in _alarms(deployed)
        for key in ("AlarmActions", "OKActions")
        for each in (alarm or {}).get(key, ())
        if str(each).split(":")[2:3] == ["sns"]
    )
    for arn in arns:
        aws = deployed.account.in_region(arn.split(":")[3])
        try:
            exists = readers.topic(aws, arn) is not None
            subscribed = readers.subscriptions(aws, arn) if exists else []
        except UserError as error:
            # A topic of another account may be read by its owner alone.
            section.not_asked.append(str(error))
            continue
        if not exists:
            section.row("missing", arn)
            section.find(f"the topic {arn} does not exist", "deploy the notifications stack again")
            continue
        confirmed = [each for each in subscribed if readers.confirmed(each)]
        protocols = ", ".join(sorted({str(each.get("Protocol")) for each in confirmed}))
        waiting = len(subscribed) - len(confirmed)
        pending = f"; {waiting} not confirmed" if waiting else ""
        section.row(f"{len(confirmed)} subscribed", arn, f"{protocols}{pending}")
        if not confirmed:
            section.find(
                f"no subscriber of {arn} has confirmed, so alarms reach nobody"
                f"{f' ({waiting} asked)' if waiting else ''}",
                "confirm by the link in AWS's message, or give `subscriptions` in the service file",
            )


def drills(deployed: Deployed, context: Context, section: Section) -> None:
    """Check when each drill last passed, and when it runs next."""
    if deployed.drills_unreadable:
        section.not_asked.append(deployed.drills_unreadable)
        return
    if deployed.drills is None:
        section.row("", "no drills", "the failover is not tested here")
        return
    where = f"{deployed.location.service} {deployed.location.environment}"
    for each in rows_of(deployed.account.home, deployed.drills, context.clock()):
        plan, name = each.drill.plan, each.drill.name
        last = "never ran" if each.last is None else each.last.journal.verdict.status.value
        on = "" if each.last is None else f" on {day(each.last.at)}"
        passed = "never passed" if each.days is None else f"passed {each.days} d ago"
        dry = "" if plan.enabled else "; dry runs, which inject no fault"
        following = "running now" if each.running else f"next: {each.next_run}"
        section.row(last, name, f"{passed}{on and f'; last run{on}'}{dry}; {following}")
        since = each.days
        if since is None:
            since = int((context.clock() - each.drill.created_at) // _DAY)
        if each.score == Score.FAILED:
            section.find(
                f"drill {name} failed{on}",
                f"resiliency drill report {where} {name} shows why",
            )
        elif since > EXPIRY_DAYS:
            section.find(
                f"drill {name} has not passed for {since} days"
                f"{'' if plan.enabled else ': its runs are dry runs'}",
                "set `enabled: true` under `drills`"
                if not plan.enabled
                else f"resiliency drill start {where} {name}",
            )
        if each.next_run.startswith(("switched off", "has no schedule")):
            section.find(f"drill {name} {each.next_run}", "deploy the drills again")
        section.not_asked += each.unreadable


def stacks(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that no stack failed, and none is being changed."""
    for stack in deployed.stacks:
        section.row(stack.status, stack.name)
        if stack.status.endswith("_FAILED"):
            section.find(
                f"{stack.name} is in {stack.status}",
                f"aws cloudformation describe-stack-events --stack-name {stack.name} shows why",
            )


def drift(deployed: Deployed, context: Context, section: Section) -> None:
    """Have CloudFormation compare every stack with what exists, and wait for the result."""
    detections = [
        (stack, str(stack.aws(*DETECT, StackName=stack.name)["StackDriftDetectionId"]))
        for stack in deployed.stacks
    ]
    for stack, detection in detections:
        for _ in range(_DRIFT_POLLS):
            found = stack.aws(*DETECTION, StackDriftDetectionId=detection)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
            context.sleep(_DRIFT_SECONDS)
        if found["DetectionStatus"] != "DETECTION_COMPLETE":
            # Also where one resource alone could not be compared.
            reason = found.get("DetectionStatusReason", "it takes too long")
            section.not_asked.append(f"drift of {stack.name}: {reason}")
        section.row(str(found.get("StackDriftStatus", "UNKNOWN")), stack.name)
        for each in _drifted(stack.aws, stack.name):
            name = each.get("PhysicalResourceId") or each["LogicalResourceId"]
            differences = "; ".join(
                f"{one['PropertyPath']} is {one['ActualValue']}, {one['ExpectedValue']} was "
                "deployed"
                for one in each.get("PropertyDifferences", ())
            )
            what = str(each["StackResourceDriftStatus"]).lower()
            section.find(
                f"{name} of {stack.name} was {what} outside CloudFormation"
                f"{f': {differences}' if differences else ''}",
                "undo the change, or make it in the service file and deploy",
            )


def _drifted(aws: Aws, stack: str) -> Iterator[JsonObject]:
    more: dict[str, str] = {}
    while True:  # botocore has no paginator for it
        page = aws(
            *DRIFTS,
            StackName=stack,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            **more,
        )
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def objective(deployed: Deployed, context: Context, section: Section) -> None:
    """Compare the objective to the failover times that the model computes from what is deployed."""
    goals: dict[Pair, float | None] = {each.pair: each.objective_seconds for each in deployed.pairs}
    for each in failover_times(deployed.graph, outages=_OUTAGES):
        goal = goals.get(each.pair)
        if not each.fault.hurts:
            continue
        label = f"{each.pair.name} {each.pair.record_type}: {each.fault}"
        if each.never is not None:
            section.row("not covered", label, each.never)
            continue
        within = f"95 of 100 within {each.p95:.0f} s"
        missed = goal is not None and not each.meets(goal)
        target = "" if goal is None else f", objective {goal:.0f} s"
        section.row("misses" if missed else "meets" if goal else "", label, f"{within}{target}")
        if missed:
            section.find(
                f"{label}: {within}, over the objective of {goal:.0f} s",
                "resiliency timing shows where the time goes; resiliency check suggests changes",
            )


def _alarms(deployed: Deployed) -> Iterator[tuple[str, JsonObject | None]]:
    """Yield the names of the alarms of all stacks, each with the alarm, None if it is missing."""
    by_region: dict[str, list[str]] = {}
    for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        for aws, name in deployed.ids(kind):
            by_region.setdefault(aws.region, []).append(name)
    for region, found in by_region.items():
        alarms = readers.alarms_named(deployed.account.in_region(region), found)
        yield from ((name, alarms.get(name)) for name in found)


CHECKS: Final[Mapping[str, Check]] = {
    "who is served": serving,
    "records": records,
    "health checks": health_checks,
    "alarms": alarms,
    "topics": topics,
    "agents": agents,
    "drills": drills,
    "stacks": stacks,
    "objective": objective,
}
"""The check of each section, in the order of the report."""
