"""What the failover-time model costs: the command, and objectives when a service file is checked.

    python benchmarks/timing.py
    python benchmarks/timing.py --rounds 11

Whole processes, in turns within one run, as processor time of each (user and system): that of a
busy machine is longer for others, too, so the ratios are what to quote. 10,000 outages are played
through for each fault of the example that anything shows, which is 20,000 of them.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "services" / "bookstore.yaml"
COMMAND = (
    sys.executable,
    "-c",
    "import sys; from resiliency.cli import main; sys.exit(main())",
)
OBJECTIVES = {
    "check, without an objective": None,
    "check, objective that is met": "{ recovery_time_seconds: 600, faults: [host] }",
    "check, objective that is missed": "{ recovery_time_seconds: 300 }",
    "check, objective that nothing meets": "{ recovery_time_seconds: 20 }",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        templates = Path(folder) / "templates"
        synthesize(templates)
        groups: list[Mapping[str, Sequence[str]]] = [
            {
                f"timing, {count:,} outage(s) per fault": (
                    "timing",
                    str(templates),
                    "--outages",
                    str(count),
                )
                for count in (1, 2_000, 10_000)
            },
            {
                name: ("check", str(service_file(Path(folder) / f"{number}.yaml", objective)))
                for number, (name, objective) in enumerate(OBJECTIVES.items())
            },
        ]
        for group in groups:
            Console().print(measured(group, options.rounds))


def synthesize(folder: Path) -> None:
    """The example's templates, as the CDK CLI would have them written."""
    subprocess.run(
        [sys.executable, "-O", "app.py"],
        cwd=ROOT,
        env={**os.environ, "CDK_OUTDIR": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def service_file(file: Path, objective: str | None) -> Path:
    """The example with an objective."""
    text = EXAMPLE.read_text(encoding="utf-8")
    if objective is not None:
        text = text.replace("    active: blue\n", f"    active: blue\n    objective: {objective}\n")
    file.write_text(text, encoding="utf-8")
    return file


def measured(commands: Mapping[str, Sequence[str]], rounds: int) -> Table:
    """Processor time of each command, and its ratio to the first, pair by pair."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            seconds[name].append(processor_seconds(words))
    table = Table(title=f"processor time, median of {rounds} rounds", title_justify="left")
    for heading in ("", "s", "(min to max)", "ratio"):
        table.add_column(heading, justify="left" if not heading else "right")
    first = next(iter(seconds.values()))
    for name, taken in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(taken, first, strict=True))
        table.add_row(
            name,
            f"{statistics.median(taken):.2f}",
            f"{min(taken):.2f} to {max(taken):.2f}",
            f"{ratio:.2f}",
        )
    return table


def processor_seconds(words: Sequence[str]) -> float:
    """User and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*COMMAND, *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
