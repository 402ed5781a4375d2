"""The reads of an account, against moto."""

from collections.abc import Iterator

import boto3
import moto
import pytest

from resiliency.account import readers
from resiliency.account.account import Account
from resiliency.errors import UserError

pytestmark = pytest.mark.slow

REGION = "us-west-2"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # they take longer than the tests
    with moto.mock_aws():
        yield Account(REGION, None, permissions="docs/adopting.md")


def test_zones_that_could_hold_a_record_are_found_longest_name_first(account: Account) -> None:
    route53 = boto3.client("route53", region_name=REGION)
    for number, name in enumerate(("example.com", "shop.example.com", "myshop.example.com")):
        route53.create_hosted_zone(Name=name, CallerReference=str(number))
    found = readers.zones_of(account.home, "www.Shop.example.com.")
    assert [zone["Name"] for zone in found] == ["shop.example.com.", "example.com."]


def test_what_does_not_exist_is_none_or_left_out(account: Account) -> None:
    aws = account.home
    assert readers.health_check(aws, "0e0b0e0a-1111-2222-3333-444444444444") is None
    assert readers.topic(aws, f"arn:aws:sns:{REGION}:{account.id}:none") is None
    assert readers.alarms_named(aws, ["none"]) == {}
    assert readers.targets_of_balancer(aws, "none.elb.amazonaws.com") is None
    assert readers.instances(aws, "tag:Name", ["none"]) == []


def test_more_alarms_than_a_call_names_are_read(account: Account) -> None:
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    names = [f"alarm-{number}" for number in range(150)]
    for name in names:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName="db",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="LessThanThreshold",
        )
    assert set(readers.alarms_named(account.home, [*names, "none"])) == set(names)
    assert {alarm["AlarmName"] for alarm in readers.all_alarms(account.home)} == set(names)


def test_instances_are_found_by_a_filter_with_their_names(account: Account) -> None:
    ec2 = boto3.client("ec2", region_name=REGION)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "shop-blue"}]}]
    made = ec2.run_instances(ImageId="ami-1", MinCount=2, MaxCount=2, TagSpecifications=tags)
    kept, gone = (each["InstanceId"] for each in made["Instances"])
    ec2.terminate_instances(InstanceIds=[gone])
    (found,) = readers.instances(account.home, "tag:Name", ["shop-blue"])
    assert (found["InstanceId"], readers.name_tag(found)) == (kept, "shop-blue")


def test_subscriptions_are_confirmed_or_not(account: Account) -> None:
    sns = boto3.client("sns", region_name=REGION)
    arn = sns.create_topic(Name="ops")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="sms", Endpoint="+15555550100")
    (one,) = readers.subscriptions(account.home, arn)
    assert readers.confirmed(one)
    assert not readers.confirmed({**one, "SubscriptionArn": "PendingConfirmation"})
    found = readers.topic(account.home, arn)
    assert found is not None
    assert found["TopicArn"] == arn


@pytest.mark.parametrize(
    "body",
    [
        '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
        "Resources: {Topic: {Type: AWS::SNS::Topic}}",
    ],
)
def test_the_template_of_a_stack_is_read_as_json_or_yaml(account: Account, body: str) -> None:
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(StackName="shop", TemplateBody=body)
    expected = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    assert readers.template_of_stack(account.home, "shop") == expected
    assert readers.template_of_stack(account.home, "none") is None


def test_another_region_of_the_account_can_be_read(account: Account) -> None:
    assert account.in_region("us-east-1").region == "us-east-1"
    assert account.in_region(REGION) is account.home


def test_an_account_without_credentials_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(UserError, match="no AWS credentials"):
        Account(REGION, None, permissions="docs/adopting.md")


def test_a_copy_of_an_alarm_is_stale_by_its_values_and_not_by_the_order_of_dimensions() -> None:
    dimensions = [{"Name": "Host", "Value": "api-blue"}, {"Name": "Observer", "Value": "api-green"}]
    alarm = {"MetricName": "peer", "Threshold": 1.0, "Dimensions": dimensions}
    assert readers.stale_settings({**alarm, "Dimensions": dimensions[::-1]}, alarm) == []
    assert readers.stale_settings({**alarm, "Threshold": 2.0}, alarm) == ["Threshold"]
