"""The scenarios of a rehearsal: all of them, and the chosen ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from resiliency.errors import UserError
from resiliency.failover_model.faults import dependency_of
from resiliency.rehearsal.deployment import Deployment, Host

_NO_HANGING: Final = ("dns", "tls")
"""Checks of dependencies that don't hang here: DNS has no connections, and TLS is not rehearsed."""

DATABASE_CHECKS: Final = ("mysql", "postgresql", "exchange")
"""Checks that speak the protocol of a database that may fail over."""


class Action(Enum):
    """The kind of fault that a scenario injects; the value is its name in reports."""

    STOP = "host stopped"
    """Service and probe end, and nothing sent to the host is answered."""
    HANG = "endpoint hangs"
    """The service accepts connections and answers none."""
    BLACKHOLE = "dependency blackholed"
    """Whatever the host sends to a dependency is lost."""
    HANG_DEPENDENCY = "dependency hangs"
    """A dependency accepts the host's connections and answers nothing."""
    DEGRADE = "dependency degraded"
    """A dependency answers the host late, and in time for the probe."""
    FAIL_OVER = "database failed over"
    """A database is lost for both hosts, for the two minutes that its failover may take."""
    LOSE_PRIMARY = "primary lost"
    """The primary of a dependency's own name answers nothing."""
    LOSE_SECONDARY = "secondary lost"
    """Its secondary answers nothing."""
    KILL_PROBE = "probe dead"
    """The probe ends; the service goes on."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault, from the moment it begins until all is well again; named in options and files."""

    name: str
    title: str
    action: Action
    hosts: tuple[Host, ...]
    dependency: str | None = None


def scenarios_of(deployment: Deployment) -> Sequence[Scenario]:
    """List all scenarios of a service."""
    active = deployment.active
    one, both = (active,), (active, deployment.standby)
    if (name := deployment.dependency) is not None:
        return [
            Scenario(
                f"{name}-{role}-lost",
                f"the {role} of {name}, {host.name}, is lost and comes back",
                action,
                (host,),
                name,
            )
            for role, host, action in (
                ("primary", active, Action.LOSE_PRIMARY),
                ("secondary", deployment.standby, Action.LOSE_SECONDARY),
            )
        ]
    scenarios = [
        Scenario("host-stops", f"{active.name} stops and comes back", Action.STOP, (active,)),
        Scenario("endpoint-hangs", f"the endpoint of {active.name} hangs", Action.HANG, (active,)),
    ]
    checks = {name: deployment.check_of(name) for name in deployment.dependencies}
    every, hanging = list(checks), [name for name in checks if checks[name] not in _NO_HANGING]
    late = [name for name in hanging if checks[name] != "tcp"]
    databases = [name for name in checks if checks[name] in DATABASE_CHECKS]
    lost = "fails over, and both hosts lose it meanwhile"
    for action, suffix, title, hosts, names in (
        (Action.BLACKHOLE, "blackholed", f"is out of reach for {active.name}", one, every),
        (Action.HANG_DEPENDENCY, "hangs", f"hangs for {active.name}", one, hanging),
        (Action.DEGRADE, "degraded", f"answers {active.name} late", one, late),
        (Action.FAIL_OVER, "fails-over", lost, both, databases),
    ):
        scenarios += [
            Scenario(f"{name}-{suffix}", f"{name} {title}", action, hosts, name) for name in names
        ]
    scenarios.append(Scenario("both-stop", "both hosts stop and come back", Action.STOP, both))
    if deployment.probe is not None:
        title = f"the probe of {active.name} is killed"
        scenarios.append(Scenario("probe-killed", title, Action.KILL_PROBE, one))
    return scenarios


def chosen_scenarios(deployment: Deployment, wanted: Sequence[str]) -> Sequence[Scenario]:
    """Return the requested scenarios, in their order; the default ones where none is requested.

    By default all are run, except those of dependencies that do not decide failover, of those that
    hang where the probe only connects, of degraded ones, and of databases that fail over; where no
    dependency decides, the first one is blackholed.
    """
    every = {scenario.name: scenario for scenario in scenarios_of(deployment)}
    if deployment.dependency is not None and not wanted:
        return list(every.values())
    if wanted:
        return [scenario for name, scenario in every.items() if name in wanted]
    deciding = _deciding_dependencies(deployment)
    blackholed = deciding or deployment.dependencies[:1]
    hanging = [name for name in deciding if deployment.check_of(name) != "tcp"]
    default = {Action.BLACKHOLE: blackholed, Action.HANG_DEPENDENCY: hanging}
    return [
        scenario
        for scenario in every.values()
        if scenario.dependency is None or scenario.dependency in default.get(scenario.action, ())
    ]


def scenarios_left_out(deployment: Deployment, wanted: Sequence[str]) -> Sequence[str]:
    """Return the names of the scenarios that run only on request, if none is requested."""
    chosen = chosen_scenarios(deployment, wanted)
    return [] if wanted else [each.name for each in scenarios_of(deployment) if each not in chosen]


def require_known(deployments: Sequence[Deployment], wanted: Sequence[str]) -> None:
    """Raise UserError if a requested scenario exists for none of the services."""
    every = dict.fromkeys(each.name for one in deployments for each in scenarios_of(one))
    if unknown := [name for name in wanted if name not in every]:
        raise UserError(f"--scenario {unknown[0]}: is not a scenario; allowed: {', '.join(every)}")


def _deciding_dependencies(deployment: Deployment) -> Sequence[str]:
    deciding = [dependency_of(alarm.metric) for alarm in deployment.pair.primary.alarms]
    return [name for name in deployment.dependencies if name in deciding]
