"""Commands outside the container, and children that die with this process."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where systemd lets services look for programs (systemd.exec(5), environment variables)."""

Words = Sequence[str | Path]


class CommandError(Exception):
    """A command failed; the message has its output."""


def dying_with_us(*words: str | Path) -> list[str]:
    """Prefix a command so that the kernel sends it SIGTERM when the thread that started it ends."""
    return ["setpriv", "--pdeathsig", "TERM", *map(str, words)]


def run(
    words: Words,
    *,
    input: str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    timeout_seconds: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a command, and wait for it.

    Args:
        words: The command and its arguments; no shell is between.
        input: What it reads from its standard input; nothing by default.
        check: Raise where its exit status is not 0.
        env: Its environment, by default that of this process.
        timeout_seconds: How long it may take.

    Raises:
        CommandError: It failed, or it took too long.
    """
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            env=env,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(
            f"{' '.join(command)}: not done after {timeout_seconds} s\n{error.stdout!r}"
        ) from error
    if check and done.returncode != 0:
        raise CommandError(
            f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done
