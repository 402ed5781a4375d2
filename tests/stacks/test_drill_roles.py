"""What the roles of drills may do, and what ends a fault whatever is deployed during a drill."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.iam_findings import findings_above_low
from tests.stacks.deployed_drills import (
    ACCOUNT,
    ANY_MACHINE,
    BLUE,
    DRILLS,
    FIS_LOG,
    FUNCTION,
    GREEN,
    IN_REGION,
    INSTANCE,
    JOURNALS,
    MACHINE,
    OWN,
    REGION,
    ROLE,
    SCHEDULE,
    by_drill,
    deployed,
    roles_of,
    statements_of,
)
from tests.support import Data, Template, example, resources_of, synthesize

TAGGED = {
    "staged-resiliency:service": "bookstore",
    "staged-resiliency:environment": "production",
}
OURS = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in TAGGED.items()}}
NEW = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in TAGGED.items()}}
EXPERIMENTS = f"arn:aws:fis:{REGION}:{ACCOUNT}:experiment/*"
EXECUTIONS = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:bookstore-production-drill-*:*"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/bookstore-production-failover/*"
LOCKS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/staged-resiliency/drill-locks/*"
ANY_INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
LOADS_AND_SAVES = [
    (["s3:GetObject"], [f"{JOURNALS}/*"], None),
    (["s3:ListBucket"], [JOURNALS], None),
    (["s3:PutObject"], [f"{JOURNALS}/{folder}/*" for folder in OWN], None),
    (
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:Log:*"],
        None,
    ),
]
LOOKS = [
    (["cloudwatch:DescribeAlarms"], ["*"], IN_REGION),
    (["route53:TestDNSAnswer"], ["*"], None),
]
STARTS = [
    (["ec2:StartInstances"], [INSTANCE], None),
    (
        ["ec2:StartInstances"],
        [ANY_INSTANCE],
        {"StringEquals": {"aws:ResourceTag/Name": [BLUE, GREEN]}},
    ),
]
QUEUE = (["sqs:SendMessage"], [f"arn:aws:sqs:{REGION}:{ACCOUNT}:undelivered"], None)
STATES_LOG = (
    [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ],
    ["*"],
    None,
)
# Every role, and all that each may do: actions, resources, condition.
MAY: Mapping[str, list[tuple[list[str], list[str], Any]]] = {
    "DrillsObserveRole": [
        *LOOKS,
        *LOADS_AND_SAVES,
        (
            ["ec2:DescribeInstances", "ec2:DescribeVolumes", "fis:ListExperimentTemplates",
             "fis:ListExperiments", "ssm:DescribeInstanceInformation"],
            ["*"],
            IN_REGION,
        ),
        (["fis:GetExperiment"], [EXPERIMENTS], OURS),
        (
            ["kms:DescribeKey"],
            [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"],
            {"StringEquals": {"kms:RequestAlias": "alias/aws/ebs"}},
        ),
        (["ssm:DeleteParameter", "ssm:GetParametersByPath", "ssm:PutParameter"], [LOCKS], None),
        (["cloudformation:DescribeStacks"], [STACK], None),
    ],
    "DrillsInjectRole": [
        *LOOKS,
        *LOADS_AND_SAVES[1:],
        (["fis:ListExperiments"], ["*"], IN_REGION),
        (
            ["fis:StartExperiment"],
            [f"arn:aws:fis:{REGION}:{ACCOUNT}:experiment-template/*"],
            OURS,
        ),
        (["fis:StartExperiment", "fis:TagResource"], [EXPERIMENTS], NEW),
        (["fis:GetExperiment", "fis:ListExperimentResolvedTargets"], [EXPERIMENTS], OURS),
        (["ssm:GetParametersByPath"], [LOCKS], None),
        (["cloudformation:DescribeStacks"], [STACK], None),
        (
            ["iam:CreateServiceLinkedRole"],
            [
                f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"
            ],
            {"StringEquals": {"iam:AWSServiceName": "fis.amazonaws.com"}},
        ),
    ],
    "DrillsEndRole": [
        *LOOKS,
        *LOADS_AND_SAVES,
        *STARTS,
        (
            ["ec2:DescribeInstances", "fis:ListExperiments", "ssm:ListCommandInvocations"],
            ["*"],
            IN_REGION,
        ),
        (["fis:GetExperiment", "fis:StopExperiment"], [EXPERIMENTS], OURS),
        (
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": "Bookstore"}},
        ),
        (["sns:Publish"], [f"arn:aws:sns:{REGION}:{ACCOUNT}:PingPublicationsSNS"], None),
        (
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            [f"arn:aws:kms:{REGION}:{ACCOUNT}:key/*"],
            {"StringEquals": {"kms:ViaService": f"sns.{REGION}.amazonaws.com"}},
        ),
        (["ssm:GetParametersByPath", "ssm:PutParameter"], [LOCKS], None),
        (
            ["states:DescribeExecution", "states:DescribeStateMachineForExecution"],
            [EXECUTIONS],
            None,
        ),
        (["states:DescribeStateMachine"], [ANY_MACHINE], None),
        QUEUE,
    ],
    "DrillsMachineRole": [
        (
            ["lambda:InvokeFunction"],
            [
                f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
                for name in ("Observe", "Inject", "End")
            ],
            None,
        ),
        STATES_LOG,
    ],
    "DrillsSchedulerRole": [
        (["states:StartExecution"], [ANY_MACHINE], None),
        (["lambda:InvokeFunction"], [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:End"], None),
        QUEUE,
    ],
    "DrillsStopInstanceRole": [
        (["ec2:StopInstances"], [INSTANCE], None),
        *STARTS,
        (["ec2:DescribeInstances"], ["*"], IN_REGION),
        FIS_LOG,
    ],
    "DrillsBlackholeRole": [
        (
            ["ssm:SendCommand"],
            [f"arn:aws:ssm:{REGION}::document/AWSFIS-Run-Network-Packet-Loss-Sources", INSTANCE],
            None,
        ),
        (["ssm:CancelCommand", "ssm:ListCommands"], ["*"], None),
        (["ec2:DescribeInstances", "ec2:DescribeSubnets"], ["*"], IN_REGION),
        FIS_LOG,
    ],
}  # fmt: skip


def test_every_role_may_do_exactly_this(drills_template: Template) -> None:
    found = {
        name: sorted(map(repr, statements_of(role))) for name, role in roles_of(drills_template)
    }
    assert found == {name: sorted(map(repr, allowed)) for name, allowed in MAY.items()}


def test_no_role_has_a_managed_policy_or_a_second_one(drills_template: Template) -> None:
    for _, role in roles_of(drills_template):
        assert set(role) == {"AssumeRolePolicyDocument", "Description", "Policies"}


def test_parliament_finds_nothing_above_low(drills_template: Template) -> None:
    found = {
        name: [
            line
            for line in findings_above_low(policy["PolicyDocument"])
            # It wants both resources of StartExperiment in one statement; IAM takes one for each,
            # and each needs a condition of its own.
            if "'fis:StartExperiment'" not in line
        ]
        for name, role in roles_of(drills_template)
        for policy in role["Policies"]
    }
    assert len(found) == len(MAY)
    assert {name: lines for name, lines in found.items() if lines} == {}


GROUP = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/"
SOURCES = {
    "fis": ("ArnLike", f"arn:aws:fis:{REGION}:{ACCOUNT}:experiment/*"),
    "states": (
        "ArnLike",
        f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-*",
    ),
    "scheduler": ("ArnEquals", GROUP),
}


def test_every_role_is_taken_by_one_service_for_this_accounts_sources(
    drills_template: Template,
) -> None:
    taken = dict.fromkeys([*SOURCES, "lambda"], 0)
    for _, role in roles_of(drills_template):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"].pop("Service").removesuffix(".amazonaws.com")
        assert statement["Principal"] == {}
        assert statement["Action"] == "sts:AssumeRole"
        taken[service] += 1
        if service == "lambda":  # which sends no source
            assert "Condition" not in statement
            continue
        operator, source = SOURCES[service]
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
        assert condition[operator]["aws:SourceArn"].startswith(source)
    assert taken == {"fis": 2, "states": 1, "scheduler": 1, "lambda": 3}


def test_each_function_has_a_role_of_its_own_and_ending_a_fault_reserved_executions(
    drills_template: Template,
) -> None:
    found = {
        function["Properties"]["Handler"].rpartition(".")[2]: (
            "".join(filter(str.isalpha, function["Properties"]["Role"]["Fn::GetAtt"][0][:-8])),
            function["Properties"].get("ReservedConcurrentExecutions"),
        )
        for function in resources_of(drills_template, FUNCTION).values()
    }
    assert found == {
        "observe": ("DrillsObserveRole", None),
        "inject": ("DrillsInjectRole", None),
        "end": ("DrillsEndRole", 5),
    }


def test_all_schedules_and_machines_assume_the_roles_that_are_for_them(
    drills_template: Template,
) -> None:
    schedules = resources_of(drills_template, SCHEDULE).values()
    roles = [
        deployed(each["Properties"], drills_template)["Target"]["RoleArn"] for each in schedules
    ]
    assert len(roles) == len(DRILLS) + 2
    assert all("DrillsSchedulerRole" in role for role in roles)
    for drill, machine in by_drill(drills_template, MACHINE).items():
        assert "DrillsMachineRole" in machine["RoleArn"], drill


def _what_ends_faults(env_edit: Callable[[Data], object]) -> tuple[Data, Data]:
    """The roles by which faults are ended, and the cleanup's rule and schedule, after an edit."""

    def edit(env: Data) -> None:
        env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
        env_edit(env)

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    roles = {
        name: sorted(map(repr, statements_of(role)))
        for name, role in roles_of(template)
        if name in ("DrillsEndRole", "DrillsStopInstanceRole", "DrillsBlackholeRole")
    }
    calls = {
        logical_id[:-8]: resource["Properties"]
        for kind in ("AWS::Events::Rule", SCHEDULE)
        for logical_id, resource in resources_of(template, kind).items()
        if logical_id.startswith("DrillsCleanup")
    }
    return roles, calls


@pytest.mark.parametrize(
    "edit",
    [
        lambda env: env.update(active="green"),
        lambda env: env["drills"].pop("db-blackhole"),
        lambda env: env["drills"].update(moved=env["drills"].pop("shutdown")),
    ],
    ids=["swap", "remove a drill", "rename a drill"],
)
def test_an_edit_during_a_drill_leaves_all_that_ends_its_fault(
    edit: Callable[[Data], object],
) -> None:
    assert _what_ends_faults(edit) == _what_ends_faults(lambda env: None)


def test_a_host_whose_instance_was_exchanged_during_a_drill_is_started_by_its_name(
    drills_template: Template,
) -> None:
    def exchange(env: Data) -> None:
        env["hosts"]["blue"]["instance_id"] = "i-0999999999abcdef0"

    roles, _ = _what_ends_faults(exchange)
    by_name = repr(STARTS[1])
    for name in ("DrillsEndRole", "DrillsStopInstanceRole"):
        assert by_name in roles[name]


def test_the_roles_that_fis_assumes_outlive_the_stack(drills_template: Template) -> None:
    kept = {
        logical_id[:-8]: resource.get("DeletionPolicy")
        for logical_id, resource in resources_of(drills_template, ROLE).items()
    }
    assert {name for name, policy in kept.items() if policy == "Retain"} == {
        "DrillsStopInstanceRole",
        "DrillsBlackholeRole",
    }


def test_an_alarm_is_on_while_the_fault_of_a_run_that_ended_may_last(
    drills_template: Template,
) -> None:
    (alarm,) = (
        alarm["Properties"]
        for alarm in resources_of(drills_template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "drill-faults-not-ended"
    )
    assert alarm["AlarmName"] == "bookstore-production-drills-fault-not-ended"
    assert alarm["Dimensions"] == [
        {"Name": "Service", "Value": "bookstore"},
        {"Name": "Environment", "Value": "production"},
    ]
    assert (alarm["Statistic"], alarm["Threshold"], alarm["Period"]) == ("Maximum", 0, 1800)
    # A cleanup that does not run ends no fault.
    assert alarm["TreatMissingData"] == "breaching"
