"""The drill's own preflight, looked at from here: nothing is changed and no lock is taken."""

from collections.abc import Callable, Sequence

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.clock import Clock
from staged_resiliency.drills.runtime import host_identity
from staged_resiliency.drills.runtime.aws_context import Resolver
from staged_resiliency.drills.runtime.context import Ask, Context


def seen_from_here(
    aws: Aws,
    clock: Clock,
    *,
    resolve: Callable[[str], Sequence[str]] | None = None,
    ask: Ask = host_identity.ask,
) -> Context:
    """The world of a drill's functions, with this machine's network and these credentials.

    Args:
        aws: AWS.
        clock: Time.
        resolve: Addresses of a DNS name; the system's resolver unless given.
        ask: Asks a host which one it is, over HTTP unless given.
    """
    return Context(
        aws=aws,
        resolve=resolve or Resolver(),
        ask=ask,
        clock=clock.now,
        sleep=clock.sleep,
        log=_unlogged,
    )


def _unlogged(event: str, **fields: object) -> None:
    """What the functions log is for CloudWatch, not for the terminal."""
