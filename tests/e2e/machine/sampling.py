"""Runs in a container: takes many samples of a check with the installed agent.

``python3 -I sampling.py AGENT CLASS SETTINGS COUNT`` prints how often each result occurred.
"""

import json
import sys
from collections import Counter
from importlib import import_module


def main(agent: str, kind: str, settings: str, count: str) -> None:
    """Take samples, four at a time, and print the results as JSON."""
    sys.path.insert(0, agent)
    names = ("attempt", "checks", "loop", "server_checks")
    attempt, checks, loops, server_checks = (import_module(f"resiliency_probe.{n}") for n in names)

    check = getattr(server_checks, kind, None) or getattr(checks, kind)
    loop = loops.Loop()
    tools = attempt.Tools(loop)
    results: Counter[str] = Counter()
    left = int(count)

    def sample() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            loop.start(check(**json.loads(settings)).run(attempt.Attempt(tools)), 5, done)

    def done(answer: object, error: Exception | None) -> None:
        results[str(answer if error is None else attempt.Failure.from_error(error))] += 1
        loop.call_soon(loop.stop if sum(results.values()) == int(count) else sample)

    for _ in range(4):
        loop.call_soon(sample)
    loop.run()
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
