"""Samples a hostile target in one loop with a well-behaved one, and checks all invariants."""

import gc
import re
import selectors
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from staged_resiliency.probe.agent.attempt import CLASSES, Tools
from staged_resiliency.probe.agent.checks import Check, TcpCheck
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.metric_statistics import Series
from staged_resiliency.probe.agent.resolver import Resolver
from staged_resiliency.probe.agent.sampler import Result, Sampler
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, serving

BRIEF: Final = 0.2
"""Deadline in seconds of targets that must run into it."""
PATIENT: Final = 4.0
"""Deadline in seconds of targets that must end before it."""
MARGIN: Final = 2.0
"""Seconds that an end may be late, as tests share the machine; half of ``PATIENT``, by which a
blocked loop would be."""
_WELL_INTERVAL: Final = 0.05
_MOST_CPU_SECONDS: Final = 1.0
"""A loop that spins until ``PATIENT`` takes more; 64 KB in chunks of one byte, the dearest honest
work, take a third of it even under coverage."""

WELL: Final = ""
"""Stands in place of a class of failure where a strange answer is none."""


@dataclass(frozen=True)
class Expected:
    """How a sample must end.

    Attributes:
        kind: Class of the failure, or ``WELL``; several with ``|`` where the system decides.
        detail: Pattern of the failure's detail, or of the answer, from end to end.
    """

    kind: str
    detail: str

    @property
    def seconds(self) -> float:
        """The deadline to give."""
        return BRIEF if self.kind == "timeout" else PATIENT


def ask(
    check: Check,
    seconds: float = PATIENT,
    tls: ssl.SSLContext | None = None,
    lookup: Callable[..., Any] | None = None,
) -> Result:
    """One sample of a target, while a well-behaved one is sampled all the time.

    Asserts that the sample ended by its deadline without burning the processor, that the other
    target always answered, and that no socket is left open.
    """
    results: list[Result] = []
    well: list[Result] = []
    selector = selectors.DefaultSelector()
    gc.freeze()  # to be collected in the end: what is made from here on, not all that was imported
    with serving(Peer.hold) as server, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        with closing(Loop(selector=selector)) as loop:
            resolver = Resolver(loop, lookup) if lookup is not None else None
            tools = Tools(loop, resolver, tls=lambda: tls or ssl.create_default_context())

            good = TcpCheck(HOST, server.port)

            def record(result: Result) -> None:
                (well if result.sampler.check is good else results).append(result)
                if results and well:
                    loop.stop()

            other = Sampler(tools, Series("well", ()), good, _WELL_INTERVAL, PATIENT, record)
            asked = Sampler(tools, Series("hostile", ()), check, 60, seconds, record)
            other.start()
            cpu = time.thread_time()
            asked.take()
            loop.run()
            cpu = time.thread_time() - cpu
            other.stop()
            while len(selector.get_map()) > 1:  # a sample of the other one is under way
                loop.turn()
        assert server.deserted(PATIENT)
        del asked, other, tools, record
        gc.collect()
    (result,) = results
    assert not [str(each.message) for each in warned], "a socket was left open"
    assert result.seconds < seconds + MARGIN
    assert cpu < _MOST_CPU_SECONDS
    assert all(each.failure is None and each.seconds < MARGIN for each in well), well
    assert re.fullmatch(r"[ -~]+", str(result.failure or "-")), "not fit for the journal"
    return result


def assert_ends(result: Result, expected: Expected) -> None:
    """A sample ended with this class and detail."""
    failure = result.failure
    if failure is None:
        assert expected.kind == WELL, f"it was well: {result.answer}"
        assert re.fullmatch(expected.detail, result.answer), result.answer
    else:
        assert failure.kind in expected.kind.split("|"), failure
        assert failure.kind in CLASSES
        assert re.fullmatch(expected.detail, failure.detail), failure.detail
