"""The probe's agent as it is installed: its sources without documentation, and their digest."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from staged_resiliency.probe.bare_source import bare_source

PACKAGE: Final = "resiliency_probe"
"""What the package is called on an instance, where ``staged_resiliency`` is not installed."""

_AGENT: Final = Path(__file__).parent / "agent"
# Writes no bytecode, also for who runs it by hand: the folder holds what it should, or is mended.
_LAUNCHER: Final = f"""import runpy
import sys

sys.dont_write_bytecode = True
runpy.run_module("{PACKAGE}", run_name="__main__")
"""


def agent_files() -> Mapping[str, str]:
    """The agent's files by their path in the directory that is installed.

    ``python3 -I -B DIRECTORY`` runs the agent.
    """
    return _files(_AGENT)


def agent_digest() -> str:
    """Twelve hexadecimal digits over the agent's files, by which a version of it is known.

    It is the digest of what ``sha256sum`` says of the files, so that an instance can tell whether
    somebody changed them.

    >>> len(agent_digest())
    12
    """
    sums = sorted(
        f"{sha256(content.encode()).hexdigest()}  ./{path}\n"
        for path, content in agent_files().items()
    )
    return sha256("".join(sums).encode()).hexdigest()[:12]


@cache
def _files(agent: Path) -> Mapping[str, str]:
    sources = {path.relative_to(agent).as_posix(): path for path in sorted(agent.rglob("*.py"))}
    package = {
        f"{PACKAGE}/{path}": bare_source(source.read_text(encoding="utf-8"))
        for path, source in sources.items()
    }
    return MappingProxyType({"__main__.py": _LAUNCHER, **package})
