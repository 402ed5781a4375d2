"""The agent's CPU time for the metrics that an application sends by StatsD."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from staged_resiliency.probe.agent.config import Statsd
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.statsd import Aggregation

LINES_EACH: Final = 100_000
LINES_OF_A_DATAGRAM: Final = 50
SENT: Final[Mapping[str, list[bytes]]] = {
    "counter": [b"orders.placed:1|c"],
    "counter with tags": [b"orders.placed:1|c|#shop:books,user:%d" % user for user in range(100)],
    "timer, 9,000 values": [b"orders.answer:%d.%d|ms" % divmod(n, 10) for n in range(9000)],
    "name that is not allowed": [b"other.%d:1|c" % number for number in range(50)],
    "malformed line": [b"nonsense"],
}


class Cost(NamedTuple):
    """Microseconds of CPU for a line, alone in its datagram and with others."""

    alone: float
    together: float


def measure() -> Mapping[str, Cost]:
    """Measure how long the agent aggregates lines of each kind, without the socket."""
    found = {}
    for kind, lines in SENT.items():
        sent = (lines * LINES_EACH)[:LINES_EACH]
        starts = range(0, LINES_EACH, LINES_OF_A_DATAGRAM)
        joined = [b"\n".join(sent[start : start + LINES_OF_A_DATAGRAM]) for start in starts]
        found[kind] = Cost(_microseconds(sent), _microseconds(joined))
    return found


def _microseconds(datagrams: Sequence[bytes]) -> float:
    settings = Statsd(("orders.*",), 10, tags=("shop",))
    journal = Journal(lambda line: None)
    aggregation = Aggregation(settings, (("Host", "shop-blue"),), time.time, journal)
    began = time.process_time()
    for datagram in datagrams:
        aggregation.receive(datagram)
    return (time.process_time() - began) / LINES_EACH * 1e6
