"""Whether this machine can boot containers at all."""

import os
import shutil
from typing import Final

PROGRAMS: Final = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "setpriv": "util-linux",
}
"""Programs that run outside the container, with their Debian packages."""


def missing() -> str | None:
    """Return why this machine can't boot containers, or None if it can."""
    packages = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    if packages:
        return f"not installed: {', '.join(packages)}"
    if os.geteuid() != 0:
        return "booting a container takes root"
    return None
