"""A process that says one thing, and waits."""

import sys
import time

if __name__ == "__main__":
    print(sys.argv[1], flush=True)
    time.sleep(600)
