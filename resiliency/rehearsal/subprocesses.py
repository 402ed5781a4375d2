"""The processes of one rehearsal: started, monitored, and ended together."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from resiliency.errors import UserError

_END_SECONDS: Final = 5.0
_LAST_LINES: Final = 5
_LINE_BYTES: Final = 1 << 20


class RehearsalError(UserError):
    """A rehearsal can't go on, such as when a process of it ended; the message says why."""


class ManagedProcess:
    """One process."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.pid = process.pid
        self.expected_to_end = False
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process = process

    async def follow(self, on_line: Callable[[str], None]) -> None:
        """Pass on each line that the process prints, until it ends.

        Raises RehearsalError with the last lines if it ended unexpectedly.
        """
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        async for line in self._process.stdout:
            text = line.decode(errors="backslashreplace").rstrip()
            self.last_lines.append(text)
            on_line(text)
        status = await self._process.wait()
        if not self.expected_to_end:
            raise RehearsalError(_unexpected(self.name, self.pid, status, self.last_lines))

    def signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """Kill the process, and wait until it has ended."""
        self.expected_to_end = True
        self.signal(signal.SIGKILL)
        await self._process.wait()


class ManagedProcesses:
    """Child processes that end when this process ends.

    ``lost`` gets a message when one of them ended unexpectedly.
    """

    def __init__(self, lost: Callable[[str], None]) -> None:
        self._lost = lost
        self._running: dict[asyncio.Task[None], ManagedProcess] = {}

    async def start(
        self,
        name: str,
        module: str,
        *arguments: str,
        environment: dict[str, str] | None = None,
        pass_files: Sequence[int] = (),
        on_line: Callable[[str], None] = lambda line: None,
        stdin: bytes | None = None,
    ) -> ManagedProcess:
        """Start a module as a process, with an environment in addition to that of this process.

        It inherits the file descriptors ``pass_files``; ``on_line`` gets each line that it prints.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "resiliency.rehearsal.subprocess_entry", str(os.getpid()), module, *arguments),
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            pass_fds=pass_files,
            limit=_LINE_BYTES,
            # Ctrl-C goes to the command alone, which ends the others in order.
            start_new_session=True,
        )
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        started = ManagedProcess(name, process)
        task = asyncio.get_running_loop().create_task(started.follow(on_line))
        self._running[task] = started
        task.add_done_callback(self._ended)
        return started

    async def close(self, *, gently: bool = False) -> None:
        """End all processes; ``gently`` gives them some seconds to end what they started."""
        for process in self._running.values():
            process.expected_to_end = True
        for number in (signal.SIGTERM, signal.SIGKILL) if gently else (signal.SIGKILL,):
            for process in self._running.values():
                process.signal(number)
            if self._running:
                await asyncio.wait(list(self._running), timeout=_END_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RehearsalError):
            self._lost(str(error))
        elif error is not None:
            self._lost(f"a process can't be monitored: {error!r}")


def _unexpected(name: str, pid: int, status: int, last_lines: Sequence[str]) -> str:
    if status < 0:  # its last lines say nothing about who ended it
        return f"{name} (process {pid}) was ended by signal {signal.Signals(-status).name}"
    output = "; ".join(last_lines) or "it printed nothing"
    return f"{name} (process {pid}) ended with status {status}: {output}"
