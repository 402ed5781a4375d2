"""What Systems Manager does otherwise than one expects: the stand-in for its agent does the same.

All else that the stand-in does is tested by the documents that run with it.
"""

from typing import Any

import pytest

from tests.e2e.machine.command_document import ON_LINUX, DocumentError, Step, resolved
from tests.e2e.machine.step_order import KILLED, Invocation, Outcome, Status, run_steps


def step(name: str, *commands: str, **others: Any) -> dict[str, Any]:
    """A step; ``inputs`` has more of these, other names are beside them."""
    inputs = {"runCommand": list(commands), **others.pop("inputs", {})}
    action = "aws:runShellScript"
    return {"name": name, "action": action, "precondition": ON_LINUX, "inputs": inputs, **others}


def document(*steps: dict[str, Any], **parameters: dict[str, Any]) -> dict[str, Any]:
    return {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}


def ended(*steps: dict[str, Any], **statuses: int) -> Invocation:
    """What comes of steps whose scripts end with these exit statuses, by name; 0 otherwise."""

    def run(each: Step) -> Outcome:
        return Outcome(statuses.get(each.name, 0), "printed", "the reason")

    return run_steps(resolved(document(*steps)), run)


ENDS = {"onFailure": "exit"}


def test_a_failed_step_ends_the_document_only_where_its_inputs_say_so() -> None:
    statuses = [
        ended(first, step("b"), a=status).step("b").status
        for first, status in (
            (step("a", inputs=ENDS), 1),
            (step("a", inputs=ENDS), KILLED),
            (step("a"), 1),
            (step("a", **ENDS), 1),
        )
    ]
    assert statuses == [Status.SKIPPED, Status.SUCCESS, Status.SUCCESS, Status.SUCCESS]


def test_a_failure_outweighs_a_timeout_and_a_timeout_success() -> None:
    assert ended(step("a"), step("b"), a=KILLED, b=1).status is Status.FAILED
    assert ended(step("a"), step("b"), a=KILLED).status is Status.TIMED_OUT


def test_state_manager_shows_only_the_beginning_of_what_a_step_failed_with() -> None:
    shown = ended(step("First"), step("Agent", inputs=ENDS), step("Last"), Agent=1)
    assert shown.association_summary == (
        "3 out of 3 plugins processed, 1 success, 1 failed, 0 timedout, 1 skipped. \n"
        "The operation Agent failed because the reason\nStep was found to have onFailure property. "
        "Further document steps will be skipped.."
    )
    many = ended(*(step(f"step-{number}") for number in range(99)), **{"step-7": 1})
    assert many.association_summary.startswith("99 out of 99 plugins processed, 98 success")
    long = run_steps(resolved(document(step("a"))), lambda each: Outcome(1, "", "x" * 1000))
    assert len(long.association_summary) == 510
    assert long.association_summary.endswith("x--output truncated--")


def test_a_timeout_counts_in_the_inputs_alone_and_within_its_range() -> None:
    given = {"60": 60, "60.9": 60, "soon": 3600, "4": 3600, "172801": 3600}
    found = {
        seconds: resolved(document(step("a", inputs={"timeoutSeconds": seconds})))[0]
        for seconds in given
    }
    assert {seconds: each.timeout_seconds for seconds, each in found.items()} == given
    (beside,) = resolved(document(step("a", timeoutSeconds="60")))
    assert beside.timeout_seconds == 3600


def test_a_value_is_pasted_as_text_and_not_searched_for_references() -> None:
    content = document(
        step("a", "{{ One }} {{Two}}"), One={"type": "String"}, Two={"type": "String"}
    )
    (only,) = resolved(content, {"One": "'; {{ Two }}", "Two": ["2"]})
    assert only.script == "'; {{ Two }} 2\n"


@pytest.mark.parametrize("value", ["abc\n", "", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_pattern_is_that_of_the_whole_value(value: str) -> None:
    content = document(step("a"), Text={"type": "String", "allowedPattern": r"^\w+$"})
    assert resolved(content, {"Text": "abc"})
    with pytest.raises(DocumentError, match="does not match"):
        resolved(content, {"Text": value})
