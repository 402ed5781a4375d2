"""What the functions reach outside: AWS, names, hosts, time. All of it can be given.

So whoever has AWS's answers from elsewhere, such as a rehearsal on one machine, calls the same
functions with a ``Context`` of its own: they see the same, and come to the same verdict.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from staged_resiliency.drills.runtime.plan import Endpoint

JsonObject = Mapping[str, Any]
"""What ``json.loads`` gives for an object."""


class AwsError(Exception):
    """AWS did not do what it was asked.

    Attributes:
        code: AWS's own, such as ``ThrottlingException``; the kind of the failure where there was
            no answer.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Aws(Protocol):
    """Calls an API of AWS."""

    def __call__(self, service: str, operation: str, **parameters: object) -> JsonObject:
        """Call it.

        Args:
            service: As botocore names it, such as ``fis``.
            operation: As the API names it, such as ``StartExperiment``.
            **parameters: Those of the API.

        Raises:
            AwsError: It was not done, or nobody knows whether it was.
        """
        ...


class Ask(Protocol):
    """Asks a host which one it is."""

    def __call__(self, address: str, endpoint: Endpoint, host: str) -> str:
        """The name that it gives itself; ``version_endpoint.UnansweredError`` if it gives none."""
        ...


class Log(Protocol):
    """Writes a line of the log."""

    def __call__(self, event: str, **fields: object) -> None:
        """Write it; fields must be what ``json.dumps`` takes."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything outside.

    Attributes:
        aws: AWS's APIs.
        resolve: Addresses of a DNS name, as clients see them; empty where there is none.
        ask: Asks a host which one it is.
        clock: Seconds since the epoch.
        sleep: Waits for seconds.
        log: Writes a line of the log.
    """

    aws: Aws
    resolve: Callable[[str], Sequence[str]]
    ask: Ask
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Log


def log_line(event: str, **fields: object) -> None:
    """Write a line of JSON to standard output, which Lambda hands to CloudWatch Logs."""
    sys.stdout.write(json.dumps({"event": event, **fields}, default=str) + "\n")
    sys.stdout.flush()
