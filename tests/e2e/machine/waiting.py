"""Waits for a condition."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    what: str, found: Callable[[], T | None], *, seconds: float = 10, every: float = 0.05
) -> T:
    """Call ``found`` again and again until its result is true, and return it.

    Args:
        what: What is waited for, for the message.
        found: Looks once.
        seconds: How long it may take.
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
