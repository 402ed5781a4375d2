"""This machine's apt settings, for the root file system to reach the same repositories."""

import os
import re
from pathlib import Path
from typing import Final

from tests.e2e.machine.processes import run

KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEBIAN: Final = (
    Path("/etc/apt/sources.list"),
    Path("/etc/apt/sources.list.d/debian.sources"),
)
"""Debian's own list of repositories; other files in the folder are not Debian's."""

_KEPT: Final = re.compile(
    r"^(Acquire::https?::Proxy\S*|Acquire::Check-Valid-Until|Acquire::Check-Date"
    r"|Acquire::Retries) \"(.*)\";$"
)


def sources(suite: str) -> list[str]:
    """Return this machine's sources if it runs the same Debian, else Debian's default ones."""
    own = [
        str(path)
        for path in _DEBIAN
        if path.exists() and re.search(rf"\b{suite}\b", path.read_text(encoding="utf-8"))
    ]
    if own:
        return own
    signed = f"[signed-by={KEYRING}]"
    return [
        f"deb {signed} http://deb.debian.org/debian {suite} main",
        f"deb {signed} http://deb.debian.org/debian {suite}-updates main",
        f"deb {signed} http://deb.debian.org/debian-security {suite}-security main",
    ]


def options() -> list[str]:
    """Return this machine's proxy and verification settings as apt options."""
    found = [
        f'{match[1]} "{match[2]}"'
        for line in run(["apt-config", "dump"]).stdout.splitlines()
        if (match := _KEPT.match(line)) and match[2]
    ]
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy")
        if proxy:
            found.append(f'Acquire::{scheme}::Proxy "{proxy}"')
    return found
