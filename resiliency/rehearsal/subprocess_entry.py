"""Runs a module as a process of the rehearsal that never outlives its parent.

``python -m resiliency.rehearsal.subprocess_entry PARENT MODULE ARGUMENT...``
"""

import ctypes
import os
import runpy
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""Source: linux/prctl.h, prctl(2)."""


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end now if it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the rehearsal has ended")


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    module = sys.argv[2]
    sys.argv[:] = sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
