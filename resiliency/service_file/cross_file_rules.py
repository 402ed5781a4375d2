"""Rules between the service files of one application."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from resiliency.service_file.drill_rules import drill_names
from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import names, validation
from staged_resiliency.shared.hosts import COLORS


@dataclass(frozen=True)
class UniqueName:
    """Something that AWS gives to one only, and the place in a file that asks for it."""

    kind: str
    what: tuple[str, ...]
    draft: PartialDocument
    place: Path
    sentence: str
    zone_id: str = ""
    holder: str = ""

    def collides(self, other: "UniqueName") -> bool:
        """Two zones of one name are different zones only where both ids say so.

        Claims of two holders with one name are told once, as the holders' own claims.
        """
        if self.holder and self.holder == other.holder:
            return False
        known = self.zone_id and other.zone_id
        return not known or self.zone_id == other.zone_id


def problems_of(drafts: Iterable[PartialDocument]) -> Iterator[Problem]:
    """Whatever two environments both claim."""
    claimed: dict[tuple[str, tuple[str, ...]], list[UniqueName]] = {}
    for claim in (claim for draft in drafts for claim in _claims(draft)):
        former = claimed.setdefault((claim.kind, claim.what), [])
        first = next((other for other in former if claim.collides(other)), None)
        if first is not None:
            document = first.draft.document
            line = document.line_of((*first.draft.at, *first.place))
            yield claim.draft.problem(f"{claim.sentence} at {document.file}:{line}", *claim.place)
        former.append(claim)


def _claims(draft: PartialDocument) -> Iterator[UniqueName]:
    service = draft.text("service")
    if service:
        sentence = f"{service!r} is another service's name too; give each its own; the other is"
        yield UniqueName("service", (service,), draft, ("service",), sentence)
    for name in draft.names("environments"):
        env = draft.within("environments", name)
        if service:
            yield _stack(env, service, name)
        account, region = env.text("account"), env.text("region")
        if account and region:
            yield from _record(env)
            yield from _hosts(env, account, region)
            yield from _connectivity_alarms(env, account, region)
            yield from _peer_alarms(env, account, region)
            if service:
                yield from _drills(env, service, name, account, region)


def _stack(env: PartialDocument, service: str, environment: str) -> UniqueName:
    """Service ``a-b`` in ``c`` and service ``a`` in ``b-c`` would have one stack."""
    stack = names.failover_stack(service, environment)
    sentence = f"makes the stack {stack!r}, as another one does; rename one of them; the other is"
    return UniqueName("stack", (stack,), env, (), sentence, holder=service)


def _record(env: PartialDocument) -> Iterator[UniqueName]:
    record = env.text("endpoint", "record")
    if record:
        name = validation.domain_name(record)
        sentence = f"{name!r} is claimed twice; a record belongs to one service; the other claim is"
        zone_id = env.text("hosted_zone", "id") or ""
        yield UniqueName("record", (name,), env, ("endpoint", "record"), sentence, zone_id)


def _hosts(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    hosts = {env.text("hosts", color, "name"): color for color in reversed(COLORS)}
    for host, color in hosts.items():  # alike hosts of one pair are the rule hosts_differ's
        if host:
            sentence = (
                f"{host!r} is a host of another pair in {account} {region}, whose alarms would "
                "have the same names; the other is"
            )
            place = ("hosts", color, "name")
            yield UniqueName("host", (host, account, region), env, place, sentence)


def _connectivity_alarms(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    """Host ``a-b`` with dependency ``c`` and host ``a`` with ``b-c`` would have one alarm."""
    for dependency in env.names("dependencies"):
        for color in COLORS:
            host = env.text("hosts", color, "name")
            if host:
                alarm = names.connectivity_alarm(host, dependency)
                sentence = (
                    f"{color}'s alarm on it would be {alarm!r}, as another host's is; "
                    "rename the dependency; the other is"
                )
                place = ("dependencies", dependency)
                yield UniqueName(
                    "alarm", (alarm, account, region), env, place, sentence, holder=host
                )


def _peer_alarms(env: PartialDocument, account: str, region: str) -> Iterator[UniqueName]:
    """Host ``a-b`` with a peer and host ``a`` with dependency ``b-peer`` would have one alarm."""
    if "peer" not in env.items("failover_on") and env.get("probe", "peer") is not True:
        return
    for color in COLORS:
        host = env.text("hosts", color, "name")
        if host:
            alarm = names.peer_alarm(host)
            sentence = (
                f"its alarm on the peer would be {alarm!r}, as another host's on a dependency is; "
                "rename one of them; the other is"
            )
            place = ("hosts", color, "name")
            yield UniqueName("alarm", (alarm, account, region), env, place, sentence, holder=host)


def _drills(
    env: PartialDocument, service: str, environment: str, account: str, region: str
) -> Iterator[UniqueName]:
    """Drill ``d`` of ``b-drill-c`` and drill ``c-drill-d`` of ``b`` would have one machine."""
    for drill in drill_names(env):
        machine = names.drill_state_machine(service, environment, drill)
        sentence = (
            f"its state machine would be {machine!r}, as another drill's is; rename one of them; "
            "the other is"
        )
        place = ("drills", drill)
        yield UniqueName("machine", (machine, account, region), env, place, sentence)
