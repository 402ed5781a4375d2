"""What the drills of one service share: functions, journals, the cleanup, and the watchdog."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from staged_resiliency.drills import functions
from staged_resiliency.drills.dead_letter_queue import DeadLetterQueue
from staged_resiliency.drills.faults import Statement
from staged_resiliency.drills.functions import Function, Resource
from staged_resiliency.drills.iam import (
    acknowledge_wildcards,
    later,
    later_text,
    place_of,
    role,
    trust,
)
from staged_resiliency.drills.journal_bucket import JournalBucket
from staged_resiliency.drills.lambda_archive import code_archive
from staged_resiliency.drills.permissions import Scope, statements_of
from staged_resiliency.drills.runtime.plan import DrillSchedules, WatchedDrill
from staged_resiliency.drills.state_machine import cleanup_pattern
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.notifications.topics import Topic, arn_of
from staged_resiliency.shared import names
from staged_resiliency.shared.errors import InvalidInputError

if TYPE_CHECKING:
    from staged_resiliency.drills.drill import Drill

LOG_DAYS: Final = 400
"""More than a year, so that the same month of the former year can be looked at."""


class DrillGroup(Construct):
    """Runs the drills of one service: what all of them share.

    Creates the nine functions, each with a role of its own, their log; the bucket of journals
    (encrypted, versioned, TLS only, kept when the stack goes); the schedule of the watchdog that
    counts the days since each drill passed; the EventBridge rule by which a run that was aborted
    still has its fault ended and its verdict recorded, and the schedule that does so where the
    event is lost or the fault lasts longer; and the queue, with an alarm, for what could not be
    delivered.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        service: The service that drills are run on.
        topic: Who hears of verdicts and alarms.
        enabled: False leashes all its drills: they find their targets and check the steady state,
            and break nothing. Leashed unless given.
        notify_passed: Also tell of runs that passed, and of leashed ones in which all was well;
            told unless given.
        runbook: What to do when a drill fails: an URL or a line; nothing unless given.

    Attributes:
        service: The service.
        enabled: Whether faults are injected.
        place: Where it is.
        scope: What the functions' permissions are scoped to.
        journals: The ``JournalBucket``.
        undelivered: The ``DeadLetterQueue``.
        drills: Its drills, in the order they were made.
        functions: The ``CfnFunction`` of each function, by its name.
        experiment_log: The ``CfnLogGroup`` that FIS writes.
        run_log: The ``CfnLogGroup`` that state machines write.
        schedule_group: The ``CfnScheduleGroup`` of the schedules.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import DrilledHost, DrillTarget
        >>> runner = DrillGroup(
        ...     Stack(App(), "Shop"),
        ...     "Drills",
        ...     service=DrillTarget(
        ...         name="shop",
        ...         environment="production",
        ...         namespace="Shop",
        ...         active=DrilledHost("shop-blue", "192.0.2.1", instance="i-0123456789abcdef0"),
        ...         standby=DrilledHost("shop-green", "192.0.2.2"),
        ...         record_name="shop.example.com",
        ...         hosted_zone_id="Z2EHK3FAEUNRMI",
        ...         alarms=["shop-blue-StatusCheckFailed"],
        ...         objective_seconds=360,
        ...     ),
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> runner.enabled
        False
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: DrillTarget,
        topic: Topic,
        enabled: bool = False,
        notify_passed: bool = True,
        runbook: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.service: Final = service
        self.topic_arn: Final = arn_of(topic)
        self.enabled: Final = enabled
        self.notify_passed: Final = notify_passed
        self.runbook: Final = runbook
        self.drills: Final[list[Drill]] = []
        self.place: Final = place_of(self)
        self.journals: Final = JournalBucket(self, "Journals")
        self.scope: Final = Scope(
            self.place,
            self.journals.bucket_arn,
            service.namespace,
            self.topic_arn,
            names.drill_state_machine(service.name, service.environment, "*"),
        )
        self.undelivered: Final = DeadLetterQueue(
            self,
            "Undelivered",
            service=service.name,
            environment=service.environment,
            display_name=service.title,
            topic=topic,
        )
        self.experiment_log: Final = self._log("ExperimentLog", "What AWS FIS did in drills.")
        self.run_log: Final = self._log("RunLog", "Every step of every run of a drill.")
        self._function_log = self._log("FunctionLog", "What the functions of drills say.")
        self._code = assets.Asset(self, "Code", path=str(code_archive()))
        self._roles: Final[dict[str, iam.CfnRole]] = {}
        self.functions: Final[Mapping[str, lambda_.CfnFunction]] = {
            each.name: self._function(each) for each in functions.ALL
        }
        self.schedule_group: Final = scheduler.CfnScheduleGroup(self, "Schedules")
        self.schedule_group.add_metadata("Description", "Schedules of drills and their watchdog.")
        self._clean_up()
        self._call_regularly(
            functions.CLEANUP,
            expression="rate(15 minutes)",
            why="Cleans up after drills that were aborted, timed out or failed.",
            sid="CallTheCleanup",
        )
        self._watchdog_schedule = self._call_regularly(
            functions.WATCHDOG,
            expression="rate(1 day)",
            why="Counts, once a day, the days since each drill passed.",
            sid="CallTheWatchdog",
        )

    def add(self, drill: "Drill") -> None:
        """Take a drill in; ``Drill`` does it by itself.

        Raises:
            InvalidInputError: Another drill has its name.
        """
        if any(other.name == drill.name for other in self.drills):
            raise InvalidInputError(
                f"Drill: name: {drill.name!r} is another drill's of the service too; give it one "
                "of its own"
            )
        self.drills.append(drill)

    def scope_to(self, drill: "Drill", machine_name: str) -> None:
        """Let the functions do what a drill needs, and no more; ``Drill`` does it by itself."""
        fault, only = drill.fault, Scope(self.place, "", "", "", "", machines=[machine_name])
        self.scope.machines.append(machine_name)
        self.scope.templates.append(drill.experiment.template_id)
        self.scope.instances.append(fault.instance_arn(self.place))
        self.scope.volume_keys.extend(fault.keys)
        for function in functions.ALL:
            executions = [
                each for each in function.permissions if each.resource is Resource.EXECUTIONS
            ]
            if executions:
                statement = {"Action": [], "Resource": list(only.arns(Resource.EXECUTIONS))}
                acknowledge_wildcards(self._roles[function.name], [statement])

    def count(self, machine: stepfunctions.CfnStateMachine) -> None:
        """Let the watchdog's schedule wait for a drill's machine; ``Drill`` does it by itself.

        It is called as soon as its schedule is made, and names machines it does not refer to.
        """
        self._watchdog_schedule.add_resource_dependency(machine)

    def _log(self, construct_id: str, description: str) -> logs.CfnLogGroup:
        """A log that CloudWatch encrypts with its own key, and that goes with the stack.

        What must last is in the journals.
        """
        log = logs.CfnLogGroup(self, construct_id, retention_in_days=LOG_DAYS)
        log.apply_removal_policy(RemovalPolicy.DESTROY)
        log.add_metadata("Description", description)
        return log

    def _function(self, function: Function) -> lambda_.CfnFunction:
        words = function.construct_id
        taken = role(
            self,
            f"{words}Role",
            description=f"Taken by the function {function.name} of {self.service.name}'s drills.",
            # Lambda sends no source with its request, so there is none to hold it to.
            trusted=trust("lambda", self.place, None),
            statements=self._statements(function),
            more=lambda: self._statements(function),
        )
        self._roles[function.name] = taken
        return lambda_.CfnFunction(
            self,
            words,
            description=f"Drills of {self.service.title}: {function.name.replace('_', ' ')}.",
            code=lambda_.CfnFunction.CodeProperty(
                s3_bucket=self._code.s3_bucket_name, s3_key=self._code.s3_object_key
            ),
            runtime=f"python{functions.RUNTIME_VERSION}",
            architectures=["arm64"],
            handler=function.handler,
            memory_size=function.memory_mebibytes,
            timeout=function.timeout_seconds,
            role=taken.attr_arn,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_format="JSON", log_group=self._function_log.ref
            ),
        )

    def _statements(self, function: Function) -> Sequence[Statement]:
        return [
            *statements_of(function, self.scope),
            {
                "Sid": "WriteTheLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": self._function_log.attr_arn,
            },
            *self._of_failed_calls(function),
        ]

    def _of_failed_calls(self, function: Function) -> Sequence[Statement]:
        if function is not functions.CLEANUP:
            return []
        return [
            {
                "Sid": "KeepFailedCalls",
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": self.undelivered.queue_arn,
            }
        ]

    def _clean_up(self) -> None:
        """Call the cleanup for each run that was aborted, timed out or failed, for up to a day.

        Step Functions delivers such events on a best-effort basis; the cleanup's schedule makes
        up for that: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html
        """
        cleanup = self.functions[functions.CLEANUP.name]
        rule = events.CfnRule(
            self,
            "SweepRule",
            description="Calls the cleanup for drills that were aborted, timed out or failed.",
            event_pattern=later(lambda: cleanup_pattern(self.scope.machine_arns)),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Sweep",
                    arn=cleanup.attr_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185
                    ),
                )
            ],
        )
        self.undelivered.let_rule_send(rule.attr_arn)
        allowed = lambda_.CfnPermission(
            self,
            "SweepPermission",
            action="lambda:InvokeFunction",
            function_name=cleanup.attr_arn,
            principal="events.amazonaws.com",
            source_account=self.place.account,
            source_arn=rule.attr_arn,
        )
        allowed.add_metadata("Description", "Lets the rule call the cleanup.")
        config = lambda_.CfnEventInvokeConfig(
            self,
            "SweepCalls",
            function_name=cleanup.ref,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(
                    destination=self.undelivered.queue_arn
                )
            ),
        )
        config.add_metadata(
            "Description", "A cleanup that fails is retried, then its event is kept and reported."
        )

    def _call_regularly(
        self, function: Function, *, expression: str, why: str, sid: str
    ) -> scheduler.CfnSchedule:
        """By a rate, so that it is called as soon as it is deployed, and the alarms have data.

        What an update does to a rate is not documented: a drill that is added later is first
        counted within a day, and its alarm waits for that.
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
        """
        called, words = self.functions[function.name], function.construct_id
        taken = role(
            self,
            f"{words}CallerRole",
            description=(
                f"Taken by EventBridge Scheduler for the {function.name} of {self.service.name}."
            ),
            trusted=self.scheduler_trust,
            statements=[
                {
                    "Sid": sid,
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": called.attr_arn,
                },
                self.keep_undelivered,
            ],
        )
        return scheduler.CfnSchedule(
            self,
            f"{words}Schedule",
            description=why,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            group_name=self.schedule_group.ref,
            schedule_expression=expression,
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=called.attr_arn,
                role_arn=taken.attr_arn,
                input=later_text(lambda: json.dumps(self._watch().to_json())),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.undelivered.queue_arn
                ),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3_600, maximum_retry_attempts=3
                ),
            ),
        )

    def _watch(self) -> DrillSchedules:
        return DrillSchedules(
            service=self.service.name,
            environment=self.service.environment,
            drills=tuple(
                WatchedDrill(drill.name, arn)
                for drill, arn in zip(self.drills, self.scope.machine_arns, strict=True)
            ),
            journal_bucket=self.journals.bucket_name,
            namespace=self.service.namespace,
        )

    @property
    def scheduler_trust(self) -> Mapping[str, object]:
        """The trust policy of roles that schedules of this service take."""
        return trust("scheduler", self.place, self.schedule_group.attr_arn, like=False)

    @property
    def keep_undelivered(self) -> Statement:
        """The right to put what was not delivered into the queue."""
        return {
            "Sid": "KeepUndelivered",
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": self.undelivered.queue_arn,
        }
