"""The inputs of drills and dashboard, from a service file."""

from collections.abc import Iterator, Mapping

from aws_cdk import Stack

from resiliency.service_file import Environment, Service
from resiliency.service_file.mapping import objective_of, watched_alarms
from resiliency.service_file.model.drills import Drills
from resiliency.service_file.model.hosts import Host
from staged_resiliency import (
    ConnectivityMetric,
    DrillHost,
    DrillTarget,
    ServiceDashboard,
)
from staged_resiliency.shared import limits, names
from staged_resiliency.shared.hosts import COLORS, other


def drill_target(
    service: Service, name: str, environment: Environment, hosted_zone_id: str
) -> DrillTarget:
    """Return the target of the drills of one environment."""
    hosts, endpoint = environment.hosts, environment.endpoint
    return DrillTarget(
        name=service.service,
        environment=name,
        namespace=service.metric_namespace,
        active=_host(hosts.of(environment.active)),
        standby=_host(hosts.of(other(environment.active))),
        record_name=endpoint.record,
        hosted_zone_id=hosted_zone_id,
        alarms=watched_alarms(environment),
        objective_seconds=objective_of(environment),
        display_name=service.title,
        scheme="https" if endpoint.check.protocol == "https" else "http",
        port=endpoint.serving_port,
        version_path=endpoint.version_path,
        version_field=endpoint.version_field,
        ttl_seconds=endpoint.ttl_seconds,
        endpoint_decides="endpoint" in environment.failover_on,
        stack=names.failover_stack(service.service, name),
    )


def add_dashboard(
    stack: Stack,
    target: DrillTarget,
    environment: Environment,
    drills: Drills,
    health_check_ids: Mapping[str, str],
) -> ServiceDashboard:
    """Add the dashboard of a service to its failover stack.

    That stack has the health check; of the drills the dashboard needs only the names.
    """
    service, name = target.name, target.environment
    overdue = [names.drill_overdue_alarm(service, name, drill) for drill in drills.by_name]
    return ServiceDashboard(
        stack,
        "Dashboard",
        service=target,
        dashboard_name=names.dashboard(service, name),
        drills=list(drills.by_name),
        enabled=drills.enabled,
        alarms=[
            names.drill_undelivered_alarm(service, name),
            names.drill_fault_alarm(service, name),
            *overdue,
        ],
        failover_alarm=names.failover_alarm(service, name) if environment.failover_topics else None,
        dependency_alarms=[
            names.dependency_failover_alarm(service, name, dependency)
            for dependency, given in environment.dependencies.items()
            if given.failover is not None and environment.failover_topics
        ],
        health_check_ids=health_check_ids,
        connectivity=list(_measured(environment)),
        links=_links(environment.region, names.drills_stack(service, name), drills),
    )


def _links(region: str, stack_name: str, drills: Drills) -> Mapping[str, str]:
    runbook = {"runbook": drills.runbook} if drills.runbook else {}
    console = limits.console_of(region)
    if console is None:
        return runbook
    of_region = f"home?region={region}#"
    return {
        **runbook,
        "journals (bucket in the outputs)": (
            f"{console}/cloudformation/{of_region}/stacks?filteringText={stack_name}"
        ),
        "runs": f"{console}/states/{of_region}/statemachines",
        "experiments": f"{console}/fis/{of_region}Experiments",
    }


def _host(host: Host) -> DrillHost:
    alias = host.alias.dns_name if host.alias is not None else None
    return DrillHost(host.name, address=host.address, alias=alias, instance=host.instance_id)


def _measured(environment: Environment) -> Iterator[ConnectivityMetric]:
    """Yield the metrics that the probes of both hosts publish."""
    for color in COLORS:
        host = environment.hosts.of(color).name
        for name in environment.measured:
            yield ConnectivityMetric(host, names.connectivity_metric(name))
        if environment.has_peers:
            observer = environment.hosts.of(other(color)).name
            yield ConnectivityMetric(host, names.PEER_METRIC, observer)
