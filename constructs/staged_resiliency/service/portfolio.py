"""Rules between the service files of one application."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from staged_resiliency import checks
from staged_resiliency.service.draft import Draft
from staged_resiliency.service.model import COLORS
from staged_resiliency.service.problems import Path, Problem


@dataclass(frozen=True)
class _Claim:
    """Something that AWS gives to one only, and the place in a file that asks for it."""

    kind: str
    what: tuple[str, ...]
    draft: Draft
    place: Path
    sentence: str
    zone_id: str = ""

    def collides(self, other: "_Claim") -> bool:
        """Two zones of one name are different zones only where both ids say so."""
        known = self.zone_id and other.zone_id
        return not known or self.zone_id == other.zone_id


def problems_of(drafts: Iterable[Draft]) -> Iterator[Problem]:
    """Whatever two environments both claim."""
    claimed: dict[tuple[str, tuple[str, ...]], list[_Claim]] = {}
    for claim in (claim for draft in drafts for claim in _claims(draft)):
        former = claimed.setdefault((claim.kind, claim.what), [])
        first = next((other for other in former if claim.collides(other)), None)
        if first is not None:
            document = first.draft.document
            line = document.line_of((*first.draft.at, *first.place))
            yield claim.draft.problem(f"{claim.sentence} at {document.file}:{line}", *claim.place)
        former.append(claim)


def _claims(draft: Draft) -> Iterator[_Claim]:
    service = draft.text("service")
    if service:
        sentence = f"{service!r} is another service's name too; give each its own; the other is"
        yield _Claim("service", (service,), draft, ("service",), sentence)
    for name in draft.names("environments"):
        env = draft.within("environments", name)
        account, region = env.text("account"), env.text("region")
        if account and region:
            yield from _record(env)
            yield from _hosts(env, account, region)


def _record(env: Draft) -> Iterator[_Claim]:
    record = env.text("endpoint", "record")
    if record:
        name = checks.domain_name(record)
        sentence = f"{name!r} is claimed twice; a record belongs to one service; the other claim is"
        zone_id = env.text("hosted_zone", "id") or ""
        yield _Claim("record", (name,), env, ("endpoint", "record"), sentence, zone_id)


def _hosts(env: Draft, account: str, region: str) -> Iterator[_Claim]:
    names = {env.text("hosts", color, "name"): color for color in reversed(COLORS)}
    for host, color in names.items():  # alike hosts of one pair are the rule hosts_differ's
        if host:
            sentence = (
                f"{host!r} is a host of another pair in {account} {region}, whose alarms would "
                "have the same names; the other is"
            )
            place = ("hosts", color, "name")
            yield _Claim("host", (host, account, region), env, place, sentence)
