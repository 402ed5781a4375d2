"""Whole runs of drills: the state machine is run, with its functions called for real.

``fake_aws.account`` explains how. After each run no experiment is left running, the instance is
running, and a verdict is recorded: one journal and, unless its mark is lost, one message.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from staged_resiliency.drills.runtime.plan import Plan
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import Script

# Fewer polls and calls, as these tests need no precision and run many drills.
SHUTDOWN = replace(plans.SHUTDOWN, sample_seconds=25, call_seconds=900)
BLACKHOLE = replace(plans.BLACKHOLE, sample_seconds=25, call_seconds=200)


def verdict(made: Account, name: str = "run-1") -> Mapping[str, Any]:
    """The verdict of a run, after the promises that hold for every run."""
    assert made.service.running == [], "an experiment is left running"
    assert not made.service.broken, "the fault was left behind"
    assert made.versions(name) == 1, "the journal was not written exactly once"
    found: Mapping[str, Any] = made.journal(name)["verdict"]
    silent = found["status"] in ("passed", "dry run") and not made.service.plan.notify_passed
    messages = made.messages()
    assert len(messages) == (0 if silent else 1), "not exactly one message"
    for each in messages:
        first = each["Message"].splitlines()[0]
        assert first.startswith(f"{found['status'].upper()}: drill {made.service.plan.drill}")
        assert first.endswith(found["message"])
    metrics = [metric for metric, _ in made.metrics()]
    assert len(metrics) == len(set(metrics)), "metrics were doubled"
    assert ("drill-passed" in metrics) == (found["status"] in ("passed", "failed"))
    return found


def run(plan: Plan, script: Script | None = None) -> tuple[str, Mapping[str, Any], Account]:
    """Run a drill to its end: the execution's status, the verdict, the account."""
    with account(plan, script) as made:
        status = made.run()
        return status, verdict(made), made


def moment(text: str) -> float:
    """The time of a moment in a journal."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
