"""docs/drill-command.md shows what the command really prints."""

import functools
from dataclasses import replace

import pytest

from tests import journals
from tests.fake_aws import plans
from tests.fake_aws.command import NOW, phase_record
from tests.resiliency.drill_cli.conftest import Drill
from tests.support import ROOT


def run_that_passes(drill: Drill) -> None:
    """A run in which all went well, with its journal."""
    script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
    name = "by-hand-20261103T193000Z-5e0c8d21"
    run = drill.aws.begin("shutdown", name)
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
        drill.aws.service.after(each[0] - NOW, functools.partial(drill.aws.put, key, text))
    drill.aws.service.after(617, lambda: drill.aws.record(journals.run_of(script), name))


def shown(drill: Drill, *words: str, status: int = 0) -> str:
    printed = drill(*words, status=status).out
    return "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())


@pytest.mark.slow
def test_every_output_in_the_document_is_the_commands_own(drill: Drill) -> None:
    for each in journals.drill_runs(3):
        if each["experiment"] in drill.aws.machines:
            drill.aws.record(each, each["run_id"])
    outputs = [
        shown(drill, "list"),
        shown(drill, "preview", "shutdown"),
        shown(drill, "report", "shutdown", "--last", "3"),
    ]
    run_that_passes(drill)
    outputs.append(shown(drill, "follow"))

    def interrupt() -> None:
        raise KeyboardInterrupt

    drill.aws.runs.clear()
    drill.aws.service.now = NOW
    run_that_passes(drill)
    drill.aws.service.after(45, interrupt)
    interrupted = shown(drill, "follow", status=1)
    outputs.append(interrupted[interrupted.index("No longer followed") :])
    document = (ROOT / "docs" / "drill-command.md").read_text(encoding="utf-8")
    for output in outputs:
        assert f"```\n{output}\n```" in document
