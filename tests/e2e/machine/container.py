"""A disposable container with a booted systemd."""

import re
import subprocess
from collections.abc import Mapping
from typing import Final

from tests.e2e.machine import network as net
from tests.e2e.machine import processes, rootfs
from tests.e2e.machine.boot import BOOT_SECONDS, POWERED_OFF, REBOOT_WANTED, Boot
from tests.e2e.machine.closing import Closing
from tests.e2e.machine.disk import Disk
from tests.e2e.machine.processes import CommandError

_NAME: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?")
_STARTED: Final = ("running", "degraded")
"""States of a system that has booted, with all units or with some that failed."""


class Container(Closing):
    """A Debian that the constructor boots.

    Its changes survive a reboot and end with it.

    Attributes:
        name: Its host name.
        network: The private network it is on; None where it shares this machine's.
        address: Its address on the private network; 127.0.0.1 where it is on none.

    Raises:
        CommandError: It did not boot; the message holds what its console showed.
        ValueError: It can't have this name.
    """

    def __init__(
        self,
        name: str = "machine",
        *,
        recipe: rootfs.Recipe = rootfs.DEBIAN,
        network: net.PrivateNetwork | None = None,
    ) -> None:
        """Boot the container.

        Args:
            name: 1 to 64 letters, digits and hyphens; the only one of it in this process.
            recipe: What is installed.
            network: The private network it is on. By default it shares this machine's network,
                so that its apt reaches the package repositories.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(f"name: {name!r}; allowed: 1 to 64 letters, digits and hyphens")
        self.name = name
        self.network = network
        self._boot: Boot | None = None
        self._disk = Disk(rootfs.prepared(recipe))
        try:
            self._disk.write("etc/hostname", f"{name}\n")
            self._disk.write("etc/hosts", f"127.0.0.1 localhost {name}\n::1 localhost\n")
            if network is None:
                self.address = "127.0.0.1"
            else:
                own = network.new_addresses()
                self.address = own.ipv4
                self._disk.write("etc/resolv.conf", f"nameserver {net.GATEWAY}\n")
                self._disk.write(f"etc/systemd/system/{net.UNIT}", net.unit(own))
                self._disk.enable(net.UNIT)
            self.start()
        except BaseException:
            self.close()
            raise

    # Commands and files

    def run(
        self,
        words: processes.Words,
        *,
        input: str | None = None,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        timeout_seconds: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as root, and wait for it.

        Args:
            words: The command and its arguments; no shell is between.
            input: What it reads from its standard input; nothing by default.
            check: Raise where its exit status is not 0.
            env: Its environment besides PATH; nothing else is in it, as for a service.
            timeout_seconds: How long it may take.

        Raises:
            CommandError: It failed, or it took too long.
        """
        return processes.run(
            [*self.entering(), *words],
            input=input,
            check=check,
            env={"PATH": processes.PATH, **(env or {})},
            timeout_seconds=timeout_seconds,
        )

    def entering(self) -> list[str]:
        """Return the prefix of a command of this machine that runs the rest in the container."""
        return ["nsenter", "--all", f"--target={self._running().leader}"]

    def shell(self, script: str, *, check: bool = True) -> str:
        """Run a shell script in the container, and return its output without trailing newlines."""
        return self.run(["sh", "-c", script], check=check).stdout.rstrip("\n")

    def write(self, path: str, text: str, *, mode: str = "0644") -> None:
        """Write a file in the container, and create its folders."""
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        self.run(["sh", "-c", script, "sh", path, mode], input=text)

    def read(self, path: str) -> str:
        """Read a file in the container."""
        return self.run(["cat", path]).stdout

    def exists(self, path: str) -> bool:
        """Return whether a path exists in the container, even as a broken link."""
        script = '[ -e "$1" ] || [ -L "$1" ]'
        return self.run(["sh", "-c", script, "sh", path], check=False).returncode == 0

    # systemd

    def state(self, unit: str) -> str:
        """Return a unit's state from ``systemctl is-active``, such as ``active`` or ``failed``."""
        return self.run(["systemctl", "is-active", unit], check=False).stdout.strip()

    def property(self, unit: str, name: str) -> str:
        """Return a property of a unit, such as ``MainPID`` or ``NRestarts``."""
        words = ["systemctl", "show", "--value", f"--property={name}", unit]
        return self.run(words).stdout.strip()

    def journal(self, unit: str) -> list[str]:
        """Return the journal of a unit since the boot, oldest line first."""
        # What was written a moment ago may still be on its way to the file.
        self.run(["journalctl", "--sync"])
        words = ["journalctl", f"--unit={unit}", "--output=cat", "--no-pager", "--quiet"]
        return self.run([*words, "--boot"]).stdout.splitlines()

    # Its life

    def start(self) -> None:
        """Boot, and wait until systemd has started all units."""
        if self.network is None:
            options = ["--resolv-conf=copy-host"]
            entering = self._disk.namespace.entering()
        else:
            options = [f"--network-bridge={net.BRIDGE}", "--resolv-conf=off"]
            entering = [
                *self.network.namespace.entering(),
                *self._disk.namespace.entering(),
            ]
        self._boot = Boot(self.name, self._disk.root, entering=entering, options=options)
        done = self.run(
            ["systemctl", "is-system-running", "--wait"], check=False, timeout_seconds=BOOT_SECONDS
        )
        if done.stdout.strip() not in _STARTED:
            raise CommandError(f"{self.name} is {done.stdout.strip()}\n{done.stderr}")

    def reboot(self) -> None:
        """Reboot, as ``systemctl reboot`` does."""
        self._end("reboot", REBOOT_WANTED)
        self.start()

    def power_off(self) -> None:
        """Shut down; ``start`` boots again, with the same files."""
        self._end("poweroff", POWERED_OFF)

    def crash(self) -> None:
        """Cut the power; ``start`` boots again, with the same files."""
        self._running().close()
        self._boot = None

    def close(self) -> None:
        """Kill the container, and delete its files."""
        try:
            if self._boot is not None:
                self.crash()
        finally:
            self._disk.close()

    def _end(self, how: str, expected: int) -> None:
        self.run(["systemctl", "--no-block", how])
        self._running().await_end(expected)
        self._boot = None

    def _running(self) -> Boot:
        if self._boot is None:
            raise CommandError(f"{self.name} does not run")
        return self._boot
