"""The alarm on the failover of one service in one environment."""

from aws_cdk import App

from resiliency.service_file import Environment, Service
from staged_resiliency import FailoverAlarm
from staged_resiliency.shared import names
from staged_resiliency.shared.hosts import other

from .failover import FailoverStack
from .notifications import add_subscriptions
from .service_stack import ServiceStack


class FailoverAlarmStack(ServiceStack):
    """The alarm that fires while clients are sent to the standby.

    A separate stack, in us-east-1, where the metrics of health checks are: docs/adr/0013.
    """

    def __init__(
        self,
        app: App,
        service: Service,
        name: str,
        environment: Environment,
        failover: FailoverStack,
    ) -> None:
        super().__init__(
            app,
            names.failover_alarm_stack(service.service, name),
            environment,
            region=environment.failover_region,
            description=f"The alarm on failovers of {service.title} in {name}.",
            tags=service.tags_of(environment),
            # Without it clients are served all the same, and it can be deployed again.
            termination_protection=False,
        )
        hosts = environment.hosts
        self.alarm = FailoverAlarm(
            self,
            "FailoverAlarm",
            health_check=failover.failover.health_check,
            alarm_name=names.failover_alarm(service.service, name),
            description=names.failover_description(
                environment.endpoint.record,
                active=hosts.of(environment.active).name,
                standby=hosts.of(other(environment.active)).name,
            ),
            topic=environment.failover_topics,
        )
        for dependency, moved in failover.dependency_failovers.items():
            given = environment.dependencies[dependency].failover
            assert given is not None  # noqa: S101 - it fails over
            FailoverAlarm(
                self,
                f"FailoverAlarm-{dependency}",
                health_check=moved.health_check,
                alarm_name=names.dependency_failover_alarm(service.service, name, dependency),
                description=names.failover_description(
                    moved.records.record_name,
                    active=given.primary.dns_name,
                    standby=given.secondary.dns_name,
                ),
                topic=environment.failover_topics,
            )
        if environment.region != self.region:  # else the failover stack subscribes
            add_subscriptions(self, environment)
