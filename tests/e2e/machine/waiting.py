"""Waits for a condition."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

BUSY_SECONDS: Final = 5.0
"""By how much a busy machine may delay what several processes do one after the other."""


def eventually(
    what: str, found: Callable[[], T | None], *, seconds: float = 60, every: float = 0.05
) -> T:
    """Call ``found`` again and again until its result is true, and return it.

    Args:
        what: What is waited for, for the message.
        found: Looks once.
        seconds: How long it may take. What a test says of times it checks by itself: this is only
            when to give up, on a machine that may be busy.
        every: Seconds between two looks.

    Raises:
        AssertionError: It did not happen.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s; last seen: {value!r}")
        time.sleep(every)
