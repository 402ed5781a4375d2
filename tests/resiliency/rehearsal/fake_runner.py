"""A runner that plays nothing: it tells at once what a run would have shown.

What it does is the name of the run's seed: 0 tells a run that holds, 1 one that does not, 2 reports
a problem, 3 ends without a word, 4 waits for ever.
"""

import json
import pickle
import sys
import time

from resiliency.rehearsal.client_process import Settings
from resiliency.rehearsal.clock import Clock
from resiliency.rehearsal.scenarios import RunSpec


def tell(*what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def play(order: RunSpec) -> None:
    """Tell it."""
    active, standby = order.deployment.active.name, order.deployment.standby.name
    record = order.deployment.pair.name
    if order.seed == 2:
        tell("problem", "moto's server (process 7) was ended by signal SIGKILL")
        sys.exit(1)
    if order.seed == 3:
        sys.exit("RuntimeError: out of luck")
    if order.seed == 4:
        tell("began", 1000.0, "start")
        time.sleep(600)
    sys.stdout.write("a line of somebody else's\n")
    client = Settings(record, "A", ("127.0.0.1", 53), {"192.0.2.1": ("127.0.0.2", 80)}, "/")
    tell("reachable", client.to_json(), Clock(order.scale, 0.0, 1000.0, 0.0).to_json())
    tell("began", 1000.0, "steady state")
    tell("seen", 1000.5, "alarm", "bookstore-api-blue-StatusCheckFailed", "OK", "")
    tell("seen", 1009.0, "client", record, active, "")
    tell("ended", 1010.0, "steady state")
    tell("began", 1010.0, "fault")
    tell("seen", 1010.0, "fault", "host stopped", "injected", "")
    tell("seen", 1010.1, "client", record, "no answer", "")
    for expected in order.hypothesis if order.seed == 0 else ():
        alarm = getattr(expected, "alarm", None)
        if type(expected).__name__ == "AlarmFires":
            tell("seen", 1011.0, "alarm", alarm, "ALARM", "")
            tell("seen", 1011.5, "message", alarm, "ALARM", "")
        elif type(expected).__name__ == "AlarmQuiet":
            tell("seen", 1001.0, "alarm", alarm, "OK", "")
    if order.seed == 0:
        tell("seen", 1012.0, "client", record, standby, "")
    tell("ended", 1020.0, "fault")
    tell("began", 1020.0, "recovery")
    for expected in order.hypothesis:
        if type(expected).__name__ == "AlarmRecovers":
            tell("seen", 1022.0, "alarm", expected.alarm, "OK", "")  # type: ignore[union-attr]
    tell("seen", 1023.0, "client", record, active, "")
    tell("ended", 1030.0, "recovery")
    tell("done", 1010.0, 1020.0, 1030.0)


if __name__ == "__main__":
    play(pickle.load(sys.stdin.buffer))
