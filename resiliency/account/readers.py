"""Functions that read the account, in as few calls as the API allows, and change nothing.

The answers keep the keys of the APIs: see the API references of Route 53, CloudWatch, EC2, Elastic
Load Balancing, SNS and CloudFormation.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from resiliency.drill_cli.aws import ALARMS, INSTANCES, Aws, NotFoundError, Operation
from resiliency.failover_model.template_files import parse_template
from staged_resiliency.experiment.json_codec import JsonObject

ZONES: Final[Operation] = ("route53", "ListHostedZones")
RECORDS: Final[Operation] = ("route53", "ListResourceRecordSets")
HEALTH_CHECK: Final[Operation] = ("route53", "GetHealthCheck")
HEALTH_CHECK_STATUS: Final[Operation] = ("route53", "GetHealthCheckStatus")
HEALTH_CHECK_TAGS: Final[Operation] = ("route53", "ListTagsForResource")
BALANCERS: Final[Operation] = ("elbv2", "DescribeLoadBalancers")
TARGET_GROUPS: Final[Operation] = ("elbv2", "DescribeTargetGroups")
TARGETS: Final[Operation] = ("elbv2", "DescribeTargetHealth")
TOPIC: Final[Operation] = ("sns", "GetTopicAttributes")
SUBSCRIPTIONS: Final[Operation] = ("sns", "ListSubscriptionsByTopic")
STACK_TEMPLATE: Final[Operation] = ("cloudformation", "GetTemplate")

_MOST_NAMES: Final = 100
"""Names of alarms that DescribeAlarms takes at once."""

_MOST_VALUES: Final = 200
"""Values of a filter that DescribeInstances takes at once."""


def dns_name(name: str) -> str:
    """Return a DNS name in the form in which names are compared: lower case, no final dot."""
    return name.rstrip(".").lower().replace("\\052", "*")


def values_of(record: JsonObject) -> Sequence[str]:
    """Return a record's values, or its alias target, in the form that ``dns_name`` returns."""
    if "AliasTarget" in record:
        return [dns_name(record["AliasTarget"]["DNSName"])]
    return sorted(dns_name(each["Value"]) for each in record.get("ResourceRecords", ()))


def zone_id(value: str) -> str:
    """Return the id of a zone without the prefix that the API adds."""
    return value.removeprefix("/hostedzone/")


def zones_of(aws: Aws, record: str) -> Sequence[JsonObject]:
    """Return the hosted zones that could hold a record, those with the longest name first."""
    name = dns_name(record)
    found = [
        zone
        for zone in aws.all(ZONES, "HostedZones")
        if f".{name}".endswith(f".{dns_name(zone['Name'])}")
    ]
    return sorted(found, key=lambda zone: (-len(zone["Name"]), zone["Id"]))


def records_of_zone(aws: Aws, zone: str) -> Sequence[JsonObject]:
    """Return all records of a hosted zone."""
    return aws.all(RECORDS, "ResourceRecordSets", HostedZoneId=zone)


def health_check(aws: Aws, check_id: str) -> JsonObject | None:
    """Return a health check; None if it does not exist."""
    try:
        found: JsonObject = aws(*HEALTH_CHECK, HealthCheckId=check_id)["HealthCheck"]
    except NotFoundError:
        return None
    return found


def health_check_tags(aws: Aws, check_id: str) -> Mapping[str, str]:
    """Return the tags of a health check."""
    answer = aws(*HEALTH_CHECK_TAGS, ResourceType="healthcheck", ResourceId=check_id)
    return {each["Key"]: each["Value"] for each in answer["ResourceTagSet"]["Tags"]}


COPIED_SETTINGS: Final = (
    *("Namespace", "MetricName", "Dimensions", "Statistic", "Period"),
    *("EvaluationPeriods", "Threshold", "ComparisonOperator"),
)
"""The settings that a health check copies from its alarm when it is created or updated."""


def stale_settings(copied: JsonObject, alarm: JsonObject) -> Sequence[str]:
    """Return the settings of an alarm for which a health check still uses the former value."""
    return [
        key
        for key in COPIED_SETTINGS
        if key in copied and in_any_order(copied[key]) != in_any_order(alarm.get(key))
    ]


def in_any_order(value: object) -> object:
    """Return a setting with its dimensions sorted, since their order has no meaning."""
    if isinstance(value, list):
        return sorted((each["Name"], each["Value"]) for each in value)
    return value


def observations(aws: Aws, check_id: str) -> Sequence[JsonObject]:
    """Return what each of Route 53's health checkers last reported; none for calculated checks."""
    found: Sequence[JsonObject] = aws(*HEALTH_CHECK_STATUS, HealthCheckId=check_id).get(
        "HealthCheckObservations", ()
    )
    return found


def all_alarms(aws: Aws) -> Sequence[JsonObject]:
    """Return the metric alarms of a region."""
    return aws.all(ALARMS, "MetricAlarms", AlarmTypes=["MetricAlarm"])


def alarms_named(aws: Aws, alarm_names: Iterable[str]) -> Mapping[str, JsonObject]:
    """Return alarms by name, of metrics and composite ones; missing ones are left out."""
    found: dict[str, JsonObject] = {}
    for some in _chunks(alarm_names, _MOST_NAMES):
        kinds = ["MetricAlarm", "CompositeAlarm"]
        for page in aws.pages(ALARMS, AlarmNames=some, AlarmTypes=kinds):
            for each in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ())):
                found[each["AlarmName"]] = each
    return found


def instances(aws: Aws, key: str, values: Iterable[str]) -> Sequence[JsonObject]:
    """Return instances by a filter of DescribeInstances; terminated ones are left out."""
    return [
        instance
        for some in _chunks(values, _MOST_VALUES)
        for reservation in aws.all(
            INSTANCES, "Reservations", Filters=[{"Name": key, "Values": some}]
        )
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in ("shutting-down", "terminated")
    ]


def all_instances(aws: Aws) -> Sequence[JsonObject]:
    """Return the instances of a region, also stopped ones."""
    states = ["pending", "running", "stopping", "stopped"]
    wanted = [{"Name": "instance-state-name", "Values": states}]
    found = aws.all(INSTANCES, "Reservations", Filters=wanted)
    return [instance for reservation in found for instance in reservation["Instances"]]


def name_tag(instance: JsonObject) -> str | None:
    """Return the Name tag of an instance."""
    return next((tag["Value"] for tag in instance.get("Tags", ()) if tag["Key"] == "Name"), None)


def targets_of_balancer(aws: Aws, dns: str) -> Sequence[str] | None:
    """Return the ids of the instances behind a load balancer of a DNS name.

    None if the region has no application or network load balancer of that name.
    """
    name = dns_name(dns).removeprefix("dualstack.")
    for balancer in aws.all(BALANCERS, "LoadBalancers"):
        if dns_name(balancer["DNSName"]) == name:
            arn = balancer["LoadBalancerArn"]
            try:
                groups = aws.all(TARGET_GROUPS, "TargetGroups", LoadBalancerArn=arn)
            except NotFoundError:
                return []
            ids = (
                target["Target"]["Id"]
                for group in groups
                for target in aws(*TARGETS, TargetGroupArn=group["TargetGroupArn"])[
                    "TargetHealthDescriptions"
                ]
            )
            return sorted({each for each in ids if each.startswith("i-")})
    return None


def topic(aws: Aws, arn: str) -> JsonObject | None:
    """Return the attributes of a topic; None if it does not exist."""
    try:
        found: JsonObject = aws(*TOPIC, TopicArn=arn)["Attributes"]
    except NotFoundError:
        return None
    return found


def subscriptions(aws: Aws, arn: str) -> Sequence[JsonObject]:
    """Return the subscriptions of a topic."""
    return aws.all(SUBSCRIPTIONS, "Subscriptions", TopicArn=arn)


def confirmed(subscription: JsonObject) -> bool:
    """Return whether a subscriber has confirmed a subscription, so that messages reach it."""
    return str(subscription["SubscriptionArn"]).startswith("arn:")


def template_of_stack(aws: Aws, stack: str) -> JsonObject | None:
    """Return the template of a stack, transforms not applied; None if the stack does not exist.

    Raises:
        TemplateError: The template is neither JSON nor YAML.
    """
    try:
        answer = aws(*STACK_TEMPLATE, StackName=stack, TemplateStage="Original")
    except NotFoundError:
        return None
    # botocore parses JSON itself, and returns other templates as text.
    body: JsonObject | str = answer["TemplateBody"]
    return parse_template(body, f"the template of {stack}") if isinstance(body, str) else body


def _chunks(values: Iterable[str], size: int) -> Iterable[list[str]]:
    rest = iter(dict.fromkeys(values))
    while some := list(itertools.islice(rest, size)):
        yield some
