"""The drills stack of the example as it is deployed: its roles, plans and experiments."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from staged_resiliency.drills import functions
from staged_resiliency.drills.runtime.plan import Plan
from tests.support import Data, Template, resources_of

ACCOUNT, REGION = "532151327118", "us-west-2"
DRILLS = ("shutdown", "db-blackhole", "cdn-blackhole")
BLUE, GREEN = "bookstore-api-blue", "bookstore-api-green"
INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0ab55a49288f1da24"
JOURNALS = "arn:aws:s3:::journals"
MACHINES = [f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-{name}"
            for name in DRILLS]  # fmt: skip
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OWN = ("begun", "ended", "journals", "live", "occurrences", "runs")
ANY_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:bookstore-production-drill-*"
IN_REGION = {"StringEquals": {"aws:RequestedRegion": REGION}}

ROLE = "AWS::IAM::Role"
EXPERIMENT = "AWS::FIS::ExperimentTemplate"
MACHINE = "AWS::StepFunctions::StateMachine"
SCHEDULE = "AWS::Scheduler::Schedule"
FUNCTION = "AWS::Lambda::Function"
LOG = "AWS::Logs::LogGroup"
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
"""The permissions that AWS FIS needs to write its log."""

SUBNETS = ["subnet-0ab55a49288f1da24", "subnet-0ab55a49288f1da25"]
SECURITY_GROUPS = ["sg-0123456789abcdef0"]


def private(env: Data) -> None:
    """Makes the hosts of the example private, in a private zone."""
    env["hosted_zone"]["private"] = True
    env["hosts"]["blue"]["address"] = "10.0.0.4"
    env["hosts"]["green"]["address"] = "10.0.1.4"
    env["drills"]["network"] = {"subnets": SUBNETS, "security_groups": SECURITY_GROUPS}


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


def roles_of(template: Template) -> Iterator[tuple[str, Data]]:
    """The roles of a template, by what is readable of their logical ids."""
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


def statements_of(role: Data) -> Iterator[tuple[list[str], list[str], Any]]:
    """Actions, resources and condition of each statement of a role."""
    (policy,) = role["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        yield (
            _listed(statement["Action"]),
            [_short(arn) for arn in _listed(statement["Resource"])],
            statement.get("Condition"),
        )


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
