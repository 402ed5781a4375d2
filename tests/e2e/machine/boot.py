"""One boot of a container, from its start to a reboot, a power-off or a crash."""

import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from tests.e2e.machine.control_groups import ControlGroups
from tests.e2e.machine.processes import PATH, CommandError
from tests.e2e.machine.waiting import eventually

BOOT_SECONDS: Final = 60
STOP_SECONDS: Final = 30

REBOOT_WANTED: Final = 133
"""The exit status of systemd-nspawn when the container wants to be started again."""

POWERED_OFF: Final = 0

_DYING_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL")
_ALL_TOGETHER: Final = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
"""systemd-nspawn is the first process of a PID namespace, so that all others in it end with it.

Killed by itself, it would leave the container running; and asked to end it while it boots, it asks
a systemd that does not listen yet.
"""

_JOIN_AND_RUN: Final = """
set -eu
for group in $GROUPS_TO_JOIN; do echo $$ >"$group/cgroup.procs"; done
exec "$@"
"""

_ALWAYS: Final = (
    "--quiet",
    "--boot",
    # No systemd of this machine needs to know.
    "--register=no",
    "--keep-unit",
    "--notify-ready=yes",
    "--console=read-only",
    "--link-journal=no",
    "--timezone=off",
)


class Boot:
    """A running container.

    Attributes:
        leader: Its first process.
    """

    def __init__(
        self, name: str, root: Path, *, entering: Sequence[str], options: Sequence[str]
    ) -> None:
        """Boot, and wait until systemd has started all units.

        Args:
            name: What it is called.
            root: Its files.
            entering: The start of a command that runs where the files and the network are.
            options: Further options of systemd-nspawn.

        Raises:
            CommandError: It did not boot; the message holds what its console showed.
        """
        self._name = name
        self._console: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._groups = ControlGroups(name)
        self._groups.make()
        machine = [f"--machine={name}", f"--directory={root}"]
        with tempfile.TemporaryDirectory() as folder, _notifications(folder) as notified:
            self._nspawn = subprocess.Popen(
                [
                    *(*_DYING_WITH_US, *entering, *_ALL_TOGETHER),
                    *("sh", "-c", _JOIN_AND_RUN, "sh"),
                    *("systemd-nspawn", *_ALWAYS, *machine, *options),
                ],
                env={
                    "PATH": PATH,
                    "NOTIFY_SOCKET": f"{folder}/notify",
                    "GROUPS_TO_JOIN": " ".join(map(str, self._groups.directories)),
                },
                stdin=subprocess.DEVNULL,
                stdout=self._console,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for this process, which then ends the container.
                start_new_session=True,
            )
            try:
                self._await_ready(notified)
                self.leader = self._first_process()
            except BaseException:
                self.close()
                raise

    def await_end(self, expected: int) -> None:
        """Wait until the container has shut down.

        Args:
            expected: How: REBOOT_WANTED or POWERED_OFF.

        Raises:
            CommandError: It did not, or in another way.
        """
        try:
            status = self._nspawn.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{self._name} does not stop:\n{self._shown()}") from error
        if status != expected:
            raise CommandError(f"{self._name} ended with {status}:\n{self._shown()}")
        self.close()

    def close(self) -> None:
        """Kill the container if it runs."""
        self._nspawn.kill()
        self._nspawn.wait()
        self._groups.remove()
        self._console.close()

    def _await_ready(self, notified: socket.socket) -> None:
        def heard() -> bool:
            if self._nspawn.poll() is not None:
                raise CommandError(f"{self._name} did not boot:\n{self._shown()}")
            with suppress(TimeoutError):
                return b"READY=1" in notified.recv(4096).splitlines()
            return False

        try:
            eventually(f"{self._name} boots", heard, seconds=BOOT_SECONDS, every=0)
        except AssertionError as error:
            raise CommandError(f"{error}\n{self._shown()}") from error

    def _first_process(self) -> int:
        (nspawn,) = _children(self._nspawn.pid)
        (first,) = _children(nspawn)
        return first

    def _shown(self) -> str:
        """Return the end of the console's output."""
        self._console.seek(0)
        return self._console.read()[-4000:].decode(errors="backslashreplace")


def _children(process: int) -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):  # it has ended
            if f"PPid:\t{process}\n" in file.read_text():
                found.append(int(file.parent.name))
    return found


def _notifications(folder: str) -> socket.socket:
    """The socket to which systemd-nspawn reports its progress (sd_notify(3))."""
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(f"{folder}/notify")
    notified.settimeout(0.2)
    return notified
