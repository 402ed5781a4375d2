"""The experiments of drills: what they break, and that AWS FIS takes them."""

from tests.stacks.deployed_drills import (
    ACCOUNT,
    BLUE,
    EXPERIMENT,
    GREEN,
    INSTANCE,
    REGION,
    by_drill,
    experiment_request,
)
from tests.staged_resiliency.api_model import problems_of
from tests.support import Template


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
    assert actions["db-blackhole"] == {
        "ActionId": "aws:ssm:send-command",
        "Description": f"Drops what {BLUE} sends to TCP port 5432.",
        "Parameters": {
            "documentArn": f"arn:aws:ssm:{REGION}::document/AWSFIS-Run-Network-Blackhole-Port",
            "documentParameters": '{"DurationSeconds":"300","InstallDependencies":"True",'
            '"Port":"5432","Protocol":"tcp","TrafficType":"egress"}',
            "duration": "PT6M",
        },
        "Targets": {"Instances": "Host"},
    }
    assert '"Port":"80"' in actions["cdn-blackhole"]["Parameters"]["documentParameters"]


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
