"""Runs a client: resolves the name as clients do, and requests ``/version/`` continuously.

``python -m resiliency.rehearsal.client_process SETTINGS CLOCK``, both as JSON. It prints a
JSON array for each request: when it was made, who answered, and why nobody did.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode

from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.http_client import ask
from staged_resiliency.experiment.observations import NO_ANSWER

LEAST_DEADLINE_SECONDS: Final = 1.0
"""In seconds here, so that a busy machine is not taken for a host that is down."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a client reaches the service; seconds are simulated ones.

    Attributes:
        places: Loopback address and port that stand in for each address.
        floor_seconds: How long its resolver keeps an answer at least.
        cache_seconds: How long it keeps an address beyond its resolver.
        first_seconds: When it sends the first request, after it started.
    """

    name: str
    record_type: str
    server: tuple[str, int]
    places: Mapping[str, tuple[str, int]]
    path: str
    interval_seconds: float = 2
    deadline_seconds: float = 5
    floor_seconds: float = 0
    cache_seconds: float = 0
    first_seconds: float = 0

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Decode settings that another process encoded."""
        values = json.loads(text)
        values["server"] = tuple(values["server"])
        values["places"] = {address: tuple(place) for address, place in values["places"].items()}
        return cls(**values)

    def to_json(self) -> str:
        """Encode the settings for another process."""
        return json.dumps(asdict(self))


class StubResolver:
    """Resolves one name, and caches the answer for its TTL, in simulated seconds."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._address = ""
        self._until = float("-inf")

    async def address(self) -> str:
        """Return the address to request; OSError if the name can't be resolved."""
        now = self._clock.now()
        if now >= self._until:
            self._address, ttl = await self._resolve()
            lifetime = max(ttl, self._settings.floor_seconds) + self._settings.cache_seconds
            self._until = now + lifetime
        return self._address

    async def _resolve(self) -> tuple[str, float]:
        settings = self._settings
        query = dns.message.make_query(settings.name, settings.record_type)
        host, port = settings.server
        try:
            answer = await dns.asyncquery.udp(
                query, host, LEAST_DEADLINE_SECONDS, port, ignore_unexpected=True
            )
        except dns.exception.DNSException as error:
            raise OSError(f"{settings.name} can't be resolved: {error}") from None
        for rrset in answer.answer:
            for data in rrset:
                return data.to_text(), rrset.ttl
        code = dns.rcode.to_text(answer.rcode())
        raise OSError(f"{settings.name} can't be resolved: {code}")


async def request_forever(
    settings: Settings, clock: Clock, report: Callable[[float, str, str], None]
) -> None:
    """Send requests at an even pace forever; one that hangs delays no other.

    ``report`` gets when each request was made, who answered it, and why nobody did.
    """
    resolver = StubResolver(settings, clock)
    seconds = max(LEAST_DEADLINE_SECONDS, clock.real(settings.deadline_seconds))
    asking: set[asyncio.Task[None]] = set()

    async def one() -> None:
        at = clock.stamp()
        try:
            place = settings.places[await resolver.address()]
            answer = await ask(place, settings.name, settings.path, seconds)
            body = json.loads(answer.body) if answer.status == 200 else {}
            who = body.get("environment") if isinstance(body, dict) else None
            if not isinstance(who, str):
                raise OSError(f"status {answer.status}")
        except (OSError, ValueError) as error:
            report(at, NO_ANSWER, str(error) or type(error).__name__)
        else:
            report(at, who, "")

    due = clock.now() + settings.first_seconds
    while True:
        await clock.until(due)
        task = asyncio.get_running_loop().create_task(one())
        asking.add(task)
        task.add_done_callback(asking.discard)
        due = max(due + settings.interval_seconds, clock.now())


def _print(at: float, who: str, why: str) -> None:
    sys.stdout.write(json.dumps([at, who, why]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = Settings.from_json(sys.argv[1])
    asyncio.run(request_forever(given, Clock.from_json(sys.argv[2]), _print))
