"""`resiliency drill approve`: approve a drill's first run with a fault."""

import json
from datetime import datetime, timezone
from typing import Final

from resiliency.drill_cli.aws import IDENTITY, SAVE, Aws
from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.drill_cli.stack import DeployedDrills
from staged_resiliency.drills.runtime.store import Approval, approvals_folder
from staged_resiliency.experiment.json_codec import as_json

_DAY: Final = 86_400.0


def approve(
    aws: Aws, stack: DeployedDrills, name: str, days: int, console: SafeConsole, now: float
) -> None:
    """Write an approval into the journal bucket, with who gave it and until when it is valid.

    Raises:
        UserError: AWS refuses.
    """
    plan = stack.drill(name).plan
    approval = Approval(str(aws(*IDENTITY)["Arn"]), now, now + days * _DAY)
    at = datetime.fromtimestamp(now, timezone.utc)
    aws(
        *SAVE,
        Bucket=plan.journal_bucket,
        Key=f"{approvals_folder(plan.drill)}{at:%Y%m%dT%H%M%SZ}.json",
        Body=json.dumps(as_json(approval)).encode(),
        ContentType="application/json",
        IfNoneMatch="*",
    )
    until = datetime.fromtimestamp(approval.expires_at, timezone.utc)
    console.say(
        f"{approval.approved_by} approved the first run of {plan.drill} with a fault, until "
        f"{until:%Y-%m-%d %H:%M} UTC. Later runs need no approval."
    )
