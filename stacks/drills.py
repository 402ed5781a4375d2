"""The drills of one service in one environment."""

from aws_cdk import App, CfnOutput
from aws_cdk import aws_route53 as route53

from resiliency.service_file import Environment, Service
from resiliency.service_file.mapping import fault_of
from resiliency.service_file.model.drills import Drills, DrillSettings, Engine
from resiliency.service_file.timing_graph import predicted
from staged_resiliency import (
    Drill,
    DrillGroup,
    DrillNetwork,
    DrillSchedule,
    DrillWindow,
    GremlinEngine,
)
from staged_resiliency.shared import names

from .drill_target import drill_target
from .service_stack import ServiceStack


class DrillsStack(ServiceStack):
    """The drills of a service: they break a host on purpose and measure what clients see.

    A separate stack, because it may stop instances: docs/adr/0010.
    """

    def __init__(
        self,
        app: App,
        service: Service,
        name: str,
        environment: Environment,
        drills: Drills,
    ) -> None:
        super().__init__(
            app,
            names.drills_stack(service.service, name),
            environment,
            description=f"Drills of {service.title} in {name}: their faults, the resources that "
            "run them, and their results.",
            tags=service.tags_of(environment),
            # Without the stack nothing but the fault's own duration ends the fault of a run.
            termination_protection=True,
        )
        self._service, self._name, self._environment = service, name, environment
        self.group = DrillGroup(
            self,
            "Drills",
            service=drill_target(service, name, environment, self._hosted_zone_id()),
            topic=environment.topics,
            notify_recovery=environment.notifications.recovery,
            enabled=drills.enabled,
            notify_passed=drills.notify_passed,
            runbook=drills.runbook,
            volume_keys=drills.volume_keys,
            key=drills.evidence.kms_key,
            journal_lock_days=drills.evidence.lock_days,
            fis_report=drills.evidence.fis_report,
            dashboard_name=names.dashboard(service.service, name),
            blackout=drills.blackout_dates,
            change_calendars=drills.change_calendars,
            notify_before_minutes=drills.notify_before_minutes,
            network=(
                None
                if drills.network is None
                else DrillNetwork(drills.network.subnets, drills.network.security_groups)
            ),
            engine=None if drills.engine is None else self._gremlin(drills.engine),
        )
        self.drills = {
            drill_name: self._drill(drill_name, drill, drills)
            for drill_name, drill in drills.by_name.items()
        }
        for output_id, value, description in (
            (
                "StateMachineNames",
                ",".join(each.machine_name for each in self.drills.values()),
                "State machines, one per drill; start one to run its drill now.",
            ),
            (
                "JournalBucketName",
                self.group.journals.bucket_name,
                "Bucket of the journals; it is kept when the stack is deleted.",
            ),
        ):
            CfnOutput(self, output_id, value=value, description=description)

    def _hosted_zone_id(self) -> str:
        zone = self._environment.hosted_zone
        if zone.id is not None:
            return zone.id
        found = route53.HostedZone.from_lookup(self, "HostedZone", domain_name=zone.name)
        return found.hosted_zone_id

    def _gremlin(self, engine: Engine) -> GremlinEngine:
        given, hosts = engine.gremlin, self._environment.hosts
        return GremlinEngine(
            team_id=given.team_id,
            secret_arn=given.secret_arn,
            kms_key=given.kms_key,
            clients={}
            if given.clients is None
            else {hosts.blue.name: given.clients.blue, hosts.green.name: given.clients.green},
            tags=given.tags,
        )

    def _drill(self, name: str, drill: DrillSettings, drills: Drills) -> Drill:
        environment, window = self._environment, drills.window
        return Drill(
            self,
            f"Drill-{name}",
            group=self.group,
            name=name,
            fault=fault_of(
                environment,
                drill,
                names.dependency_failover_alarm(
                    self._service.service, self._name, drill.dependency or ""
                ),
            ),
            schedule=DrillSchedule(drill.schedule, drill.timezone),
            window=DrillWindow(window.days, window.from_hour, window.to_hour),
            dependency=drill.dependency,
            predicted=predicted(self._service, environment, drill),
            duration_reason=drill.duration_reason,
        )
