"""The two contenders: the recipe's loops and the agent, as processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.probing import processes

NAMESPACE: Final = "Bookstore"
RECIPE: Final = Path(__file__).resolve().parent.parent / "recipe"
# What systemd gives a service, and nothing of the shell that runs the bench.
ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
WATCHDOG_SECONDS: Final = 30  # as in the agent's unit file
_GLANCE_SECONDS: Final = 0.05
_READY_SECONDS: Final = 120
# The agent ends within 5 s of SIGTERM.
_END_SECONDS: Final = 10


def missing_for_recipe() -> Sequence[str]:
    """Return the Debian packages that the recipe needs and that are not installed."""
    packages = {"aws": "awscli", "nc": "netcat-openbsd"}
    return [
        package
        for tool, package in packages.items()
        if not shutil.which(tool, path=ENVIRONMENT["PATH"])
    ]


class Loop:
    """One of the recipe's loops.

    Args:
        script: Its file in benchmarks/recipe.
        settings: Variables of the script.
        metadata_url: Where the AWS CLI finds the instance's role.
        log: Where its output goes.
    """

    def __init__(
        self, script: str, settings: Mapping[str, str], metadata_url: str, log: Path
    ) -> None:
        environment = {
            **ENVIRONMENT,
            "HOME": "/nonexistent",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{metadata_url}/",
            "NAMESPACE": NAMESPACE,
            **settings,
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/bash", RECIPE / script],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def close(self) -> None:
        """End the loop and what it has started."""
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class MemoryWatch:
    """Watches the memory of some loops together, their CLIs included.

    Attributes:
        peak: The most at any glance, in MB.
        lowest: The least, between two samples, in MB.
    """

    def __init__(self, pids: Sequence[int]) -> None:
        self.peak = 0.0
        self.lowest = float("inf")
        self._pids = pids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_GLANCE_SECONDS):
            now = sum(map(processes.tree_megabytes, self._pids))
            self.peak = max(self.peak, now)
            self.lowest = min(self.lowest, now)


class Agent:
    """The agent, started as systemd starts it.

    Args:
        folder: A folder of its own.
        targets: As in its configuration.
        endpoint_url: Where metrics go.
        metadata_url: The instance metadata service, which names region, host and credentials.

    Attributes:
        start_up_cpu: Seconds of CPU until it said that it was ready.
        start_up: Seconds until then.
    """

    def __init__(
        self,
        folder: Path,
        targets: Sequence[Mapping[str, object]],
        endpoint_url: str,
        metadata_url: str,
    ) -> None:
        folder.mkdir()
        state = folder / "state"
        state.mkdir()
        configuration = folder / "configuration.json"
        configuration.write_text(
            json.dumps(
                {
                    "service": "bookstore",
                    "namespace": NAMESPACE,
                    "endpoint_url": endpoint_url,
                    "targets": targets,
                }
            ),
            encoding="utf-8",
        )
        self._log = folder / "log"
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(str(folder / "notify"))
        self._notices.settimeout(_READY_SECONDS)
        begin = time.monotonic()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-m", "staged_resiliency.probe.agent"),
                    *("--configuration", configuration),
                    *("--state", state),
                    *("--metadata-url", metadata_url),
                ],
                env={
                    **ENVIRONMENT,
                    "NOTIFY_SOCKET": str(folder / "notify"),
                    "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid
        self._wait_until_ready()
        self.start_up = time.monotonic() - begin
        self.start_up_cpu = processes.cpu_seconds(self.pid)

    def log(self) -> str:
        """Return its output."""
        return self._log.read_text(encoding="utf-8")

    def close(self) -> None:
        """Stop the agent, and wait for its end."""
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._notices.close()

    def _wait_until_ready(self) -> None:
        threading.Thread(target=self._say_when_it_ends, daemon=True).start()
        while True:
            notice = self._notices.recv(4096)
            if b"READY=1" in notice.split(b"\n"):
                break
            if notice == b"ENDED=1":
                raise RuntimeError(f"the agent ended by itself:\n{self.log()}")
        # Notices of the watchdog are nobody's business here, but must not fill the socket.
        threading.Thread(target=self._swallow, daemon=True).start()

    def _say_when_it_ends(self) -> None:
        self._process.wait()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notice:
            try:
                notice.sendto(b"ENDED=1", self._notices.getsockname())
            except OSError:  # nobody listens any more
                return

    def _swallow(self) -> None:
        try:
            self._notices.settimeout(None)
            while self._notices.recv(4096) != b"ENDED=1":
                pass
        except OSError:
            return
