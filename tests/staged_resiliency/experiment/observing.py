"""Observations and expectations of any kind, and their examples."""

from hypothesis import strategies as st

from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsFast,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsServedAgain,
    ClientsStay,
    Expectation,
)
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from staged_resiliency.experiment.verdict import Run

RECORD, BLUE, GREEN, ALARM_NAME = "shop.example.com", "blue", "green", "blue-status"
RUN = Run(injected_at=100, ended_at=400, until=1000)

EXPECTATIONS: tuple[Expectation, ...] = (
    ClientsMove(RECORD, GREEN, 360),
    ClientsReturn(RECORD, BLUE, 300),
    ClientsStay(RECORD, BLUE),
    ClientsServed(RECORD),
    AlarmFires(ALARM_NAME, 240),
    AlarmRecovers(ALARM_NAME, 300),
    AlarmQuiet(ALARM_NAME),
    ClientsFast(RECORD, 0.8),
    ClientsServedAgain(RECORD, 120),
)


def client(at: float, value: str, record: str = RECORD) -> Observation:
    """What a client saw."""
    return Observation(at, Source.CLIENT, record, value)


def timed(at: float, seconds: float, value: str = BLUE) -> Observation:
    """What a client saw, and how long the answer took."""
    return Observation(at, Source.CLIENT, RECORD, value, seconds=seconds)


def requests(value: str, *moments: float) -> list[Observation]:
    """What a client saw at several moments."""
    return [client(at, value) for at in moments]


def alarm(at: float, value: str, name: str = ALARM_NAME) -> Observation:
    """The state of an alarm."""
    return Observation(at, Source.ALARM, name, value)


def clients() -> st.SearchStrategy[Observation]:
    """Any observation of a client."""
    values = st.sampled_from([BLUE, GREEN, NO_ANSWER])
    at, seconds = st.integers(0, 1100).map(float), st.sampled_from([0.2, 0.8, 3.0])
    return st.builds(client, at, values) | st.builds(timed, at, seconds, values)


def alarms() -> st.SearchStrategy[Observation]:
    """Any observation of an alarm."""
    values = st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])
    names = st.sampled_from([ALARM_NAME, "another"])
    return st.builds(alarm, st.integers(0, 1100).map(float), values, names)


def observations() -> st.SearchStrategy[list[Observation]]:
    """Any sequence of them, in any order."""
    return st.lists(st.one_of(clients(), alarms()), max_size=20)


def runs() -> st.SearchStrategy[Run]:
    """Any times of an experiment."""
    return st.builds(
        lambda began, lasts, more, ended, scale: Run(
            began, began + lasts if ended else None, began + lasts + more, scale
        ),
        st.integers(0, 500).map(float),
        st.integers(0, 300).map(float),
        st.integers(0, 300).map(float),
        st.booleans(),
        st.sampled_from([1.0, 30.0]),
    )
