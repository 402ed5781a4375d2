"""A control group for each container, below which its systemd creates those of services."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_MINE: Final = Path("/proc/self/cgroup")


class ControlGroups:
    """The directories of one container, one in each hierarchy that systemd uses.

    systemd-nspawn with ``--keep-unit`` moves itself and the container below the group in which it
    was started, so two of them must not start in the same one.
    """

    def __init__(self, name: str) -> None:
        """Choose names with this process's id, so that parallel test runs do not collide."""
        self._parents = _parents()
        self.directories = [parent / f"machine-{os.getpid()}-{name}" for parent in self._parents]

    def make(self) -> None:
        """Create them, and remove those of test runs that were killed."""
        for parent in self._parents:
            for left in parent.glob("machine-*-*"):
                if not Path("/proc", left.name.split("-")[1]).exists():
                    with suppress(OSError):  # still ending; the next one removes it
                        _remove(left, patience_seconds=0)
        self.remove()
        for directory in self.directories:
            directory.mkdir()

    def remove(self) -> None:
        """Remove them; their processes must have ended."""
        for directory in self.directories:
            _remove(directory)


def _parents() -> list[Path]:
    """Return this process's groups, in cgroup2 and in systemd's named hierarchy of version 1."""
    mine: dict[str, str] = {}
    for line in _MINE.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        mine[controllers] = path.lstrip("/")
    parents = []
    for line in _MOUNTS.read_text().splitlines():
        before, _, after = line.partition(" - ")
        place, (kind, _, options) = Path(before.split()[4]), after.split()[:3]
        if kind == "cgroup2":
            parents.append(place / mine.get("", ""))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            parents.append(place / mine.get("name=systemd", ""))
    if not parents:
        raise OSError("neither cgroup2 nor systemd's cgroup hierarchy is mounted here")
    return parents


def _remove(directory: Path, *, patience_seconds: float = 5) -> None:
    below = [path for path in directory.glob("**/") if path.is_dir()]
    for path in sorted(below, key=lambda path: len(path.parts), reverse=True):
        _remove_when_empty(path, patience_seconds)


def _remove_when_empty(directory: Path, patience_seconds: float) -> None:
    # A process that was killed leaves its group a moment after its parent is notified.
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
