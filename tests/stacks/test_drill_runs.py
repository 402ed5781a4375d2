"""What runs in drills: plans, state machines, schedules, functions and the watchdog."""

import json
import re
from collections.abc import Callable, Mapping

import pytest

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules
from staged_resiliency.drills.state_machine import definition
from tests.stacks.deployed_drills import (
    ACCOUNT,
    ANY_MACHINE,
    DRILLS,
    EXPERIMENT,
    FUNCTION,
    MACHINE,
    MACHINES,
    REGION,
    SCHEDULE,
    _made,
    by_drill,
    deployed,
    drill_of,
    plans_of,
)
from tests.staged_resiliency.api_model import problems_of
from tests.support import Data, Template, only, resources_of


def test_the_functions_read_the_plans_that_the_machines_hold(drills_template: Template) -> None:
    plans = plans_of(drills_template)
    assert set(plans) == set(DRILLS)
    templates = {
        drill: _made(drills_template, logical_id, "Id")
        for logical_id in resources_of(drills_template, EXPERIMENT)
        for drill in [drill_of(logical_id)]
    }
    for drill, plan in plans.items():
        assert (plan.service, plan.environment, plan.drill) == ("bookstore", "production", drill)
        assert plan.experiment_template_id == templates[drill]
        assert plan.enabled is False
        assert plan.journal_bucket == "journals"
        assert plan.standby.instance_id is None  # which the template must not leave out
        assert plan.active.addresses == ("54.213.54.171",)
        assert set(plan.guard_alarms) <= set(plan.alarms)
        assert not set(plan.guard_alarms) & set(plan.expected_alarms)
        assert (plan.window.from_hour, plan.window.to_hour) == (9, 17)
        assert plan.window.timezone == "America/Los_Angeles"
    assert plans["shutdown"].fault_seconds == 720
    assert (plans["db-blackhole"].dependency, plans["db-blackhole"].port) == ("db", None)
    command = plans["db-blackhole"].command
    assert command is not None
    assert command.document == "AWSFIS-Run-Network-Packet-Loss-Sources"
    assert plans["shutdown"].command is None
    assert plans["shutdown"].dependency is None


def test_a_plan_names_every_alarm_of_the_service_and_no_other(
    example_templates: Mapping[str, Template],
) -> None:
    made = {
        alarm["Properties"]["AlarmName"]
        for name in ("failover", "probe")
        for alarm in resources_of(
            example_templates[f"bookstore-production-{name}"], "AWS::CloudWatch::Alarm"
        ).values()
    }
    for plan in plans_of(example_templates["bookstore-production-drills"]).values():
        assert set(plan.alarms) == made


def test_enabled_drills_inject(enabled_template: Template) -> None:
    assert all(plan.enabled for plan in plans_of(enabled_template).values())


def test_a_machine_is_what_the_contract_defines_of_its_plan(drills_template: Template) -> None:
    arns = {
        each.name: _made(drills_template, logical_id, "Arn")
        for each in functions.ALL
        for logical_id, resource in resources_of(drills_template, FUNCTION).items()
        if resource["Properties"]["Handler"] == each.handler
    }
    plans = plans_of(drills_template)
    for drill, machine in by_drill(drills_template, MACHINE).items():
        assert json.loads(machine["DefinitionString"]) == json.loads(
            json.dumps(definition(plans[drill], arns))
        )
        assert machine["StateMachineType"] == "STANDARD"
        logging = machine["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)


def _machines_alone(template: Template) -> Data:
    """A template of the machines, with their definitions as the deployment would make them."""
    machines = {
        f"Machine{number}": {
            "Type": MACHINE,
            "Properties": {
                "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/drills",
                "Definition": json.loads(machine["DefinitionString"]),
            },
        }
        for number, machine in enumerate(by_drill(template, MACHINE).values())
    }
    return {"Resources": machines}


@pytest.mark.slow
def test_cfn_lint_takes_the_machines_definitions(
    drills_template: Template, cfn_lint: Callable[[Template], list[str]]
) -> None:
    assert cfn_lint(_machines_alone(drills_template)) == []


def test_a_schedule_starts_its_machine_once_for_each_occurrence(drills_template: Template) -> None:
    for (drill, schedule), week in zip(
        by_drill(drills_template, SCHEDULE).items(), (1, 2, 3), strict=True
    ):
        assert schedule["ScheduleExpression"] == f"cron(0 10 ? * TUE#{week} *)"
        assert schedule["ScheduleExpressionTimezone"] == "America/Los_Angeles"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["State"] == "ENABLED"
        target = schedule["Target"]
        assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sfn:startExecution"
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}
        assert target["DeadLetterConfig"]["Arn"].endswith(":undelivered")
        asked = json.loads(target["Input"])
        assert asked["StateMachineArn"].endswith(f"-drill-{drill}")
        assert asked["Name"] == "<aws.scheduler.execution-id>"
        assert json.loads(asked["Input"]) == {"occurrence": "<aws.scheduler.scheduled-time>"}
        assert problems_of("stepfunctions", "StartExecution", _lowered(asked)) == []


def _lowered(asked: Mapping[str, str]) -> Data:
    """What Scheduler calls StartExecution with; it fills in the occurrence."""
    return {
        key[0].lower() + key[1:]: value.replace("<aws.scheduler.execution-id>", "d32c5kddcf5bb8c3")
        for key, value in asked.items()
    }


def test_schedules_are_what_scheduler_takes(drills_template: Template) -> None:
    for logical_id, resource in resources_of(drills_template, SCHEDULE).items():
        request = {**deployed(resource["Properties"], drills_template), "Name": logical_id}
        assert problems_of("scheduler", "CreateSchedule", request) == []


def test_the_watchdog_is_called_with_every_drill_and_the_cleanup_with_none(
    drills_template: Template,
) -> None:
    """The cleanup finds its runs in the bucket, those of drills that were removed too."""
    found = {}
    for logical_id, resource in resources_of(drills_template, SCHEDULE).items():
        if re.match("Drills[A-Z]", logical_id):
            schedule = deployed(resource["Properties"], drills_template)
            given = DrillSchedules.from_json(json.loads(schedule["Target"]["Input"]))
            arns = [each.state_machine_arn for each in given.drills]
            found[given.task] = (schedule["ScheduleExpression"], arns)
    assert found == {"watchdog": ("rate(1 day)", MACHINES), "cleanup": ("rate(15 minutes)", [])}


def test_the_watchdog_is_called_once_all_state_machines_are_there(
    drills_template: Template,
) -> None:
    (schedule,) = (
        resource
        for logical_id, resource in resources_of(drills_template, SCHEDULE).items()
        if logical_id.startswith("DrillsWatchdog")
    )
    assert sorted(schedule["DependsOn"]) == sorted(resources_of(drills_template, MACHINE))


def test_an_alarm_reports_a_drill_that_is_overdue_or_not_counted(drills_template: Template) -> None:
    alarms = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]
        for alarm in resources_of(drills_template, "AWS::CloudWatch::Alarm").values()
    }
    assert set(alarms) == {
        "bookstore-production-drills-undelivered",
        "bookstore-production-drills-fault-not-ended",
        *(f"bookstore-production-drill-{drill}-overdue" for drill in DRILLS),
    }
    for drill in DRILLS:
        alarm = alarms[f"bookstore-production-drill-{drill}-overdue"]
        assert (alarm["MetricName"], alarm["Namespace"]) == ("drill-days-since-passed", "Bookstore")
        assert alarm["Dimensions"] == [
            {"Name": "Service", "Value": "bookstore"},
            {"Name": "Environment", "Value": "production"},
            {"Name": "Drill", "Value": drill},
        ]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 35)
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (86400, 1)
        assert alarm["TreatMissingData"] == "breaching"
        # The watchdog first counts a drill that was added later within a day.
        assert alarm["WarmUpConfiguration"] == {"WarmUpPeriodDurationInMinutes": 2 * 24 * 60}
        assert alarm["AlarmActions"] == [f"arn:aws:sns:{REGION}:{ACCOUNT}:PingPublicationsSNS"]


def test_the_cleanup_is_called_after_runs_that_were_aborted_timed_out_or_failed(
    drills_template: Template,
) -> None:
    rule = deployed(only(drills_template, "AWS::Events::Rule"), drills_template)
    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [{"prefix": ANY_MACHINE.removesuffix("*")}],
        },
    }
    (target,) = rule["Targets"]
    assert target["DeadLetterConfig"]["Arn"].endswith(":undelivered")
    permission = deployed(only(drills_template, "AWS::Lambda::Permission"), drills_template)
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceAccount"] == ACCOUNT
    assert permission["SourceArn"].startswith(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/")


def test_all_functions_run_the_same_code_on_the_current_python(drills_template: Template) -> None:
    made = [each["Properties"] for each in resources_of(drills_template, FUNCTION).values()]
    assert len({json.dumps(each["Code"]) for each in made}) == 1
    assert {each["Runtime"] for each in made} == {f"python{functions.RUNTIME_VERSION}"}
    assert {each["Handler"] for each in made} == {each.handler for each in functions.ALL}
    assert {each["LoggingConfig"]["LogFormat"] for each in made} == {"JSON"}
    assert not any("Layers" in each or "Environment" in each for each in made)
