"""The drills of private hosts: the function in their VPC, and what the others may do with it."""

from collections.abc import Mapping

import pytest

from resiliency.rehearsal.deployment_reader import read_deployment
from resiliency.rehearsal.scenarios import scenarios_of
from staged_resiliency.drills import functions
from tests.iam_findings import findings_above_low
from tests.stacks.deployed_drills import (
    ACCOUNT,
    FUNCTION,
    REGION,
    SCHEDULE,
    SECURITY_GROUPS,
    SUBNETS,
    deployed,
    plans_of,
    private,
    roles_of,
)
from tests.support import Data, Template, example, records_of, resources_of, synthesize

pytestmark = pytest.mark.slow

CLIENT = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:DrillsClient"


@pytest.fixture(scope="module")
def templates() -> Mapping[str, Template]:
    return synthesize([example(private, whole=True)])


@pytest.fixture(scope="module")
def template(templates: Mapping[str, Template]) -> Template:
    return templates["bookstore-production-drills"]


def test_private_hosts_have_records_that_follow_alarms(templates: Mapping[str, Template]) -> None:
    failover = templates["bookstore-production-failover"]
    assert [each["ResourceRecords"] for each in records_of(failover)] == [
        ["10.0.0.4"],
        ["10.0.1.4"],
    ]
    checks = resources_of(failover, "AWS::Route53::HealthCheck").values()
    kinds = {each["Properties"]["HealthCheckConfig"]["Type"] for each in checks}
    assert kinds == {"CLOUDWATCH_METRIC"}


def test_private_hosts_are_rehearsed_as_public_ones(templates: Mapping[str, Template]) -> None:
    public = synthesize([example(whole=True)])
    names = [
        [each.name for each in scenarios_of(read_deployment(found))]
        for found in (templates, public)
    ]
    assert names[0] == names[1]
    deployment = read_deployment(templates)
    assert [host.address for host in deployment.hosts] == ["10.0.0.4", "10.0.1.4"]


def functions_of(template: Template) -> Mapping[str, Data]:
    found = resources_of(template, FUNCTION).values()
    return {each["Properties"]["Handler"].rpartition(".")[2]: each["Properties"] for each in found}


def test_one_function_is_in_the_vpc_and_those_that_end_faults_are_not(template: Template) -> None:
    found = functions_of(template)
    assert found.keys() == {"client", *(each.name for each in functions.ALL)}
    attached = {name: each["VpcConfig"] for name, each in found.items() if "VpcConfig" in each}
    assert attached == {"client": {"SubnetIds": SUBNETS, "SecurityGroupIds": SECURITY_GROUPS}}
    assert found["client"]["Timeout"] == functions.CLIENT.timeout_seconds


def test_functions_write_text_where_lambda_has_no_json(template: Template) -> None:
    in_govcloud = synthesize([example(lambda env: env.update(region="us-gov-west-1"), whole=True)])
    formats = [
        {each["LoggingConfig"]["LogFormat"] for each in functions_of(found).values()}
        for found in (template, in_govcloud["bookstore-production-drills"])
    ]
    assert formats == [{"JSON"}, {"Text"}]


def test_its_code_may_do_nothing_but_write_its_log(template: Template) -> None:
    (role,) = (role for name, role in roles_of(template) if name == "DrillsClientRole")
    (policy,) = role["Policies"]
    attach, deny, log = policy["PolicyDocument"]["Statement"]
    # All that Lambda needs to attach a function, as AWSLambdaVPCAccessExecutionRole has it.
    assert attach["Action"] == [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ]
    assert (deny["Effect"], deny["Action"]) == ("Deny", attach["Action"])
    assert deny["Condition"] == {
        "ArnLike": {"lambda:SourceFunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:*"}
    }
    assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert functions.CLIENT.permissions == ()
    # A condition key of any action that a function's code may call, which parliament does not know.
    found = findings_above_low(policy["PolicyDocument"])
    assert [each for each in found if "lambda:SourceFunctionArn" not in each] == []


@pytest.mark.parametrize("name", ["Observe", "Inject", "End"])
def test_the_others_may_call_it_and_no_longer_ask_route_53(template: Template, name: str) -> None:
    (role,) = (role for given, role in roles_of(template) if given == f"Drills{name}Role")
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    (call,) = (each for each in statements if "lambda:InvokeFunction" in each["Action"])
    assert call["Resource"][0].startswith(CLIENT)
    assert "route53:TestDNSAnswer" not in str(statements)


def test_plans_and_the_daily_call_name_it(template: Template) -> None:
    plans = plans_of(template)
    assert plans
    assert all((each.client_function or "").startswith(CLIENT) for each in plans.values())
    schedules = resources_of(template, SCHEDULE).values()
    rated = [
        each for each in schedules if each["Properties"]["ScheduleExpression"] == "rate(1 day)"
    ]
    (daily,) = (deployed(each["Properties"], template) for each in rated)
    assert CLIENT in daily["Target"]["Input"]
