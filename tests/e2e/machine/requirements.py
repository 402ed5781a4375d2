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
"""Programs that are run outside the container, and the Debian package of each."""


def missing() -> str | None:
    """Why no container can be booted here, or None where it can."""
    packages = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    if packages:
        return f"not installed: {', '.join(packages)}"
    if os.geteuid() != 0:
        return "booting a container takes root"
    return None
