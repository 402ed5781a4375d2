"""Review of a change: all findings, in the order of danger."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from resiliency.failover_model.comparison import Compared, comparison_json
from resiliency.review.changes import Action, Change, listed
from resiliency.review.clients import client_findings
from resiliency.review.collisions import name_findings
from resiliency.review.drills import drill_findings
from resiliency.review.effects import (
    compared_times,
    cost_findings,
    message_findings,
    time_findings,
)
from resiliency.review.findings import Finding, Level, Topic, explaining
from resiliency.review.hosts import host_findings
from resiliency.review.permissions import permission_findings
from resiliency.review.protection import protection_findings
from resiliency.review.sides import Sides

_LEVELS: Final = list(Level)
_MOST_PROPERTIES: Final = 4


@dataclass(frozen=True, slots=True)
class Review:
    """The findings on a change, and the changes themselves."""

    findings: Sequence[Finding]
    changes: Sequence[Change]
    compared: Sequence[Compared]

    def has(self, level: Level) -> bool:
        """Whether there is a finding of that level or a more dangerous one."""
        return any(_LEVELS.index(each.level) <= _LEVELS.index(level) for each in self.findings)

    def to_json(self) -> Mapping[str, object]:
        """Encode as a JSON object."""
        return {
            "findings": [
                {**asdict(each), "level": each.level.value, "topic": each.topic.value}
                for each in self.findings
            ],
            "changes": [
                {
                    "stack": each.stack.name,
                    "logical_id": each.logical_id,
                    "type": each.kind,
                    "action": each.action.value,
                    "properties": list(each.properties),
                }
                for each in self.changes
            ],
            "failover_times": comparison_json(self.compared, seed=0)["compared"],
        }


def review(sides: Sides, *, outages: int = 2000) -> Review:
    """Find what ops need to know of a change; ``outages`` are simulated for each fault."""
    compared = compared_times(sides, outages)
    found = [
        *client_findings(sides),
        *name_findings(sides),
        *permission_findings(sides),
        *protection_findings(sides),
        *host_findings(sides),
        *time_findings(compared, sides),
        *cost_findings(sides),
        *message_findings(sides),
        *drill_findings(sides),
    ]
    found += _rest(sides, found)
    topics = list(Topic)
    found.sort(key=lambda each: (topics.index(each.topic), _LEVELS.index(each.level)))
    return Review(found, sides.changes, compared)


def _rest(sides: Sides, found: Sequence[Finding]) -> Iterator[Finding]:
    if sides.left:
        names = listed([each.name for each in sides.left])
        text = f"not among the later stacks, so that they stay deployed as they are: {names}"
        advice = "if they are to go, delete them: npx cdk destroy, before their service file goes"
        yield Finding(Level.WARNING, Topic.REST, "", text, advice)
    explained = {(each.stack, logical_id) for each in found for logical_id in each.resources}
    rest: dict[tuple[str, Action], list[Change]] = {}
    for change in sides.changes:
        if (change.stack.name, change.logical_id) not in explained:
            rest.setdefault((change.stack.name, change.action), []).append(change)
    for (_, action), changes in rest.items():
        text = f"{action.value} {', '.join(map(_in_short, changes))}"
        yield explaining(Topic.REST, changes, text, level=Level.NOTE)


def _in_short(change: Change) -> str:
    if change.after is None and (change.before or {}).get("DeletionPolicy") == "Retain":
        return f"{change.label} (stays in the account: Retain)"
    if change.before is None or change.after is None or not change.properties:
        return change.label
    names = change.properties[:_MOST_PROPERTIES]
    more = "..." if len(change.properties) > _MOST_PROPERTIES else ""
    return f"{change.label} ({', '.join(names)}{more})"
