"""The drills of the example: what they may do, what AWS takes of them, and what they run."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime.plan import DrillSchedules, FaultKind, Plan
from staged_resiliency.drills.state_machine import definition
from staged_resiliency.experiment.expectations import ClientsFast
from tests.iam_findings import findings_above_low
from tests.properties import fewer_examples
from tests.staged_resiliency.api_model import problems_of
from tests.support import Data, Template, example, only, resources_of, synthesize

ACCOUNT, REGION = "532151327118", "us-west-2"
DRILLS = ("shutdown", "db-blackhole", "cdn-blackhole")
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0ab55a49288f1da24"
JOURNALS = "arn:aws:s3:::journals"
MACHINES = [f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-{name}"
            for name in DRILLS]  # fmt: skip
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
IN_REGION = {"StringEquals": {"aws:RequestedRegion": REGION}}

ROLE = "AWS::IAM::Role"
EXPERIMENT = "AWS::FIS::ExperimentTemplate"
MACHINE = "AWS::StepFunctions::StateMachine"
SCHEDULE = "AWS::Scheduler::Schedule"
FUNCTION = "AWS::Lambda::Function"
LOG = "AWS::Logs::LogGroup"


def deployed(value: Any, template: Template, drills: Sequence[str] = DRILLS) -> Any:
    """A value of the template as the deployment would make it, with made-up ids."""
    if isinstance(value, list):
        return [deployed(each, template, drills) for each in value]
    if not isinstance(value, Mapping):
        return value
    match dict(value):
        case {"Ref": logical_id}:
            return _made(template, logical_id, "Ref", drills)
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return _made(template, logical_id, attribute, drills)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(deployed(parts, template, drills))
    return {key: deployed(each, template, drills) for key, each in value.items()}


def _made(
    template: Template, logical_id: str, attribute: str, drills: Sequence[str] = DRILLS
) -> str:
    kind = template["Resources"][logical_id]["Type"]
    start = f"{REGION}:{ACCOUNT}"
    match kind, attribute:
        case "AWS::S3::Bucket", "Arn":
            return JOURNALS
        case "AWS::S3::Bucket", _:
            return "journals"
        case "AWS::SQS::Queue", "Arn":
            return f"arn:aws:sqs:{start}:undelivered"
        case "AWS::SQS::Queue", "Ref":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/undelivered"
        case "AWS::SQS::Queue", _:
            return "undelivered"
        case "AWS::Lambda::Function", "Arn":
            return f"arn:aws:lambda:{start}:function:{logical_id}"
        case "AWS::Logs::LogGroup", "Arn":
            return f"arn:aws:logs:{start}:log-group:{logical_id}:*"
        case "AWS::FIS::ExperimentTemplate", _:
            return f"EXT-{drill_of(logical_id, drills)}"
        case "AWS::Scheduler::ScheduleGroup", "Arn":
            return f"arn:aws:scheduler:{start}:schedule-group/{logical_id}"
        case "AWS::StepFunctions::StateMachine", _:
            name = template["Resources"][logical_id]["Properties"]["StateMachineName"]
            return f"arn:aws:states:{start}:stateMachine:{name}"
        case "AWS::Events::Rule", "Arn":
            return f"arn:aws:events:{start}:rule/{logical_id}"
        case "AWS::IAM::Role", "Arn":
            return f"arn:aws:iam::{ACCOUNT}:role/{logical_id}"
        case _:
            return logical_id


def drill_of(logical_id: str, drills: Sequence[str] = DRILLS) -> str:
    """The drill that a resource belongs to."""
    return next(name for name in drills if name.replace("-", "") in logical_id)


def by_drill(template: Template, resource_type: str) -> Mapping[str, Data]:
    """The properties of the resources of a type as deployed, by their drills."""
    return {
        drill_of(logical_id): deployed(resource["Properties"], template)
        for logical_id, resource in resources_of(template, resource_type).items()
        if not re.match("Drills[A-Z]", logical_id)
    }


def plans_of(template: Template) -> Mapping[str, Plan]:
    """The plans in the machines, read as the functions read them."""
    return {
        drill: Plan.from_json(
            json.loads(machine["DefinitionString"])["States"]["Plan"]["Result"]["plan"]
        )
        for drill, machine in by_drill(template, MACHINE).items()
    }


# -- What the roles may do ---------------------------------------------------------------------


TAGGED = {
    "staged-resiliency:service": "bookstore",
    "staged-resiliency:environment": "production",
}
OURS = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in TAGGED.items()}}
NEW = {"StringEquals": {f"aws:RequestTag/{key}": value for key, value in TAGGED.items()}}
EXPERIMENTS = f"arn:aws:fis:{REGION}:{ACCOUNT}:experiment/*"
EXECUTIONS = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:bookstore-production-drill-*:*"
ANY_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-*"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/bookstore-production-failover/*"
LOCKS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/staged-resiliency/drill-locks/*"
ANY_INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
OWN = ("begun", "ended", "journals", "live", "occurrences", "runs")
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
FIS_LOG = (
    [
        "logs:CreateLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
    ],
    ["*"],
    None,
)
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


def _roles(template: Template) -> Iterator[tuple[str, Data]]:
    for logical_id, resource in resources_of(template, ROLE).items():
        yield logical_id[:-8], deployed(resource["Properties"], template)


def _listed(value: object) -> list[str]:
    return [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]


def _short(arn: str) -> str:
    """An ARN without the logical id that made up its name here."""
    for name in ("Log", *(each.construct_id for each in functions.ALL)):
        if f":Drills{name}" in arn:
            return f"{arn.partition(':Drills')[0]}:{name}{':*' if arn.endswith(':*') else ''}"
    return arn


def _statements(role: Data) -> Iterator[tuple[list[str], list[str], Any]]:
    (policy,) = role["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        yield (
            _listed(statement["Action"]),
            [_short(arn) for arn in _listed(statement["Resource"])],
            statement.get("Condition"),
        )


def test_every_role_may_do_exactly_this(drills_template: Template) -> None:
    found = {name: sorted(map(repr, _statements(role))) for name, role in _roles(drills_template)}
    assert found == {name: sorted(map(repr, allowed)) for name, allowed in MAY.items()}


def test_no_role_has_a_managed_policy_or_a_second_one(drills_template: Template) -> None:
    for _, role in _roles(drills_template):
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
        for name, role in _roles(drills_template)
        for policy in role["Policies"]
    }
    assert len(found) == len(MAY)
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_parliament_would_find_an_action_on_the_wrong_resource() -> None:
    statement = {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "arn:aws:s3:::a"}
    (finding,) = findings_above_low({"Version": "2012-10-17", "Statement": [statement]})
    assert finding.startswith("MEDIUM RESOURCE_MISMATCH")


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
    for _, role in _roles(drills_template):
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


# -- The end of a fault, whatever is deployed during a drill ------------------------------------


def _what_ends_faults(env_edit: Callable[[Data], object]) -> tuple[Data, Data]:
    """The roles by which faults are ended, and the cleanup's rule and schedule, after an edit."""

    def edit(env: Data) -> None:
        env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
        env_edit(env)

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    roles = {
        name: sorted(map(repr, _statements(role)))
        for name, role in _roles(template)
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


# -- Faults ------------------------------------------------------------------------------------


def test_each_fault_is_what_the_file_asks_for(drills_template: Template) -> None:
    actions = {
        drill: experiment["Actions"]["Fault"]
        for drill, experiment in by_drill(drills_template, EXPERIMENT).items()
    }
    assert actions["shutdown"] == {
        "ActionId": "aws:ec2:stop-instances",
        "Description": f"Stops {BLUE}, and starts it again.",
        "Parameters": {"startInstancesAfterDuration": "PT12M"},
        "Targets": {"Instances": "Host"},
    }
    assert actions["db-blackhole"] == _network_fault(
        "Drops what {host} sends to db.bookstore.pingpublications.com.",
        "AWSFIS-Run-Network-Packet-Loss-Sources",
        LossPercent="100",
        Sources="db.bookstore.pingpublications.com",
    )
    cut_off = actions["cdn-blackhole"]["Parameters"]["documentParameters"]
    assert '"Sources":"cdn.bookstore.pingpublications.com"' in cut_off


def _network_fault(effect: str, document: str, **parameters: str) -> Data:
    """The action of a fault of five minutes on blue's network."""
    given = {
        "DurationSeconds": "300",
        "InstallDependencies": "True",
        "TrafficType": "egress",
        **parameters,
    }
    return {
        "ActionId": "aws:ssm:send-command",
        "Description": effect.format(host=BLUE),
        "Parameters": {
            "documentArn": f"arn:aws:ssm:{REGION}::document/{document}",
            "documentParameters": json.dumps(given, separators=(",", ":"), sort_keys=True),
            "duration": "PT6M",
        },
        "Targets": {"Instances": "Host"},
    }


def test_a_port_is_cut_off_at_any_address_where_the_file_asks_for_it() -> None:
    def edit(env: Data) -> None:
        env["drills"]["db-blackhole"]["scope"] = "port"

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    document = "AWSFIS-Run-Network-Blackhole-Port"
    assert by_drill(template, EXPERIMENT)["db-blackhole"]["Actions"]["Fault"] == _network_fault(
        "Drops what {host} sends to TCP port 5432.", document, Port="5432", Protocol="tcp"
    )
    roles = {name: list(_statements(role)) for name, role in _roles(template)}
    run = (["ssm:SendCommand"], [f"arn:aws:ssm:{REGION}::document/{document}", INSTANCE], None)
    assert run in roles["DrillsBlackholePortRole"]
    assert (["ec2:DescribeInstances"], ["*"], IN_REGION) in roles["DrillsBlackholePortRole"]
    plan = plans_of(template)["db-blackhole"]
    assert (plan.port, plan.effect) == (5432, f"drops what {BLUE} sends to TCP port 5432")


@pytest.mark.parametrize(
    ("keys", "effect", "document", "parameters"),
    [
        (
            {"delay_milliseconds": 300, "jitter_milliseconds": 50},
            "Delays what {host} sends to db.bookstore.pingpublications.com by 300 ms, give or take "
            "50 ms.",
            "AWSFIS-Run-Network-Latency-Sources",
            {"DelayMilliseconds": "300", "JitterMilliseconds": "50"},
        ),
        (
            {"loss_percent": 10},
            "Loses 10 of 100 packets that {host} sends to db.bookstore.pingpublications.com.",
            "AWSFIS-Run-Network-Packet-Loss-Sources",
            {"LossPercent": "10"},
        ),
    ],
    ids=["delay", "loss"],
)
def test_a_dependency_is_degraded_as_the_file_asks_for_it(
    keys: Data, effect: str, document: str, parameters: dict[str, str]
) -> None:
    def edit(env: Data) -> None:
        env["drills"]["db-blackhole"].update(fault="degrade", response_milliseconds=800, **keys)

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    experiment = by_drill(template, EXPERIMENT)["db-blackhole"]
    assert experiment["Actions"]["Fault"] == _network_fault(
        effect, document, Sources="db.bookstore.pingpublications.com", **parameters
    )
    assert problems_of("fis", "CreateExperimentTemplate", experiment_request(experiment)) == []
    sent = [f"arn:aws:ssm:{REGION}::document/AWSFIS-Run-Network-{name}-Sources"
            for name in ("Latency", "Packet-Loss")]  # fmt: skip
    roles = {name: list(_statements(role)) for name, role in _roles(template)}
    assert (["ssm:SendCommand"], [*sent, INSTANCE], None) in roles["DrillsDegradeRole"]
    plan = plans_of(template)["db-blackhole"]
    assert plan.fault is FaultKind.DEGRADE
    assert ClientsFast("bookstore.pingpublications.com", 0.8) in plan.hypothesis


def test_each_fault_has_one_target_guards_a_log_and_fails_without_its_target(
    drills_template: Template,
) -> None:
    guards = {
        "shutdown": [f"{GREEN}-probe-silent"],
        "db-blackhole": [f"{GREEN}-probe-silent", f"{GREEN}-db-connectivity-failed"],
        "cdn-blackhole": [f"{GREEN}-probe-silent", f"{GREEN}-cdn-connectivity-failed"],
    }
    for drill, experiment in by_drill(drills_template, EXPERIMENT).items():
        assert experiment["Targets"] == {
            "Host": {
                "ResourceType": "aws:ec2:instance",
                "ResourceArns": [INSTANCE],
                "SelectionMode": "ALL",
            }
        }
        assert experiment["StopConditions"] == [
            {
                "Source": "aws:cloudwatch:alarm",
                "Value": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{guard}",
            }
            for guard in guards[drill]
        ]
        assert experiment["ExperimentOptions"] == {
            "AccountTargeting": "single-account",
            "EmptyTargetResolutionMode": "fail",
        }
        log = experiment["LogConfiguration"]
        assert log["LogSchemaVersion"] == 2
        assert log["CloudWatchLogsConfiguration"]["LogGroupArn"].endswith(":*")


def experiment_request(properties: Data) -> Data:
    """The request CreateExperimentTemplate that CloudFormation makes of a resource."""

    def lower(value: Any, *, keep: bool = False) -> Any:
        if isinstance(value, list):
            return [lower(each) for each in value]
        if not isinstance(value, dict):
            return value
        kept = ("Actions", "Targets", "Parameters", "Tags", "targets")
        return {
            key if keep else key[0].lower() + key[1:]: lower(each, keep=key in kept and not keep)
            for key, each in value.items()
        }

    request = {"clientToken": "once", **lower(properties)}
    for report in (
        [request["experimentReportConfiguration"]]
        if "experimentReportConfiguration" in request
        else []
    ):
        # The one key that CloudFormation names otherwise than the API.
        report["outputs"] = {
            "s3Configuration": report["outputs"]["experimentReportS3Configuration"]
        }
    return request


def test_fis_takes_every_template(drills_template: Template) -> None:
    for drill, experiment in by_drill(drills_template, EXPERIMENT).items():
        request = experiment_request(experiment)
        assert problems_of("fis", "CreateExperimentTemplate", request) == [], drill
        for action in request["actions"].values():
            assert all(len(value) <= 1024 for value in action["parameters"].values())


def test_the_model_of_fis_would_find_a_wrong_template(drills_template: Template) -> None:
    request = experiment_request(by_drill(drills_template, EXPERIMENT)["shutdown"])
    request["stopConditions"][0].pop("source")
    request["experimentOptions"]["emptyTargetResolutionMode"] = "ignore"
    found = "\n".join(problems_of("fis", "CreateExperimentTemplate", request))
    assert 'Missing required parameter in stopConditions[0]: "source"' in found
    assert "'ignore' is not one of" in found


# -- What runs ---------------------------------------------------------------------------------


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
    assert (plans["shutdown"].dependency, plans["shutdown"].command) == (None, None)


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


@pytest.fixture(scope="module")
def enabled_template() -> Template:
    """The example's drills stack with drills enabled and keys of volumes given."""
    return synthesize(
        [example(lambda env: env["drills"].update(enabled=True, volume_keys=[KEY]), whole=True)]
    )["bookstore-production-drills"]


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


def _lint(template: Data) -> list[str]:
    found = lint(json.dumps(template), config=ManualArgs(include_checks=["I", "W", "E"]))
    return [str(finding) for finding in found]


@pytest.mark.slow
def test_cfn_lint_takes_the_machines_definitions(drills_template: Template) -> None:
    assert _lint(_machines_alone(drills_template)) == []


@pytest.mark.slow
def test_cfn_lint_would_find_a_state_that_leads_nowhere(drills_template: Template) -> None:
    broken = _machines_alone(drills_template)
    broken["Resources"]["Machine0"]["Properties"]["Definition"]["States"]["Plan"].pop("Next")
    assert _lint(broken)


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


def test_a_drill_that_is_overdue_or_that_nobody_counts_is_told(drills_template: Template) -> None:
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


# -- What is kept ------------------------------------------------------------------------------


def test_journals_are_encrypted_versioned_private_and_stay(drills_template: Template) -> None:
    (bucket,) = resources_of(drills_template, "AWS::S3::Bucket").values()
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = bucket["Properties"]
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    (kept,) = properties["LifecycleConfiguration"]["Rules"]
    assert kept["ExpirationInDays"] == 1096
    policy = deployed(only(drills_template, "AWS::S3::BucketPolicy"), drills_template)
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [JOURNALS, f"{JOURNALS}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "DenyOverwriting",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": [f"{JOURNALS}/{folder}/*" for folder in (*OWN, "approvals")],
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        },
    ]


def test_what_is_not_delivered_is_kept_encrypted_and_told(drills_template: Template) -> None:
    queue = only(drills_template, "AWS::SQS::Queue")
    assert queue == {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True}
    policy = deployed(only(drills_template, "AWS::SQS::QueuePolicy"), drills_template)
    send, deny = policy["PolicyDocument"]["Statement"]
    assert send["Principal"] == {"Service": "events.amazonaws.com"}
    assert send["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    (rule,) = send["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert rule.startswith(f"arn:aws:events:{REGION}:{ACCOUNT}:rule/")
    assert (deny["Effect"], deny["Action"]) == ("Deny", "sqs:*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_log_is_one_that_aws_delivers_to_without_more_policies(
    drills_template: Template,
) -> None:
    (log,) = resources_of(drills_template, LOG).values()
    assert log["Properties"] == {
        "LogGroupName": "/aws/vendedlogs/staged-resiliency/bookstore-production-drills",
        "RetentionInDays": 400,
    }
    assert log["DeletionPolicy"] == "Delete"


DASHBOARD = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/bookstore-production"


def test_a_key_locks_and_reports_are_there_where_they_are_asked_for() -> None:
    def edit(env: Data) -> None:
        env["drills"]["evidence"] = {"kms_key": KEY, "lock_days": 365, "fis_report": True}

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    bucket = only(template, "AWS::S3::Bucket")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"},
    }
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"] == {
        "DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}
    }
    assert only(template, LOG)["KmsKeyId"] == KEY
    assert only(template, "AWS::SQS::Queue") == {
        "KmsMasterKeyId": KEY,
        "MessageRetentionPeriod": 1209600,
    }
    may_use = {
        name
        for name, role in _roles(template)
        for actions, resources, _ in _statements(role)
        if resources == [KEY] and "kms:GenerateDataKey" in actions
    }
    # Step Functions writes logs alone, which CloudWatch Logs encrypts in its own name.
    assert may_use == {name for name, _ in _roles(template)} - {"DrillsMachineRole"}
    for experiment in by_drill(template, EXPERIMENT).values():
        request = experiment_request(experiment)
        assert problems_of("fis", "CreateExperimentTemplate", request) == []
        assert experiment["ExperimentReportConfiguration"] == {
            "DataSources": {"CloudWatchDashboards": [{"DashboardIdentifier": DASHBOARD}]},
            "Outputs": {
                "ExperimentReportS3Configuration": {
                    "BucketName": "journals",
                    "Prefix": "fis-reports",
                }
            },
        }
    for name in ("DrillsStopInstanceRole", "DrillsBlackholeRole"):
        allowed = list(_statements(dict(_roles(template))[name]))
        for statement in (
            (["s3:GetObject", "s3:PutObject"], [f"{JOURNALS}/fis-reports/*"], None),
            (["cloudwatch:GetDashboard"], [DASHBOARD], None),
            (["cloudwatch:GetMetricWidgetImage"], ["*"], None),
        ):
            assert statement in allowed


def test_keys_of_volumes_open_them_to_who_starts_the_host(enabled_template: Template) -> None:
    granted = {
        name
        for name, role in _roles(enabled_template)
        for actions, resources, condition in _statements(role)
        if actions == ["kms:CreateGrant"]
        and resources == [KEY]
        and condition
        == {
            "Bool": {"kms:GrantIsForAWSResource": "true"},
            "StringEquals": {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"},
        }
    }
    assert granted == {"DrillsStopInstanceRole", "DrillsEndRole"}


# -- Any drills --------------------------------------------------------------------------------


MINUTES, WEEKS = st.integers(0, 59), st.integers(1, 4)


@st.composite
def sections(draw: st.DrawFn) -> Data:
    """Sound drill sections of a service with two instances."""
    days = draw(st.lists(st.sampled_from(["MON", "TUE", "WED", "THU", "FRI"]), unique=True,
                         min_size=1, max_size=3))  # fmt: skip
    zone = draw(st.sampled_from(["UTC", "America/Los_Angeles", "Asia/Kathmandu"]))
    drills: Data = {
        "objective_seconds": draw(st.integers(60, 900)),
        "enabled": draw(st.booleans()),
        "notify_passed": draw(st.booleans()),
    }
    for day in days:
        fault = draw(st.sampled_from(["stop_instance", "blackhole"]))
        drills[f"on-{day.lower()}"] = {
            "fault": fault,
            "host": draw(st.sampled_from(["active", "standby"])),
            "duration_minutes": draw(st.integers(15, 240)),
            "duration_reason": "Any sound duration.",
            "schedule": f"cron({draw(MINUTES)} 10 ? * {day}#{draw(WEEKS)} *)",
            "timezone": zone,
            **(
                {"dependency": draw(st.sampled_from(["db", "cdn"]))} if fault == "blackhole" else {}
            ),
        }
    return drills


@pytest.mark.slow
@fewer_examples(17)
@given(sections(), st.sampled_from([["status"], ["status", "db"], ["endpoint", "peer"]]))
def test_any_sound_drills_are_what_the_apis_take_and_the_functions_read(
    drills: Data, signals: list[str]
) -> None:
    def edit(env: Data) -> None:
        env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
        env["failover_on"] = signals
        for drill in drills.values():  # which would send clients to the broken host
            if "peer" in signals and isinstance(drill, dict) and drill.get("dependency") == "cdn":
                drill["host"] = "active"
        env["drills"] = drills

    template = synthesize([example(edit)])["bookstore-production-drills"]
    asked = {name for name, drill in drills.items() if isinstance(drill, dict)}
    found = set()
    for resource in resources_of(template, MACHINE).values():
        machine = deployed(resource["Properties"], template, drills=sorted(asked))
        states = json.loads(machine["DefinitionString"])["States"]
        plan = Plan.from_json(states["Plan"]["Result"]["plan"])
        assert not set(plan.guard_alarms) & set(plan.expected_alarms)
        assert 1 <= len(plan.guard_alarms) <= 5
        lasts = drills[plan.drill]["duration_minutes"] * 60
        set_up = 60 if plan.fault.runs_on_host else 0
        assert plan.fault_seconds == min(lasts + set_up, 720 * 60)
        found.add(plan.drill)
    assert found == asked
    for resource in resources_of(template, EXPERIMENT).values():
        request = experiment_request(
            deployed(resource["Properties"], template, drills=sorted(asked))
        )
        assert problems_of("fis", "CreateExperimentTemplate", request) == []
