"""What the service manager is told (sd_notify, sd_watchdog_enabled)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class ServiceManager:
    """Tells systemd of readiness and life; nobody, when it did not start the process.

    Args:
        environment: Variables of the process.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds: float | None = None
        if microseconds.isdecimal() and ours:
            self.watchdog_seconds = int(microseconds) / 1e6 or None

        self._untold: dict[str, str] = {}

    def tell(self, *lines: str) -> None:
        """Send lines such as ``READY=1``; with the next ones, if nobody can take them now."""
        if not self._path:
            return
        self._untold.update((line.partition("=")[0], line) for line in lines)
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)  # a service manager that hangs must not stop the loop
                sock.connect(address)
                sock.send("\n".join(self._untold.values()).encode())
        except OSError:
            return  # it hangs, or restarts
        self._untold.clear()
