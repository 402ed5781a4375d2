"""What the drills of one service share: functions, roles, journals, cleanup and watchdog."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import IResolvable, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from staged_resiliency.drills import functions
from staged_resiliency.drills.dead_letter_queue import DeadLetterQueue
from staged_resiliency.drills.faults import Fault, Statement
from staged_resiliency.drills.functions import Function, Resource
from staged_resiliency.drills.iam import (
    LOG_DELIVERY,
    acknowledge_wildcards,
    lazy_text,
    place_of,
    role,
    trust,
)
from staged_resiliency.drills.journal_bucket import JournalBucket
from staged_resiliency.drills.lambda_code import code_archive
from staged_resiliency.drills.permissions import Scope, statements_of
from staged_resiliency.drills.runtime.plan import DrillSchedules, WatchedDrill
from staged_resiliency.drills.state_machine import cleanup_pattern
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.notifications.topics import Topics, arns_of, require_topics_in
from staged_resiliency.shared import names
from staged_resiliency.shared.errors import InvalidInputError

LOG_DAYS: Final = 400
"""More than a year, to compare a month with the same one of the year before."""


class DrillGroup(Construct):
    """The shared infrastructure of one service's drills; each ``Drill`` is added to it.

    Creates nine Lambda functions with their log, and a role for each of their seven duties; roles
    for the state machines and the schedules of all drills; the bucket of journals (encrypted,
    versioned, TLS only, kept when the stack is deleted); a daily schedule for the watchdog, which
    counts the days since each drill passed; an EventBridge rule and a schedule that call the
    cleanup, which ends the fault of a run that was aborted and records its verdict; and a
    dead-letter queue with an alarm.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        service: The service that the drills are run on.
        topic: Where verdicts and alarms are sent.
        enabled: Whether the drills inject their faults. Dry runs unless given: they resolve their
            targets and check the steady state, and break nothing.
        notify_passed: Also send a message for runs that passed, and for dry runs in which all was
            well; sent unless given.
        notify_recovery: Also send the return to OK of the alarms on drills; not sent unless given.
        runbook: What to do when a drill fails: a URL or a line; nothing unless given.

    Attributes:
        service: The service.
        enabled: Whether faults are injected.
        place: The partition, region and account.
        journals: The ``JournalBucket``.
        undelivered: The ``DeadLetterQueue``.
        functions: The ``CfnFunction`` of each function, by its name.
        function_arns: The ARN of each, by the same name.
        experiment_log_arn: The ARN of the log group that FIS writes.
        run_log_arn: The ARN of the log group that state machines write.
        schedule_group: The name of the group of all schedules.
        machine_role_arn: The role that Step Functions assumes to run the drills.
        starter_role_arn: The role that EventBridge Scheduler assumes to start them.
        experiment_templates: The ids of all drills' experiment templates, separated by quotes and
            a comma, for a list in JSON; lazy.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import DrillHost, DrillTarget
        >>> group = DrillGroup(
        ...     Stack(App(), "Shop"),
        ...     "Drills",
        ...     service=DrillTarget(
        ...         name="shop",
        ...         environment="production",
        ...         namespace="Shop",
        ...         active=DrillHost("shop-blue", "192.0.2.1", instance="i-0123456789abcdef0"),
        ...         standby=DrillHost("shop-green", "192.0.2.2"),
        ...         record_name="shop.example.com",
        ...         hosted_zone_id="Z2EHK3FAEUNRMI",
        ...         alarms=["shop-blue-StatusCheckFailed"],
        ...         objective_seconds=360,
        ...     ),
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> group.enabled
        False
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: DrillTarget,
        topic: Topics,
        enabled: bool = False,
        notify_passed: bool = True,
        notify_recovery: bool = False,
        runbook: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.service: Final = service
        self.topic_arns: Final = arns_of(topic)
        self.notify_recovery: Final = notify_recovery
        self.enabled: Final = enabled
        self.notify_passed: Final = notify_passed
        self.runbook: Final = runbook
        self.place: Final = place_of(self)
        require_topics_in(self.place.region, self.topic_arns)
        self.journals: Final = JournalBucket(self, "Journals")
        self._drills: Final[list[str]] = []
        self._scope: Final = Scope(
            self.place,
            self.journals.bucket_arn,
            service.namespace,
            self.topic_arns,
            names.drill_state_machine(service.name, service.environment, "*"),
        )
        self.undelivered: Final = DeadLetterQueue(
            self,
            "Undelivered",
            service=service.name,
            environment=service.environment,
            display_name=service.title,
            topic=topic,
            notify_recovery=notify_recovery,
        )
        self.experiment_log_arn: Final = self._log(
            "ExperimentLog", "What AWS FIS did in drills."
        ).attr_arn
        self.run_log_arn: Final = self._log(
            "RunLog", "Every step of every run of a drill."
        ).attr_arn
        self._statements: Final[list[Statement | IResolvable]] = []
        self.functions: Final = self._functions()
        self.function_arns: Final[Mapping[str, str]] = {
            name: function.attr_arn for name, function in self.functions.items()
        }
        schedules = scheduler.CfnScheduleGroup(self, "Schedules")
        schedules.add_metadata("Description", "Schedules of drills and their watchdog.")
        self.schedule_group: Final = schedules.ref
        scheduled = trust("scheduler", self.place, schedules.attr_arn, like=False)
        self.machine_role_arn: Final = self._machine_role()
        self.starter_role_arn: Final = self._starter_role(scheduled)
        self._clean_up_after_events()
        self._watchdog_schedule = self._call_regularly(self._caller_role(scheduled))
        acknowledge_wildcards(self, self._statements)
        # As one item of a JSON list, it becomes several.
        self.experiment_templates: Final = lazy_text(lambda: '","'.join(self._scope.templates))

    def reserve(self, drill: str) -> None:
        """Reserve a drill's name; ``Drill`` calls this itself.

        Raises:
            InvalidInputError: Another drill has the name.
        """
        if drill in self._drills:
            raise InvalidInputError(
                f"Drill: name: {drill!r} is already the name of a drill of the service; give "
                "another one"
            )
        self._drills.append(drill)

    def permit(self, fault: Fault, *, template_id: str, machine_name: str) -> None:
        """Grant the functions the permissions that a drill needs; ``Drill`` calls this itself.

        Args:
            fault: The drill's fault.
            template_id: Its experiment template.
            machine_name: Its state machine.
        """
        self._scope.machines.append(machine_name)
        self._scope.templates.append(template_id)
        self._scope.instances.append(fault.instance_arn(self.place))
        self._scope.volume_keys.extend(fault.keys)
        executions = list(self._scope.execution_arns(machine_name))
        acknowledge_wildcards(self, [{"Action": [], "Resource": executions}])

    def count(self, machine: stepfunctions.CfnStateMachine) -> None:
        """Deploy a state machine before the watchdog's schedule; ``Drill`` calls this itself.

        The watchdog is called as soon as its schedule is made, and names machines that the
        schedule does not refer to.
        """
        self._watchdog_schedule.add_resource_dependency(machine)

    def _log(self, construct_id: str, description: str) -> logs.CfnLogGroup:
        """A log group that is deleted with the stack; the journals keep the results."""
        log = logs.CfnLogGroup(self, construct_id, retention_in_days=LOG_DAYS)
        log.apply_removal_policy(RemovalPolicy.DESTROY)
        log.add_metadata("Description", description)
        return log

    def _functions(self) -> Mapping[str, lambda_.CfnFunction]:
        log = self._log("FunctionLog", "What the functions of drills log.")
        log_arn = log.attr_arn
        roles = {
            duty: self._function_role(duty, sharing, log_arn)
            for duty, sharing in functions.by_duty().items()
        }
        asset = assets.Asset(self, "Code", path=str(code_archive()))
        code = lambda_.CfnFunction.CodeProperty(
            s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key
        )
        logging = lambda_.CfnFunction.LoggingConfigProperty(log_format="JSON", log_group=log.ref)
        return {
            each.name: lambda_.CfnFunction(
                self,
                each.construct_id,
                description=f"Drills of {self.service.title}: {each.name.replace('_', ' ')}.",
                code=code,
                runtime=f"python{functions.RUNTIME_VERSION}",
                architectures=["arm64"],
                handler=each.handler,
                memory_size=each.memory_mebibytes,
                timeout=each.timeout_seconds,
                role=roles[each.duty],
                logging_config=logging,
            )
            for each in functions.ALL
        }

    def _function_role(self, duty: str, sharing: Sequence[Function], log_arn: str) -> str:
        """The ARN of the role that functions with the same duty share."""
        statements: list[Statement | IResolvable] = [
            *statements_of(functions.permissions_of(sharing), self._scope),
            {
                "Sid": "WriteTheLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": log_arn,
            },
        ]
        if functions.CLEANUP in sharing:
            statements.append(self._keep_undelivered("KeepFailedCalls"))
        return self._role(
            functions.construct_id(duty),
            f"Assumed by Lambda for the drills of {self.service.name}: "
            f"{', '.join(each.name for each in sharing)}.",
            # Lambda sends no source ARN when it assumes a role, so no condition can name one.
            trust("lambda", self.place, None),
            statements,
        )

    def _machine_role(self) -> str:
        """The ARN of the role of all drills' state machines."""
        called = [self.function_arns[each.name] for each in functions.OF_THE_MACHINE]
        return self._role(
            "Machine",
            f"Assumed by Step Functions to run the drills of {self.service.name}.",
            trust("states", self.place, self._scope.any_machine_arn),
            [
                {
                    "Sid": "CallTheFunctions",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": called,
                },
                LOG_DELIVERY,
            ],
        )

    def _starter_role(self, trusted: Mapping[str, object]) -> str:
        """The ARN of the role of the schedules that start drills."""
        return self._role(
            "Starter",
            f"Assumed by EventBridge Scheduler to start the drills of {self.service.name}.",
            trusted,
            [
                {
                    "Sid": "StartDrills",
                    "Effect": "Allow",
                    "Action": "states:StartExecution",
                    "Resource": self._scope.resources(Resource.STATE_MACHINES),
                },
                self._keep_undelivered(),
            ],
        )

    def _caller_role(self, trusted: Mapping[str, object]) -> str:
        """The ARN of the role of the schedules that call the cleanup and the watchdog."""
        called = (functions.CLEANUP, functions.WATCHDOG)
        return self._role(
            "Caller",
            "Assumed by EventBridge Scheduler to call the cleanup and the watchdog of "
            f"{self.service.name}.",
            trusted,
            [
                {
                    "Sid": "CallTheFunctions",
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": [self.function_arns[each.name] for each in called],
                },
                self._keep_undelivered(),
            ],
        )

    def _role(
        self,
        name: str,
        description: str,
        trusted: Mapping[str, object],
        statements: Sequence[Statement | IResolvable],
    ) -> str:
        """Create a role and return its ARN; all roles' wildcards are acknowledged together."""
        self._statements.extend(statements)
        made = role(
            self, f"{name}Role", description=description, trusted=trusted, statements=statements
        )
        return made.attr_arn

    def _keep_undelivered(self, sid: str = "KeepUndelivered") -> Statement:
        """The permission to send undelivered events to the dead-letter queue."""
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": self.undelivered.queue_arn,
        }

    def _clean_up_after_events(self) -> None:
        """Call the cleanup for each run that was aborted, timed out or failed, for up to a day.

        Step Functions delivers such events on a best-effort basis; the cleanup's schedule makes
        up for that: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html
        """
        cleanup_arn = self.function_arns[functions.CLEANUP.name]
        rule = events.CfnRule(
            self,
            "CleanupRule",
            description="Calls the cleanup for drills that were aborted, timed out or failed.",
            event_pattern=cleanup_pattern(self._scope.resources(Resource.STATE_MACHINES)),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Cleanup",
                    arn=cleanup_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185
                    ),
                )
            ],
        )
        rule_arn = rule.attr_arn
        self.undelivered.let_rule_send(rule_arn)
        permission = lambda_.CfnPermission(
            self,
            "CleanupPermission",
            action="lambda:InvokeFunction",
            function_name=cleanup_arn,
            principal="events.amazonaws.com",
            source_account=self.place.account,
            source_arn=rule_arn,
        )
        permission.add_metadata("Description", "Lets the rule call the cleanup.")
        config = lambda_.CfnEventInvokeConfig(
            self,
            "CleanupCalls",
            function_name=self.functions[functions.CLEANUP.name].ref,
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

    def _call_regularly(self, role_arn: str) -> scheduler.CfnSchedule:
        """Schedule the cleanup and the watchdog; return the watchdog's schedule.

        By a rate, so that each is called as soon as it is deployed, and the alarms have data.
        What an update does to a rate is not documented: a drill that is added later is first
        counted within a day, and its alarm waits for that.
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
        """
        drills = lazy_text(lambda: json.dumps(self._drill_schedules().to_json()))

        def schedule(function: Function, rate: str, description: str) -> scheduler.CfnSchedule:
            return scheduler.CfnSchedule(
                self,
                f"{function.construct_id}Schedule",
                description=description,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                group_name=self.schedule_group,
                schedule_expression=rate,
                state="ENABLED",
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=self.function_arns[function.name],
                    role_arn=role_arn,
                    input=drills,
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3_600, maximum_retry_attempts=3
                    ),
                ),
            )

        schedule(
            functions.CLEANUP,
            "rate(15 minutes)",
            "Cleans up after drills that were aborted, timed out or failed.",
        )
        return schedule(
            functions.WATCHDOG,
            "rate(1 day)",
            "Counts, once a day, the days since each drill passed.",
        )

    def _drill_schedules(self) -> DrillSchedules:
        return DrillSchedules(
            service=self.service.name,
            environment=self.service.environment,
            drills=tuple(
                WatchedDrill(name, arn)
                for name, arn in zip(self._drills, self._scope.machine_arns, strict=True)
            ),
            journal_bucket=self.journals.bucket_name,
            namespace=self.service.namespace,
        )
