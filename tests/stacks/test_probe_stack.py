"""The probe of a service file: its hosts, its configuration, and its alarms."""

from collections.abc import Callable, Mapping

import pytest

from resiliency.service_file.model.drills import DrillSettings
from stacks.probe import daily_run
from tests.cases import cases
from tests.staged_resiliency.support import ALARM, ASSOCIATION, POLICY
from tests.support import Data, Template, example, only, resources_of, synthesize

PROBE = "bookstore-production-probe"
FAILOVER = "bookstore-production-failover"
HOSTS = ("bookstore-api-blue", "bookstore-api-green")


def templates_of(edit: Callable[[Data], object] | None = None) -> Mapping[str, Template]:
    return synthesize([example(edit)])


def configuration_of(edit: Callable[[Data], object] | None = None) -> Data:
    """The agent's configuration, as reviewers read it."""
    template = templates_of(edit)[PROBE]
    (association,) = resources_of(template, ASSOCIATION).values()
    configuration: Data = association["Metadata"]["Configuration"]
    return configuration


def alarms_of(template: Template) -> Mapping[str, Data]:
    """The properties of the alarms, by name."""
    alarms = [alarm["Properties"] for alarm in resources_of(template, ALARM).values()]
    return {alarm["AlarmName"]: alarm for alarm in alarms}


def test_the_probe_is_put_on_both_hosts_by_name(probe_template: Template) -> None:
    association = only(probe_template, ASSOCIATION)
    assert association["Targets"] == [{"Key": "tag:Name", "Values": list(HOSTS)}]
    assert association["AssociationName"] == PROBE


def test_the_example_measures_its_dependencies(example_templates: Mapping[str, Template]) -> None:
    (association,) = resources_of(example_templates[PROBE], ASSOCIATION).values()
    assert association["Metadata"]["Configuration"] == {
        "service": "bookstore",
        "namespace": "Bookstore",
        "interval_seconds": 10,
        "timeout_seconds": 5,
        "journal": "samples",
        "targets": [
            {
                "metric": "cdn-connectivity",
                "check": "tcp",
                "host": "cdn.bookstore.pingpublications.com",
                "port": 80,
            },
            {
                "metric": "db-connectivity",
                "check": "postgresql",
                "host": "db.bookstore.pingpublications.com",
                "port": 5432,
            },
        ],
    }


def test_every_metric_that_an_alarm_watches_is_one_that_the_probe_publishes() -> None:
    templates = templates_of(lambda env: env.update(probe={"peer": True}))
    (association,) = resources_of(templates[PROBE], ASSOCIATION).values()
    configuration = association["Metadata"]["Configuration"]
    published = {
        f"{target['metric']} Host={host}" for target in configuration["targets"] for host in HOSTS
    }
    published |= {f"probe-heartbeat Host={host}" for host in HOSTS}
    published |= {
        f"peer-connectivity Host={host} Observer={other}"
        for host in configuration["peers"]
        for other in configuration["peers"]
        if host != other
    }
    watched = {
        " ".join([alarm["MetricName"], *(f"{d['Name']}={d['Value']}" for d in alarm["Dimensions"])])
        for template in templates.values()
        for alarm in alarms_of(template).values()
        if alarm["Namespace"] == configuration["namespace"]
    }
    assert watched == published


def test_a_silent_probe_notifies(probe_template: Template) -> None:
    alarms = alarms_of(probe_template)
    assert set(alarms) == {f"{host}-probe-silent" for host in HOSTS}
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == ["arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"]
        assert alarm["TreatMissingData"] == "breaching"


@cases(
    ("check", "rendered"),
    {
        "TLS": (
            {"protocol": "tls", "days_to_expiry": 14},
            {"check": "tls", "host": "db.example.com", "port": 5432, "days_to_expiry": 14},
        ),
        "HTTP": (
            {"protocol": "http", "path": "/health", "status": [200], "text": "ok"},
            {
                "check": "http",
                "host": "db.example.com",
                "port": 5432,
                "path": "/health",
                "status": [200],
                "text": "ok",
            },
        ),
        "HTTPS": (
            {"protocol": "https", "host_header": "a.example.com", "server_name": "b.example.com"},
            {
                "check": "https",
                "host": "db.example.com",
                "port": 5432,
                "path": "/",
                "host_header": "a.example.com",
                "server_name": "b.example.com",
            },
        ),
        "DNS": (
            {"protocol": "dns", "type": "AAAA", "answer": "fd00::5", "server": "10.0.0.2"},
            {
                "check": "dns",
                "host": "db.example.com",
                "type": "AAAA",
                "answer": "fd00::5",
                "server": "10.0.0.2",
                "port": 5432,
            },
        ),
        "family": (
            {"family": "ipv6"},
            {"check": "tcp", "host": "db.example.com", "port": 5432, "family": "ipv6"},
        ),
    },
)
def test_a_dependency_is_asked_as_its_check_says(check: Data, rendered: Data) -> None:
    dependency = {"label": "Database", "host": "db.example.com", "port": 5432, "check": check}
    configuration = configuration_of(lambda env: env.update(dependencies={"db": dependency}))
    assert configuration["targets"] == [{"metric": "db-connectivity", **rendered}]


@pytest.mark.parametrize(
    ("protocol", "port"), [("http", {"port": 80}), ("https", {"port": 443}), ("dns", {})]
)
def test_a_port_that_is_not_given_is_the_protocols(protocol: str, port: Data) -> None:
    dependency = {"label": "D", "host": "db.example.com", "check": {"protocol": protocol}}
    configuration = configuration_of(lambda env: env.update(dependencies={"db": dependency}))
    assert {key: configuration["targets"][0].get(key) for key in ("port",)} == {
        "port": port.get("port")
    }


def test_settings_of_the_probe_reach_the_agent() -> None:
    settings = {"interval_seconds": 5, "timeout_seconds": 2.5, "journal": "changes"}
    configuration = configuration_of(lambda env: env.update(probe=settings))
    assert {key: configuration[key] for key in settings} == settings


def test_the_hosts_ask_each_other_as_clients_do() -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = ["status", "peer"]
        env["endpoint"] |= {"port": 8080, "check": {"search_text": "bookstore"}}
        env["hosts"]["green"]["peer_address"] = "10.0.1.4"

    asked = {
        "check": "http",
        "port": 8080,
        "path": "/version/",
        "host_header": "bookstore.pingpublications.com",
        "text": "bookstore",
    }
    assert configuration_of(edit)["peers"] == {
        "bookstore-api-blue": {**asked, "host": "54.213.54.171"},
        "bookstore-api-green": {**asked, "host": "10.0.1.4"},
    }


@cases(
    ("check", "asked"),
    {
        "connection": ({"protocol": "tcp"}, {"check": "tcp", "port": 80}),
        "HTTPS": (
            {"protocol": "https"},
            {
                "check": "https",
                "port": 443,
                "path": "/version/",
                "host_header": "bookstore.pingpublications.com",
                "server_name": "bookstore.pingpublications.com",
            },
        ),
        "another name": (
            {"protocol": "https", "host": "books.example.com"},
            {
                "check": "https",
                "port": 443,
                "path": "/version/",
                "host_header": "books.example.com",
                "server_name": "books.example.com",
            },
        ),
    },
)
def test_the_hosts_ask_each_other_over_the_endpoints_protocol(check: Data, asked: Data) -> None:
    def edit(env: Data) -> None:
        env["probe"] = {"peer": True}
        del env["endpoint"]["port"]
        env["endpoint"]["check"] = check

    peer = configuration_of(edit)["peers"]["bookstore-api-blue"]
    assert peer == {**asked, "host": "54.213.54.171"}


def test_a_host_that_does_not_answer_its_peer_notifies() -> None:
    alarms = alarms_of(templates_of(lambda env: env.update(probe={"peer": True}))[FAILOVER])
    alarm = alarms["bookstore-api-blue-peer-connectivity-failed"]
    assert alarm["Dimensions"] == [
        {"Name": "Host", "Value": "bookstore-api-blue"},
        {"Name": "Observer", "Value": "bookstore-api-green"},
    ]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmDescription"] == "Bookstore API (Blue) does not answer the other host."
    assert "bookstore-api-green-peer-connectivity-failed" in alarms


def test_a_peer_that_decides_has_a_health_check_for_which_silence_is_health() -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = ["peer"]
        env["peer_alarm"] = {"evaluation_periods": 3, "statistic": "Maximum"}

    template = templates_of(edit)[FAILOVER]
    assert only(template, "AWS::Route53::HealthCheck")["HealthCheckConfig"] == {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {
            "Name": "bookstore-api-blue-peer-connectivity-failed",
            "Region": "us-west-2",
        },
        "InsufficientDataHealthStatus": "Healthy",
        "Inverted": False,
    }
    alarm = alarms_of(template)["bookstore-api-blue-peer-connectivity-failed"]
    assert (alarm["EvaluationPeriods"], alarm["Statistic"]) == (3, "Maximum")


def test_the_alarms_of_peers_are_in_the_outputs() -> None:
    template = templates_of(lambda env: env.update(probe={"peer": True}))[FAILOVER]
    listed = template["Outputs"]["AlarmNames"]["Value"].split(",")
    assert set(listed) == set(alarms_of(template))


def test_roles_of_the_file_get_the_permission() -> None:
    roles = ["bookstore-api", "bookstore-batch"]
    template = templates_of(lambda env: env.update(probe={"roles": roles}))[PROBE]
    assert only(template, POLICY)["Roles"] == roles


def test_a_probe_that_is_taken_away_leaves_no_alarm_on_its_silence() -> None:
    template = templates_of(lambda env: env.update(probe={"state": "absent"}))[PROBE]
    assert only(template, ASSOCIATION)["Parameters"]["Action"] == ["Uninstall"]
    assert alarms_of(template) == {}


def at(schedule: str, zone: str = "UTC", minutes: int = 10) -> Data:
    """A drill that starts at a time of day."""
    return {"schedule": schedule, "timezone": zone, "duration_minutes": minutes}


@cases(
    ("drills", "expected"),
    {
        "no drills": ([], "rate(1 day)"),
        "a drill on a rate": ([at("rate(7 days)")], "rate(1 day)"),
        "at ten": ([at("cron(0 10 ? * TUE#1 *)")], "cron(0 3 ? * * *)"),
        "before three": ([at("cron(30 2 ? * TUE *)")], "cron(0 4 ? * * *)"),
        "after three": ([at("cron(0 4 ? * TUE *)")], "cron(0 6 ? * * *)"),
        "in a zone, in summer and in winter": (
            [at("cron(0 20 ? * TUE *)", "America/Los_Angeles")],
            "cron(0 6 ? * * *)",
        ),
        "long, and another": (
            [at("cron(0 1 ? * TUE *)", minutes=200), at("cron(0 7 ? * WED *)")],
            "cron(0 9 ? * * *)",
        ),
        "all day": (
            [at("cron(0 1 ? * TUE *)", minutes=720), at("cron(0 13 ? * WED *)", minutes=720)],
            "rate(1 day)",
        ),
    },
)
def test_the_daily_run_is_away_from_drills(drills: list[Data], expected: str) -> None:
    settings = {
        f"drill-{number}": DrillSettings.model_validate(
            {"fault": "stop_instance", "host": "active", **drill}
        )
        for number, drill in enumerate(drills)
    }
    assert daily_run(settings.values()) == expected
