"""The subcommands of `resiliency`, one module each: its arguments, and what it runs.

Each module has a function ``add``, which adds its arguments, and a function ``run``, which returns
the exit status. The modules load only argparse; ``run`` loads the rest, so that no command waits
for the packages of another one.
"""

import argparse
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
