"""Names and alarm descriptions that are visible in the account.

Names are part of the interface: a changed name replaces a deployed resource (docs/adr/0003).
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from staged_resiliency.shared import limits
from staged_resiliency.shared.digest import digest

HEARTBEAT_METRIC: Final = "probe-heartbeat"
"""Name of the metric that a running probe publishes once a minute."""

PEER_METRIC: Final = "peer-connectivity"
"""Name of the metric for whether a host answers the other host of its pair."""

DEPENDENCY_METADATA: Final = "Dependency"
"""Key of the metadata of a primary record that has a dependency's own name."""


PROBE_DROPPED_METRIC: Final = "probe-dropped"
"""Name of the metric of data that a probe could not keep until CloudWatch could be reached."""

STATSD_DROPPED_METRIC: Final = "statsd-dropped"
"""Name of the metric of lines of StatsD that a probe could not publish."""


def failover_stack(service: str, environment: str) -> str:
    """Return the name of the stack with a service's alarms, health checks and records."""
    return f"{service}-{environment}-failover"


def probe_stack(service: str, environment: str) -> str:
    """Return the name of a service's probe stack, and of its association."""
    return f"{service}-{environment}-probe"


def cloudwatch_agent_stack(service: str, environment: str) -> str:
    """Return the name of a service's CloudWatch agent stack, and of its association."""
    return f"{service}-{environment}-cloudwatch-agent"


def drills_stack(service: str, environment: str) -> str:
    """Return the name of the stack with a service's drills."""
    return f"{service}-{environment}-drills"


def failover_alarm_stack(service: str, environment: str) -> str:
    """Return the name of the stack with the alarm on a service's failover."""
    return f"{service}-{environment}-failover-alarm"


def failover_alarm(service: str, environment: str) -> str:
    """Return the name of the alarm that fires while clients are sent to the standby."""
    return f"{service}-{environment}-clients-on-standby"


def dashboard(service: str, environment: str) -> str:
    """Return the name of a service's dashboard."""
    return f"{service}-{environment}"


def drill_state_machine(service: str, environment: str, drill: str) -> str:
    """Return the name of the state machine that runs a drill."""
    return f"{service}-{environment}-drill-{drill}"


def drill_overdue_alarm(service: str, environment: str, drill: str) -> str:
    """Return the name of the alarm on a drill that has not passed for 35 days."""
    return f"{service}-{environment}-drill-{drill}-overdue"


def drill_fault_alarm(service: str, environment: str) -> str:
    """Return the name of the alarm on faults that outlast the runs of drills."""
    return f"{service}-{environment}-drills-fault-not-ended"


def drill_log_group(service: str, environment: str) -> str:
    """Return the name of the log group of a service's drills."""
    return f"/aws/vendedlogs/staged-resiliency/{service}-{environment}-drills"


def drill_undelivered_alarm(service: str, environment: str) -> str:
    """Return the name of the alarm on undelivered calls to start drills or to end faults."""
    return f"{service}-{environment}-drills-undelivered"


def notifications_stack(account: str, region: str, topic: str) -> str:
    """Return the name of the stack of an SNS topic; not every topic name is a valid stack name."""
    name = f"notifications-{account}-{region}-{topic}"
    if "_" not in name and len(name) <= limits.MAX_STACK_NAME_CHARACTERS:
        return name
    ending = f"-{digest(topic)}"
    return name.replace("_", "-")[: limits.MAX_STACK_NAME_CHARACTERS - len(ending)] + ending


def status_alarm(host: str) -> str:
    """Return the name of a host's EC2 status alarm."""
    return f"{host}-StatusCheckFailed"


def connectivity_alarm(host: str, dependency: str) -> str:
    """Return the name of the alarm on a host's connectivity to a dependency."""
    return f"{host}-{dependency}-connectivity-failed"


def own_alarm(host_or_record: str, name: str) -> str:
    """Return the name of an alarm of a team's own, on a host or once for a record."""
    return f"{host_or_record}-{name}"


def disk_alarm(path: str) -> str:
    """Return the short name of the alarm on a disk, as ``own_alarm`` takes it.

    >>> disk_alarm("/"), disk_alarm("/var/lib/Shop_2")
    ('disk-root', 'disk-var-lib-shop-2')
    """
    words = re.findall(r"[a-z0-9]+", path.lower())
    return "-".join(["disk", *(words or ["root"])])


def process_alarm(name: str) -> str:
    """Return the short name of the alarm on processes, as ``own_alarm`` takes it."""
    return f"process-{name}"


def peer_alarm(host: str) -> str:
    """Return the name of the alarm on a host that does not answer the other host."""
    return f"{host}-peer-connectivity-failed"


def probe_silent_alarm(host: str) -> str:
    """Return the name of the alarm on a host whose probe publishes no heartbeat."""
    return f"{host}-probe-silent"


def connectivity_metric(dependency: str) -> str:
    """Return the name of the metric that shows whether a host reaches a dependency."""
    return f"{dependency}-connectivity"


def primary_of(dependency: str) -> str:
    """Return the name under which hosts check the primary of a dependency that fails over."""
    return f"{dependency}-primary"


def dependency_failover_alarm(service: str, environment: str, dependency: str) -> str:
    """Return the name of the alarm that fires while a dependency's clients are on its secondary."""
    return f"{service}-{environment}-{dependency}-on-secondary"


def probe_metrics(dependencies: Collection[str]) -> Iterator[str]:
    """Yield the names of all metrics that a probe publishes, except the application's."""
    yield from (HEARTBEAT_METRIC, PROBE_DROPPED_METRIC, STATSD_DROPPED_METRIC)
    for metric in (PEER_METRIC, *map(connectivity_metric, dependencies)):
        yield from (metric, f"{metric}-failures")
    for dependency in dependencies:
        yield from (latency_metric(dependency), certificate_metric(dependency))


def allowed_by(pattern: str, metric: str) -> bool:
    """Return whether a pattern of StatsD metrics allows one; only its end can be a ``*``.

    >>> allowed_by("orders.*", "orders.placed"), allowed_by("orders", "orders.placed")
    (True, False)
    """
    return metric.startswith(pattern[:-1]) if pattern.endswith("*") else metric == pattern


def set_identifier(service: str, role: str) -> str:
    """Return the set identifier of one record of the pair; role is PRIMARY or SECONDARY."""
    return f"{service}-{role.title()}"


def status_description(display_name: str, color: str) -> str:
    """Return the description of a status alarm."""
    return f"{display_name} ({color.title()}) instance failure."


def latency_metric(dependency: str) -> str:
    """Return the name of the metric of a dependency's latency, in milliseconds."""
    return f"{dependency}-latency"


def certificate_metric(dependency: str) -> str:
    """Return the name of the metric of the days for which a certificate is still valid."""
    return f"{dependency}-certificate-days"


def latency_alarm(host: str, dependency: str) -> str:
    """Return the name of the alarm on a dependency's latency."""
    return f"{host}-{dependency}-latency-high"


def certificate_alarm(host: str, dependency: str) -> str:
    """Return the name of the alarm on the expiry of a dependency's certificate."""
    return f"{host}-{dependency}-certificate-expires"


def connectivity_description(label: str, display_name: str, color: str) -> str:
    """Return the description of a connectivity alarm."""
    return f"{label} Connectivity failure for {display_name} ({color.title()})."


def failover_description(record: str, active: str, standby: str) -> str:
    """Return the description of the alarm that fires while clients are sent to the standby."""
    return f"ALARM: clients of {record} are being sent to {standby}. OK: they are sent to {active}."


def peer_description(display_name: str, color: str) -> str:
    """Return the description of the alarm on a host that does not answer the other host."""
    return f"{display_name} ({color.title()}) does not answer the other host."


def probe_silent_description(display_name: str, color: str) -> str:
    """Return the description of the alarm on a probe that publishes no heartbeat."""
    return (
        f"The probe of {display_name} ({color.title()}) is silent: what the host reaches is not "
        "measured."
    )


def drill_overdue_description(display_name: str, drill: str) -> str:
    """Return the description of the alarm on an overdue drill."""
    return (
        f"{display_name}: drill {drill} has not passed for over 35 days, or its watchdog has "
        "stopped reporting."
    )


def drill_fault_description(display_name: str) -> str:
    """Return the description of the alarm on faults that outlast the runs of drills."""
    return (
        f"{display_name}: a run of a drill has ended while its fault may last, or the cleanup no "
        "longer runs. Check that both hosts run, and start a stopped one."
    )


def drill_undelivered_description(display_name: str) -> str:
    """Return the description of the alarm on undelivered calls to start drills or to end faults."""
    return (
        f"{display_name}: a drill was not started, or its fault may not have been ended; the "
        "dead-letter queue holds the failed call."
    )


def topic_arn(account: str, region: str, topic: str) -> str:
    """Return the ARN of a topic by its name."""
    return f"arn:{limits.partition_of(region)}:sns:{region}:{account}:{topic}"
