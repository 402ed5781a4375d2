"""Runs in a container: takes many samples of a check with the installed agent.

``python3 -I sampling.py AGENT CLASS SETTINGS COUNT`` prints how often each result occurred.
"""

import json
import sys
from collections import Counter


def main(agent: str, kind: str, settings: str, count: str) -> None:
    """Take samples, four at a time, and print the results as JSON."""
    sys.path.insert(0, agent)
    from resiliency_probe import checks, server_checks  # type: ignore[import-not-found]
    from resiliency_probe.attempt import Attempt, Failure, Tools  # type: ignore[import-not-found]
    from resiliency_probe.loop import Loop  # type: ignore[import-not-found]

    check = getattr(server_checks, kind, None) or getattr(checks, kind)
    loop = Loop()
    tools = Tools(loop)
    results: Counter[str] = Counter()
    left = int(count)

    def sample() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            loop.start(check(**json.loads(settings)).run(Attempt(tools)), 5, done)

    def done(answer: object, error: Exception | None) -> None:
        results[str(answer if error is None else Failure.from_error(error))] += 1
        loop.call_soon(loop.stop if sum(results.values()) == int(count) else sample)

    for _ in range(4):
        loop.call_soon(sample)
    loop.run()
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
