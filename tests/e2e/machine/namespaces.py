"""Linux namespaces held by an open file, so that they end with this process.

A namespace lives while a process is in it, a mount shows it or a file of it is open. A thread
makes one, opens it and ends; from then on only the file holds it. So networks and mounts that
are made in it need no cleaning up, not even after ``kill -9``.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Kind(Enum):
    """A kind of namespace: its name below /proc/PID/ns, its CLONE_ flag and nsenter's option."""

    MOUNT = ("mnt", 0x00020000, "--mount")
    NETWORK = ("net", 0x40000000, "--net")


class Namespace:
    """A new namespace, until ``close`` or the end of this process."""

    def __init__(self, kind: Kind) -> None:
        """Create a network without interfaces, or a private copy of the mounts."""
        self._file, self._flag, self._option = kind.value

        def make() -> int:
            _succeed("unshare", _LIBC.unshare(self._flag))
            return os.open(f"/proc/thread-self/ns/{self._file}", os.O_RDONLY | os.O_CLOEXEC)

        self._open = _in_a_thread(make)

    def inside(self, action: Callable[[], T]) -> T:
        """Run a function of this process in this (network) namespace, and return its result.

        Sockets stay where they were made, so a server can listen there and its threads live here.
        """

        def enter_and_act() -> T:
            _succeed("setns", _LIBC.setns(self._open, self._flag))
            return action()

        return _in_a_thread(enter_and_act)

    def entering(self) -> list[str]:
        """Return the prefix of a command that runs the rest in this namespace."""
        held = Path("/proc") / str(os.getpid()) / "fd" / str(self._open)
        return ["nsenter", f"{self._option}={held}"]

    def close(self) -> None:
        """Close the file; the kernel removes the namespace with its last process."""
        if self._open >= 0:
            os.close(self._open)
            self._open = -1


def _succeed(call: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _in_a_thread(action: Callable[[], T]) -> T:
    """Run the function in a thread of its own, which alone changes its namespaces."""
    results: list[T] = []
    errors: list[BaseException] = []

    def act() -> None:
        try:
            results.append(action())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
