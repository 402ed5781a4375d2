"""`resiliency adopt` of set-ups that the real AWS CLI makes, in a server of moto's.

The plan's own commands are run then, up to the import, which CloudFormation alone can do.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import moto.backends
import pytest
import yaml
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.server import ThreadedMotoServer

from resiliency.adopt.synthesis import synthesized
from tests.e2e.test_wheel import environment_with
from tests.fake_aws.health_checks import keep_settings
from tests.support import ROOT, Data

REGION = "us-west-2"
NAME = "bookstore.pingpublications.com"
RECIPE = Path(__file__).with_name("recipe.sh").read_text(encoding="utf-8")
DEPENDENCIES = (
    "--dependency=db=db.bookstore.pingpublications.com:5432",
    "--dependency=cdn=cdn.bookstore.pingpublications.com:80",
)

SIMPLE = """
aws route53 change-resource-record-sets --hosted-zone-id "$ZONE" --change-batch '{
  "Changes": [{"Action": "CREATE", "ResourceRecordSet": {
    "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 300,
    "ResourceRecords": [{"Value": "'"$BLUE_ADDRESS"'"}, {"Value": "'"$GREEN_ADDRESS"'"}]}}]}'
"""

# What a team made in another way: an endpoint's health check, its own identifiers, and a secondary
# with a health check and another TTL.
FOREIGN = """
CHECK=$(aws route53 create-health-check --caller-reference a --health-check-config '{
    "Type": "HTTP", "IPAddress": "'"$BLUE_ADDRESS"'", "Port": 80, "ResourcePath": "/version/",
    "RequestInterval": 30, "FailureThreshold": 5}' --query HealthCheck.Id --output text)
aws route53 change-resource-record-sets --hosted-zone-id "$ZONE" --change-batch '{
  "Changes": [
    {"Action": "CREATE", "ResourceRecordSet": {
      "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 60,
      "SetIdentifier": "one", "Failover": "PRIMARY", "HealthCheckId": "'"$CHECK"'",
      "ResourceRecords": [{"Value": "'"$BLUE_ADDRESS"'"}]}},
    {"Action": "CREATE", "ResourceRecordSet": {
      "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 120,
      "SetIdentifier": "two", "Failover": "SECONDARY", "HealthCheckId": "'"$CHECK"'",
      "ResourceRecords": [{"Value": "'"$GREEN_ADDRESS"'"}]}}]}'
"""

# The recipe, edited by hand later: another text and threshold, which the health check has not read,
# no health check on the record, and another TTL.
EDITED = f"""
{RECIPE}
aws cloudwatch put-metric-alarm \\
  --alarm-name bookstore-api-blue-StatusCheckFailed --alarm-description "Call Ann." \\
  --alarm-actions "$TOPIC" --ok-actions "$TOPIC" \\
  --namespace AWS/EC2 --metric-name StatusCheckFailed \\
  --dimensions "Name=InstanceId,Value=$BLUE_ID" \\
  --statistic Maximum --period 60 --evaluation-periods 3 --datapoints-to-alarm 2 \\
  --threshold 1 --comparison-operator GreaterThanThreshold --treat-missing-data ignore
aws route53 change-resource-record-sets --hosted-zone-id "$ZONE" --change-batch '{{
  "Changes": [{{"Action": "UPSERT", "ResourceRecordSet": {{
      "Name": "bookstore.pingpublications.com.", "Type": "A", "TTL": 20,
      "SetIdentifier": "bookstore-Secondary", "Failover": "SECONDARY",
      "ResourceRecords": [{{"Value": "'"$GREEN_ADDRESS"'"}}]}}}}]}}'
"""


@dataclass(frozen=True)
class HandMade:
    """A server of moto's, and the environment in which the AWS CLI finds it."""

    url: str
    environment: Mapping[str, str]
    folder: Path

    def client(self, service: str) -> Any:
        """A client of the server."""
        return boto3.client(service, region_name=REGION, endpoint_url=self.url)

    def run(self, script: str) -> None:
        """Run a script of commands in the repository, as a person would."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def adopt(self, *arguments: str, status: int) -> Data:
        """Run `resiliency adopt --json`."""
        code = "import sys; from resiliency.cli import main; sys.exit(main())"
        out = ["--out", str(self.folder), "--json"]
        done = subprocess.run(
            [sys.executable, "-c", code, "adopt", NAME, *arguments, *out],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        document: Data = json.loads(done.stdout)
        return document


@pytest.fixture(scope="module")
def aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AWS CLI, in an environment of its own: it pins another botocore."""
    return environment_with("awscli==1.46.3", tmp_path_factory.mktemp("aws")) / "bin"


@pytest.fixture
def hand_made(aws_cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HandMade]:
    keep_settings(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    for backend in ("cloudwatch", "ec2", "route53", "sns"):
        moto.backends.get_backend(backend).reset()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "PATH": f"{aws_cli}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        prepared = _prepared(HandMade(url, environment, tmp_path))
        yield HandMade(url, {**environment, **prepared}, tmp_path)
    finally:
        server.stop()


def _prepared(made: HandMade) -> Mapping[str, str]:
    """Make what the recipe finds: the instances and the zone."""
    ec2, route53 = made.client("ec2"), made.client("route53")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    found = {}
    for color in ("blue", "green"):
        tags = [{"Key": "Name", "Value": f"bookstore-api-{color}"}]
        ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        (reservation,) = ec2.describe_instances(
            Filters=[{"Name": "tag:Name", "Values": [f"bookstore-api-{color}"]}]
        )["Reservations"]
        (instance,) = reservation["Instances"]
        found[f"{color.upper()}_ID"] = instance["InstanceId"]
        found[f"{color.upper()}_ADDRESS"] = instance["PublicIpAddress"]
    zone = route53.create_hosted_zone(Name="pingpublications.com", CallerReference="1")
    return {**found, "ZONE": zone["HostedZone"]["Id"].removeprefix("/hostedzone/")}


def _unequal(made: HandMade, file: Path) -> set[tuple[str, str]]:
    """Return each property of an imported resource that differs from what exists."""
    return {
        found
        for stack in synthesized(ROOT, file)
        if (mapping := made.folder / "bookstore" / f"import-{stack.name}.json").exists()
        for found in _unequal_of(made, stack.resources, json.loads(mapping.read_text()))
    }


def _unequal_of(
    made: HandMade, resources: Mapping[str, Any], mapping: Mapping[str, Mapping[str, str]]
) -> Iterable[tuple[str, str]]:
    for logical_id, identifier in mapping.items():
        resource = resources[logical_id]
        kind, properties = resource["Type"].rpartition("::")[2], resource["Properties"]
        if kind == "Alarm":
            exists = _alarm(made, identifier["AlarmName"])
            wanted = {"OKActions": [], "TreatMissingData": "missing", **properties}
        elif kind == "HealthCheck":
            exists = _check(made, identifier["HealthCheckId"])
            wanted = {
                "Disabled": False,
                **properties["HealthCheckConfig"],
                "Tags": properties["HealthCheckTags"],
            }
        else:
            exists = _record(made, identifier)
            wanted = {key: properties[key] for key in properties if key != "Comment"}
            wanted["TTL"] = int(wanted["TTL"])
            if "HealthCheckId" in wanted:
                wanted["HealthCheckId"] = mapping[wanted["HealthCheckId"]["Ref"]]["HealthCheckId"]
        for name in {*wanted, *exists}:
            if wanted.get(name) != exists.get(name):
                yield logical_id, name


def _alarm(made: HandMade, name: str) -> Data:
    (alarm,) = made.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    of_people = ("AlarmArn", "InsufficientDataActions", "Metrics")
    alarm.setdefault("TreatMissingData", "missing")
    return {
        key: value
        for key, value in alarm.items()
        if not (key.startswith("State") or key.endswith("Timestamp") or key in of_people)
    }


def _check(made: HandMade, check_id: str) -> Data:
    route53 = made.client("route53")
    config = route53.get_health_check(HealthCheckId=check_id)["HealthCheck"]["HealthCheckConfig"]
    tags = route53.list_tags_for_resource(ResourceType="healthcheck", ResourceId=check_id)
    unset = {"MeasureLatency": False}
    return {
        **{key: value for key, value in config.items() if unset.get(key) != value},
        "Tags": tags["ResourceTagSet"]["Tags"],
    }


def _record(made: HandMade, identifier: Mapping[str, str]) -> Data:
    zone = identifier["HostedZoneId"]
    found = made.client("route53").list_resource_record_sets(HostedZoneId=zone)
    (record,) = [
        each
        for each in found["ResourceRecordSets"]
        if all(each.get(key) == identifier[key] for key in ("Name", "Type", "SetIdentifier"))
    ]
    values = [each["Value"] for each in record["ResourceRecords"]]
    return {**record, "ResourceRecords": values, "HostedZoneId": zone}


def _before_the_import(document: Data) -> str:
    """The plan's commands of the AWS CLI, in their order, up to the import."""
    commands: list[str] = []
    for step in document["steps"]:
        if any(command.startswith("npx cdk import") for command in step["commands"]):
            return "\n".join(commands)
        commands += [each for each in step["commands"] if each.startswith(("ID=", "aws ", "sed "))]
    raise AssertionError("the plan has no import")


EDITS = {
    ("alarm", "AlarmDescription"),
    ("alarm", "ComparisonOperator"),
    ("alarm", "DatapointsToAlarm"),
    ("alarm", "OKActions"),  # of the alarms that do not notify of recovery
    ("alarm", "TreatMissingData"),
    ("health check", "Name"),
    ("record", "TTL"),
}


@pytest.mark.parametrize(
    ("script", "named"),
    [
        pytest.param(RECIPE, {("health check", "Name")}, id="recipe"),
        pytest.param(EDITED, EDITS, id="edited"),
        pytest.param(SIMPLE, None, id="simple record"),
        pytest.param(FOREIGN, None, id="foreign pair"),
    ],
)
def test_the_plan_makes_what_exists_equal_to_the_templates(
    script: str, named: set[tuple[str, str]] | None, hand_made: HandMade
) -> None:
    hand_made.run(script)
    document = hand_made.adopt(*DEPENDENCIES, status=1)
    file = Path(document["service_file"])
    if named is not None:  # else some resources that are imported are made by the plan
        differences = {(each["kind"], each["field"]) for each in document["differences"]}
        assert differences == named
        unequal = {name for _, name in _unequal(hand_made, file)}
        assert unequal == {field if field != "Name" else "Tags" for _, field in named}
    hand_made.run(_before_the_import(document))
    assert _unequal(hand_made, file) == set()
    after = hand_made.adopt("--service-file", str(file), status=1)
    assert after["differences"] == []
    actions = [each["action"] for each in after["resources"]]
    assert set(actions) <= {
        "created by the deployment",
        "imported",
        "left alone",
        "named in the service file",
    }
    imported = 0
    for mapping in (hand_made.folder / "bookstore").glob("import-*.json"):
        imported += len(json.loads(mapping.read_text()))
    assert imported == actions.count("imported") >= 3


def test_the_cdk_cli_imports_what_the_plan_names_and_nothing_else(
    hand_made: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CLI is the real one; its change set is recorded here, and refused."""
    requests: list[Data] = []

    def recorded(response: CloudFormationResponse) -> None:
        names = ("ChangeSetType", "ResourcesToImport", "TemplateBody", "StackName")
        requests.append({name: response._get_param(name) for name in names})
        raise ValidationError(message="recorded")

    monkeypatch.setattr(CloudFormationResponse, "create_change_set", recorded)
    hand_made.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True
    )
    hand_made.run(RECIPE)
    document = hand_made.adopt(*DEPENDENCIES, status=1)
    (command,) = [
        command
        for step in document["steps"]
        for command in step["commands"]
        if command.startswith("npx cdk import")
    ]
    file = document["service_file"]
    given = f"-c services={file} --output {hand_made.folder}/cdk.out --no-notices < /dev/null"
    hand_made.run(f"{command} {given} || true")
    (request,) = requests
    assert (request["ChangeSetType"], request["StackName"]) == (
        "IMPORT",
        "bookstore-production-failover",
    )
    mapping = hand_made.folder / "bookstore" / "import-bookstore-production-failover.json"
    assert {
        each["LogicalResourceId"]: each["ResourceIdentifier"]
        for each in request["ResourcesToImport"]
    } == json.loads(mapping.read_text(encoding="utf-8"))
    template = yaml.safe_load(request["TemplateBody"])
    assert set(template) == {"Resources"}
    resources = template["Resources"]
    assert set(resources) == {each["LogicalResourceId"] for each in request["ResourcesToImport"]}
    assert {each["DeletionPolicy"] for each in resources.values()} == {"Retain"}
    referred = {each for one in resources.values() for each in _references(one)}
    assert referred <= set(resources)
    assert len(referred) >= 2


def _references(value: object) -> Iterator[str]:
    """Yield the logical ids that a part of a template refers to."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [each] if isinstance(each, str) else each
            else:
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
