"""Rules about drills: what can be broken, by which values, and on which days."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.drill_model import (
    MAX_OBJECTIVE_SECONDS,
    MIN_OBJECTIVE_SECONDS,
    WORKDAYS,
    Drills,
)
from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.drills.schedule import DAYS, MAX_GAP_DAYS, DrillSchedule
from staged_resiliency.shared import limits, names, validation
from staged_resiliency.shared.hosts import COLORS, Color, other

_DNS_PORT: Final = 53
_SHARED_RESOURCES: Final = 33
_RESOURCES_PER_DRILL: Final = 5
_EXAMPLE: Final = "give one like dependency: db"


def _there_is_a_drill(env: PartialDocument) -> Iterator[Problem]:
    drills = env.within("drills")
    if isinstance(drills.raw, dict) and not list(drill_names(env)):
        yield drills.problem(
            "names no drill; give one by a name of its own, like shutdown: { fault: stop_instance, "
            "host: active, ... }"
        )


def _objective_is_known(env: PartialDocument) -> Iterator[Problem]:
    drills, promised = env.within("drills"), env.get("objective", "recovery_time_seconds")
    if not isinstance(drills.raw, dict) or drills.has("objective_seconds"):
        return
    if not env.has("objective"):
        yield drills.problem(
            "is missing; give one like objective_seconds: 360", "objective_seconds"
        )
    elif isinstance(promised, int) and not (
        MIN_OBJECTIVE_SECONDS <= promised <= MAX_OBJECTIVE_SECONDS
    ):
        yield drills.problem(
            f"is missing, and the recovery_time_seconds of objective, {promised}, is no one for "
            f"drills; give one from {MIN_OBJECTIVE_SECONDS} to {MAX_OBJECTIVE_SECONDS}",
            "objective_seconds",
        )


def _dependency_goes_with_blackhole(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        fault = drill.text("fault")
        if fault == "stop_instance" and drill.has("dependency"):
            yield drill.problem(
                "goes with fault blackhole; a stopped instance reaches nothing at all", "dependency"
            )
        elif fault == "blackhole" and not drill.has("dependency"):
            yield drill.problem(f"is missing; {_EXAMPLE}", "dependency")


def _dependencies_exist(env: PartialDocument) -> Iterator[Problem]:
    known = list(env.names("dependencies"))
    for drill in _drills(env):
        name = drill.text("dependency")
        if name and name not in known and drill.text("fault") == "blackhole":
            near = validation.nearest(name, known)
            allowed = f"allowed: {', '.join(known)}" if known else "there are none"
            hint = f"did you mean {near}?" if near else allowed
            yield drill.problem(
                f"{validation.shown(name)} is not a dependency; {hint}", "dependency"
            )


def _ports_can_be_cut_off(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        name = drill.text("dependency")
        if not name or drill.text("fault") != "blackhole":
            continue
        dependency = env.within("dependencies", name)
        asked = dependency.text("check", "protocol", default="tcp")
        if asked == "dns" or dependency.get("port") == _DNS_PORT:
            yield drill.problem(
                f"{validation.shown(name)} is asked on port 53, without which the host finds "
                "nothing "
                "by name, not even AWS; a blackhole can't be of it",
                "dependency",
            )


def _hosts_have_an_instance(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        color = _broken(env, drill)
        if color and env.has("hosts", color) and not env.has("hosts", color, "instance_id"):
            yield drill.problem(
                f"{drill.text('host')} is {color}, which has no instance_id; give it one like "
                "instance_id: i-0ab55a49288f1da24",
                "host",
            )


def _hosts_are_asked_over_the_internet(env: PartialDocument) -> Iterator[Problem]:
    """The functions of a drill ask as clients do, from outside and over IPv4."""
    if not list(drill_names(env)):
        return
    for color in COLORS:
        address = env.text("hosts", color, "address")
        if not address:
            continue
        if ":" in address:
            yield env.problem(
                f"{validation.shown(address)} is an IPv6 address, and drills ask over IPv4; give "
                "an "
                "IPv4 address too, or take the drills out",
                *("hosts", color, "address"),
            )
        elif not validation.is_public(address):
            yield env.problem(
                f"{validation.shown(address)} can't be reached over the internet, as drills ask; "
                "give "
                "a public address, or take the drills out",
                *("hosts", color, "address"),
            )


def _blackholes_are_measured(env: PartialDocument) -> Iterator[Problem]:
    if env.get("probe", "state") != "absent":
        return
    for drill in _drills(env):
        if drill.text("fault") == "blackhole":
            yield drill.problem(
                "'blackhole' shows only by the probe, whose state is 'absent'; take the drill out",
                "fault",
            )


def _window_opens(env: PartialDocument) -> Iterator[Problem]:
    window = env.within("drills", "window")
    if not isinstance(window.raw, dict):
        return
    opens, closes = window.number("from_hour", default=9), window.number("to_hour", default=17)
    if opens is not None and closes is not None and closes <= opens:
        yield window.problem(
            f"it closes at {closes}, which is not after from_hour {opens}; a window is within one "
            "day",
            "to_hour" if window.has("to_hour") else "from_hour",
        )
    seen: set[object] = set()
    for index, day in enumerate(window.items("days")):
        if isinstance(day, str) and day in seen:
            yield window.problem(
                f"{validation.shown(day)} stands twice; once is enough", "days", index
            )
        seen.add(day if isinstance(day, str) else index)


def _drills_recur(env: PartialDocument) -> Iterator[Problem]:
    for drill, schedule in _scheduled(env):
        days = schedule.longest_gap_days
        if days > 366 * 28:
            yield drill.problem(
                f"{validation.shown(schedule.expression)} names no day that ever comes again; "
                "give one "
                "like cron(0 10 ? * TUE#1 *)",
                "schedule",
            )
        elif days > MAX_GAP_DAYS:
            yield drill.problem(
                f"{validation.shown(schedule.expression)} leaves up to {days:g} days between two "
                "runs; "
                f"at most {MAX_GAP_DAYS} are allowed, as in cron(0 10 ? * TUE#1 *)",
                "schedule",
            )


def _drills_start_in_the_window(env: PartialDocument) -> Iterator[Problem]:
    window = env.within("drills", "window")
    if window.has() and env.get("drills", "window") is None:
        return
    opens, closes = window.number("from_hour", default=9), window.number("to_hour", default=17)
    allowed = window.items("days") if window.has("days") else list(WORKDAYS)
    if opens is None or closes is None or closes <= opens:
        return
    always = (opens, closes) == (0, 24) and set(DAYS) <= set(allowed)
    for drill, schedule in _scheduled(env):
        if schedule.at is None:
            if not always:
                yield drill.problem(
                    f"{validation.shown(schedule.expression)} starts when it is deployed, so no "
                    "hour "
                    "of it is known to be in the window; give cron(...)",
                    "schedule",
                )
            continue
        outside = [day for day in DAYS if day in schedule.days_of_week and day not in allowed]
        if not opens <= schedule.at.hour < closes:
            yield drill.problem(
                f"{validation.shown(schedule.expression)} starts at {schedule.at:%H:%M}, outside "
                "the "
                f"window from {opens:02}:00 to {closes:02}:00; such a run would be refused",
                "schedule",
            )
        elif outside:
            yield drill.problem(
                f"{validation.shown(schedule.expression)} also runs on {', '.join(outside)}, "
                "outside "
                f"the window on {', '.join(map(str, allowed))}; such a run would be refused",
                "schedule",
            )


def _names_fit(env: PartialDocument) -> Iterator[Problem]:
    service, environment = env.document.data.get("service"), env.at[-1]
    for name in drill_names(env):
        if isinstance(service, str) and isinstance(environment, str):
            machine = names.drill_state_machine(service, environment, name)
            if len(machine) > limits.MAX_STATE_MACHINE_NAME_CHARACTERS:
                yield env.problem(
                    f"makes the state machine {machine!r}, a name of {len(machine)} characters; "
                    f"Step Functions takes {limits.MAX_STATE_MACHINE_NAME_CHARACTERS}; rename it",
                    "drills",
                    name,
                )


def _stack_holds_them(env: PartialDocument) -> Iterator[Problem]:
    count = resource_count(env)
    if count > limits.MAX_STACK_RESOURCES:
        yield env.problem(
            f"{len(list(drill_names(env)))} drills make a stack of {count} resources; "
            f"CloudFormation takes {limits.MAX_STACK_RESOURCES}; take some out",
            "drills",
        )


def resource_count(env: PartialDocument) -> int:
    """How many resources the drills stack of an environment holds.

    A test compares it with synthesized stacks.
    """
    return _SHARED_RESOURCES + _RESOURCES_PER_DRILL * len(list(drill_names(env)))


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _there_is_a_drill,
    _objective_is_known,
    _dependency_goes_with_blackhole,
    _dependencies_exist,
    _ports_can_be_cut_off,
    _hosts_have_an_instance,
    _hosts_are_asked_over_the_internet,
    _blackholes_are_measured,
    _window_opens,
    _drills_recur,
    _drills_start_in_the_window,
    _names_fit,
    _stack_holds_them,
)


def drill_names(env: PartialDocument) -> Iterator[str]:
    """Names of the drills: what stands beside the settings and is a mapping."""
    for name in env.names("drills"):
        if name not in Drills.model_fields:
            yield name


def _drills(env: PartialDocument) -> Iterator[PartialDocument]:
    for name in drill_names(env):
        drill = env.within("drills", name)
        if isinstance(drill.raw, dict):
            yield drill


def _scheduled(env: PartialDocument) -> Iterator[tuple[PartialDocument, DrillSchedule]]:
    """The drills whose schedule and time zone are sound."""
    for drill in _drills(env):
        expression, zone = drill.text("schedule"), drill.text("timezone", default="UTC")
        if expression and zone:
            yield drill, DrillSchedule(expression, zone)


def _broken(env: PartialDocument, drill: PartialDocument) -> Color | None:
    active, host = env.text("active"), drill.text("host")
    for color in COLORS:
        if active == color and host in ("active", "standby"):
            return color if host == "active" else other(color)
    return None
