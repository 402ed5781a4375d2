"""The probe on the hosts of one service in one environment."""

from collections.abc import Iterable, Mapping

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_ssm as ssm

from resiliency.service_file import Environment, Service
from resiliency.service_file.alarms import alarms_of
from resiliency.service_file.mapping import probe_configuration
from resiliency.service_file.model.drills import DrillSettings
from staged_resiliency import InstancesByName, ProbeAgent, ProbeSilentAlarm
from staged_resiliency.drills.alarm_effects import AlarmKind
from staged_resiliency.drills.schedule import DrillSchedule
from staged_resiliency.shared import names
from staged_resiliency.shared.hosts import COLORS, Color

from .service_stack import ServiceStack


def add_outputs(
    stack: Stack, policy_output: str, policy_arn: str, association: ssm.CfnAssociation
) -> None:
    """Add what people need of an agent on the hosts: its policy and its association."""
    CfnOutput(
        stack,
        policy_output,
        value=policy_arn,
        description="Policy for the hosts' role, beside AmazonSSMManagedInstanceCore.",
    )
    CfnOutput(
        stack,
        "AssociationId",
        value=association.attr_association_id,
        description="State Manager association that keeps the agent on the hosts.",
    )


class ProbeStack(ServiceStack):
    """The agent on both hosts, its permission to publish, and alarms for when it is silent.

    A separate stack, because it installs software on instances and grants a permission:
    docs/adr/0008.
    """

    def __init__(self, app: App, service: Service, name: str, environment: Environment) -> None:
        super().__init__(
            app,
            names.probe_stack(service.service, name),
            environment,
            description=f"Probe of {service.title} in {name}: the agent on the hosts, its "
            "permission to publish, and alarms on its silence.",
            tags=service.tags_of(environment),
            # Without it the metrics stop, and signals without data move clients to the standby.
            termination_protection=True,
        )
        self.agent = ProbeAgent(
            self,
            "Probe",
            configuration=probe_configuration(service, environment),
            instances=InstancesByName([environment.hosts.of(color).name for color in COLORS]),
            roles=environment.probe.roles,
            state=environment.probe.state,
            platforms=environment.probe.platforms,
            association_name=names.probe_stack(service.service, name),
            schedule_expression=daily_run(
                environment.drills.by_name.values() if environment.drills else ()
            ),
            output_bucket=environment.probe.output_bucket,
        )
        self.silence_alarms = self._silence_alarms(service, environment)
        add_outputs(self, "PublishPolicyArn", self.agent.policy_arn, self.agent.association)

    def _silence_alarms(
        self, service: Service, environment: Environment
    ) -> Mapping[Color, ProbeSilentAlarm]:
        """Add each host's silence alarm, keyed by color; none if the agent is to be uninstalled."""
        return {
            alarm.color: ProbeSilentAlarm(
                self,
                f"{alarm.color.title()}ProbeSilent",
                namespace=service.metric_namespace,
                host_name=alarm.host,
                description=names.probe_silent_description(service.title, alarm.color),
                topic=environment.topics,
                evaluation_periods=alarm.settings.evaluation_periods,
                notify_recovery=environment.notifications.recovery,
            )
            for alarm in alarms_of(environment)
            if alarm.kind is AlarmKind.PROBE
        }


_HOUR, _DAY = 60, 24 * 60  # in minutes
_DEFAULT_HOUR = 3


def daily_run(drills: Iterable[DrillSettings]) -> str:
    """Return the schedule of the daily run: at 3:00 UTC, or the next hour away from all drills.

    A run that a drill cuts short fails and comes again after a day. Drills on a rate have no hour,
    and drills that last all day leave none.
    """
    starts = {
        (_HOUR * run.hour + run.minute, drill.minutes)
        for drill in drills
        for run in DrillSchedule(drill.schedule, drill.timezone).runs(years=2)
    }

    def is_free(hour: int) -> bool:
        """Return whether no drill begins within the next hour, or ended within the last one."""
        return all(
            (_HOUR * hour + _HOUR - start) % _DAY > _HOUR + minutes + _HOUR
            for start, minutes in starts
        )

    hours = ((_DEFAULT_HOUR + later) % 24 for later in range(24))
    free = next((hour for hour in hours if is_free(hour)), None)
    return "rate(1 day)" if free is None or not starts else f"cron(0 {free} ? * * *)"
