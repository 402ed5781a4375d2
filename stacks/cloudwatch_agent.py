"""The CloudWatch agent on the hosts of one service in one environment."""

from aws_cdk import App

from resiliency.service_file import Environment, Service
from resiliency.service_file.model.cloudwatch_agent import CloudWatchAgent as AgentSettings
from staged_resiliency import CloudWatchAgent, InstancesByName
from staged_resiliency.shared import names
from staged_resiliency.shared.hosts import COLORS

from .probe import add_outputs, daily_run
from .service_stack import ServiceStack


class CloudWatchAgentStack(ServiceStack):
    """The agent on both hosts, its configuration and its permissions; no alarms.

    A separate stack, because it installs software on instances and grants permissions:
    docs/adr/0008.
    """

    def __init__(
        self, app: App, service: Service, name: str, environment: Environment, agent: AgentSettings
    ) -> None:
        stack_name = names.cloudwatch_agent_stack(service.service, name)
        super().__init__(
            app,
            stack_name,
            environment,
            description=f"CloudWatch agent of {service.title} in {name}: the agent on the hosts, "
            "its configuration, and its permissions.",
            tags=service.tags_of(environment),
            # Without it the metrics stop, and signals without data move clients to the standby.
            termination_protection=True,
        )
        self.agent = CloudWatchAgent(
            self,
            "CloudWatchAgent",
            name=stack_name,
            configuration=agent.configuration,
            instances=InstancesByName([environment.hosts.of(color).name for color in COLORS]),
            roles=environment.probe.roles,
            state=agent.state,
            schedule_expression=daily_run(
                environment.drills.by_name.values() if environment.drills else ()
            ),
        )
        add_outputs(self, "PolicyArn", self.agent.policy_arn, self.agent.association)
