"""The account in which the example is deployed and well.

Step Functions, the scheduler, the journals, topics and subscriptions are moto's. CloudFormation,
Route 53, CloudWatch, EC2 and Systems Manager are answered from the example's own templates, as moto
has no copies of alarms in health checks, no drift and no associations on instances. botocore checks
each answer against its model.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fake_aws import plans
from tests.fake_aws.account import ACCOUNT, Answer, Parameters, moment
from tests.fake_aws.command import DEPLOYED, NOW, CommandAccount
from tests.fake_aws.simulation import ApiError
from tests.support import Template

KEY: Final = "bookstore-production"
HOSTS: Final = {plans.BLUE: plans.INSTANCE, plans.GREEN: "i-0123456789abcdef0"}
ASSOCIATION: Final = "11111111-2222-3333-4444-555555555555"
COPIED: Final = (
    "ComparisonOperator",
    "Dimensions",
    "EvaluationPeriods",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Threshold",
)

Data = dict[str, Any]


@dataclass
class Deployment:
    """What AWS answers; a test changes it to provoke a finding.

    Attributes:
        stacks: Logical ID, type and physical ID of each resource, by stack.
        alarms: What DescribeAlarms returns, by name.
        checks: What GetHealthCheck returns, by ID.
        observers: The status that each health checker reports of an endpoint.
        health: The last HealthCheckStatus, by ID; None for no data.
        records: What ListResourceRecordSets returns.
        beats: How many seconds ago each probe published; None for never.
        instances: The instances, each with its Name tag.
        pings: The PingStatus of the agents of Systems Manager; without one it is unknown.
        associations: What DescribeInstanceAssociationsStatus returns, by instance.
        drifted: The resources that have drifted, by stack.
        detection: The status of a detection of drift.
    """

    account: CommandAccount
    templates: Mapping[str, Template]
    stacks: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    alarms: dict[str, Data] = field(default_factory=dict)
    checks: dict[str, Data] = field(default_factory=dict)
    observers: list[str] = field(default_factory=list)
    health: dict[str, float | None] = field(default_factory=dict)
    records: list[Data] = field(default_factory=list)
    beats: dict[str, float | None] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    pings: dict[str, str] = field(default_factory=dict)
    associations: dict[str, Data] = field(default_factory=dict)
    drifted: dict[str, list[Data]] = field(default_factory=dict)
    detection: str = "DETECTION_COMPLETE"
    topic: str = ""

    @property
    def check(self) -> str:
        """The ID of the only health check."""
        (found,) = self.checks
        return found

    def stack(self, name: str) -> str:
        """The full name of a stack of the service."""
        return f"{KEY}-{name}"


def health_check(check_id: str, **config: Any) -> Data:
    """A health check as GetHealthCheck returns it."""
    known = {"Id": check_id, "CallerReference": check_id, "HealthCheckVersion": 1}
    return {**known, "HealthCheckConfig": config}


def deploy(account: CommandAccount, templates: Mapping[str, Template]) -> Deployment:
    """Deploy the example into the account; everything is well."""
    text = json.dumps({name: each for name, each in templates.items() if name.startswith(KEY)})
    own: dict[str, Template] = json.loads(text.replace("532151327118", ACCOUNT))
    made = Deployment(account, own)
    sns = account.client("sns")
    made.topic = sns.create_topic(Name="PingPublicationsSNS")["TopicArn"]
    sns.subscribe(TopicArn=made.topic, Protocol="email", Endpoint="ops@example.com")
    for stack, template in own.items():
        made.stacks[stack] = []
        for logical, resource in template["Resources"].items():
            kind, properties = resource["Type"], resource.get("Properties", {})
            made.stacks[stack].append((logical, kind, _physical(logical, kind, properties)))
            if kind == "AWS::CloudWatch::Alarm":
                _alarm(made, properties)
    for logical, kind, id_ in made.stacks[made.stack("failover")]:
        properties = own[made.stack("failover")]["Resources"][logical].get("Properties", {})
        if kind == "AWS::Route53::HealthCheck":
            config = properties["HealthCheckConfig"]
            made.checks[id_] = health_check(id_, **config)
            if "AlarmIdentifier" in config:
                alarm = made.alarms[config["AlarmIdentifier"]["Name"]]
                copy = {key: alarm[key] for key in COPIED}
                made.checks[id_]["CloudWatchAlarmConfiguration"] = copy
            made.health[id_] = 1.0
    for logical, kind, _ in made.stacks[made.stack("failover")]:
        properties = own[made.stack("failover")]["Resources"][logical].get("Properties", {})
        if kind == "AWS::Route53::RecordSet":
            check = {}
            if "HealthCheckId" in properties:
                referred = properties["HealthCheckId"]["Ref"]
                check["HealthCheckId"] = next(
                    id_ for name, _, id_ in made.stacks[made.stack("failover")] if name == referred
                )
            made.records.append(
                {
                    "Name": properties["Name"],
                    "Type": properties["Type"],
                    "SetIdentifier": properties["SetIdentifier"],
                    "Failover": properties["Failover"],
                    "TTL": 60,
                    "ResourceRecords": [{"Value": each} for each in properties["ResourceRecords"]],
                    **check,
                }
            )
    made.beats = dict.fromkeys(HOSTS, 30.0)
    made.instances = {instance: name for name, instance in HOSTS.items()}
    made.pings = dict.fromkeys(made.instances, "Online")
    made.associations = {
        instance: {
            "AssociationId": ASSOCIATION,
            "InstanceId": instance,
            "Status": "Success",
            "AssociationVersion": "3",
        }
        for instance in made.instances
    }
    # Its drills are those of the account; the rest of their stack is the template's.
    account.stacks = {}
    account.answers.update(_answers(made))
    return made


def _physical(logical: str, kind: str, properties: Data) -> str:
    if kind == "AWS::SSM::Association":
        return ASSOCIATION
    if kind == "AWS::Route53::HealthCheck":
        of_hosts = "AlarmIdentifier" in properties["HealthCheckConfig"]
        return f"b2c1e5a0-0000-4000-8000-00000000000{1 if of_hosts else 2}"
    return str(properties.get("AlarmName") or logical)


def _alarm(made: Deployment, properties: Data) -> None:
    actions = {key: properties[key] for key in ("AlarmActions", "OKActions") if key in properties}
    made.alarms[properties["AlarmName"]] = {
        **{key: properties[key] for key in COPIED if key in properties and key != "Dimensions"},
        "Dimensions": [
            {"Name": each["Name"], "Value": str(each["Value"])}
            for each in properties.get("Dimensions", ())
        ],
        "Threshold": float(properties["Threshold"]),
        "AlarmName": properties["AlarmName"],
        "AlarmDescription": properties["AlarmDescription"],
        "ActionsEnabled": True,
        "StateValue": "OK",
        "StateReason": "Threshold not crossed.",
        "StateUpdatedTimestamp": moment(DEPLOYED),
        **json.loads(json.dumps(actions).replace("us-east-1", "us-west-2")),
    }


def _answers(made: Deployment) -> dict[tuple[str, str], Callable[[Parameters], Answer]]:
    def known(given: Parameters) -> str:
        name = str(given["StackName"])
        if name not in made.stacks:
            raise ApiError("ValidationError", f"Stack with id {name} does not exist")
        return name

    def resources(given: Parameters) -> Answer:
        name = known(given)
        machines = made.account.resources if name.endswith("-drills") else []
        own = [each for each in made.stacks[name] if not each[1].startswith("AWS::StepFunctions")]
        own = [each for each in own if not each[1].startswith("AWS::Scheduler")]
        listed = [*own, *((physical, kind, physical) for kind, physical in machines or ())]
        return {
            "StackResourceSummaries": [
                {
                    "LogicalResourceId": logical,
                    "ResourceType": kind,
                    "PhysicalResourceId": physical,
                    "LastUpdatedTimestamp": moment(DEPLOYED),
                    "ResourceStatus": "CREATE_COMPLETE",
                }
                for logical, kind, physical in listed
            ]
        }

    def stacks(given: Parameters) -> Answer:
        name = known(given)
        status = made.status.get(name, "UPDATE_COMPLETE")
        described = {"StackName": name, "CreationTime": moment(DEPLOYED), "StackStatus": status}
        return {"Stacks": [described]}

    def alarms(given: Parameters) -> Answer:
        asked = given["AlarmNames"]
        return {"MetricAlarms": [made.alarms[name] for name in asked if name in made.alarms]}

    def check(given: Parameters) -> Answer:
        if given["HealthCheckId"] not in made.checks:
            raise ApiError("NoSuchHealthCheck", "does not exist")
        return {"HealthCheck": made.checks[given["HealthCheckId"]]}

    def observed(_: Parameters) -> Answer:
        reports = [{"Status": each, "CheckedTime": moment(NOW)} for each in made.observers]
        return {"HealthCheckObservations": [{"StatusReport": each} for each in reports]}

    def data(given: Parameters) -> Answer:
        return {
            "MetricDataResults": [
                {"Id": each["Id"], **_points(made, each["MetricStat"]["Metric"])}
                for each in given["MetricDataQueries"]
            ]
        }

    def instances(given: Parameters) -> Answer:
        (wanted,) = given["Filters"]
        assert wanted["Name"] == "tag:Name"
        found = [
            {
                "InstanceId": instance,
                "State": {"Name": "running"},
                "Tags": [{"Key": "Name", "Value": name}],
            }
            for instance, name in made.instances.items()
            if name in wanted["Values"]
        ]
        return {"Reservations": [{"Instances": [each]} for each in found]}

    def managed(given: Parameters) -> Answer:
        ((instance,),) = (each["Values"] for each in given["Filters"])
        ping = made.pings.get(instance)
        listed = [] if ping is None else [{"InstanceId": instance, "PingStatus": ping}]
        return {"InstanceInformationList": listed}

    def associations(given: Parameters) -> Answer:
        found = made.associations.get(given["InstanceId"])
        return {"InstanceAssociationStatusInfos": [found] if found else []}

    def detection(given: Parameters) -> Answer:
        return {
            "StackId": "arn",
            "StackDriftDetectionId": given["StackDriftDetectionId"],
            "StackDriftStatus": "IN_SYNC",
            "DetectionStatus": made.detection,
            "Timestamp": moment(NOW),
        }

    def drifts(given: Parameters) -> Answer:
        # One a page, so that pages matter.
        found = made.drifted.get(given["StackName"], [])
        start = int(given.get("NextToken", "0"))
        more = {"NextToken": str(start + 1)} if start + 1 < len(found) else {}
        return {"StackResourceDrifts": found[start : start + 1], **more}

    described = {"AssociationId": ASSOCIATION, "AssociationVersion": "3"}
    return {
        ("cloudformation", "DescribeStacks"): stacks,
        ("cloudformation", "ListStackResources"): resources,
        ("cloudformation", "GetTemplate"): lambda given: {
            "TemplateBody": json.dumps(made.templates[known(given)])
        },
        ("cloudformation", "DetectStackDrift"): lambda given: {
            "StackDriftDetectionId": known(given)
        },
        ("cloudformation", "DescribeStackDriftDetectionStatus"): detection,
        ("cloudformation", "DescribeStackResourceDrifts"): drifts,
        ("cloudwatch", "DescribeAlarms"): alarms,
        ("cloudwatch", "GetMetricData"): data,
        ("ec2", "DescribeInstances"): instances,
        ("route53", "GetHealthCheck"): check,
        ("route53", "GetHealthCheckStatus"): observed,
        ("route53", "ListResourceRecordSets"): lambda _: {
            "ResourceRecordSets": made.records,
            "IsTruncated": False,
            "MaxItems": "10",
        },
        ("ssm", "DescribeAssociation"): lambda _: {"AssociationDescription": described},
        ("ssm", "DescribeInstanceAssociationsStatus"): associations,
        ("ssm", "DescribeInstanceInformation"): managed,
    }


def _points(made: Deployment, metric: Mapping[str, Any]) -> Data:
    """The last data point of a metric, and an older one."""
    (dimension,) = metric["Dimensions"]
    age: float | None = 30.0
    value: float | None = 1.0
    if metric["MetricName"] == "HealthCheckStatus":
        value = made.health[dimension["Value"]]
    else:
        assert metric["MetricName"] == "probe-heartbeat"
        age = made.beats[dimension["Value"]]
    if age is None or value is None:
        return {"Timestamps": [], "Values": []}
    return {"Timestamps": [moment(NOW - age), moment(NOW - age - 60)], "Values": [value, 1 - value]}
