"""A process that says one thing, and waits."""

import sys
import time

print(sys.argv[1], flush=True)
time.sleep(600)
