"""Asks a blackbox exporter for probes at a steady pace, as Prometheus would.

    python -m benchmarks.probing.exporter_client EXPORTER_PORT TARGET_PORT TARGETS SECONDS

Prints a line when it begins and, at the end, how many probes it asked for, how many of them
succeeded and how late the latest was asked for. With ``--flat-out`` it asks as fast as it gets
answers.
"""

import argparse
import http.client
import json
import sys
import threading
import time
from typing import Final

from benchmarks.probing.scale_targets import address

CONNECTIONS: Final = 8
INTERVAL_SECONDS: Final = 10


class Tally:
    """The results of one connection's thread."""

    def __init__(self) -> None:
        self.asked = 0
        self.succeeded = 0
        self.latest = 0.0


def main() -> None:
    """Probe, and print the results."""
    parser = argparse.ArgumentParser()
    for name in ("exporter_port", "target_port", "targets", "seconds"):
        parser.add_argument(name, type=int)
    parser.add_argument("--flat-out", action="store_true")
    options = parser.parse_args()
    tallies = [Tally() for _ in range(CONNECTIONS)]
    begin = time.monotonic() + 0.2
    threads = [
        threading.Thread(target=ask, args=(options, number, begin, tally))
        for number, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    for thread in threads:
        thread.join()
    json.dump(
        {
            "asked": sum(tally.asked for tally in tallies),
            "succeeded": sum(tally.succeeded for tally in tallies),
            "latest": max(tally.latest for tally in tallies),
        },
        sys.stdout,
    )


def ask(options: argparse.Namespace, number: int, begin: float, tally: Tally) -> None:
    """Ask for every eighth target over one kept connection, each at its own phase."""
    connection = http.client.HTTPConnection("127.0.0.1", options.exporter_port, timeout=30)
    end = begin + options.seconds
    while True:
        for target in range(number, options.targets, CONNECTIONS):
            due = begin + INTERVAL_SECONDS * target / options.targets
            now = time.monotonic()
            if (now if options.flat_out else due) >= end:
                return
            if not options.flat_out:
                time.sleep(max(0.0, due - now))
                tally.latest = max(tally.latest, time.monotonic() - due)
            path = f"/probe?target={address(target)}:{options.target_port}&module=tcp_connect"
            connection.request("GET", path)
            body = connection.getresponse().read()
            tally.asked += 1
            tally.succeeded += b"\nprobe_success 1" in body
        begin += INTERVAL_SECONDS


if __name__ == "__main__":
    main()
