"""All stacks of an application, from its service files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from aws_cdk import App, Stack

from resiliency.service_file import Environment, Service

from .failover import FailoverStack
from .failover_alarm import FailoverAlarmStack
from .notifications import NotificationsStack, notifies_in
from .probe import ProbeStack

_Stack = TypeVar("_Stack", bound=Stack)


def new_app(outdir: str | None = None, context: Mapping[str, object] | None = None) -> App:
    """Create an application whose templates change only with their input.

    Args:
        outdir: Folder of the cloud assembly; the one that the CDK CLI names unless given.
        context: Feature flags and other context, for runs without the CDK CLI and its cdk.json.
    """
    return App(
        outdir=outdir,
        context=context,
        analytics_reporting=False,
    )


def add_stacks(app: App, services: Iterable[Service]) -> Sequence[FailoverStack]:
    """Add the stacks of each service and environment, and those of the topics they share.

    Topics are deployed first, and the failover after the probe, so that a health check's alarms can
    notify and have data. The alarm on failovers follows the health check. Drills come last, because
    alarms of the other stacks stop them.
    """
    topics: dict[str, NotificationsStack] = {}

    def topics_of(environment: Environment, region: str) -> list[Stack]:
        """Return the stack of the topic that is created for an environment in a region, if any."""
        arn = environment.created_topic_in(region)
        if arn is None or not notifies_in(environment, region):
            return []
        if arn not in topics:
            topics[arn] = NotificationsStack(app, environment, region)
        return [topics[arn]]

    failovers = []
    for service in services:
        for name, environment in service.environments.items():
            needed = topics_of(environment, environment.region)
            if environment.has_probe:
                needed.append(_added(ProbeStack(app, service, name, environment), needed))
            if environment.cloudwatch_agent is not None:
                # Loaded only here: a service without the agent need not wait for its construct.
                from .cloudwatch_agent import CloudWatchAgentStack

                settings = environment.cloudwatch_agent
                needed.append(CloudWatchAgentStack(app, service, name, environment, settings))
            failover = _added(FailoverStack(app, service, name, environment), needed)
            failovers.append(failover)
            if environment.failover_topics:
                needed_there = topics_of(environment, environment.failover_region)
                _added(FailoverAlarmStack(app, service, name, environment, failover), needed_there)
            if environment.drills is not None:
                # Loaded only here: a service without drills need not wait for their constructs.
                from .drills import DrillsStack

                drills = DrillsStack(app, service, name, environment, environment.drills)
                _added(drills, [*needed, failover])
    return failovers


def _added(stack: _Stack, needed: Iterable[Stack]) -> _Stack:
    """Make a stack depend on the stacks that it needs, and return it."""
    for other in needed:
        stack.add_stack_dependency(other)
    return stack
