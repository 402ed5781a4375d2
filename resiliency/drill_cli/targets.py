"""What an FIS template is aimed at, as FIS tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.errors import NotThereError
from resiliency.drill_cli.permissions import TEMPLATE
from resiliency.drill_cli.safe_console import one_line
from staged_resiliency.drills.runtime.plan import Plan

ACTION_MINUTE: Final = Decimal("0.10")
"""US dollars for each action and minute, https://aws.amazon.com/fis/pricing/"""


@dataclass(frozen=True, slots=True)
class Template:
    """An experiment template.

    Attributes:
        aimed_at: ARNs of its targets, or how they are chosen.
        actions: Ids of its actions, such as ``aws:ec2:stop-instances``.
        stop_alarms: ARNs of the alarms that stop it.
    """

    aimed_at: Sequence[str]
    actions: Sequence[str]
    stop_alarms: Sequence[str]

    def cost(self, plan: Plan) -> Decimal:
        """US dollars of one run's experiment."""
        minutes = -(-plan.fault_seconds // 60)
        return ACTION_MINUTE * minutes * max(1, len(self.actions))


def template_of(aws: Aws, plan: Plan) -> Template | None:
    """The template of a drill; None where it is not there."""
    try:
        answer = aws(*TEMPLATE, id=plan.experiment_template_id)["experimentTemplate"]
    except NotThereError:
        return None
    targets: Sequence[Mapping[str, Any]] = list(answer.get("targets", {}).values())
    aimed = [one_line(arn) for each in targets for arn in each.get("resourceArns", ())]
    for each in targets:
        tags = each.get("resourceTags", {})
        aimed += [one_line(f"all with the tag {key}={value}") for key, value in tags.items()]
    return Template(
        aimed_at=aimed,
        actions=[one_line(each["actionId"]) for each in answer.get("actions", {}).values()],
        stop_alarms=[
            one_line(each.get("value", ""))
            for each in answer.get("stopConditions", ())
            if each.get("source") == "aws:cloudwatch:alarm"
        ],
    )
