"""Journals as rehearsals and drills of the example write them, made from observations.

Nothing here is judged by hand: observations are scripted, and the verdict, the measures and the
journal are what ``staged_resiliency.experiment`` makes of them.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from staged_resiliency.experiment.expectations import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    ClientsMove,
    ClientsReturn,
    ClientsServed,
    ClientsStay,
    Expectation,
    Hypothesis,
)
from staged_resiliency.experiment.journal import (
    Phase,
    RunInfo,
    RunResult,
    journal_json,
    journal_of,
)
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.experiment.measures import measure
from staged_resiliency.experiment.observations import NO_ANSWER, Observation, Source
from staged_resiliency.experiment.verdict import Run, aborted, judge

RECORD: Final = "bookstore.pingpublications.com"
BLUE: Final = "bookstore-api-blue"
GREEN: Final = "bookstore-api-green"
BLUE_ADDRESS: Final = "54.213.54.171"
GREEN_ADDRESS: Final = "52.11.79.9"
STATUS: Final = f"{BLUE}-StatusCheckFailed"
DATABASE: Final = f"{BLUE}-db-connectivity-failed"
SILENT: Final = f"{BLUE}-probe-silent"
BEGAN_AT: Final = 1793700000.0
"""2026-11-03, in the morning."""

States = Sequence[tuple[float, str]]
"""Seconds of the service since the fault, and the state from then on."""

Data = dict[str, Any]


@dataclass(frozen=True)
class Script:
    """A run, in seconds of the service since the fault."""

    experiment: str
    fault: str
    hypothesis: Hypothesis
    ended: float
    until: float
    clients: States
    dns: States = ((-60, BLUE_ADDRESS),)
    health: States = ((-60, "healthy"),)
    alarms: Mapping[str, States] = field(default_factory=dict)
    signals: Mapping[str, States] = field(default_factory=dict)
    predicted: Mapping[str, float] = field(default_factory=dict)
    host: str = BLUE
    dependency: str | None = None
    objective: float | None = 360.0
    not_covered: str | None = None
    """Why clients need not be served."""
    kind: Literal["rehearsal", "drill"] = "rehearsal"


_ALARMS: Final = (
    *(f"{host}-{name}-connectivity-failed" for host in (BLUE, GREEN) for name in ("cdn", "db")),
    *(f"{host}-probe-silent" for host in (BLUE, GREEN)),
    STATUS,
)
_SIGNALS: Final = {
    f"StatusCheckFailed {BLUE}": "0",
    **{f"{name}-connectivity {host}": "1" for host in (BLUE, GREEN) for name in ("cdn", "db")},
}
_MESSAGES: Final = {"ALARM", "OK"}

STOPPED: Final = Script(
    "blue stops and comes back",
    "host stopped",
    [
        ClientsMove(RECORD, GREEN, 380),
        ClientsReturn(RECORD, BLUE, 240),
        AlarmFires(STATUS, 310),
        AlarmRecovers(STATUS, 150),
        AlarmQuiet(f"{GREEN}-db-connectivity-failed"),
    ],
    ended=420,
    until=600,
    clients=((-60, BLUE), (1, NO_ANSWER), (268, GREEN), (538, BLUE)),
    dns=((-60, BLUE_ADDRESS), (222, GREEN_ADDRESS), (505, BLUE_ADDRESS)),
    health=((-60, "healthy"), (216, "unhealthy"), (499, "healthy")),
    alarms={
        STATUS: ((-8000, "OK"), (187, "ALARM"), (480, "OK")),
        f"{BLUE}-cdn-connectivity-failed": ((-60, "OK"), (251, "INSUFFICIENT_DATA"), (487, "OK")),
        DATABASE: ((-60, "OK"), (251, "INSUFFICIENT_DATA"), (486, "OK")),
        SILENT: ((-60, "OK"), (246, "ALARM"), (490, "OK")),
    },
    signals={
        f"StatusCheckFailed {BLUE}": ((-60, "0"), (62, "missing"), (472, "0")),
        f"db-connectivity {BLUE}": ((-60, "1"), (58, "missing"), (469, "1")),
        f"cdn-connectivity {BLUE}": ((-60, "1"), (58, "missing"), (469, "1")),
    },
    predicted={"best": 187.4, "median": 270.0, "p95": 335.2, "worst": 380.3},
)
HANGS: Final = Script(
    "blue's endpoint hangs",
    "endpoint dead",
    [ClientsStay(RECORD, BLUE), ClientsServed(RECORD), AlarmQuiet(STATUS)],
    ended=300,
    until=330,
    clients=((-60, BLUE), (5, NO_ANSWER), (302, BLUE)),
    not_covered=f"no deciding signal ({STATUS}) shows it; add endpoint",
)


def blackholed(experiment: str, dependency: str, fires: float = 148) -> Script:
    """A dependency that blue can't reach; clients are served all the same."""
    alarm = f"{BLUE}-{dependency}-connectivity-failed"
    return Script(
        experiment,
        "dependency blackholed",
        [
            AlarmFires(alarm, 240),
            AlarmRecovers(alarm, 200),
            AlarmQuiet(f"{GREEN}-{dependency}-connectivity-failed"),
            AlarmQuiet(STATUS),
            ClientsServed(RECORD),
            ClientsStay(RECORD, BLUE),
        ],
        ended=300,
        until=420,
        clients=((-60, BLUE),),
        alarms={alarm: ((-60, "OK"), (fires, "ALARM"), (408, "OK"))},
        signals={
            f"{dependency}-connectivity {BLUE}": ((-60, "1"), (31, "0.6667"), (91, "0"), (332, "1"))
        },
        dependency=dependency,
    )


BLACKHOLED: Final = blackholed("database blackholed on blue", "db")
BOTH: Final = Script(
    "both hosts down",
    "host stopped",
    [
        ClientsReturn(RECORD, BLUE, 240),
        AlarmFires(STATUS, 310),
        AlarmFires(SILENT, 400),
        ClientsServed(RECORD),
    ],
    ended=330,
    until=520,
    clients=((-60, BLUE), (1, NO_ANSWER), (372, GREEN), (452, BLUE)),
    dns=((-60, BLUE_ADDRESS), (218, GREEN_ADDRESS), (405, BLUE_ADDRESS)),
    health=((-60, "healthy"), (214, "unhealthy"), (401, "healthy")),
    alarms={
        STATUS: ((-60, "OK"), (184, "ALARM"), (388, "OK")),
        SILENT: ((-60, "OK"), (242, "ALARM"), (401, "OK")),
        f"{GREEN}-probe-silent": ((-60, "OK"), (242, "ALARM"), (402, "OK")),
    },
    signals={
        f"StatusCheckFailed {BLUE}": ((-60, "0"), (61, "missing"), (382, "0")),
        **{
            f"{name}-connectivity {host}": ((-60, "1"), (57, "missing"), (379, "1"))
            for host in (BLUE, GREEN)
            for name in ("cdn", "db")
        },
    },
    host=f"{BLUE}, {GREEN}",
    not_covered="both hosts are down",
    objective=None,
)
KILLED: Final = Script(
    "probe killed on blue",
    "probe dead",
    [AlarmFires(SILENT, 400), AlarmQuiet(STATUS), ClientsStay(RECORD, BLUE), ClientsServed(RECORD)],
    ended=300,
    until=420,
    clients=((-60, BLUE),),
    alarms={
        SILENT: ((-60, "OK"), (244, "ALARM"), (371, "OK")),
        DATABASE: ((-60, "OK"), (250, "INSUFFICIENT_DATA"), (366, "OK")),
        f"{BLUE}-cdn-connectivity-failed": ((-60, "OK"), (250, "INSUFFICIENT_DATA"), (367, "OK")),
    },
    signals={
        f"{name}-connectivity {BLUE}": ((-60, "1"), (60, "missing"), (352, "1"))
        for name in ("cdn", "db")
    },
)
REHEARSALS: Final = (STOPPED, HANGS, BLACKHOLED, BOTH, KILLED)

LATE: Final = replace(
    STOPPED,
    ended=440,
    clients=((-60, BLUE), (1, NO_ANSWER), (431, GREEN), (538, BLUE)),
    hypothesis=[ClientsMove(RECORD, GREEN, 380), ClientsReturn(RECORD, BLUE, 240)],
)
"""Clients move, but later than the hypothesis allows."""


def rehearsals() -> Sequence[JsonObject]:
    """The five rehearsals of the example; those that the design covers passed."""
    at = [BEGAN_AT + 40 * number for number in range(len(REHEARSALS))]
    return [
        run_of(script, injected_at=each, time_scale=20)
        for script, each in zip(REHEARSALS, at, strict=True)
    ]


def run_of(script: Script, *, injected_at: float = BEGAN_AT, time_scale: float = 1) -> JsonObject:
    subject = subject_of(script, injected_at)

    def at(seconds: float) -> float:
        return injected_at + seconds / time_scale

    run = Run(injected_at, at(script.ended), at(script.until), time_scale)
    seen = [replace(each, at=at(each.at)) for each in _observations(script)]
    steps = {
        "preflight": (-60, -45),
        "steady state": (-45, 0),
        "inject": (0, 1),
        "observe": (1, script.ended),
        "recover": (script.ended, script.ended + 2),
        "failback": (script.ended + 2, script.until),
        "record": (script.until, script.until + 1),
    }
    return as_read(
        journal_json(
            journal_of(
                subject,
                RunResult(
                    run,
                    script.hypothesis,
                    judge(script.hypothesis, seen, run, _not_covered(script)),
                    measure(seen, run, record=RECORD, active=BLUE),
                    [Phase(name, at(began), at(ended)) for name, (began, ended) in steps.items()],
                    seen,
                    script.predicted,
                ),
            )
        )
    )


def _not_covered(script: Script) -> Mapping[Expectation, str]:
    return {} if script.not_covered is None else {ClientsServed(RECORD): script.not_covered}


def aborted_run(
    script: Script = STOPPED,
    *,
    began_at: float = BEGAN_AT,
    reason: str = f"the alarm {DATABASE} is already in ALARM; start again when it is OK",
) -> JsonObject:
    """The journal of a run that was refused before a fault was injected."""
    phases = [Phase("preflight", began_at, began_at + 4, f"refused: {reason}")]
    seen = [Observation(began_at + 3, Source.ALARM, DATABASE, "ALARM")]
    finding = RunResult(None, script.hypothesis, aborted(reason), None, phases, seen)
    return as_read(journal_json(journal_of(subject_of(script, began_at), finding)))


def drill_runs(months: int = 24) -> Sequence[JsonObject]:
    """Monthly drills: shutdown, and two dependencies blackholed; some failed, some aborted."""
    chance = random.Random(7)
    runs = []
    for month in range(months):
        at = BEGAN_AT - (months - month) * 28 * 86400
        late = 150 if month == 9 else chance.uniform(-40, 30)
        moved = [(when + late if when == 268 else when, value) for when, value in STOPPED.clients]
        shutdown = replace(STOPPED, experiment="shutdown", kind="drill", clients=moved)
        if month == 15:
            runs.append(aborted_run(shutdown, began_at=at))
        else:
            runs.append(run_of(shutdown, injected_at=at))
        for hour, dependency in enumerate(("db", "cdn"), 1):
            fires = 120 + chance.uniform(0, 60)
            hole = replace(blackholed(f"{dependency}-blackhole", dependency, fires), kind="drill")
            runs.append(run_of(hole, injected_at=at + hour * 3600))
    return runs


def subject_of(script: Script, injected_at: float) -> RunInfo:
    return RunInfo(
        kind=script.kind,
        run_id=f"{script.kind}-{injected_at:.0f}",
        service="bookstore",
        environment="production",
        experiment=script.experiment,
        fault=script.fault,
        host=script.host,
        dependency=script.dependency,
        record=RECORD,
        active=BLUE,
        standby=GREEN,
        objective_seconds=script.objective,
    )


def as_read(made: JsonObject) -> Data:
    """A journal as it comes back from its file, free to be edited."""
    read: Data = json.loads(json.dumps(made, allow_nan=False))
    return read


def _observations(script: Script) -> Sequence[Observation]:
    seen = [
        Observation(0, Source.FAULT, script.fault, "injected"),
        Observation(script.ended, Source.FAULT, script.fault, "ended"),
    ]
    states: list[tuple[Source, str, States]] = [
        (Source.DNS, RECORD, script.dns),
        (Source.HEALTH_CHECK, f"{STATUS} (us-west-2)", script.health),
    ]
    for name in _ALARMS:
        states.append((Source.ALARM, name, script.alarms.get(name, ((-60, "OK"),))))
    for name, usual in _SIGNALS.items():
        states.append((Source.SIGNAL, name, script.signals.get(name, ((-60, usual),))))
    for source, subject, changes in states:
        seen += [Observation(at, source, subject, value) for at, value in changes]
    for name, changes in script.alarms.items():
        seen += [
            Observation(at + 4, Source.MESSAGE, name, value)
            for at, value in changes
            if at > 0 and value in _MESSAGES
        ]
    # Each alarm is evaluated once a minute, and its state observed.
    for name in _ALARMS:
        changes = script.alarms.get(name, ((-60, "OK"),))
        for minute in range(0, int(script.until), 60):
            value = [value for since, value in changes if since <= minute][-1]
            seen.append(Observation(minute, Source.ALARM, name, value))
    # A client asks every two seconds; where it is not served it says why.
    at = -58.0
    while at <= script.until:
        value = [value for since, value in script.clients if since <= at][-1]
        why = "timed out after 5 s" if value == NO_ANSWER else ""
        seen.append(Observation(at, Source.CLIENT, RECORD, value, why))
        at += 2
    return seen
