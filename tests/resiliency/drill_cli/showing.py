"""What docs/drill-command.md shows, by what it shows it for: made by the command itself."""

import functools
from collections.abc import Mapping
from dataclasses import replace

from tests import journals
from tests.fake_aws import plans
from tests.fake_aws.command import NOW, CommandAccount, phase_record
from tests.resiliency.conftest import Resiliency


def outputs(made: CommandAccount, drill: Resiliency) -> Mapping[str, str]:
    """Each output, by its subcommand."""
    for each in journals.drill_runs(3):
        if each["experiment"] in made.machines:
            made.record(each, each["run_id"])
    shown = {
        "LIST": _printed(drill, "list"),
        "PREVIEW": _printed(drill, "preview", "shutdown"),
        "REPORT": _printed(drill, "report", "shutdown", "--last", "3"),
    }
    _run(made)
    shown["FOLLOW"] = _printed(drill, "follow")

    def interrupt() -> None:
        raise KeyboardInterrupt

    made.runs.clear()
    made.service.now = NOW
    _run(made)
    made.service.after(45, interrupt)
    interrupted = _printed(drill, "follow", status=1)
    shown["CTRLC"] = interrupted[interrupted.index("No longer followed") :]
    return shown


def _run(made: CommandAccount) -> None:
    """A run in which all went well, with its journal."""
    script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
    name = "by-hand-20261103T193000Z-5e0c8d21"
    run = made.begin("shutdown", name)
    run.phase("Preflight", NOW + 1, NOW + 4, message="all checks passed")
    run.phase("Steady state", NOW + 5, NOW + 15, message="bookstore-api-blue serves")
    run.phase("Inject", NOW + 16, NOW + 30, message="experiment EXPA1", experiment="EXPA1")
    run.phase("Observe", NOW + 31, NOW + 300, message="everything expected happened")
    run.phase("End fault", NOW + 301, NOW + 420, message="the experiment is stopped")
    run.phase("Failback", NOW + 421, NOW + 600, message="everything is back to normal")
    run.phase("Steady again", NOW + 601, NOW + 611, message="bookstore-api-blue serves")
    run.phase("Record", NOW + 612, NOW + 615, message="passed")
    run.end("SUCCEEDED", NOW + 616)
    seen = [
        (NOW + 32, "client", plans.RECORD, "no answer"),
        (NOW + 217, "alarm", plans.STATUS_ALARM, "ALARM"),
        (NOW + 252, "dns", plans.RECORD, plans.GREEN_ADDRESS),
        (NOW + 298, "client", plans.RECORD, plans.GREEN),
        (NOW + 510, "alarm", plans.STATUS_ALARM, "OK"),
        (NOW + 568, "client", plans.RECORD, plans.BLUE),
    ]
    for number, each in enumerate(seen):
        key, text = (
            f"runs/shutdown/{name}/phases/{number}.json",
            phase_record("Observe", NOW, [each]),
        )
        made.service.after(each[0] - NOW, functools.partial(made.put, key, text))
    made.service.after(617, lambda: made.record(journals.run_of(script), name))


def _printed(drill: Resiliency, *words: str, status: int = 0) -> str:
    printed = drill(*words, status=status).out
    return "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
