"""The experiments of drills: what they break, and that AWS FIS takes them."""

import json

import pytest

from staged_resiliency.drills.runtime.fault_settings import Database, FaultKind
from staged_resiliency.experiment.expectations import ClientsFast, ClientsServedAgain
from tests.stacks.deployed_drills import (
    ACCOUNT,
    BLUE,
    EXPERIMENT,
    FIS_LOG,
    IN_REGION,
    INSTANCE,
    REGION,
    by_drill,
    experiment_request,
    plans_of,
    roles_of,
    statements_of,
)
from tests.staged_resiliency.api_model import problems_of
from tests.support import Data, Template, example, resources_of, synthesize


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


@pytest.mark.slow
def test_a_port_is_cut_off_at_any_address_where_the_file_asks_for_it() -> None:
    def edit(env: Data) -> None:
        env["drills"]["db-blackhole"]["scope"] = "port"

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    document = "AWSFIS-Run-Network-Blackhole-Port"
    assert by_drill(template, EXPERIMENT)["db-blackhole"]["Actions"]["Fault"] == _network_fault(
        "Drops what {host} sends to TCP port 5432.", document, Port="5432", Protocol="tcp"
    )
    roles = {name: list(statements_of(role)) for name, role in roles_of(template)}
    run = (["ssm:SendCommand"], [f"arn:aws:ssm:{REGION}::document/{document}", INSTANCE], None)
    assert run in roles["DrillsBlackholePortRole"]
    assert (["ec2:DescribeInstances"], ["*"], IN_REGION) in roles["DrillsBlackholePortRole"]
    plan = plans_of(template)["db-blackhole"]
    assert (plan.port, plan.effect) == (5432, f"drops what {BLUE} sends to TCP port 5432")


@pytest.mark.slow
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
    roles = {name: list(statements_of(role)) for name, role in roles_of(template)}
    assert (["ssm:SendCommand"], [*sent, INSTANCE], None) in roles["DrillsDegradeRole"]
    plan = plans_of(template)["db-blackhole"]
    assert plan.fault is FaultKind.DEGRADE
    assert ClientsFast("bookstore.pingpublications.com", 0.8) in plan.hypothesis


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "identifier", "action", "aim", "calls"),
    [
        (
            "db_instance",
            "shop-db",
            {
                "ActionId": "aws:rds:reboot-db-instances",
                "Description": "Makes DB instance shop-db fail over.",
                "Parameters": {"forceFailover": "true"},
                "Targets": {"DBInstances": "Database"},
            },
            ("aws:rds:db", "db:shop-db"),
            ["rds:DescribeDBInstances", "rds:RebootDBInstance"],
        ),
        (
            "db_cluster",
            "shop",
            {
                "ActionId": "aws:rds:failover-db-cluster",
                "Description": "Makes DB cluster shop fail over.",
                "Parameters": {},
                "Targets": {"Clusters": "Database"},
            },
            ("aws:rds:cluster", "cluster:shop"),
            ["rds:DescribeDBClusters", "rds:FailoverDBCluster"],
        ),
    ],
    ids=["instance", "cluster"],
)
def test_a_database_fails_over_as_the_file_asks_for_it(
    key: str, identifier: str, action: Data, aim: tuple[str, str], calls: list[str]
) -> None:
    def edit(env: Data) -> None:
        env["drills"]["db-blackhole"] = {
            "fault": "rds_failover",
            "dependency": "db",
            key: identifier,
            "schedule": "cron(0 10 ? * TUE#2 *)",
        }

    template = synthesize([example(edit, whole=True)])["bookstore-production-drills"]
    experiment = by_drill(template, EXPERIMENT)["db-blackhole"]
    arn = f"arn:aws:rds:{REGION}:{ACCOUNT}:{aim[1]}"
    assert experiment["Actions"] == {"Fault": action}
    assert experiment["Targets"] == {
        "Database": {"ResourceType": aim[0], "ResourceArns": [arn], "SelectionMode": "ALL"}
    }
    assert problems_of("fis", "CreateExperimentTemplate", experiment_request(experiment)) == []
    roles = {name: list(statements_of(role)) for name, role in roles_of(template)}
    lock = aim[1].replace(":", "-")
    assert roles[f"DrillsRdsFailoverRole{lock.replace('-', '')}"] == [(calls, [arn], None), FIS_LOG]
    (policy,) = resources_of(template, "AWS::IAM::Policy").values()
    assert list(statements_of({"Policies": [policy["Properties"]]})) == [(calls[:1], [arn], None)]
    allowed = [each["Ref"][:-8] for each in policy["Properties"]["Roles"]]
    assert allowed == ["DrillsObserveRole", "DrillsEndRole"]
    plan = plans_of(template)["db-blackhole"]
    assert plan.fault is FaultKind.RDS_FAILOVER
    assert plan.database == Database(identifier, key == "db_cluster", 290)
    assert (plan.target, plan.fault_seconds, plan.dependency) == (BLUE, 120, "db")
    assert ClientsServedAgain("bookstore.pingpublications.com") in plan.hypothesis


def test_fis_takes_every_template(drills_template: Template) -> None:
    for drill, experiment in by_drill(drills_template, EXPERIMENT).items():
        request = experiment_request(experiment)
        assert problems_of("fis", "CreateExperimentTemplate", request) == [], drill
        for action in request["actions"].values():
            assert all(len(value) <= 1024 for value in action["parameters"].values())
