"""The world as it is in Lambda."""

import functools
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import botocore
import botocore.config
import botocore.exceptions
import botocore.session

from staged_resiliency.drills.runtime import host_identity
from staged_resiliency.drills.runtime.context import AwsError, Context, JsonObject, log_line

RESOLVE_SECONDS: Final = 3.0
"""How long a name is looked up before it counts as not resolved."""


class BotocoreAws:
    """AWS by botocore, with the function's credentials and region."""

    def __init__(self, session: botocore.session.Session | None = None) -> None:
        self._session = session or botocore.session.get_session()
        self._clients: dict[str, Any] = {}
        self._config = botocore.config.Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": 4},
        )

    def __call__(self, service: str, operation: str, **parameters: object) -> JsonObject:
        """Call an API; see ``Aws``."""
        try:
            if service not in self._clients:
                # Lambda tells the region so; botocore alone looks for AWS_DEFAULT_REGION.
                self._clients[service] = self._session.create_client(
                    service, region_name=os.environ.get("AWS_REGION"), config=self._config
                )
            method = getattr(self._clients[service], botocore.xform_name(operation))
            answer: JsonObject = method(**parameters)
        except botocore.exceptions.ClientError as error:
            raise AwsError(error.response["Error"]["Code"], str(error)) from None
        except botocore.exceptions.ParamValidationError:
            raise  # a mistake of ours, which no retry mends
        except botocore.exceptions.BotoCoreError as error:
            raise AwsError(type(error).__name__, str(error)) from None
        return answer


class Resolver:
    """The system's resolver, which may hang: each name is looked up in a thread of its own.

    Args:
        seconds: How long a name is looked up.
        look_up: The system's, unless given.
    """

    def __init__(
        self,
        seconds: float = RESOLVE_SECONDS,
        look_up: Callable[..., Sequence[Any]] = socket.getaddrinfo,
    ) -> None:
        self._seconds = seconds
        self._look_up = look_up
        self._busy: dict[str, threading.Thread] = {}

    def __call__(self, name: str) -> Sequence[str]:
        """The addresses of a name; empty where there is none in time."""
        former = self._busy.get(name)
        if former is not None and former.is_alive():
            return ()  # it still hangs; one thread of it is enough
        answers: queue.SimpleQueue[Sequence[str]] = queue.SimpleQueue()
        thread = threading.Thread(target=self._answer, args=(name, answers), daemon=True)
        self._busy[name] = thread
        thread.start()
        try:
            return answers.get(timeout=self._seconds)
        except queue.Empty:
            return ()

    def _answer(self, name: str, answers: "queue.SimpleQueue[Sequence[str]]") -> None:
        try:
            found = self._look_up(name, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = ()
        answers.put(tuple(dict.fromkeys(str(each[4][0]) for each in found)))


@functools.cache
def the_world() -> Context:
    """The world of this function, made when it is first needed."""
    return Context(
        aws=BotocoreAws(),
        resolve=Resolver(),
        ask=host_identity.ask,
        clock=time.time,
        sleep=time.sleep,
        log=log_line,
    )
