"""What every stack of the application has in common."""

from collections.abc import Mapping

from aws_cdk import App, DefaultStackSynthesizer, Stack
from aws_cdk import Environment as CdkEnvironment

from resiliency.service_file import Environment


class ServiceStack(Stack):
    """A stack in the account of a service's environment."""

    def __init__(
        self,
        app: App,
        stack_name: str,
        environment: Environment,
        *,
        description: str,
        tags: Mapping[str, str],
        termination_protection: bool,
        region: str | None = None,
    ) -> None:
        super().__init__(
            app,
            stack_name,
            env=CdkEnvironment(account=environment.account, region=region or environment.region),
            description=description,
            tags=tags or None,
            termination_protection=termination_protection,
            # One for each stack: stacks that share one have all files in each other's manifests, so
            # that the deployment of one publishes those of others. The CLI itself checks the
            # bootstrap version, so templates need no rule for it.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
        )
