"""A health check on an alarm: its properties, and when it is replaced."""

from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency import AlarmHealthCheck, InsufficientData, MissingData
from staged_resiliency.failover.alarm_rule import rule_digest
from tests.cases import cases
from tests.staged_resiliency.support import (
    ACCOUNT,
    ALARM,
    HEALTH_CHECK,
    INSTANCE,
    TOPIC_ARN,
    a_rule,
    a_status_alarm,
    an_alarm,
    an_instance,
    number_parameter,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Data, Template, only, resources_of, synth


def template_of(check: Data | None = None, **alarm: Any) -> Template:
    """The template of a health check on an alarm, with arguments of either changed."""
    return synthesized(
        lambda stack: AlarmHealthCheck(
            stack, "HealthCheck", alarm=an_alarm(stack, **alarm), **(check or {})
        )
    )


def config_of(check: Data | None = None, **alarm: Any) -> Data:
    """The configuration of that health check."""
    config: Data = only(template_of(check, **alarm), HEALTH_CHECK)["HealthCheckConfig"]
    return config


@pytest.fixture(scope="module")
def usual() -> Template:
    return template_of()


def test_a_health_check_follows_the_alarm_by_name_and_region_once_it_is_made(
    usual: Template,
) -> None:
    (health_check,) = resources_of(usual, HEALTH_CHECK).values()
    assert health_check == {
        "Type": HEALTH_CHECK,
        "DependsOn": [only_id(usual, ALARM)],
        "Metadata": {
            "Description": "Follows the metric of an alarm. The logical id changes with the "
            "alarm's rule, because Route 53 reads the rule only once."
        },
        "Properties": {
            "HealthCheckConfig": {
                "AlarmIdentifier": {"Name": "shop-blue-queue-depth", "Region": "eu-west-1"},
                "InsufficientDataHealthStatus": "Unhealthy",
                "Inverted": False,
                "Type": "CLOUDWATCH_METRIC",
            },
            "HealthCheckTags": [{"Key": "Name", "Value": "shop-blue-queue-depth"}],
        },
    }


def test_an_edit_of_the_rule_makes_a_new_health_check(usual: Template) -> None:
    """Which rules are equal, shared/test_digest.py says."""
    edited = template_of(rule=a_rule(threshold=101))
    assert only_id(edited, HEALTH_CHECK) != only_id(usual, HEALTH_CHECK)
    assert only_id(edited, ALARM) == only_id(usual, ALARM)
    for template, rule in ((usual, a_rule()), (edited, a_rule(threshold=101))):
        assert rule_digest(rule) in only_id(template, HEALTH_CHECK)


@cases(
    "edit",
    {
        "description": {"description": "Other words."},
        "recovery": {"notify_recovery": True},
        "topic": {"topic": f"{TOPIC_ARN}-2"},
        "missing data": {"missing_data": MissingData.IGNORE},
        "alarm name": {"alarm_name": "renamed"},
        "label": {"check": {"label": "Blue"}},
    },
)
def test_an_edit_beside_the_rule_keeps_the_health_check(edit: Data, usual: Template) -> None:
    assert only_id(template_of(**edit), HEALTH_CHECK) == only_id(usual, HEALTH_CHECK)


@cases(
    ("missing_data", "status"),
    {
        "breaching": (MissingData.BREACHING, "Unhealthy"),
        "CloudWatch's default": (MissingData.CLOUDWATCH_DEFAULT, "Unhealthy"),
        "not breaching": (MissingData.NOT_BREACHING, "Healthy"),
        "ignore": (MissingData.IGNORE, "LastKnownStatus"),
    },
)
def test_too_little_data_counts_as_the_alarm_says(missing_data: MissingData, status: str) -> None:
    assert config_of(missing_data=missing_data)["InsufficientDataHealthStatus"] == status


@pytest.mark.parametrize("chosen", InsufficientData, ids=lambda chosen: chosen.name)
def test_what_is_said_of_too_little_data_wins_over_the_alarm(chosen: InsufficientData) -> None:
    config = config_of({"insufficient_data": chosen}, missing_data=MissingData.IGNORE)
    assert config["InsufficientDataHealthStatus"] == chosen.value


def test_a_label_names_the_health_check() -> None:
    tags = only(template_of({"label": "Blue"}), HEALTH_CHECK)["HealthCheckTags"]
    assert tags == [{"Key": "Name", "Value": "Blue"}]


def test_the_alarm_can_be_said_to_be_in_another_region() -> None:
    config = config_of({"alarm_region": "us-east-2"})
    assert config["AlarmIdentifier"]["Region"] == "us-east-2"


def test_without_a_known_region_the_alarms_region_is_that_of_the_deployment() -> None:
    template = synthesized(
        lambda stack: AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack)), env=None
    )
    config = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"]["Region"] == {"Ref": "AWS::Region"}


@cases(
    ("region", "message"),
    {
        "misspelt": (
            "us-west-22",
            "alarm_region: 'us-west-22' is not a region whose alarms Route 53 health checks can "
            "follow; did you mean us-west-2?",
        ),
        "of the alarm's stack": (
            "",
            "alarm_region: 'moon' is not a region whose alarms Route 53 health checks can follow; "
            "give one like us-west-2",
        ),
    },
)
def test_a_region_that_route_53_does_not_know_is_refused(
    region: str, message: str, app: App, stack: Stack
) -> None:
    far = Stack(app, "Far", env=Environment(account=ACCOUNT, region="moon"))
    alarm = an_alarm(far, topic=f"arn:aws:sns:moon:{ACCOUNT}:ops")
    with refused(f"AlarmHealthCheck: {message}"):
        AlarmHealthCheck(stack, "HealthCheck", alarm=alarm, alarm_region=region or None)


def test_an_alarm_of_another_stack_is_followed_in_its_region_after_that_stack(
    app: App, stack: Stack
) -> None:
    far = Stack(app, "Far", env=Environment(account=ACCOUNT, region="us-west-2"))
    AlarmHealthCheck(
        stack, "HealthCheck", alarm=an_alarm(far, topic=f"arn:aws:sns:us-west-2:{ACCOUNT}:ops")
    )
    artifact = synth(app).get_stack_by_name("Test")
    config = only(artifact.template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"] == {"Name": "shop-blue-queue-depth", "Region": "us-west-2"}
    assert "Far" in [dependency.id for dependency in artifact.dependencies]


def _on_an_instance(stack: Stack, other_tokens: int = 0) -> None:
    for number in range(other_tokens):
        number_parameter(stack, f"Other{number}")
    alarm = a_status_alarm(stack, instance=an_instance(stack))
    AlarmHealthCheck(stack, "HealthCheck", alarm=alarm)


def test_the_reference_to_the_alarm_changes_with_an_instance_of_the_stack() -> None:
    template = synthesized(_on_an_instance)
    name = only(template, HEALTH_CHECK)["HealthCheckConfig"]["AlarmIdentifier"]["Name"]
    reference = {"Ref": only_id(template, INSTANCE)}
    assert name == {"Fn::Join": ["", ["shop-blue-", reference, "-StatusCheckFailed"]]}
    assert name == only(template, ALARM)["AlarmName"]


def test_the_logical_id_does_not_depend_on_how_the_cdk_numbers_tokens() -> None:
    usual = synthesized(_on_an_instance)
    numbered_otherwise = synthesized(lambda stack: _on_an_instance(stack, other_tokens=5))
    assert only_id(numbered_otherwise, HEALTH_CHECK) == only_id(usual, HEALTH_CHECK)


@pytest.mark.parametrize("field", ["namespace", "metric_name", "dimensions"])
def test_a_name_made_of_the_rule_carries_what_the_deployment_decides(field: str) -> None:
    def build(stack: Stack) -> None:
        token = text_parameter(stack, "Known")
        rule = a_rule(**{field: {"Id": token} if field == "dimensions" else token})
        AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack, rule=rule, alarm_name=None))

    template = synthesized(build)
    name = only(template, ALARM)["AlarmName"]
    assert {"Ref": "Known"} in name["Fn::Join"][1]
    config = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    assert config["AlarmIdentifier"]["Name"] == name


def test_a_name_that_does_not_carry_what_the_deployment_decides_is_refused(stack: Stack) -> None:
    rule = a_rule(dimensions={"Id": text_parameter(stack, "Known")})
    with refused(
        "AlarmHealthCheck: alarm: its metric has a value that is known only at deployment and is "
        "no part of the alarm's name, so the health check could not follow a change of it; give a "
        "SignalAlarm without alarm_name, whose name contains it"
    ):
        AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack, rule=rule))


@pytest.mark.parametrize("field", ["threshold", "period_seconds", "evaluation_periods"])
def test_a_number_that_the_deployment_decides_is_refused(field: str, stack: Stack) -> None:
    alarm = an_alarm(stack, rule=a_rule(**{field: number_parameter(stack, "Known")}))
    with refused(
        f"AlarmHealthCheck: alarm: {field} is known only at deployment, so the health check could "
        "not follow a change of it; give a plain number"
    ):
        AlarmHealthCheck(stack, "HealthCheck", alarm=alarm)


def test_the_status_metric_is_found_in_the_one_region_that_has_it(stack: Stack) -> None:
    check = AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack))
    widget = cloudwatch.GraphWidget(left=[check.metric_health_check_status()])
    (drawn,) = stack.resolve(widget.to_json())
    reference = stack.resolve(check.health_check_id)
    assert drawn["properties"]["metrics"] == [
        [
            "AWS/Route53",
            "HealthCheckStatus",
            "HealthCheckId",
            reference,
            {"region": "us-east-1", "period": 60, "stat": "Minimum"},
        ]
    ]


def test_the_cdks_own_type_has_the_health_checks_id(stack: Stack) -> None:
    check = AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack))
    assert check.health_check.health_check_id == check.health_check_id


def test_an_alarm_of_m_out_of_n_is_refused(stack: Stack) -> None:
    with refused(
        "AlarmHealthCheck: alarm: 2 out of 3 is an M-out-of-N alarm, which Route 53 health checks "
        "can't follow; give 3, or leave it out"
    ):
        AlarmHealthCheck(stack, "HealthCheck", alarm=an_alarm(stack, datapoints_to_alarm=2))
