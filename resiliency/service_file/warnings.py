"""Warnings and notes: settings that are allowed but probably not intended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from resiliency.cost_estimate import CUSTOM_METRIC
from resiliency.service_file.mapping import broken_color
from resiliency.service_file.model.dependencies import Dependency
from resiliency.service_file.model.service import Environment
from staged_resiliency.probe.configuration import StatsdMetrics
from staged_resiliency.shared import limits, network_names
from staged_resiliency.shared.hosts import COLORS, other


@dataclass(frozen=True, slots=True)
class ServiceWarning:
    """A warning with a stable id, so that it can be acknowledged.

    Attributes:
        path: Dotted path of the value in its environment.
        message: The value that was found, its effect, and how to mend it.
    """

    id: str
    path: str
    message: str

    def __str__(self) -> str:
        """Format as path and message."""
        return f"{self.path}: {self.message}"


def warnings_of(environment: Environment) -> Iterator[ServiceWarning]:
    """Yield the warnings of synthesis: settings that make failover slow or unreliable."""
    ttl = environment.endpoint.ttl_seconds
    if ttl > limits.RECOMMENDED_TTL_SECONDS:
        yield ServiceWarning(
            "staged-resiliency:long-ttl",
            "endpoint.ttl_seconds",
            f"{ttl} s: clients may keep the failed host's address that long after a failover; "
            f"give {limits.RECOMMENDED_TTL_SECONDS} or less",
        )
    if not environment.failover_topics:
        yield ServiceWarning(
            "staged-resiliency:no-failover-message",
            "notifications",
            "no message says that clients are sent to the standby: the alarm on failovers needs a "
            f"topic in {environment.failover_region}; give topic_name, or the ARN of one in "
            "more_topics",
        )
    elif "endpoint" not in environment.failover_on and environment.hosts.blue.alias:
        yield ServiceWarning(
            "staged-resiliency:unseen-failover",
            "failover_on",
            "no message says so when clients are sent to the standby because a load balancer has "
            "no healthy target, which no metric of a health check shows; add 'endpoint'",
        )
    for name, dependency in environment.dependencies.items():
        yield from _of_its_failover(name, dependency, decides=name in environment.failover_on)
    for name in environment.failover_on:
        deciding = environment.dependencies.get(name)
        if deciding and deciding.alarm.missing_data in ("not_breaching", "ignore"):
            yield ServiceWarning(
                f"staged-resiliency:silence-of-{name}",
                f"dependencies.{name}.alarm.missing_data",
                f"{deciding.alarm.missing_data!r} on a signal of failover_on: a host that "
                "can't report does not fail over; give breaching",
            )


def _of_its_failover(
    name: str, dependency: Dependency, *, decides: bool
) -> Iterator[ServiceWarning]:
    failover = dependency.failover
    if failover is None:
        return
    if failover.ttl_seconds > limits.RECOMMENDED_TTL_SECONDS and not failover.is_alias:
        yield ServiceWarning(
            f"staged-resiliency:long-ttl-of-{name}",
            f"dependencies.{name}.failover.ttl_seconds",
            f"{failover.ttl_seconds} s: clients may keep the failed primary's name that long after "
            f"a failover; give {limits.RECOMMENDED_TTL_SECONDS} or less",
        )
    if decides:
        yield ServiceWarning(
            f"staged-resiliency:both-decide-{name}",
            f"dependencies.{name}.failover",
            f"fails over by itself, and failover_on has {name!r} too: when its primary fails, both "
            "hosts lose it, and the service's clients are sent to the standby for nothing; remove "
            "it from failover_on unless a single host's loss of it must move them",
        )


# The protocol that suits a port, with what else it needs.
_PROTOCOLS: Final = {
    3306: "{ protocol: mysql, user: NAME }",
    5432: "{ protocol: postgresql }",
    6379: "{ protocol: redis }",
}


def bare_connections(environment: Environment) -> Iterator[ServiceWarning]:
    """Yield a warning of `resiliency check` for each database that is checked by TCP alone."""
    for name, dependency in environment.dependencies.items():
        port = dependency.checked_port
        if dependency.check.protocol == "tcp" and port in _PROTOCOLS:
            effect = "a server that hangs for minutes still accepts connections"
            if port == 3306:
                effect += ", and MySQL and MariaDB refuse a host after 100 bare connections"
            yield ServiceWarning(
                f"staged-resiliency:bare-connection-to-{name}",
                f"dependencies.{name}.check.protocol",
                f"tcp to port {port}: {effect}; give check: {_PROTOCOLS[port]}",
            )


def notes_of(environment: Environment) -> Iterator[ServiceWarning]:
    """Yield the notes of `resiliency check`: missing alarms, permissions or subscribers."""
    for color in COLORS:
        if environment.hosts.of(color).instance_id is None:
            yield ServiceWarning(
                f"staged-resiliency:no-status-alarm-{color}",
                f"hosts.{color}",
                "has no instance_id, so no alarm reports failed EC2 status checks; give one to get "
                "a status alarm",
            )
    yield from _network_notes(environment)
    probe = environment.probe
    if environment.has_probe and probe.state == "present" and not probe.roles:
        yield ServiceWarning(
            "staged-resiliency:no-probe-roles",
            "probe.roles",
            "is empty: the probe can publish only where the hosts' role has the policy in the "
            "probe stack's output PublishPolicyArn; give the role's name to have it attached",
        )
    agent = environment.cloudwatch_agent
    if agent is not None and agent.state == "present" and not probe.roles:
        yield ServiceWarning(
            "staged-resiliency:no-cloudwatch-agent-roles",
            "probe.roles",
            "is empty, so the CloudWatch agent may neither read its configuration nor publish; "
            "give the name of the hosts' role, or attach the policy in the output PolicyArn of the "
            "agent's stack to it",
        )
    if probe.statsd is not None and probe.state == "present":
        most = StatsdMetrics(**probe.statsd.model_dump()).most_metrics
        yield ServiceWarning(
            "staged-resiliency:application-metrics",
            "probe.statsd",
            f"the application may create up to {most} metrics on each host, about "
            f"${most * CUSTOM_METRIC} a month for a host: {', '.join(probe.statsd.metrics)}",
        )
    yield from _failovers_of_databases(environment)
    notifications = environment.notifications
    if notifications.topic_name and not notifications.subscriptions:
        yield ServiceWarning(
            "staged-resiliency:no-subscription",
            "notifications.subscriptions",
            f"is empty: unless topic {notifications.topic_name} has other subscribers, nobody "
            "receives the alarms; give an e-mail address, an https URL, a phone number or the "
            "ARN of a queue or a function",
        )


def _network_notes(environment: Environment) -> Iterator[ServiceWarning]:
    """Yield what private hosts need of their network, and what `check` can't see of addresses."""
    hosts = [environment.hosts.of(color) for color in COLORS]
    private = [host for host in hosts if host.address and not network_names.is_public(host.address)]
    if private and environment.has_probe and environment.probe.state == "present":
        yield ServiceWarning(
            "staged-resiliency:private-hosts",
            "hosts",
            f"{' and '.join(each.name for each in private)}: with a private address a probe needs "
            "NAT, or VPC endpoints for monitoring, ec2, ssm, ssmmessages and ec2messages and a "
            "package repository in the network",
        )
    agent = environment.cloudwatch_agent
    if private and agent is not None and agent.state == "present":
        yield ServiceWarning(
            "staged-resiliency:private-cloudwatch-agent",
            "cloudwatch_agent",
            f"{' and '.join(each.name for each in private)}: with a private address the agent "
            "needs NAT, or VPC endpoints for monitoring, ssm, ssmmessages, ec2messages and s3, "
            "from which its package comes",
        )
    if environment.drills is None:
        return
    network = environment.drills.network
    if network is not None:
        zone = environment.hosted_zone
        yield ServiceWarning(
            "staged-resiliency:drill-network",
            "drills.network",
            "the function that observes clients calls no AWS API, so its subnets need neither NAT "
            f"nor VPC endpoints; {', '.join(network.security_groups)} must allow port "
            f"{environment.endpoint.serving_port} out to both hosts, whose groups must "
            "let it in"
            + (f"; the VPC must be associated with the zone {zone.name}" if zone.private else ""),
        )
        for color, host in zip(COLORS, hosts, strict=True):
            if host.address and host not in private:
                yield ServiceWarning(
                    f"staged-resiliency:drill-network-{color}",
                    f"hosts.{color}.address",
                    f"{host.address} is public, and the function that observes clients reaches it "
                    "from drills.network through a NAT gateway alone; give the subnets one, or "
                    "the private address",
                )
    stopped = dict.fromkeys(
        broken_color(environment, drill)
        for drill in environment.drills.by_name.values()
        if drill.fault == "stop_instance"
    )
    for color in stopped:
        host = environment.hosts.of(color)
        if host.address and host not in private:
            yield ServiceWarning(
                f"staged-resiliency:elastic-ip-{color}",
                f"hosts.{color}.address",
                f"{host.address} must be an Elastic IP, since an instance that a drill stops loses "
                "any other public address; runs are refused unless it is one",
            )


def _failovers_of_databases(environment: Environment) -> Iterator[ServiceWarning]:
    """Yield a note for each drill of a database whose loss other signals may take for a host's."""
    signals = [
        name
        for name in environment.failover_on
        if name in ("endpoint", "peer") or name in environment.alarms
    ]
    drills = environment.drills.by_name if environment.drills else {}
    for name, drill in drills.items():
        if drill.fault == "rds_failover" and signals:
            standby = environment.hosts.of(other(environment.active)).name
            yield ServiceWarning(
                f"staged-resiliency:failover-of-{drill.dependency}",
                f"drills.{name}",
                f"makes {drill.dependency} fail over, and failover_on has {', '.join(signals)}: "
                f"if these watch something that needs {drill.dependency}, clients are sent to "
                f"{standby}, which has lost it too, and the drill fails; let them watch something "
                "that does not need it",
            )
