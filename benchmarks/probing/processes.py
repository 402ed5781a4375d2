"""CPU and memory of running processes, read from the kernel; on Linux, without root."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
# /proc/PID/stat behind the command's closing bracket: cutime and cstime.
_CHILDREN_TIMES: Final = slice(13, 15)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads, in nanoseconds' steps.

    /proc/PID/stat has steps of 10 ms, more than the agent uses in a minute. The number is how
    Linux names the clock of another process (clock_getcpuclockid).
    """
    return time.clock_gettime((~pid << 3) | 2)


def tree_cpu_seconds(pid: int) -> float:
    """The same with all descendants, those that ended and were waited for included."""
    try:
        running = [tree_cpu_seconds(child) for child in children(pid)]
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ended = sum(map(int, fields[_CHILDREN_TIMES])) / _TICKS
        return cpu_seconds(pid) + ended + sum(running)
    except OSError:  # ended in between; its parent has it
        return 0.0


def resident_megabytes(pid: int, field: str = "VmRSS") -> float:
    """Memory of one process: now, or its peak (VmHWM)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = (line.split()[1] for line in status.splitlines() if line.startswith(f"{field}:"))
    return int(next(found, "0")) / 1024


def tree_megabytes(pid: int) -> float:
    """Resident memory of a process and its descendants; what they share counts in each."""
    return resident_megabytes(pid) + sum(map(tree_megabytes, children(pid)))


def children(pid: int) -> list[int]:
    """The running children of a process."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(word) for word in text.split()]


def move(pid: int, core: int) -> None:
    """Keep a process and all of its threads on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Pin the processes that are started meanwhile to one core, the only one that they see."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
