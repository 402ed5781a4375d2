"""Names that people outside see: stacks, alarms, metrics, record identifiers.

They are this package's API (docs/adr/0003): a changed name replaces a deployed resource.
"""

from staged_resiliency import limits


def failover_stack(service: str, environment: str) -> str:
    """Name of the stack that holds a service's failover system."""
    return f"{service}-{environment}-failover"


def notifications_stack(account: str, region: str) -> str:
    """Name of the stack that holds the topics of an account and region."""
    return f"notifications-{account}-{region}"


def status_alarm(host: str) -> str:
    """Name of a host's EC2 status alarm."""
    return f"{host}-StatusCheckFailed"


def connectivity_alarm(host: str, dependency: str) -> str:
    """Name of the alarm on a host's connectivity to a dependency."""
    return f"{host}-{dependency}-connectivity-failed"


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


def topic_arn(account: str, region: str, topic: str) -> str:
    """ARN of a topic, known before it is made."""
    return f"arn:{limits.partition_of(region)}:sns:{region}:{account}:{topic}"
