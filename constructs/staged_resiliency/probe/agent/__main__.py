"""Run the agent: ``python -m staged_resiliency.probe.agent --configuration FILE``."""

import sys

from .main import main

sys.exit(main(sys.argv[1:]))
