"""The application as a whole: several services and environments, tags, lookups, limits."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.service_file import Service
from stacks.application import add_stacks, new_app
from tests.stacks.test_probe_stack import configuration_of
from tests.support import (
    ROOT,
    Data,
    Template,
    app_as_by_the_cli,
    example,
    example_data,
    only,
    production,
    records_of,
    resources_of,
    service_of,
    synth,
    synthesize,
)

NOTIFICATIONS = "notifications-532151327118-us-west-2-PingPublicationsSNS"
ROLE = "AWS::IAM::Role"
VIRGINIA = "notifications-532151327118-us-east-1-PingPublicationsSNS"


def _assembly(folder: Path, *services: Service) -> Mapping[str, SynthesizedStack]:
    app = app_as_by_the_cli(str(folder))
    add_stacks(app, services)
    synth(app)
    return {stack.name: stack for stack in read_assembly(folder)}


def _staging_too(data: Data) -> Data:
    staging = json.loads(json.dumps(production(data)))
    staging["endpoint"]["record"] = "staging.pingpublications.com"
    for color in ("blue", "green"):
        staging["hosts"][color]["name"] = f"staging-{color}"
    data["environments"]["staging"] = staging
    return data


def test_each_environment_has_a_stack_of_its_own(tmp_path: Path) -> None:
    stacks = _assembly(tmp_path, service_of(_staging_too(example_data())))
    assert set(stacks) == {
        "bookstore-production-failover",
        "bookstore-production-failover-alarm",
        "bookstore-production-probe",
        "bookstore-staging-failover",
        "bookstore-staging-failover-alarm",
        "bookstore-staging-probe",
        NOTIFICATIONS,
        VIRGINIA,
    }


def test_the_deployment_of_a_stack_publishes_its_own_files_alone(tmp_path: Path) -> None:
    _assembly(tmp_path, example(whole=True))
    published = {
        file.name.removesuffix(".assets.json"): {
            each["source"]["path"]
            for each in json.loads(file.read_bytes())["files"].values()
            if each["source"]["path"].endswith(".template.json")
        }
        for file in tmp_path.glob("*.assets.json")
    }
    assert len(published) == 6
    assert published == {stack: {f"{stack}.template.json"} for stack in published}


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_topics_are_deployed_first_then_the_probe_then_the_failover(
    environment: str, tmp_path: Path
) -> None:
    stacks = _assembly(tmp_path, service_of(_staging_too(example_data())))
    probe = f"bookstore-{environment}-probe"
    assert stacks[probe].depends_on == [NOTIFICATIONS]
    failover = f"bookstore-{environment}-failover"
    assert set(stacks[failover].depends_on) == {probe, NOTIFICATIONS}
    assert set(stacks[f"{failover}-alarm"].depends_on) == {failover, VIRGINIA}


def test_a_service_without_anything_to_measure_has_no_probe(tmp_path: Path) -> None:
    stacks = _assembly(tmp_path, example(lambda env: env.pop("dependencies")))
    assert set(stacks) == {
        "bookstore-production-failover",
        "bookstore-production-failover-alarm",
        NOTIFICATIONS,
        VIRGINIA,
    }
    assert stacks["bookstore-production-failover"].depends_on == [NOTIFICATIONS]


def test_environments_of_another_region_have_topics_of_their_own(tmp_path: Path) -> None:
    data = _staging_too(example_data())
    data["environments"]["staging"]["region"] = "eu-west-1"
    stacks = _assembly(tmp_path, service_of(data))
    assert "notifications-532151327118-eu-west-1-PingPublicationsSNS" in stacks
    assert stacks["bookstore-staging-failover"].region == "eu-west-1"


def test_an_adopted_topic_without_subscribers_needs_no_stack(tmp_path: Path) -> None:
    arn = "arn:aws:sns:us-west-2:532151327118:Pager"
    stacks = _assembly(tmp_path, example(lambda env: env.update(notifications={"topic_arn": arn})))
    assert set(stacks) == {"bookstore-production-failover", "bookstore-production-probe"}
    assert stacks["bookstore-production-failover"].depends_on == ["bookstore-production-probe"]
    assert stacks["bookstore-production-probe"].depends_on == []


def test_each_service_subscribes_its_own_subscribers_where_alarms_notify() -> None:
    subscribers = [
        "a@example.com",
        "arn:aws:lambda:us-west-2:532151327118:function:f",
        "+15555550100",
    ]
    templates = synthesize(
        [example(lambda env: env["notifications"].update(subscriptions=subscribers))]
    )
    for region, stack in {"us-west-2": "failover", "us-east-1": "failover-alarm"}.items():
        found = resources_of(templates[f"bookstore-production-{stack}"], "AWS::SNS::Subscription")
        assert {
            (each["Properties"]["Protocol"], each["Properties"]["Endpoint"])
            for each in found.values()
        } == set(zip(["email", "lambda", "sms"], subscribers, strict=True))
        for each in found.values():
            assert each["Properties"]["TopicArn"] == (
                f"arn:aws:sns:{region}:532151327118:PingPublicationsSNS"
            )
            # The subscription may be that of another service too.
            assert each["DeletionPolicy"] == each["UpdateReplacePolicy"] == "Retain"
    for stack in (NOTIFICATIONS, VIRGINIA):
        assert not resources_of(templates[stack], "AWS::SNS::Subscription")


def test_in_us_east_1_one_topic_and_one_subscription_serve_both() -> None:
    def edit(env: Data) -> None:
        env["region"] = "us-east-1"
        env["notifications"]["subscriptions"] = ["a@example.com"]

    templates = synthesize([example(edit)])
    assert [stack for stack in templates if stack.startswith("notifications")] == [VIRGINIA]
    assert [
        stack
        for stack, template in templates.items()
        if resources_of(template, "AWS::SNS::Subscription")
    ] == ["bookstore-production-failover"]


def test_no_topic_is_made_where_nothing_publishes() -> None:
    def edit(env: Data) -> None:
        for color in ("blue", "green"):
            host = env["hosts"][color]
            for key in ("address", "instance_id"):
                host.pop(key, None)
            host["alias"] = {
                "dns_name": f"{color}-1.us-west-2.elb.amazonaws.com",
                "hosted_zone_id": "Z1H1FL5HABSF5",
            }
        del env["dependencies"]
        env["failover_on"] = ["endpoint"]
        env["notifications"]["subscriptions"] = ["a@example.com"]

    templates = synthesize([example(edit)])
    assert set(templates) == {
        "bookstore-production-failover",
        "bookstore-production-failover-alarm",
        VIRGINIA,
    }
    assert not resources_of(templates["bookstore-production-failover"], "AWS::SNS::Subscription")


@pytest.mark.parametrize("signals", [["endpoint"], ["status", "endpoint", "db"]])
def test_whatever_moves_clients_an_alarm_says_so(signals: list[str]) -> None:
    templates = synthesize([example(lambda env: env.update(failover_on=signals))])
    failover = templates["bookstore-production-failover"]
    decides = records_of(failover)[0]["HealthCheckId"]
    alarm = only(templates["bookstore-production-failover-alarm"], "AWS::CloudWatch::Alarm")
    ((dimension),) = alarm["Dimensions"]
    read = dimension["Value"]["Fn::GetStackOutput"]
    assert (read["StackName"], read["Region"]) == ("bookstore-production-failover", "us-west-2")
    assert failover["Outputs"][read["OutputName"]]["Value"] == decides
    topic = ["arn:aws:sns:us-east-1:532151327118:PingPublicationsSNS"]
    assert alarm["AlarmActions"] == alarm["OKActions"] == topic
    assert alarm["AlarmDescription"] == (
        "ALARM: clients of bookstore.pingpublications.com are being sent to bookstore-api-green. "
        "OK: they are sent to bookstore-api-blue."
    )


def test_alarms_notify_all_topics_of_their_region() -> None:
    here, there = (
        f"arn:aws:sns:{region}:111111111111:operations" for region in ("us-west-2", "us-east-1")
    )

    def edit(env: Data) -> None:
        env["notifications"]["more_topics"] = [here, there]

    templates = synthesize([example(edit, whole=True)])
    notified = {
        stack: {
            tuple(alarm["Properties"]["AlarmActions"])
            for alarm in resources_of(template, "AWS::CloudWatch::Alarm").values()
        }
        for stack, template in templates.items()
    }
    west = {("arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS", here)}
    assert notified == {
        "bookstore-production-failover": west,
        "bookstore-production-probe": west,
        "bookstore-production-drills": west,
        "bookstore-production-failover-alarm": {
            ("arn:aws:sns:us-east-1:532151327118:PingPublicationsSNS", there)
        },
        NOTIFICATIONS: set(),
        VIRGINIA: set(),
    }
    drills = json.dumps(templates["bookstore-production-drills"])
    (publish,) = {
        json.dumps(statement["Resource"])
        for role in resources_of(
            templates["bookstore-production-drills"], "AWS::IAM::Role"
        ).values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] in ("sns:Publish", ["sns:Publish"])
    }
    assert json.loads(publish) == list(next(iter(west)))
    for account in ("532151327118", "111111111111"):
        assert f"arn:aws:kms:us-west-2:{account}:key/*" in drills


def test_tags_are_given_to_the_stack_and_not_to_templates(tmp_path: Path) -> None:
    data = example_data() | {"tags": {"team": "ops", "cost": "shared"}}
    production(data)["tags"] = {"cost": "books"}
    production(data)["notifications"]["tags"] = {"team": "ops"}
    tagged = _assembly(tmp_path / "tagged", service_of(data))
    plain = _assembly(tmp_path / "plain", example())
    manifest = json.loads((tmp_path / "tagged" / "manifest.json").read_text(encoding="utf-8"))
    for stack in tagged:
        shared = stack.startswith("notifications-")
        tags = {"team": "ops"} if shared else {"team": "ops", "cost": "books"}
        assert manifest["artifacts"][stack]["properties"]["tags"] == tags
        assert tagged[stack].template == plain[stack].template


def test_a_zone_without_id_is_looked_up_by_name(tmp_path: Path) -> None:
    _assembly(tmp_path, example(lambda env: env["hosted_zone"].pop("id")))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (missing,) = manifest["missing"]
    assert missing["provider"] == "hosted-zone"
    assert missing["props"]["domainName"] == "pingpublications.com"
    assert missing["props"]["account"] == "532151327118"


def test_a_long_ttl_is_warned_of(tmp_path: Path) -> None:
    stacks = _assembly(tmp_path, example(lambda env: env["endpoint"].update(ttl_seconds=300)))
    (warning,) = stacks["bookstore-production-failover"].warnings
    assert warning == (
        "endpoint.ttl_seconds: 300 s: clients may keep the failed host's address that long after "
        "a failover; give 60 or less"
    )


def test_an_objective_that_is_missed_is_a_warning_of_its_stack(tmp_path: Path) -> None:
    def edit(environment: Data) -> None:
        environment["objective"] = {"recovery_time_seconds": 320, "faults": ["host"]}

    stacks = _assembly(tmp_path, example(edit))
    (warning,) = stacks["bookstore-production-failover"].warnings
    assert warning == (
        "objective.recovery_time_seconds: host stopped: 95 of 100 clients whose resolvers honor "
        "the TTL reach the standby within 483 s (assumed, as AWS does not publish when it acts on "
        "missing data); the objective is 320 s; 'endpoint' added to failover_on would give 193 s"
    )


def test_drills_are_deployed_after_all_that_guards_them(tmp_path: Path) -> None:
    stacks = _assembly(tmp_path, example(whole=True))
    assert set(stacks["bookstore-production-drills"].depends_on) >= {
        "bookstore-production-failover",
        "bookstore-production-probe",
        NOTIFICATIONS,
    }


@pytest.mark.slow
def test_the_drills_code_is_an_asset_of_the_same_bytes_each_time(tmp_path: Path) -> None:
    def keys(folder: Path) -> set[str]:
        _assembly(folder, example(whole=True))
        return {path.name for path in folder.glob("asset.*")}

    first, second = keys(tmp_path / "1"), keys(tmp_path / "2")
    assert first == second
    (asset,) = first
    with zipfile.ZipFile(tmp_path / "1" / asset) as archive:
        files = set(archive.namelist())
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    assert "staged_resiliency/drills/runtime/handlers.py" in files
    ours = {name for name in files if not name.startswith("tzdata/")}
    assert not [name for name in ours if "drill.py" in name or not name.endswith(".py")]


def test_a_zone_that_is_looked_up_is_the_one_of_the_drills_too(tmp_path: Path) -> None:
    def without_id(env: Data) -> None:
        del env["hosted_zone"]["id"]

    _assembly(tmp_path, example(without_id, whole=True))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (missing,) = {each["key"] for each in manifest["missing"]}
    assert missing.startswith("hosted-zone:")


@pytest.mark.slow
def test_many_dependencies_are_synthesized() -> None:
    data = example_data()
    env = production(data)
    env["dependencies"] = {
        f"d{number}": {"label": "D", "host": "d.example.com", "port": 1} for number in range(100)
    }
    templates = synthesize([service_of(data)])
    assert len(templates["bookstore-production-failover"]["Resources"]) == 204
    (association,) = resources_of(
        templates["bookstore-production-probe"], "AWS::SSM::Association"
    ).values()
    assert len(association["Metadata"]["Configuration"]["targets"]) == 100


def test_recovery_notifications_go_to_the_same_topic() -> None:
    def edit(env: Data) -> None:
        env["notifications"]["recovery"] = True
        env["probe"] = {"peer": True}

    alarms = [
        alarm["Properties"]
        for template in synthesize([example(edit, whole=True)]).values()
        for alarm in resources_of(template, "AWS::CloudWatch::Alarm").values()
    ]
    assert len(alarms) == 9 + 5 + 1  # those of drills and of the failover too
    assert all(alarm["OKActions"] == alarm["AlarmActions"] for alarm in alarms)


def test_endpoint_settings_reach_the_health_check() -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = ["endpoint"]
        env["endpoint"] |= {
            "port": 8443,
            "version_path": "/v/",
            "check": {"protocol": "https", "interval_seconds": 10, "failure_threshold": 2},
        }

    template = synthesize([example(edit)])["bookstore-production-failover"]
    assert only(template, "AWS::Route53::HealthCheck")["HealthCheckConfig"] == {
        "Type": "HTTPS",
        "IPAddress": "54.213.54.171",
        "FullyQualifiedDomainName": "bookstore.pingpublications.com",
        "Port": 8443,
        "ResourcePath": "/v/",
        "EnableSNI": True,
        "RequestInterval": 10,
        "FailureThreshold": 2,
        "Inverted": False,
    }


def test_a_tcp_check_only_connects() -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = ["endpoint"]
        env["endpoint"]["check"] = {"protocol": "tcp"}

    template = synthesize([example(edit)])["bookstore-production-failover"]
    config = only(template, "AWS::Route53::HealthCheck")["HealthCheckConfig"]
    assert config["Type"] == "TCP"
    assert "ResourcePath" not in config


def test_hosts_with_ipv6_addresses_alone_make_an_aaaa_pair() -> None:
    def edit(env: Data) -> None:
        env["hosts"]["blue"]["address"] = "2600:1f14::8"
        env["hosts"]["green"]["address"] = "2600:1f14::9"

    records = records_of(synthesize([example(edit)])["bookstore-production-failover"])
    assert [(record["Type"], record["ResourceRecords"]) for record in records] == [
        ("AAAA", ["2600:1f14::8"]),
        ("AAAA", ["2600:1f14::9"]),
    ]


def test_topics_whose_names_differ_in_signs_alone_get_along() -> None:
    data = _staging_too(example_data())
    data["environments"]["staging"]["notifications"]["topic_name"] = "Ping_PublicationsSNS"
    production(data)["notifications"]["topic_name"] = "Ping-PublicationsSNS"
    templates = synthesize([service_of(data)])
    made = [
        stack for stack in templates if stack.startswith("notifications-532151327118-us-west-2")
    ]
    assert len(made) == 2


@pytest.mark.parametrize(
    "stack",
    [
        "bookstore-production-failover",
        "bookstore-production-probe",
        "bookstore-production-drills",  # it ends the faults of drills
        NOTIFICATIONS,
        VIRGINIA,
    ],
)
def test_what_clients_depend_on_is_protected_against_deletion(stack: str, tmp_path: Path) -> None:
    _assembly(tmp_path, example(whole=True))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    artifact = manifest["artifacts"][stack]
    assert artifact["properties"]["terminationProtection"] is True


def test_health_checks_of_a_services_environments_have_different_names() -> None:
    data = example_data()
    production(data)["failover_on"] = ["status", "db"]
    templates = synthesize([service_of(_staging_too(data))])
    labels = [
        check["Properties"]["HealthCheckTags"][0]["Value"]
        for template in templates.values()
        for check in resources_of(template, "AWS::Route53::HealthCheck").values()
    ]
    assert len(labels) == len(set(labels)) == 6


def test_hosts_may_have_the_name_tags_that_the_cdk_gives() -> None:
    def as_the_cdk_names_them(env: Data) -> None:
        env["hosts"]["blue"]["name"] = "Shop/Blue"
        env["hosts"]["green"]["name"] = "Shop/My Green"
        env["failover_on"] = ["status", "peer"]

    templates = synthesize([example(as_the_cdk_names_them)])
    alarms = resources_of(templates["bookstore-production-failover"], "AWS::CloudWatch::Alarm")
    assert {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]["Dimensions"][0]["Value"]
        for alarm in alarms.values()
        if alarm["Properties"]["MetricName"] == "db-connectivity"
    } == {
        "Shop/Blue-db-connectivity-failed": "Shop/Blue",
        "Shop/My Green-db-connectivity-failed": "Shop/My Green",
    }
    association = only(templates["bookstore-production-probe"], "AWS::SSM::Association")
    assert association["Targets"] == [{"Key": "tag:Name", "Values": ["Shop/Blue", "Shop/My Green"]}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("region", "partition", "console", "metrics"),
    [
        ("us-west-2", "aws", "us-west-2.console.aws.amazon.com", "us-east-1"),
        (
            "us-gov-east-1",
            "aws-us-gov",
            "us-gov-east-1.console.amazonaws-us-gov.com",
            "us-gov-west-1",
        ),
    ],
)
def test_the_dashboard_links_to_the_console_and_the_metrics_of_its_partition(
    region: str, partition: str, console: str, metrics: str
) -> None:
    service = example(whole=True)
    # A file would be refused in GovCloud for its drills, which other applications may have there.
    environment = service.environments["production"].model_copy(update={"region": region})
    changed = service.model_copy(update={"environments": {"production": environment}})
    templates = synthesize([changed])
    dashboard = only(templates["bookstore-production-failover"], "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard["DashboardBody"])
    assert f"https://{console}/fis/" in body
    assert body.count("console.") == 3
    assert f'"region\\":\\"{metrics}' in body.replace(" ", "")
    assert f"arn:{partition}:cloudwatch:{region}:" in body
    failover = "532151327118:alarm:bookstore-production-clients-on-standby"
    assert f"arn:{partition}:cloudwatch:{metrics}:{failover}" in body


def test_the_dashboard_shows_the_alarm_on_failovers(failover_template: Template) -> None:
    dashboard = only(failover_template, "AWS::CloudWatch::Dashboard")["DashboardBody"]
    pieces = dashboard["Fn::Join"][1]
    body = json.loads("".join(each if isinstance(each, str) else "ID" for each in pieces))
    (widget,) = (
        each
        for each in body["widgets"]
        if each["properties"].get("title", "").startswith("Clients")
    )
    assert widget["properties"] == {
        "title": "Clients are sent to bookstore-api-green",
        "alarms": [
            "arn:aws:cloudwatch:us-east-1:532151327118:alarm:bookstore-production-clients-on-standby"
        ],
    }


@pytest.mark.slow
def test_without_an_alarm_on_failovers_the_dashboard_shows_none() -> None:
    arn = "arn:aws:sns:us-west-2:532151327118:operations"
    templates = synthesize(
        [example(lambda env: env.update(notifications={"topic_arn": arn}), whole=True)]
    )
    dashboard = only(templates["bookstore-production-failover"], "AWS::CloudWatch::Dashboard")
    assert "Clients are sent" not in json.dumps(dashboard)


def test_a_service_in_china_has_its_partitions_arns_and_metrics() -> None:
    templates = synthesize([example(lambda env: env.update(region="cn-north-1"))])
    text = json.dumps(templates)
    assert "arn:aws-cn:sns:cn-north-1" in text
    assert "arn:aws:" not in text


def test_health_checkers_and_peers_request_the_health_path_from_the_regions_given() -> None:
    regions = ["us-east-1", "us-west-1", "us-west-2"]

    def edit(env: Data) -> None:
        env["endpoint"]["check"] = {"path": "/health", "regions": regions}
        env["failover_on"] = ["endpoint", "peer"]

    templates = synthesize([example(edit)])
    checks = resources_of(templates["bookstore-production-failover"], "AWS::Route53::HealthCheck")
    configs = [each["Properties"]["HealthCheckConfig"] for each in checks.values()]
    (endpoint,) = [each for each in configs if each["Type"] == "HTTP"]
    assert (endpoint["ResourcePath"], endpoint["Regions"]) == ("/health", regions)
    assert {peer["path"] for peer in configuration_of(edit)["peers"].values()} == {"/health"}


def test_each_further_name_has_the_records_and_the_health_check_of_the_first() -> None:
    def edit(env: Data) -> None:
        env["endpoint"]["more_records"] = ["www.pingpublications.com"]

    templates = synthesize([example(edit)])
    records = records_of(templates["bookstore-production-failover"])
    first, second = records[:2], records[2:]
    assert {record.pop("Name") for record in first} == {"bookstore.pingpublications.com."}
    assert {record.pop("Name") for record in second} == {"www.pingpublications.com."}
    assert first == second


def test_an_alarm_that_decides_nothing_may_fire_at_two_of_three() -> None:
    def edit(env: Data) -> None:
        env["dependencies"]["db"]["alarm"] = {"evaluation_periods": 3, "datapoints_to_alarm": 2}
        env["probe"] = {"peer": True}
        env["peer_alarm"] = {"evaluation_periods": 4, "datapoints_to_alarm": 2}

    template = synthesize([example(edit)])["bookstore-production-failover"]
    found = {
        alarm["Properties"]["AlarmName"]: (
            alarm["Properties"]["DatapointsToAlarm"],
            alarm["Properties"]["EvaluationPeriods"],
        )
        for alarm in resources_of(template, "AWS::CloudWatch::Alarm").values()
    }
    assert found["bookstore-api-blue-db-connectivity-failed"] == (2, 3)
    assert found["bookstore-api-blue-cdn-connectivity-failed"] == (2, 2)
    assert found["bookstore-api-blue-peer-connectivity-failed"] == (2, 4)


@pytest.mark.slow
def test_a_bootstrap_of_ones_own_and_a_boundary_are_taken_from_the_context(tmp_path: Path) -> None:
    """As docs/how-to.md says, in words of cdk.json alone."""
    context = {
        **json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
        "@aws-cdk/core:bootstrapQualifier": "shop1",
        "@aws-cdk/core:permissionsBoundary": {"name": "developer-boundary"},
    }
    app = new_app(str(tmp_path), context=context)
    add_stacks(app, [example(whole=True)])
    synth(app)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    deployed_by = [
        artifact["properties"]["assumeRoleArn"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    assert len(deployed_by) >= 6
    assert all("role/cdk-shop1-deploy-role-532151327118-" in role for role in deployed_by)
    roles = [
        role["Properties"]["PermissionsBoundary"]
        for file in tmp_path.glob("*.template.json")
        for role in resources_of(json.loads(file.read_text(encoding="utf-8")), ROLE).values()
    ]
    assert roles == ["arn:aws:iam::532151327118:policy/developer-boundary"] * 7
    assert "hnb659fds" not in "".join(
        file.read_text(encoding="utf-8") for file in tmp_path.glob("*.json")
    )
