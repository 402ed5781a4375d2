"""Rules about the CloudWatch agent."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.model.service import BUILT_IN_SIGNALS, Service
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import names
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.hosts import COLORS

_AGENT: Final = "cloudwatch_agent"
_DISKS: Final = (_AGENT, "disk_percent")


def agent_alarms(env: PartialDocument) -> Mapping[str, Path]:
    """Return the names of the alarms on what the agent measures, with the place of each.

    Those whose place an entry of ``alarms`` takes are left out.
    """
    found: dict[str, Path] = {}
    if env.has(_AGENT, "memory_percent"):
        found["memory"] = (_AGENT, "memory_percent")
    for path in env.names(*_DISKS):
        found.setdefault(names.disk_alarm(path), (*_DISKS, path))
    for name in env.names(_AGENT, "processes"):
        found[names.process_alarm(name)] = (_AGENT, "processes", name)
    own = set(env.names("alarms"))
    return {name: place for name, place in found.items() if name not in own}


def _there_is_something_to_measure(env: PartialDocument) -> Iterator[Problem]:
    agent = env.within(_AGENT)
    if not isinstance(agent.raw, dict):
        return
    measured = ("memory_percent", "disk_percent", "processes")
    if agent.is_sound and not any(agent.raw.get(key) for key in measured):
        yield agent.problem(
            "measures nothing; give memory_percent, disk_percent or processes, such as "
            "memory_percent: 90"
        )


def _processes_are_selected(env: PartialDocument) -> Iterator[Problem]:
    for _, processes in env.members(_AGENT, "processes"):
        yield from processes.one_of("name", "command", "one like name: java")


def _alarms_have_names_of_their_own(env: PartialDocument) -> Iterator[Problem]:
    paths: dict[str, str] = {}
    for path in env.names(*_DISKS):
        first = paths.setdefault(names.disk_alarm(path), path)
        if first != path:
            yield env.problem(
                f"its alarm would be named {names.disk_alarm(path)!r}, as that of {first} is; "
                "remove one of them",
                *(*_DISKS, path),
            )
    signals = {*BUILT_IN_SIGNALS, *env.names("dependencies")}
    for name, place in agent_alarms(env).items():
        if name in signals:
            yield env.problem(
                f"its alarm {name!r} would have the name of a dependency; rename the dependency",
                *place,
            )


def _hosts_have_an_instance(env: PartialDocument) -> Iterator[Problem]:
    if not env.has(_AGENT):
        return
    for color in COLORS:
        if env.has("hosts", color) and not env.has("hosts", color, "instance_id"):
            yield env.problem(
                "has no instance_id, by which the CloudWatch agent's metrics are found; give one "
                "like instance_id: i-0ab55a49288f1da24",
                *("hosts", color),
            )


def _deciding_alarms_exist(env: PartialDocument) -> Iterator[Problem]:
    agent, deciding = env.within(_AGENT), env.items("failover_on")
    first = next((name for name in agent_alarms(env) if name in deciding), None)
    if first is None:
        return
    if agent.get("state") == "absent":
        yield agent.problem(
            f"'absent' while failover_on has {first!r}: without the agent nothing measures it, and "
            "clients would move to the standby; remove it from failover_on first",
            "state",
        )
    yield from expected_in_drills(agent, first)


def expected_in_drills(section: PartialDocument, alarm: str) -> Iterator[Problem]:
    """Refuse that drills ignore an alarm of failover_on."""
    if section.text("in_drills") == "ignored":
        yield section.problem(
            f"'ignored' is not allowed, as {alarm} is in failover_on, and drills must expect what "
            "moves clients; give quiet or guard",
            "in_drills",
        )


def fit_problems(service: Service, partial: PartialDocument) -> Iterator[Problem]:
    """Yield a problem for each environment whose agent configuration is too large."""
    for name, environment in service.environments.items():
        if environment.cloudwatch_agent is not None:
            try:
                environment.cloudwatch_agent.configuration.rendered()
            except InvalidInputError as error:
                message = str(error).partition(": ")[2]
                yield partial.problem(message, "environments", name, _AGENT)


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _there_is_something_to_measure,
    _processes_are_selected,
    _alarms_have_names_of_their_own,
    _hosts_have_an_instance,
    _deciding_alarms_exist,
)
