"""The EventBridge rule and the schedules that call the function that ends faults."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from staged_resiliency.drills.dead_letter_queue import DeadLetterQueue
from staged_resiliency.drills.iam import lazy_text
from staged_resiliency.drills.permissions import Scope
from staged_resiliency.drills.runtime.scheduled_tasks import (
    WATCHDOG_TASK,
    DrillSchedules,
    WatchedDrill,
)
from staged_resiliency.drills.state_machine import cleanup_pattern
from staged_resiliency.shared import names


@dataclass(frozen=True, slots=True)
class EndCalls:
    """Creates the EventBridge rule and the schedules that call the Lambda function *end*.

    Attributes:
        end: The function.
        end_arn: Its ARN.
        role_arn: The role that EventBridge Scheduler assumes.
        undelivered: The dead-letter queue.
        where: The resources of the service's drills.
    """

    end: lambda_.CfnFunction
    end_arn: str
    role_arn: str
    undelivered: DeadLetterQueue
    where: Scope

    def after_events(self, owner: Construct) -> None:
        """Call the cleanup for each run that was aborted, timed out or failed, for up to a day.

        Step Functions delivers such events on a best-effort basis; the cleanup's schedule makes
        up for that: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-states.html
        """
        rule = events.CfnRule(
            owner,
            "CleanupRule",
            description="Calls the cleanup for drills that were aborted, timed out or failed.",
            event_pattern=cleanup_pattern(self.where.any_machine_arn),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Cleanup",
                    arn=self.end_arn,
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
            owner,
            "CleanupPermission",
            action="lambda:InvokeFunction",
            function_name=self.end_arn,
            principal="events.amazonaws.com",
            source_account=self.where.place.account,
            source_arn=rule_arn,
        )
        permission.add_metadata("Description", "Lets the rule call the cleanup.")
        config = lambda_.CfnEventInvokeConfig(
            owner,
            "CleanupCalls",
            function_name=self.end.ref,
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

    def regularly(
        self, owner: Construct, group: str, given: DrillSchedules, drills: Sequence[str]
    ) -> scheduler.CfnSchedule:
        """Schedule the cleanup and the watchdog; return the watchdog's schedule.

        By a rate, so that each is called as soon as it is deployed, and the alarms have data.
        What an update does to a rate is not documented: a drill that is added later is first
        counted within a day, and its alarm waits for that.
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

        Args:
            owner: The parent.
            group: The group of all schedules.
            given: The input of the cleanup.
            drills: Names of the drills, to which others are added until the template is written.
        """
        machine_arn = self.where.arn("states", "stateMachine")

        def machine(drill: str) -> str:
            name = names.drill_state_machine(given.service, given.environment, drill)
            return f"{machine_arn}:{name}"

        def watchdog() -> str:
            watched = tuple(WatchedDrill(each, machine(each)) for each in drills)
            return json.dumps(replace(given, drills=watched, task=WATCHDOG_TASK).to_json())

        def schedule(name: str, rate: str, text: str, description: str) -> scheduler.CfnSchedule:
            return scheduler.CfnSchedule(
                owner,
                f"{name}Schedule",
                description=description,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                group_name=group,
                schedule_expression=rate,
                state="ENABLED",
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=self.end_arn,
                    role_arn=self.role_arn,
                    input=text,
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=3_600, maximum_retry_attempts=3
                    ),
                ),
            )

        schedule(
            "Cleanup",
            "rate(15 minutes)",
            json.dumps(given.to_json()),
            "Cleans up after drills that were aborted, timed out or failed.",
        )
        return schedule(
            "Watchdog",
            "rate(1 day)",
            lazy_text(watchdog),
            "Counts, once a day, the days since each drill passed.",
        )
