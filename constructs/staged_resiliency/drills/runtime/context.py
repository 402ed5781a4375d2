"""The access of the functions to the outside: AWS, DNS, hosts, time, the log.

A ``Context`` is passed to every function, so that others can call the same code with a context of
their own, such as ``resiliency drill preview`` from a terminal.
"""

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import botocore
import botocore.config
import botocore.exceptions
import botocore.session

from staged_resiliency.drills.runtime import network
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.experiment.json_codec import JsonObject

READ_TIMEOUT_SECONDS: Final = 10
"""How long a call of AWS may wait for an answer."""

GREMLIN_URL: Final = "https://api.gremlin.com/v1"
"""Gremlin's API."""


class AwsError(Exception):
    """An AWS API call failed.

    Attributes:
        code: AWS's error code, such as ``ThrottlingException``; the kind of the failure where
            there was no answer.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class NotStartedError(AwsError):
    """A fault was not injected, and must not be tried again in the same run."""

    def __init__(self, message: str) -> None:
        super().__init__("NotStarted", message)
        self.args = (message,)  # no error of AWS, so without its code


class Aws(Protocol):
    """Calls an AWS API."""

    def __call__(
        self, service: str, operation: str, *, region: str | None = None, **parameters: object
    ) -> JsonObject:
        """Call an operation by the API's name; the service has botocore's, such as ``fis``.

        The function's own region is asked unless another one is given.

        Raises:
            AwsError: The call failed, or its outcome is unknown.
        """
        ...


class Ask(Protocol):
    """Sends a host an HTTP request for its own name."""

    def __call__(self, address: str, endpoint: Endpoint, host: str) -> str:
        """Return the host's name; raise ``network.UnansweredError`` if it returns none."""
        ...


class Log(Protocol):
    """Writes a line of the log."""

    def __call__(self, event: str, **fields: object) -> None:
        """Write it; fields must be what ``json.dumps`` takes."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The functions' access to AWS, DNS, hosts, the time and the log.

    Attributes:
        resolve: Returns the addresses of a DNS name, as clients resolve it; empty where there are
            none.
        clock: Returns seconds since the epoch.
        gremlin_url: Where Gremlin's API is.
        secrets: The secrets that were read, by their ARNs; kept in memory alone.
    """

    aws: Aws
    resolve: Callable[[str], Sequence[str]]
    ask: Ask
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    log: Log
    gremlin_url: str = GREMLIN_URL
    secrets: dict[str, str] = field(default_factory=dict, repr=False)


class BotocoreAws:
    """Calls AWS APIs through botocore, with the function's credentials and region."""

    def __init__(self, session: botocore.session.Session | None = None) -> None:
        self._session = session or botocore.session.get_session()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._config = botocore.config.Config(
            connect_timeout=3,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 4},
        )

    def __call__(
        self, service: str, operation: str, *, region: str | None = None, **parameters: object
    ) -> JsonObject:
        """Call an API; see ``Aws``."""
        client = service, region
        try:
            if client not in self._clients:
                # Lambda sets AWS_REGION; botocore alone reads AWS_DEFAULT_REGION.
                self._clients[client] = self._session.create_client(
                    service, region_name=region or os.environ.get("AWS_REGION"), config=self._config
                )
            method = getattr(self._clients[client], botocore.xform_name(operation))
            answer: JsonObject = method(**parameters)
        except botocore.exceptions.ClientError as error:
            raise AwsError(error.response["Error"]["Code"], str(error)) from None
        except botocore.exceptions.ParamValidationError:
            raise  # a programming error, which no retry mends
        except botocore.exceptions.BotoCoreError as error:
            raise AwsError(type(error).__name__, str(error)) from None
        return answer


def log_line(event: str, **fields: object) -> None:
    """Write a line of JSON to standard output, from which Lambda sends it to CloudWatch Logs."""
    sys.stdout.write(json.dumps({"event": event, **fields}, default=str) + "\n")
    sys.stdout.flush()


@functools.cache
def lambda_context() -> Context:
    """Return the context of a Lambda function, made once."""
    return Context(
        aws=BotocoreAws(),
        resolve=network.Resolver(),
        ask=network.ask,
        clock=time.time,
        sleep=time.sleep,
        log=log_line,
    )
