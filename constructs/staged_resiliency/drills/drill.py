"""One drill: its experiment, the state machine that runs it, its schedule, its alarm."""

import json
from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from staged_resiliency.drills import drill_checks as checks
from staged_resiliency.drills.drill_group import DrillGroup
from staged_resiliency.drills.experiment import FaultExperiment, require_guards
from staged_resiliency.drills.faults import DenyOrigin, Fault, FisFault
from staged_resiliency.drills.overdue_alarm import DrillOverdueAlarm
from staged_resiliency.drills.runtime import keys, metrics
from staged_resiliency.drills.runtime.durations import Timeouts
from staged_resiliency.drills.runtime.fault_settings import Database
from staged_resiliency.drills.runtime.plan import Plan, Predicted
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.drills.state_machine import definition
from staged_resiliency.drills.window import DrillWindow
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    Expectation,
)
from staged_resiliency.failover.alarms import SignalAlarm
from staged_resiliency.shared import names, validation
from staged_resiliency.shared.acknowledge import acknowledge
from staged_resiliency.shared.literals import checked, require_one_of
from staged_resiliency.shared.stacks import set_stack_of

_WHY_NO_TRACE: Final = (
    "The run's log and journal hold every step's input, output and time; traces would need "
    "four more permissions on any resource, and show less."
)
# Unique for each attempt to start a run, so one occurrence may start two runs:
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
_ATTEMPT: Final = "<aws.scheduler.execution-id>"
# The same for each attempt, so the preflight refuses all runs of an occurrence but the first. It
# has colons, which the name of an execution must not have.
_OCCURRENCE: Final = "<aws.scheduler.scheduled-time>"
_METRICS: Final = (
    metrics.PASSED,
    metrics.DETECT_SECONDS,
    metrics.FAILOVER_SECONDS,
    metrics.FAILBACK_SECONDS,
    metrics.OUTAGE_SECONDS,
    metrics.AVAILABILITY_PERCENT,
    metrics.DAYS_SINCE_PASSED,
    metrics.SCORE,
)


class Drill(Construct):
    """A scheduled fault injection on one host of a service, with alarms that stop it.

    Creates a ``FaultExperiment``, where AWS FIS injects the fault; an
    ``AWS::StepFunctions::StateMachine`` (Standard, every step logged) that checks whether the run
    may begin, injects the fault, observes what clients see, ends the fault and records the
    verdict; an ``AWS::Scheduler::Schedule`` that starts it (no retries, a dead-letter queue); and a
    ``DrillOverdueAlarm``. The state machine is named ``<service>-<environment>-drill-<name>``.

    A drill needs at least one alarm that stops it, and none that it is expected to fire: FIS would
    refuse to start, or stop the experiment when it succeeds. Every ``Fault`` ends by itself.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        group: The service's ``DrillGroup``.
        name: Short name of the drill.
        fault: What is broken, where, for how long: ``StopInstance``, ``BlackholeDependency``,
            ``BlackholePort``, ``DegradeDependency``, ``FailOverDbInstance``,
            ``FailOverDbCluster`` or ``DenyOrigin``.
        schedule: When it runs, at least every 35 days.
        guards: The alarms that stop it, 1 to 5, or their names: those that show whether the other
            host is healthy. Unless given, those of the target's alarms that show it best and that
            the fault leaves alone.
        hypothesis: What is expected; at least one expectation. Unless given, whether clients move
            and return or stay and are served, which alarms fire, recover and stay quiet, and by
            when, as it follows from the target's alarms.
        window: When a run may begin; Monday to Friday from 9:00 to 17:00 unless given.
        dependency: Short name of the dependency that the fault cuts off or degrades.
        predicted: How long the failover-time model says that clients take to reach the other host,
            for journals to show beside what is measured; left out unless given.
        duration_reason: Why the fault lasts more than 15 minutes longer than the slowest of the
            expectations that it must last for; required then.

    Raises:
        InvalidInputError: A value that AWS would refuse, or a drill that is unsafe or that could
            not fail.

    Attributes:
        name: Short name of the drill.
        fault: What is broken.
        guards: Names of the alarms that stop it.
        hypothesis: What is expected.
        schedule: When it runs.
        experiment: The ``FaultExperiment``; None where AWS FIS does not inject the fault.
        machine_name: The name of its state machine.
        machine: The ``CfnStateMachine``.
        overdue: The ``DrillOverdueAlarm``.
        plan: The drill's ``Plan``, which its state machine holds.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import *
        >>> stack = Stack(App(), "Shop")
        >>> topic = "arn:aws:sns:eu-west-1:111111111111:ops"
        >>> failover = InstanceFailover(
        ...     stack,
        ...     "Failover",
        ...     service="shop",
        ...     blue=FailoverHost(
        ...         "shop-blue", AddressTarget(ipv4="52.11.79.8"), "i-0123456789abcdef0"
        ...     ),
        ...     green=FailoverHost(
        ...         "shop-green", AddressTarget(ipv4="52.11.79.9"), "i-0123456789abcdef1"
        ...     ),
        ...     active="blue",
        ...     hosted_zone="Z2EHK3FAEUNRMI",
        ...     record_name="shop.example.com",
        ...     topic=topic,
        ... )
        >>> target = DrillTarget.of(
        ...     failover, environment="production", namespace="Shop", objective_seconds=540
        ... )
        >>> drill = Drill(
        ...     stack,
        ...     "Shutdown",
        ...     group=DrillGroup(stack, "Drills", service=target, topic=topic),
        ...     name="shutdown",
        ...     fault=StopInstance("shop-blue", "i-0123456789abcdef0", duration_minutes=12),
        ...     schedule=DrillSchedule("cron(0 10 ? * TUE#1 *)", "Europe/Dublin"),
        ... )
        >>> drill.guards
        ('shop-green-StatusCheckFailed',)
        >>> drill.hypothesis[0]
        ClientsMove(record='shop.example.com', to='shop-green', within_seconds=None)
        >>> drill.machine_name
        'shop-production-drill-shutdown'

    See https://docs.aws.amazon.com/fis/latest/userguide/stop-conditions.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: DrillGroup,
        name: str,
        fault: Fault,
        schedule: DrillSchedule,
        guards: Sequence[str | SignalAlarm | cloudwatch.IAlarm] | None = None,
        hypothesis: Sequence[Expectation] | None = None,
        window: DrillWindow | None = None,
        dependency: str | None = None,
        predicted: Predicted | None = None,
        duration_reason: str | None = None,
    ) -> None:
        window = DrillWindow() if window is None else window
        checks.require_types(group, fault, guards, hypothesis, schedule, window)
        service = group.service
        checked("Drill", "name", name, validation.slug)
        machine_name = names.drill_state_machine(service.name, service.environment, name)
        checks.require_host(group, fault)
        database = service.database(fault)
        if guards is None:
            guards = service.guards(fault)
        if hypothesis is None:
            hypothesis = service.hypothesis(fault)
        checks.require_sense(hypothesis, schedule, machine_name)
        checks.require_observable(service, fault, hypothesis)
        checks.require_time(fault, hypothesis, schedule, window, group)
        checks.require_reason(fault, hypothesis, service.objective_seconds, duration_reason)
        guard_names = [checks.alarm_name(guard) for guard in guards]
        require_guards("Drill", guard_names)
        expected = [each.alarm for each in hypothesis if isinstance(each, AlarmFires)]
        checks.require_guards_apart(guard_names, expected)
        attack = None if group.engine is None else group.engine.attack(fault)
        super().__init__(scope, construct_id)
        set_stack_of(self, scope)
        self.name: Final = name
        self.machine_name: Final = machine_name
        self.fault: Final = fault
        self.guards: Final = tuple(guard_names)
        self.hypothesis: Final = tuple(hypothesis)
        self.schedule: Final = schedule
        group.reserve(name)
        self.experiment: Final = (
            self._experiment(group, fault, database)
            if attack is None and isinstance(fault, FisFault)
            else None
        )
        origin = group.origin(fault) if isinstance(fault, DenyOrigin) else None
        self.plan: Final = Plan(
            service=service.name,
            environment=service.environment,
            drill=name,
            region=group.place.region,
            fault=fault.kind,
            target=fault.host_name or service.active.name,
            active=service.active.planned,
            standby=service.standby.planned,
            dependency=dependency,
            port=fault.port,
            record=service.record,
            endpoint=service.endpoint,
            objective_seconds=service.objective_seconds,
            fault_seconds=fault.seconds,
            hypothesis=self.hypothesis,
            alarms=service.alarm_names,
            expected_alarms=tuple(expected),
            guard_alarms=self.guards,
            experiment_template_id="" if self.experiment is None else self.experiment.template_id,
            enabled=group.enabled,
            journal_bucket=group.journals.bucket_name,
            topic_arn=group.topic_arns[0],
            more_topic_arns=tuple(group.topic_arns[1:]),
            namespace=service.namespace,
            timeouts=Timeouts.of(
                fault.seconds,
                self.hypothesis,
                service.objective_seconds,
                late_seconds=fault.late_seconds,
                notice_seconds=group.notify_before_minutes * 60,
                alarms_seconds=0 if database is None else database.alarms_seconds,
            ),
            window=window.planned(schedule.zone),
            notify_passed=group.notify_passed,
            predicted=predicted,
            runbook=group.runbook or "",
            volume_keys=group.volume_keys,
            blackout=group.blackout,
            change_calendars=group.change_calendars,
            notice_seconds=group.notify_before_minutes * 60,
            # With Gremlin no document runs; the command still says in words what is done.
            command=fault.command,
            gremlin=attack,
            stack=service.stack or "",
            client_function=group.client_arn,
            database=database,
            origin=origin,
        )
        self.machine: Final = self._machine(group, machine_name, duration_reason)
        group.count(self.machine)
        self._schedule(group)
        self.overdue: Final = DrillOverdueAlarm(self, "Overdue", group=group, drill=name)
        self._target: Final = service

    def metric(
        self, metric_name: str, *, statistic: str = "Maximum", period: Duration | None = None
    ) -> cloudwatch.Metric:
        """Return a metric that the drill publishes, for alarms and dashboards.

        Args:
            metric_name: For example ``drill-passed`` or ``drill-failover-seconds``.
            statistic: Statistic over a period; Maximum unless given.
            period: Length of a period; one day unless given.

        Raises:
            InvalidInputError: The drill publishes no metric of that name.
        """
        require_one_of("Drill", "metric_name", metric_name, _METRICS)
        return cloudwatch.Metric(
            namespace=self._target.namespace,
            metric_name=metric_name,
            dimensions_map=self._target.dimensions_of(self.name),
            statistic=statistic,
            period=period or Duration.days(1),
        )

    def _experiment(
        self, group: DrillGroup, fault: FisFault, database: Database | None
    ) -> FaultExperiment:
        return FaultExperiment(
            self,
            "Experiment",
            name=self.machine_name,
            fault=fault,
            guards=self.guards,
            log_group_arn=group.log_arn,
            role_arn=group.experiment_role_arn(fault),
            tags={
                **group.tags,
                keys.INSTANCE_TAG: fault.instance_id if database is None else database.lock,
            },
            report=group.report,
        )

    def _machine(
        self, group: DrillGroup, machine_name: str, duration_reason: str | None
    ) -> stepfunctions.CfnStateMachine:
        machine = stepfunctions.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=machine_name,
            state_machine_type="STANDARD",
            role_arn=group.machine_role_arn,
            # Not the CDK's own JSON, which leaves out what is null and the functions ask for.
            definition_string=json.dumps(
                definition(self.plan, group.function_arns, partition=group.place.partition),
                separators=(",", ":"),
            ),
            logging_configuration=stepfunctions.CfnStateMachine.LoggingConfigurationProperty(
                level="ALL",
                include_execution_data=True,
                destinations=[
                    stepfunctions.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=stepfunctions.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=group.log_arn
                        )
                    )
                ],
            ),
        )
        mode = "injects its fault" if group.enabled else "dry run, injects nothing"
        why = f" Its duration: {duration_reason}" if duration_reason else ""
        machine.add_metadata("Description", f"Runs the drill {self.name}: {mode}.{why}")
        acknowledge(machine, {"AwsSolutions-SF2": _WHY_NO_TRACE})
        return machine

    def _schedule(self, group: DrillGroup) -> None:
        machine_arn = self.machine.attr_arn
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Starts the drill {self.name} of {group.service.title}.",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            group_name=group.schedule_group,
            schedule_expression=self.schedule.expression,
            schedule_expression_timezone=self.schedule.zone,
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=f"arn:{group.place.partition}:scheduler:::aws-sdk:sfn:startExecution",
                role_arn=group.scheduler_role_arn,
                input=json.dumps(
                    {
                        "StateMachineArn": machine_arn,
                        "Name": _ATTEMPT,
                        "Input": json.dumps({"occurrence": _OCCURRENCE}, separators=(",", ":")),
                    }
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=group.undelivered.queue_arn
                ),
                # A drill that could not start now must not start at another time.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(maximum_retry_attempts=0),
            ),
        )
