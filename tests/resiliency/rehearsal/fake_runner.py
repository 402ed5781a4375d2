"""A runner that starts nothing: it reports at once what a run would have shown.

The run's seed selects what it does: 0 reports a run that passes, 1 one that fails, 2 reports a
problem, 3 ends with an error, 4 waits forever.
"""

import json
import pickle
import sys
import time

from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.expectations import RunSpec


def report(*what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def play(spec: RunSpec) -> None:
    """Report a run."""
    active, standby = spec.deployment.active.name, spec.deployment.standby.name
    record = spec.deployment.pair.name
    if spec.seed == 2:
        report("problem", "moto's server (process 7) was ended by signal SIGKILL")
        sys.exit(1)
    if spec.seed == 3:
        sys.exit("RuntimeError: out of luck")
    if spec.seed == 4:
        report("began", 1000.0, "start")
        time.sleep(600)
    sys.stdout.write("a line of somebody else's\n")
    client = Settings(record, "A", ("127.0.0.1", 53), {"192.0.2.1": ("127.0.0.2", 80)}, "/")
    report("reachable", client.to_json(), Clock(spec.scale, 0.0, 1000.0, 0.0).to_json())
    report("began", 1000.0, "steady state")
    report("seen", 1000.5, "alarm", "bookstore-api-blue-StatusCheckFailed", "OK", "")
    report("seen", 1009.0, "client", record, active, "")
    report("ended", 1010.0, "steady state")
    report("began", 1010.0, "fault")
    report("seen", 1010.0, "fault", "host stopped", "injected", "")
    report("seen", 1010.1, "client", record, "no answer", "")
    for expected in spec.plan.hypothesis if spec.seed == 0 else ():
        alarm = getattr(expected, "alarm", None)
        if type(expected).__name__ == "AlarmFires":
            report("seen", 1011.0, "alarm", alarm, "ALARM", "")
            report("seen", 1011.5, "message", alarm, "ALARM", "")
        elif type(expected).__name__ == "AlarmQuiet":
            report("seen", 1011.0, "alarm", alarm, "OK", "")
    if spec.seed == 0 and any(
        type(each).__name__ == "ClientsMove" for each in spec.plan.hypothesis
    ):
        for at in (1012.0, 1012.1, 1012.2):
            report("seen", at, "client", record, standby, "")
    if spec.plan.scenario.name in ("endpoint-hangs", "both-stop"):
        report("seen", 1010.2, "client", record, "no answer", "")
    report("ended", 1020.0, "fault")
    report("began", 1020.0, "recovery")
    for expected in spec.plan.hypothesis:
        if type(expected).__name__ == "AlarmRecovers":
            alarm = expected.alarm  # type: ignore[union-attr]
            report("seen", 1022.0, "alarm", alarm, "OK", "")
            report("seen", 1022.5, "message", alarm, "OK", "")
    for at in (1023.0, 1023.1, 1023.2):
        report("seen", at, "client", record, active, "")
    report("ended", 1030.0, "recovery")
    report("done", 1010.0, 1020.0, 1030.0)


if __name__ == "__main__":
    play(pickle.load(sys.stdin.buffer))
