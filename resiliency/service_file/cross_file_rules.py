"""Rules between the service files of one application: names that collide, and shared topics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from resiliency.service_file.cloudwatch_rules import agent_alarms
from resiliency.service_file.drill_rules import drill_names
from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.failover_rules import fails_over
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import names, network_names
from staged_resiliency.shared.hosts import COLORS


@dataclass(frozen=True)
class UniqueName:
    """A name that may be used only once, and the place in a file that uses it.

    Attributes:
        kind: What has the name; names of different kinds don't collide.
        name: The name, with the account and region in which it must be unique.
        place: The value below ``partial``, the part of the file that uses it.
        message: The message for a second use, to which the place of the first one is added.
        zone_id: Id of a record's hosted zone, where the file gives it.
        owner: The service or host that the name belongs to; two equal owners are reported once, as
            a collision of their own names.
    """

    kind: str
    name: tuple[str, ...]
    partial: PartialDocument
    place: Path
    message: str
    zone_id: str = ""
    owner: str = ""

    def collides(self, other: "UniqueName") -> bool:
        """Whether it is a mistake to use the same name in both places.

        Records in two hosted zones don't collide, but two zones of one name are known to be
        different only where both ids are given.
        """
        if self.owner and self.owner == other.owner:
            return False
        both_known = self.zone_id and other.zone_id
        return not both_known or self.zone_id == other.zone_id


def problems_of(partials: Sequence[PartialDocument]) -> Iterator[Problem]:
    """Yield every problem between the files of an application."""
    yield from _collisions(partials)
    yield from _topic_problems(partials)


# Names


def _collisions(partials: Sequence[PartialDocument]) -> Iterator[Problem]:
    used: dict[tuple[str, tuple[str, ...]], list[UniqueName]] = {}
    for name in (name for partial in partials for name in _names(partial)):
        earlier = used.setdefault((name.kind, name.name), [])
        first = next((other for other in earlier if name.collides(other)), None)
        if first is not None:
            document = first.partial.document
            line = document.line_of((*first.partial.at, *first.place))
            yield name.partial.problem(
                f"{name.message}; the other one is at {document.file}:{line}", *name.place
            )
        earlier.append(name)


def _names(partial: PartialDocument) -> Iterator[UniqueName]:
    service = partial.text("service")
    if service:
        message = f"{service!r} is also the name of another service; rename one of them"
        yield UniqueName("service", (service,), partial, ("service",), message)
    for name, env in partial.members("environments"):
        if service:
            # Service a-b in c shares it with a in b-c.
            stack = names.failover_stack(service, name)
            message = (
                f"its stack {stack!r} has the name of another environment's; rename one of them"
            )
            yield UniqueName("stack", (stack,), env, (), message, owner=service)
        account, region = env.text("account"), env.text("region")
        if account and region:
            yield from _records(env)
            for found in (*_hosts(env, f"{account} {region}"), *_alarms(env)):
                yield replace(found, name=(*found.name, account, region))
            for drill in drill_names(env) if service else ():
                # Drill d of b-drill-c shares it with drill c-drill-d of b.
                machine = names.drill_state_machine(service or "", name, drill)
                message = (
                    f"its state machine {machine!r} has the name of another drill's; "
                    "rename one of them"
                )
                key = (machine, account, region)
                yield UniqueName("machine", key, env, ("drills", drill), message)


def record_places(env: PartialDocument) -> Sequence[Path]:
    """Return the places of all records of an environment."""
    more = range(len(env.items("endpoint", "more_records")))
    return [("endpoint", "record"), *(("endpoint", "more_records", index) for index in more)]


def _records(env: PartialDocument) -> Iterator[UniqueName]:
    zone_id = env.text("hosted_zone", "id") or ""
    for place in record_places(env):
        record = env.text(*place)
        if record:
            name = network_names.domain_name(record)
            message = f"{name!r} is given as a record twice; give each environment its own"
            if place[-1] == "record":
                message = (
                    f"{name!r} is also the record of another environment; give each environment "
                    "its own"
                )
            yield UniqueName("record", (name,), env, place, message, zone_id)
    for dependency, part in fails_over(env):
        host = part.text("host")
        if host:
            message = (
                f"{host!r} fails over, and is also a record that another environment or dependency "
                "has; let one of them have the records"
            )
            place = ("dependencies", dependency, "host")
            name = network_names.dns_name_or_address(host)
            yield UniqueName("record", (name,), env, place, message, zone_id)


def _hosts(env: PartialDocument, where: str) -> Iterator[UniqueName]:
    hosts = {env.text("hosts", color, "name"): color for color in reversed(COLORS)}
    for host, color in hosts.items():  # the rule hosts_differ reports equal hosts of one pair
        if host:
            message = (
                f"{host!r} is also a host of another pair in {where}, whose alarms "
                "would have the same names; rename one of them"
            )
            yield UniqueName("host", (host,), env, ("hosts", color, "name"), message)


def _alarms(env: PartialDocument) -> Iterator[UniqueName]:
    """Yield the names of alarms: host ``a-b`` with ``c`` shares one with ``a`` with ``b-c``."""
    hosts = {color: name for color in COLORS if (name := env.text("hosts", color, "name"))}
    for dependency in env.names("dependencies"):
        for color, host in hosts.items():
            alarm = names.connectivity_alarm(host, dependency)
            message = (
                f"{color}'s alarm on it, {alarm!r}, has the name of another host's alarm; "
                "rename the dependency"
            )
            place: Path = ("dependencies", dependency)
            yield UniqueName("alarm", (alarm,), env, place, message, owner=host)
    if "peer" in env.items("failover_on") or env.get("probe", "peer") is True:
        for color, host in hosts.items():
            alarm = names.peer_alarm(host)
            message = (
                f"its peer alarm {alarm!r} has the name of another host's alarm on a dependency; "
                "rename one of them"
            )
            place = ("hosts", color, "name")
            yield UniqueName("alarm", (alarm,), env, place, message, owner=host)
    places = {name: ("alarms", name) for name in env.names("alarms")} | dict(agent_alarms(env))
    for own, place in places.items():
        for color, host in hosts.items():
            alarm = names.own_alarm(host, own)
            message = f"{color}'s alarm {alarm!r} has the name of another alarm; rename it"
            yield UniqueName("alarm", (alarm,), env, place, message)


# Topics


def _topic_problems(partials: Sequence[PartialDocument]) -> Iterator[Problem]:
    created: dict[str, PartialDocument] = {}
    existing: list[tuple[str, PartialDocument]] = []
    for env in (
        each.within("environments", name)
        for each in partials
        for name in each.names("environments")
    ):
        account, region = env.text("account"), env.text("region")
        name, arn = (env.text("notifications", key) for key in ("topic_name", "topic_arn"))
        if not account or not region or name is None or arn is None or (name and arn):
            continue
        if arn:
            existing.append((arn, env))
        if name:
            # One of two environments with different tags would win.
            other = created.setdefault(names.topic_arn(account, region, name), env)
            tags = [each.get("notifications", "tags") or {} for each in (other, env)]
            if tags[0] != tags[1]:
                line = other.document.line_of((*other.at, "notifications"))
                yield env.problem(
                    f"differs from the tags that another environment gives the topic {name}, at "
                    f"{other.document.file}:{line}; give the same",
                    *("notifications", "tags"),
                )
    for arn, env in existing:
        if arn in created:
            name = arn.rpartition(":")[2]
            yield env.problem(
                f"is the topic {name} that another environment creates; give topic_name: {name}",
                *("notifications", "topic_arn"),
            )
