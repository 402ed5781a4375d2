"""All stacks of an application, from its service files."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import App, DefaultStackSynthesizer

from stacks.failover import FailoverStack
from stacks.notifications import NotificationsStack, topics_by_place
from staged_resiliency.service import Service


def new_app(outdir: str | None = None, context: Mapping[str, object] | None = None) -> App:
    """An application whose templates hold nothing that changes by itself.

    Args:
        outdir: Where the cloud assembly is written; where the CDK CLI asks for it unless given.
        context: Feature flags and other context, where the CDK CLI does not read cdk.json.
    """
    return App(
        outdir=outdir,
        context=context,
        analytics_reporting=False,
        # The CLI checks the bootstrap version by itself; in templates the check is only noise.
        default_stack_synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )


def add_stacks(app: App, services: Iterable[Service]) -> Sequence[FailoverStack]:
    """Add one failover stack per service and environment, and the topics they share."""
    services = list(services)
    notifications = {
        place: NotificationsStack(app, place, topics)
        for place, topics in topics_by_place(services).items()
    }
    failovers = []
    for service in services:
        for name, environment in service.environments.items():
            stack = FailoverStack(app, service, name, environment)
            topics_stack = notifications.get((environment.account, environment.region))
            if topics_stack is not None and topics_stack.serves(environment):
                stack.add_stack_dependency(topics_stack)
            failovers.append(stack)
    return failovers
