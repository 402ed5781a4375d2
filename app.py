"""The CDK application: service files in, stacks out."""

import os
import sys
from pathlib import Path

# Node comes with the virtual environment; jsii reads this when aws_cdk is imported.
os.environ.setdefault("JSII_NODE", str(Path(sys.executable).with_name("node")))

from aws_cdk import App, DefaultStackSynthesizer

from stacks import add_stacks
from staged_resiliency.service import ServiceFileError, load


def main() -> None:
    """Synthesize the stacks of every service file, or say what is wrong with the files."""
    app = App(
        analytics_reporting=False,
        # The CLI checks the bootstrap version by itself; in templates the check is only noise.
        default_stack_synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    try:
        services = load(Path(app.node.try_get_context("services") or "services"))
    except ServiceFileError as error:
        sys.exit(str(error))
    add_stacks(app, services)
    app.synth()


if __name__ == "__main__":
    main()
