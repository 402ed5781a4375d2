"""The failover system of one service in one environment."""

from collections.abc import Iterable, Iterator, Mapping

from aws_cdk import Annotations, App, CfnOutput
from aws_cdk import aws_route53 as route53

from resiliency.service_file import Environment, Service
from resiliency.service_file.alarms import AlarmDescription, alarms_of
from resiliency.service_file.model.endpoint import Endpoint
from resiliency.service_file.model.hosts import Host
from resiliency.service_file.warnings import ServiceWarning, warnings_of
from staged_resiliency import (
    AddressTarget,
    AlarmSignal,
    AliasTarget,
    CertificateAlarm,
    ConnectivityAlarm,
    EndpointSignal,
    FailoverHost,
    FailoverRecords,
    HostedZone,
    HttpRequest,
    HttpsRequest,
    InstanceFailover,
    LatencyAlarm,
    MissingData,
    PeerAlarm,
    Request,
    Signal,
    StatusSignal,
    TcpConnect,
)
from staged_resiliency.drills.alarm_effects import AlarmKind
from staged_resiliency.shared import names, network_names
from staged_resiliency.shared.hosts import COLORS, Color, other

from .dependency_failovers import dependency_failovers_of
from .notifications import add_subscriptions, notifies_in
from .own_alarms import own_alarms_of
from .service_stack import ServiceStack


class FailoverStack(ServiceStack):
    """Alarms, health check and record pair of one service in one environment."""

    def __init__(self, app: App, service: Service, name: str, environment: Environment) -> None:
        super().__init__(
            app,
            names.failover_stack(service.service, name),
            environment,
            description=f"Failover of {service.title} in {name}: alarms, health check and the "
            f"record pair {environment.endpoint.record}.",
            tags=service.tags_of(environment),
            # Without the stack clients can't resolve the service's name.
            termination_protection=True,
        )
        for warning in (*warnings_of(environment), *_objective_warnings(service, environment)):
            Annotations.of(self).add_warning_v2(warning.id, str(warning))
        self.connectivity_alarms = self._connectivity_alarms(service, environment)
        self.peer_alarms = self._peer_alarms(service, environment)
        self.measure_alarms = list(self._measure_alarms(service, environment))
        self.own_alarms = own_alarms_of(self, service, environment)
        self._zone = self._hosted_zone(environment)
        status = environment.status_alarm
        hosts = {color: _host(environment.hosts.of(color)) for color in COLORS}
        self.failover = InstanceFailover(
            self,
            "Failover",
            service=service.service,
            display_name=service.title,
            blue=hosts["blue"],
            green=hosts["green"],
            active=environment.active,
            hosted_zone=self._zone,
            record_name=environment.endpoint.record,
            topic=environment.topics,
            failover_on=[self._signal(environment, signal) for signal in environment.failover_on],
            ttl_seconds=environment.endpoint.ttl_seconds,
            status_period_seconds=status.period_seconds,
            status_evaluation_periods=status.evaluation_periods,
            status_statistic=status.statistic,
            status_threshold=status.threshold,
            notify_recovery=environment.notifications.recovery,
        )
        for record in environment.endpoint.more_records:
            FailoverRecords(
                self,
                f"Records-{record}",
                hosted_zone=self._zone,
                record_name=record,
                identifier=service.service,
                primary=hosts[environment.active].target,
                secondary=hosts[other(environment.active)].target,
                health_check=self.failover.health_check,
                ttl_seconds=environment.endpoint.ttl_seconds,
            )
        self.dependency_failovers = dependency_failovers_of(
            self, service, environment, self._zone, self.connectivity_alarms
        )
        if environment.drills is not None:
            # Loaded only here: a service without drills need not wait for the dashboard.
            from .drill_target import add_dashboard, drill_target

            zone = environment.hosted_zone.id or self._zone.hosted_zone_id
            add_dashboard(
                self,
                drill_target(service, name, environment, zone),
                environment,
                environment.drills,
                {
                    environment.endpoint.record: self.failover.health_check.health_check_id,
                    **{
                        each.records.record_name: each.health_check.health_check_id
                        for each in self.dependency_failovers.values()
                    },
                },
            )
        if notifies_in(environment, environment.region):
            add_subscriptions(self, environment)
        own = [each.name for each in alarms_of(environment) if each.kind is AlarmKind.OTHER]
        self._add_outputs(environment.topics, own)
        known = {name: [least, most] for name, least, most in environment.assumptions.given}
        # Records have addresses only: without the hosts' names a reader of the template could not
        # see whether the health check is on the host that clients are sent to.
        self.template_options.metadata = {
            "Hosts": {
                host.name: [
                    value
                    for value in (
                        host.address,
                        host.ipv6_address,
                        host.alias and host.alias.dns_name,
                    )
                    if value
                ]
                for host in (environment.hosts.blue, environment.hosts.green)
            },
            # The objective that a rehearsal of the template checks.
            **(
                {"RecoveryTimeSeconds": environment.objective.recovery_time_seconds}
                if environment.objective is not None
                else {}
            ),
            # What the failover-time model takes in place of its assumptions.
            **({"FailoverAssumptions": known} if known else {}),
        }

    def _connectivity_alarms(
        self, service: Service, environment: Environment
    ) -> Mapping[str, Mapping[Color, ConnectivityAlarm]]:
        """Add the alarms on each dependency, keyed by its name and the host's color."""

        def alarm(name: str, described: AlarmDescription) -> ConnectivityAlarm:
            label, settings = environment.measured[name].label, described.settings
            return ConnectivityAlarm(
                self,
                f"{described.color.title()}Connectivity-{name}",
                namespace=service.metric_namespace,
                host_name=described.host,
                dependency=name,
                description=names.connectivity_description(label, service.title, described.color),
                missing_data=MissingData[described.missing_data.upper()],
                topic=environment.topics,
                period_seconds=settings.period_seconds,
                evaluation_periods=settings.evaluation_periods,
                statistic=settings.statistic,
                threshold=settings.threshold,
                notify_recovery=environment.notifications.recovery,
                datapoints_to_alarm=settings.datapoints,
            )

        alarms = alarms_of(environment)
        return {
            name: {each.color: alarm(name, each) for each in alarms if each.dependency == name}
            for name in environment.measured
        }

    def _peer_alarms(self, service: Service, environment: Environment) -> Mapping[Color, PeerAlarm]:
        """Add the alarms on the hosts' checks of each other, keyed by the checked host's color."""

        def alarm(described: AlarmDescription) -> PeerAlarm:
            settings = described.settings
            return PeerAlarm(
                self,
                f"{described.color.title()}PeerConnectivity",
                namespace=service.metric_namespace,
                host_name=described.host,
                observer=dict(described.dimensions)["Observer"],
                description=names.peer_description(service.title, described.color),
                topic=environment.topics,
                period_seconds=settings.period_seconds,
                evaluation_periods=settings.evaluation_periods,
                statistic=settings.statistic,
                threshold=settings.threshold,
                notify_recovery=environment.notifications.recovery,
                datapoints_to_alarm=settings.datapoints,
            )

        return {
            each.color: alarm(each)
            for each in alarms_of(environment)
            if each.kind is AlarmKind.PEER
        }

    def _measure_alarms(self, service: Service, environment: Environment) -> Iterator[str]:
        """Add the alarms on latencies and certificates, and yield their names."""
        notify_recovery = environment.notifications.recovery
        for name, dependency in environment.dependencies.items():
            latency = dependency.latency and dependency.latency.alarm
            days = dependency.certificate and dependency.certificate.alarm_days
            for color in COLORS:
                host = environment.hosts.of(color).name
                where = f"{service.title} ({color.title()})"
                if latency:
                    yield LatencyAlarm(
                        self,
                        f"{color.title()}Latency-{name}",
                        namespace=service.metric_namespace,
                        host_name=host,
                        dependency=name,
                        above_milliseconds=latency.above_milliseconds,
                        description=f"{dependency.label} answers {where} slowly.",
                        topic=environment.topics,
                        statistic=latency.statistic,
                        period_seconds=latency.period_seconds,
                        evaluation_periods=latency.evaluation_periods,
                        notify_recovery=notify_recovery,
                    ).alarm_name
                if days:
                    yield CertificateAlarm(
                        self,
                        f"{color.title()}Certificate-{name}",
                        namespace=service.metric_namespace,
                        host_name=host,
                        dependency=name,
                        days=days,
                        description=f"The certificate of {dependency.label}, as {where} gets it, "
                        f"is valid for fewer than {days} days.",
                        topic=environment.topics,
                        notify_recovery=notify_recovery,
                    ).alarm_name

    def _hosted_zone(self, environment: Environment) -> HostedZone | route53.IHostedZone:
        zone = environment.hosted_zone
        if zone.id is not None:
            return HostedZone(zone_name=zone.name, hosted_zone_id=zone.id)
        return route53.HostedZone.from_lookup(self, "HostedZone", domain_name=zone.name)

    def _signal(self, environment: Environment, name: str) -> Signal:
        if name == "status":
            return StatusSignal()
        if name == "endpoint":
            return _endpoint_signal(environment)
        if name == "peer":
            return AlarmSignal(name, self.peer_alarms)
        return AlarmSignal(name, self.connectivity_alarms.get(name) or self.own_alarms[name])

    def _add_outputs(self, topics: Iterable[str], own_alarms: Iterable[str]) -> None:
        alarms = [alarm.alarm_name for alarm in self.failover.status_alarms.values()] + [
            alarm.alarm_name
            for pair in self.connectivity_alarms.values()
            for alarm in pair.values()
        ]
        alarms += [alarm.alarm_name for alarm in self.peer_alarms.values()]
        alarms += [*self.measure_alarms, *own_alarms]
        for output_id, value, description in (
            ("RecordName", self.failover.records.record_name, "DNS name that clients use."),
            (
                "HealthCheckId",
                self.failover.health_check.health_check_id,
                "Route 53 health check that decides which host is served.",
            ),
            ("AlarmNames", ",".join(alarms), "CloudWatch alarms of this service."),
            ("TopicArn", ",".join(topics), "SNS topic that the alarms notify."),
        ):
            CfnOutput(self, output_id, value=value, description=description)


def _objective_warnings(service: Service, environment: Environment) -> Iterable[ServiceWarning]:
    if environment.objective is None:
        return ()
    # Loading the failover-time model takes longer than everything else here.
    from resiliency.service_file.objective import objective_warnings

    return objective_warnings(service, environment)


def _host(host: Host) -> FailoverHost:
    if host.alias is not None:
        target: AliasTarget | AddressTarget = AliasTarget(
            host.alias.dns_name, host.alias.hosted_zone_id, ipv6=host.alias.ipv6
        )
    elif host.address is not None and network_names.is_ipv6(host.address):
        target = AddressTarget(ipv6=host.address)
    else:
        target = AddressTarget(ipv4=host.address, ipv6=host.ipv6_address)
    return FailoverHost(name=host.name, target=target, instance=host.instance_id)


def _endpoint_signal(environment: Environment) -> EndpointSignal:
    return EndpointSignal(
        request=_request(environment.endpoint),
        interval_seconds=environment.endpoint.check.interval_seconds,
        failure_threshold=environment.endpoint.check.failure_threshold,
        regions=environment.endpoint.check.regions or (),
    )


def _request(endpoint: Endpoint) -> Request:
    check = endpoint.check
    if check.protocol == "tcp":
        return TcpConnect(port=endpoint.serving_port)
    kind = HttpRequest if check.protocol == "http" else HttpsRequest
    return kind(
        path=endpoint.health_path,
        port=endpoint.serving_port,
        host_header=check.host,
        search_text=check.search_text,
    )
