"""The processes of one rehearsal: started, watched, and ended together."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

_END_SECONDS: Final = 5.0
_LAST_LINES: Final = 5
_LINE_BYTES: Final = 1 << 20


class ManagedProcessError(Exception):
    """A process ended that should have run on; the message says which, and its last words."""


class ManagedProcess:
    """One process.

    Attributes:
        name: What messages call it.
        pid: Its process id.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.pid = process.pid
        self.expected_to_end = False
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process = process

    async def watch(self, tell: Callable[[str], None]) -> None:
        """Tell each line that it prints, until it ends.

        Raises:
            ChildError: It ended unexpectedly.
        """
        assert self._process.stdout is not None  # noqa: S101 - it was started with a pipe
        async for line in self._process.stdout:
            text = line.decode(errors="backslashreplace").rstrip()
            self.last_lines.append(text)
            tell(text)
        status = await self._process.wait()
        if not self.expected_to_end:
            raise ManagedProcessError(_unexpected(self.name, self.pid, status, self.last_lines))

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End it at once, and wait until it has."""
        self.expected_to_end = True
        self.signal(signal.SIGKILL)
        await self._process.wait()


class ManagedProcesses:
    """Processes that end with this one.

    Args:
        lost: Told when one of them ended unexpectedly.
    """

    def __init__(self, lost: Callable[[ManagedProcessError], None]) -> None:
        self._lost = lost
        self._watching: dict[asyncio.Task[None], ManagedProcess] = {}

    async def start(
        self,
        name: str,
        module: str,
        *arguments: str,
        environment: dict[str, str] | None = None,
        pass_files: Sequence[int] = (),
        tell: Callable[[str], None] = lambda line: None,
        given: bytes | None = None,
    ) -> ManagedProcess:
        """Start a module as a process.

        Args:
            name: What messages call it.
            module: The module.
            *arguments: Its arguments.
            environment: Variables beside those of this process.
            pass_files: Numbers of open files that it inherits.
            tell: Told each line that it prints.
            given: What it reads from its standard input.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "resiliency.rehearsal.subprocess_entry", str(os.getpid()), module, *arguments),
            stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            pass_fds=pass_files,
            limit=_LINE_BYTES,
            # Ctrl-C is for the command alone, which ends the others in order.
            start_new_session=True,
        )
        if given is not None and process.stdin is not None:
            process.stdin.write(given)
            process.stdin.close()
        child = ManagedProcess(name, process)
        task = asyncio.get_running_loop().create_task(child.watch(tell))
        self._watching[task] = child
        task.add_done_callback(self._ended)
        return child

    async def close(self, *, gently: bool = False) -> None:
        """End all of them.

        Args:
            gently: Let them end what they started, for some seconds.
        """
        for child in self._watching.values():
            child.expected_to_end = True
        for number in (signal.SIGTERM, signal.SIGKILL) if gently else (signal.SIGKILL,):
            for child in self._watching.values():
                child.signal(number)
            if self._watching:
                await asyncio.wait(list(self._watching), timeout=_END_SECONDS)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._watching.pop(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ManagedProcessError):
            self._lost(error)
        elif error is not None:
            self._lost(ManagedProcessError(f"a process can't be watched: {error!r}"))


def _unexpected(name: str, pid: int, status: int, last_lines: Sequence[str]) -> str:
    if status < 0:  # what it said before tells nothing about who ended it
        return f"{name} (process {pid}) was ended by signal {signal.Signals(-status).name}"
    words = "; ".join(last_lines) or "it printed nothing"
    return f"{name} (process {pid}) ended with status {status}: {words}"
