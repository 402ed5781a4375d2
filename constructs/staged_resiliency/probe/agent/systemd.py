"""Notifications to systemd, as sd_notify(3) and sd_watchdog_enabled(3) describe them."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """Notifies systemd; does nothing in a process that systemd did not start.

    ``watchdog_seconds`` is the time within which systemd expects ``WATCHDOG=1``; None without a
    watchdog.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds: float | None = None
        if microseconds.isdecimal() and ours:
            self.watchdog_seconds = int(microseconds) / 1e6 or None
        self._unsent: dict[str, str] = {}

    def notify(self, *lines: str) -> None:
        """Send lines such as ``READY=1``; what can't be sent now goes with the next ones."""
        if not self._path:
            return
        self._unsent.update((line.partition("=")[0], line) for line in lines)
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)  # a systemd that hangs must not block the loop
                sock.connect(address)
                sock.send("\n".join(self._unsent.values()).encode())
        except OSError:
            return  # systemd hangs, or restarts
        self._unsent.clear()
