"""Rules between the service files of one application: names that collide, and shared topics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resiliency.service_file.cloudwatch_rules import agent_alarms
from resiliency.service_file.drill_rules import drill_names
from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.failover_rules import fails_over
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import names, validation
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
        """Whether two uses of an equal name are a mistake.

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
    for name in partial.names("environments"):
        env = partial.within("environments", name)
        if service:
            yield _stack(env, service, name)
        account, region = env.text("account"), env.text("region")
        if account and region:
            yield from _records(env)
            yield from _hosts(env, account, region)
            yield from _connectivity_alarms(env, account, region)
            yield from _peer_alarms(env, account, region)
            yield from _own_alarms(env, account, region)
            if service:
                yield from _drills(env, service, name, account, region)


def _stack(env: PartialDocument, service: str, environment: str) -> UniqueName:
    """Return the stack's name, which service ``a-b`` in ``c`` shares with ``a`` in ``b-c``."""
    stack = names.failover_stack(service, environment)
    message = f"its stack {stack!r} has the name of another environment's; rename one of them"
    return UniqueName("stack", (stack,), env, (), message, owner=service)


def record_places(env: PartialDocument) -> Sequence[Path]:
    """Return the places of all records of an environment."""
    more = range(len(env.items("endpoint", "more_records")))
    return [("endpoint", "record"), *(("endpoint", "more_records", index) for index in more)]


def _records(env: PartialDocument) -> Iterator[UniqueName]:
    zone_id = env.text("hosted_zone", "id") or ""
    for place in record_places(env):
        record = env.text(*place)
        if record:
            name = validation.domain_name(record)
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
            name = validation.dns_name_or_address(host)
            yield UniqueName("record", (name,), env, place, message, zone_id)


def _hosts(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    hosts = {env.text("hosts", color, "name"): color for color in reversed(COLORS)}
    for host, color in hosts.items():  # the rule hosts_differ reports equal hosts of one pair
        if host:
            message = (
                f"{host!r} is also a host of another pair in {account} {region}, whose alarms "
                "would have the same names; rename one of them"
            )
            place = ("hosts", color, "name")
            yield UniqueName("host", (host, account, region), env, place, message)


def _connectivity_alarms(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    """Yield names that host ``a-b`` with dependency ``c`` shares with host ``a`` with ``b-c``."""
    for dependency in env.names("dependencies"):
        for color in COLORS:
            host = env.text("hosts", color, "name")
            if host:
                alarm = names.connectivity_alarm(host, dependency)
                message = (
                    f"{color}'s alarm on it, {alarm!r}, has the name of another host's alarm; "
                    "rename the dependency"
                )
                place = ("dependencies", dependency)
                yield UniqueName("alarm", (alarm, account, region), env, place, message, owner=host)


def _own_alarms(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    """Yield names that host ``a-b`` with alarm ``c`` shares with host ``a`` with ``b-c``."""
    places = {name: ("alarms", name) for name in env.names("alarms")} | dict(agent_alarms(env))
    for own, place in places.items():
        for color in COLORS:
            host = env.text("hosts", color, "name")
            if host:
                alarm = names.own_alarm(host, own)
                message = f"{color}'s alarm {alarm!r} has the name of another alarm; rename it"
                yield UniqueName("alarm", (alarm, account, region), env, place, message)


def _peer_alarms(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    """Yield names that host ``a-b`` with a peer shares with host ``a`` with ``b-peer``."""
    if "peer" not in env.items("failover_on") and env.get("probe", "peer") is not True:
        return
    for color in COLORS:
        host = env.text("hosts", color, "name")
        if host:
            alarm = names.peer_alarm(host)
            message = (
                f"its peer alarm {alarm!r} has the name of another host's alarm on a dependency; "
                "rename one of them"
            )
            place = ("hosts", color, "name")
            yield UniqueName("alarm", (alarm, account, region), env, place, message, owner=host)


def _drills(
    env: PartialDocument, service: str, environment: str, account: str, region: str
) -> Iterator[UniqueName]:
    """Yield names that drill ``d`` of ``b-drill-c`` shares with drill ``c-drill-d`` of ``b``."""
    for drill in drill_names(env):
        machine = names.drill_state_machine(service, environment, drill)
        message = (
            f"its state machine {machine!r} has the name of another drill's; rename one of them"
        )
        place = ("drills", drill)
        yield UniqueName("machine", (machine, account, region), env, place, message)


# Topics


@dataclass(frozen=True, slots=True)
class _TopicRequest:
    """The topic of one environment: to be created, or existing."""

    env: PartialDocument
    account: str
    region: str
    created: str
    existing: str

    @property
    def arn(self) -> str:
        """The ARN of the topic."""
        if self.created:
            return names.topic_arn(self.account, self.region, self.created)
        return self.existing


def _topic_problems(partials: Sequence[PartialDocument]) -> Iterator[Problem]:
    requests = [
        request
        for partial in partials
        for name in partial.names("environments")
        if (request := _topic_request(partial.within("environments", name)))
    ]
    yield from _no_topic_is_created_and_existing(requests)
    yield from _shared_topics_have_equal_tags(requests)


def _topic_request(env: PartialDocument) -> _TopicRequest | None:
    account, region = env.text("account"), env.text("region")
    created = env.text("notifications", "topic_name")
    existing = env.text("notifications", "topic_arn")
    if not account or not region or created is None or existing is None or (created and existing):
        return None
    return _TopicRequest(env, account, region, created, existing)


def _no_topic_is_created_and_existing(requests: Sequence[_TopicRequest]) -> Iterator[Problem]:
    """Report topics that one environment uses as existing while another one creates them."""
    created = {request.arn for request in requests if request.created}
    for request in requests:
        if request.existing in created:
            name = request.existing.rpartition(":")[2]
            yield request.env.problem(
                f"is the topic {name} that another environment creates; give topic_name: {name}",
                *("notifications", "topic_arn"),
            )


def _shared_topics_have_equal_tags(requests: Sequence[_TopicRequest]) -> Iterator[Problem]:
    """Report a topic to which two environments give different tags: one of them would win."""
    first: dict[str, _TopicRequest] = {}
    for request in requests:
        if request.created:
            other = first.setdefault(request.arn, request)
            tags = [each.env.get("notifications", "tags") or {} for each in (other, request)]
            if tags[0] != tags[1]:
                document = other.env.document
                line = document.line_of((*other.env.at, "notifications"))
                yield request.env.problem(
                    f"differs from the tags that another environment gives the topic "
                    f"{request.created}, at {document.file}:{line}; give the same",
                    *("notifications", "tags"),
                )
