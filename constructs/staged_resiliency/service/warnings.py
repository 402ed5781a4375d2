"""What is allowed in a service file but worth a second thought."""

from collections.abc import Iterator
from dataclasses import dataclass

from staged_resiliency import limits
from staged_resiliency.service.model import Environment


@dataclass(frozen=True, slots=True)
class ServiceWarning:
    """A warning with a stable id, so that it can be acknowledged.

    Attributes:
        id: Stable id.
        message: What was found, what it leads to, how to mend it.
    """

    id: str
    message: str


def warnings_of(environment: Environment) -> Iterator[ServiceWarning]:
    """Everything about one environment that is allowed and yet doubtful."""
    ttl = environment.endpoint.ttl_seconds
    if ttl > limits.RECOMMENDED_TTL_SECONDS:
        yield ServiceWarning(
            "staged-resiliency:long-ttl",
            f"endpoint.ttl_seconds is {ttl}: clients may keep the failed host's address that "
            f"long after a failover; give {limits.RECOMMENDED_TTL_SECONDS} or less",
        )
    for color in ("blue", "green"):
        host = environment.hosts.of(color)
        if host.instance_id is None:
            yield ServiceWarning(
                f"staged-resiliency:no-status-alarm-{color}",
                f"hosts.{color} has no instance_id: nobody is told when its EC2 status checks "
                "fail; give one to have a status alarm for it",
            )
    if environment.notifications.topic_name and not environment.notifications.subscriptions:
        yield ServiceWarning(
            "staged-resiliency:no-subscription",
            f"nobody subscribes to topic {environment.notifications.topic_name} in this file: "
            "unless somebody does by other means, alarms are not heard; give "
            "notifications.subscriptions",
        )
    for name in environment.failover_on:
        dependency = environment.dependencies.get(name)
        if dependency and dependency.alarm.missing_data in ("not_breaching", "ignore"):
            yield ServiceWarning(
                f"staged-resiliency:silence-of-{name}",
                f"failover_on has {name!r}, whose alarm takes silence for "
                f"{dependency.alarm.missing_data!r}: a host that can't report does not fail over; "
                "give missing_data breaching",
            )
