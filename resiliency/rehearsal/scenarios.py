"""What is rehearsed: faults, and what each is to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from resiliency.rehearsal.deployment import Deployment, Host


class Action(Enum):
    """What is done to hosts; the values are how a report names the fault."""

    STOP = "host stopped"
    """Service and probe end, nothing that is sent to the host is answered."""
    HANG = "endpoint hangs"
    """The service takes connections and answers none."""
    BLACKHOLE = "dependency blackholed"
    """What the host sends to a dependency is lost."""
    KILL_PROBE = "probe dead"
    """The probe ends; the service goes on."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault, from the moment it begins until all is well again.

    Attributes:
        name: Short name, for options and files.
        title: What happens, in a few words.
        action: What is done.
        hosts: To which hosts.
        dependency: Name of the dependency, for those alone.
    """

    name: str
    title: str
    action: Action
    hosts: tuple[Host, ...]
    dependency: str | None = None


def scenarios_of(world: Deployment) -> Sequence[Scenario]:
    """All scenarios that a service can be put through."""
    active, both = world.active, world.hosts
    found = [
        Scenario("host-stops", f"{active.name} stops and comes back", Action.STOP, (active,)),
        Scenario("endpoint-hangs", f"the endpoint of {active.name} hangs", Action.HANG, (active,)),
    ]
    found += [
        Scenario(
            f"{name}-blackholed",
            f"{name} is out of reach for {active.name}",
            Action.BLACKHOLE,
            (active,),
            name,
        )
        for name in world.dependencies
    ]
    found.append(Scenario("both-stop", "both hosts stop and come back", Action.STOP, tuple(both)))
    if world.probe is not None:
        found.append(
            Scenario(
                "probe-killed",
                f"the probe of {active.name} is killed",
                Action.KILL_PROBE,
                (active,),
            )
        )
    return found
