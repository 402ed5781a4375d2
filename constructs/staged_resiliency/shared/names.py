"""Names that people outside see: stacks, alarms, metrics, record identifiers.

They are this package's API (docs/adr/0003): a changed name replaces a deployed resource.
"""

from typing import Final

from staged_resiliency.shared import limits

HEARTBEAT_METRIC: Final = "probe-heartbeat"
"""Name of the metric by which a probe says once a minute that it runs."""

PEER_METRIC: Final = "peer-connectivity"
"""Name of the metric that says whether a host answers the other hosts."""


def failover_stack(service: str, environment: str) -> str:
    """Name of the stack that holds a service's failover system."""
    return f"{service}-{environment}-failover"


def probe_stack(service: str, environment: str) -> str:
    """Name of the stack that puts the probe on a service's hosts, and of its association."""
    return f"{service}-{environment}-probe"


def drills_stack(service: str, environment: str) -> str:
    """Name of the stack that holds a service's drills."""
    return f"{service}-{environment}-drills"


def dashboard(service: str, environment: str) -> str:
    """Name of the dashboard of a service."""
    return f"{service}-{environment}"


def drill_state_machine(service: str, environment: str, drill: str) -> str:
    """Name of the state machine that runs a drill."""
    return f"{service}-{environment}-drill-{drill}"


def drill_overdue_alarm(service: str, environment: str, drill: str) -> str:
    """Name of the alarm on a drill that has not passed for too long."""
    return f"{service}-{environment}-drill-{drill}-overdue"


def drill_undelivered_alarm(service: str, environment: str) -> str:
    """Name of the alarm on a drill that was not started, or not ended."""
    return f"{service}-{environment}-drills-undelivered"


def notifications_stack(account: str, region: str) -> str:
    """Name of the stack that holds the topics of an account and region."""
    return f"notifications-{account}-{region}"


def status_alarm(host: str) -> str:
    """Name of a host's EC2 status alarm."""
    return f"{host}-StatusCheckFailed"


def connectivity_alarm(host: str, dependency: str) -> str:
    """Name of the alarm on a host's connectivity to a dependency."""
    return f"{host}-{dependency}-connectivity-failed"


def peer_alarm(host: str) -> str:
    """Name of the alarm on a host that no longer answers its peer."""
    return f"{host}-peer-connectivity-failed"


def probe_silent_alarm(host: str) -> str:
    """Name of the alarm on a host whose probe says nothing."""
    return f"{host}-probe-silent"


def connectivity_metric(dependency: str) -> str:
    """Name of the metric that the probe publishes for a dependency."""
    return f"{dependency}-connectivity"


def set_identifier(service: str, role: str) -> str:
    """Identifier of one record of the pair; role is PRIMARY or SECONDARY."""
    return f"{service}-{role.title()}"


def status_description(display_name: str, color: str) -> str:
    """What a status alarm says."""
    return f"{display_name} ({color.title()}) instance failure."


def connectivity_description(label: str, display_name: str, color: str) -> str:
    """What a connectivity alarm says."""
    return f"{label} Connectivity failure for {display_name} ({color.title()})."


def peer_description(display_name: str, color: str) -> str:
    """What an alarm on a host's answers to its peer says."""
    return f"{display_name} ({color.title()}) does not answer the other host."


def probe_silent_description(display_name: str, color: str) -> str:
    """What an alarm on a silent probe says."""
    return (
        f"The probe of {display_name} ({color.title()}) is silent: what the host reaches is not "
        "measured."
    )


def drill_overdue_description(display_name: str, drill: str) -> str:
    """What an alarm on an overdue drill says."""
    return (
        f"{display_name}: drill {drill} has not passed for over 35 days, or nobody counts the days."
    )


def drill_undelivered_description(display_name: str) -> str:
    """What an alarm on undelivered calls of drills says."""
    return (
        f"{display_name}: a drill was not started, or its fault may not have been ended; the queue "
        "holds the call."
    )


def topic_arn(account: str, region: str, topic: str) -> str:
    """ARN of a topic, known before it is made."""
    return f"arn:{limits.partition_of(region)}:sns:{region}:{account}:{topic}"
