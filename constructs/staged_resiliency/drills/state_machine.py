"""The state machine of a drill, in the Amazon States Language, as data.

Each phase is a function that does its part, polls for part of a minute, and returns whether to call
it again. Any failure once a fault may have begun leads to the state that ends it. A run that is
aborted or times out as a whole enters no further state: EventBridge then calls the ``cleanup``
function with an event that ``cleanup_pattern`` selects; a schedule calls it where the event is
lost.

See https://states-language.net and
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from collections.abc import Mapping
from typing import Any, Final

from staged_resiliency.drills import functions
from staged_resiliency.drills.functions import Function
from staged_resiliency.drills.runtime import states
from staged_resiliency.drills.runtime.plan import Plan

JsonObject = dict[str, Any]
"""A JSON object, as ``json.dumps`` takes it."""

_CALL_TIMEOUT_SECONDS: Final = 150


def definition(
    plan: Plan, function_arns: Mapping[str, str], *, partition: str = "aws"
) -> JsonObject:
    """The definition of a drill's Standard state machine.

    The ARNs, or tokens for them, are by the names of ``functions.ALL``. A run with a fault that is
    announced waits after its first preflight, and checks everything again.
    """

    def phase(
        name: str,
        function: Function,
        *,
        on_go: str,
        on_stop: str,
        on_error: str,
        repeats: bool = False,
        attempts: int = 3,
    ) -> JsonObject:
        key, decide = states.RESULT_KEYS[name], f"{name}: then"
        choices = [{"Variable": f"$.{key}.go", "BooleanEquals": True, "Next": on_go}]
        if repeats:
            choices.insert(0, {"Variable": f"$.{key}.again", "BooleanEquals": True, "Next": name})
        return {
            name: {
                **_call(function, name, function_arns, partition, attempts),
                "ResultPath": f"$.{key}",
                "Catch": [
                    {
                        "ErrorEquals": ["States.ALL"],
                        "ResultPath": f"$.errors.{key}",
                        "Next": on_error,
                    }
                ],
                "Next": decide,
            },
            decide: {"Type": "Choice", "Choices": choices, "Default": on_stop},
        }

    end, record, again = states.END_FAULT, states.RECORD, states.STEADY_AGAIN
    announced = plan.enabled and plan.notice_seconds > 0
    notice: JsonObject = {}
    if announced:
        notice = {
            **phase(
                states.ANNOUNCE,
                functions.END,
                on_go="Notice",
                on_stop=record,
                on_error=record,
            ),
            "Notice": {
                "Type": "Wait",
                "Seconds": plan.notice_seconds,
                "Next": states.PREFLIGHT_AGAIN,
            },
            **phase(
                states.PREFLIGHT_AGAIN,
                functions.OBSERVE,
                on_go=states.STEADY_STATE,
                on_stop=record,
                on_error=record,
            ),
        }
    return {
        "Comment": f"Drill {plan.drill} of {plan.service} in {plan.environment}",
        "StartAt": states.PLAN,
        "TimeoutSeconds": plan.timeouts.run,
        "States": {
            states.PLAN: {
                "Type": "Pass",
                "Comment": "All that is known of the drill",
                "Result": {"plan": plan.to_json()},
                "Next": "Run",
            },
            "Run": {
                "Type": "Pass",
                "Parameters": {
                    "plan.$": "$.plan",
                    "run": {
                        "execution.$": "$$.Execution.Id",
                        "name.$": "$$.Execution.Name",
                    },
                    # Of which only the schedule's occurrence is read.
                    "input.$": "$$.Execution.Input",
                    "errors": {},
                },
                "Next": states.PREFLIGHT,
            },
            **phase(
                states.PREFLIGHT,
                functions.OBSERVE,
                on_go=states.ANNOUNCE if announced else states.STEADY_STATE,
                on_stop=record,
                on_error=record,
            ),
            **notice,
            **phase(
                states.STEADY_STATE,
                functions.OBSERVE,
                on_go=states.INJECT,
                on_stop=record,
                on_error=record,
            ),
            **phase(
                states.INJECT,
                functions.INJECT,
                repeats=True,
                on_go=states.OBSERVE,
                on_stop=end,
                on_error=end,
            ),
            **phase(
                states.OBSERVE,
                functions.OBSERVE,
                repeats=True,
                on_go=end,
                on_stop=end,
                on_error=end,
            ),
            **phase(
                end,
                functions.END,
                repeats=True,
                on_go=states.FAILBACK,
                on_stop=record,
                on_error=record,
                attempts=10,
            ),
            **phase(
                states.FAILBACK,
                functions.OBSERVE,
                repeats=True,
                on_go=again,
                on_stop=again,
                on_error=record,
            ),
            **phase(
                again,
                functions.OBSERVE,
                on_go=record,
                on_stop=record,
                on_error=record,
            ),
            record: {
                **_call(functions.END, record, function_arns, partition, 6),
                "Next": "Record: then",
            },
            "Record: then": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.go", "BooleanEquals": True, "Next": "Recorded"}],
                "Default": "Fault not over",
            },
            "Recorded": {"Type": "Succeed"},
            "Fault not over": {
                "Type": "Fail",
                "Error": "FaultNotOver",
                "Cause": "The verdict is recorded, but the fault may not be over; the cleanup "
                "continues to end it",
            },
        },
    }


def cleanup_pattern(state_machines: str) -> JsonObject:
    """The EventBridge pattern of runs that were aborted, timed out or failed.

    Of all state machines whose ARN has the given form, which ends in ``*``: a run of a drill that
    was removed meanwhile is cleaned up too.
    """
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [{"prefix": state_machines.removesuffix("*")}],
        },
    }


def _call(
    function: Function, phase: str, arns: Mapping[str, str], partition: str, attempts: int
) -> JsonObject:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": arns[function.name],
            "Payload": {"phase": phase, "state.$": "$"},
        },
        "ResultSelector": {
            "go.$": "$.Payload.go",
            "again.$": "$.Payload.again",
            "began_at.$": "$.Payload.began_at",
            "experiment.$": "$.Payload.experiment",
            "message.$": "$.Payload.message",
        },
        # Calls of phases return within a minute; a function may have other, longer calls.
        "TimeoutSeconds": _CALL_TIMEOUT_SECONDS,
        "Retry": [
            {
                "ErrorEquals": ["States.ALL"],
                "IntervalSeconds": 2,
                "BackoffRate": 2,
                "MaxDelaySeconds": 30,
                "MaxAttempts": attempts,
                "JitterStrategy": "FULL",
            }
        ],
    }
