"""The whole application, for an app.py of a few lines: service files in, stacks out."""

import gc
import re
import sys
from pathlib import Path

from .startup import prepare_node

gc.disable()  # one short run that frees nothing worth collecting: benchmarks/README.md
prepare_node()

from resiliency.service_file import ServiceFileError, load  # noqa: E402
from resiliency.service_file.loader import DEFAULT_PATH  # noqa: E402

from .application import add_stacks, new_app  # noqa: E402 (starts Node)

TOO_MANY_RESOURCES = re.compile(
    r"Number of resources in stack '[^']+': \d+ is greater than allowed maximum of \d+"
)


def synthesize() -> None:
    """Synthesize the stacks of every service file, or print why it can't be done.

    The CDK CLI starts the process. Service files are in `services/`, or where its option
    `-c services=PATH` says.
    """
    app = new_app()
    try:
        services = load(Path(app.node.try_get_context("services") or DEFAULT_PATH))
    except ServiceFileError as error:
        sys.exit(str(error))
    add_stacks(app, services)
    try:
        app.synth()
    except RuntimeError as error:  # the class of every error that the CDK throws in Node
        refusal = TOO_MANY_RESOURCES.search(str(error))
        if refusal is None:
            raise
        sys.exit(refusal[0])
    gc.freeze()  # the interpreter would collect once more at its end
