"""No datum is lost or sent twice, in whichever order data come and requests end."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from staged_resiliency.probe.agent.metric_statistics import Datum
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, ones, outbox_of


class OutboxMachine(RuleBasedStateMachine):
    """Each datum arrives once, waits, or is counted as dropped, whatever happens in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = outbox_of(max_data=12)
        self.now = 0.0
        self.number = 0
        self.put: list[Datum] = []
        self.arrived: list[Datum] = []
        self.under_way: Sequence[Datum] = []
        self.dropped = 0

    @rule(size=st.integers(1, 6), old=st.booleans())
    def measure(self, size: int, old: bool) -> None:
        self.number += 1
        data = ones(0 if old else MIDNIGHT, size, f"metric-{self.number}")
        self.put += data
        self.outbox.put(data)

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: not self.under_way)
    @rule()
    def send(self) -> None:
        ready = self.outbox.pause(self.now) == 0.0
        self.under_way = self.outbox.request(self.now)
        assert not self.under_way or ready
        assert not {datum.minute for datum in self.under_way} - {MIDNIGHT}

    @precondition(lambda self: self.under_way)
    @rule()
    def accept(self) -> None:
        self.arrived += self.under_way
        self.under_way = []
        self.outbox.accepted()

    @precondition(lambda self: self.under_way)
    @rule()
    def fail(self) -> None:
        self.under_way = []
        self.outbox.failed(self.now)

    @precondition(lambda self: self.under_way)
    @rule()
    def reject(self) -> None:
        self.under_way = []
        self.outbox.rejected(self.now)

    @rule()
    def put_away(self) -> None:
        """As when the agent ends while a request hangs, which may be accepted all the same."""
        self.under_way = []
        self.outbox.spool_all()
        self.outbox.accepted()

    @rule()
    def count(self) -> None:
        self.dropped += self.outbox.take_dropped()

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        assert max(Counter(self.arrived).values(), default=1) == 1
        dropped = self.dropped + self.outbox.dropped + self.outbox.spool.dropped
        too_old = self.outbox._too_old  # dropped, and counted when their request ends
        if not self.outbox._entries:
            waiting = self.outbox.waiting() + too_old
        else:  # what is under way is still in the spool as well
            waiting = self.outbox.waiting() - len(self.under_way)
        assert len(self.put) == len(self.arrived) + dropped + waiting


@pytest.mark.hypothesis
def test_each_datum_arrives_once_or_waits_or_is_counted_as_dropped() -> None:
    run_state_machine_as_test(
        OutboxMachine, settings=settings(fewer_examples(2), stateful_step_count=25)
    )
