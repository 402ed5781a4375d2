"""What is allowed in a service file but reported all the same."""

from collections.abc import Callable

import pytest

from resiliency.service_file.model.service import Environment
from resiliency.service_file.warnings import (
    ServiceWarning,
    bare_connections,
    notes_of,
    warnings_of,
)
from tests.cases import cases
from tests.support import Data, example


def edited(edit: Callable[[Data], object] | None = None) -> Environment:
    return example(edit).environments["production"]


def combined(*edits: Callable[[Data], object]) -> Callable[[Data], object]:
    return lambda env: [edit(env) for edit in edits]


CDN_TARGETS = {
    "primary": {"dns_name": "d111111abcdef8.cloudfront.net"},
    "secondary": {"dns_name": "cdn.example.com"},
}


def cdn_fails_over(env: Data) -> None:
    env["dependencies"]["cdn"]["failover"] = {**CDN_TARGETS, "ttl_seconds": 60}


def db_alarm(missing_data: str, *signals: str) -> Callable[[Data], object]:
    """Has a treatment of missing data for the alarm on the database, and signals that decide."""
    return lambda env: (
        env.update(failover_on=list(signals)),
        env["dependencies"]["db"].update(alarm={"missing_data": missing_data}),
    )


SILENCE = "on a signal of failover_on: a host that can't report does not fail over; give breaching"


@cases(
    ("edit", "expected"),
    {
        "a long TTL": (
            lambda env: env["endpoint"].update(ttl_seconds=61),
            ServiceWarning(
                "staged-resiliency:long-ttl",
                "endpoint.ttl_seconds",
                "61 s: clients may keep the failed host's address that long after a failover; "
                "give 60 or less",
            ),
        ),
        "a long TTL of a dependency": (
            lambda env: env["dependencies"]["cdn"].update(
                failover={**CDN_TARGETS, "ttl_seconds": 300}
            ),
            ServiceWarning(
                "staged-resiliency:long-ttl-of-cdn",
                "dependencies.cdn.failover.ttl_seconds",
                "300 s: clients may keep the failed primary's name that long after a failover; "
                "give 60 or less",
            ),
        ),
        "a dependency that fails over and also moves the service's clients": (
            combined(cdn_fails_over, lambda env: env.update(failover_on=["status", "cdn"])),
            ServiceWarning(
                "staged-resiliency:both-decide-cdn",
                "dependencies.cdn.failover",
                "fails over by itself, and failover_on has 'cdn' too: when its primary fails, both "
                "hosts lose it, and the service's clients are sent to the standby for nothing; "
                "remove it from failover_on unless a single host's loss of it must move them",
            ),
        ),
        "silence that counts as health on a signal": (
            db_alarm("not_breaching", "status", "db"),
            ServiceWarning(
                "staged-resiliency:silence-of-db",
                "dependencies.db.alarm.missing_data",
                f"'not_breaching' {SILENCE}",
            ),
        ),
        "silence that is ignored on a signal": (
            db_alarm("ignore", "status", "db"),
            ServiceWarning(
                "staged-resiliency:silence-of-db",
                "dependencies.db.alarm.missing_data",
                f"'ignore' {SILENCE}",
            ),
        ),
    },
)
def test_there_is_a_warning_of(edit: Callable[[Data], object], expected: ServiceWarning) -> None:
    assert list(warnings_of(edited(edit))) == [expected]


@cases(
    "edit",
    {
        "the example": None,
        "a public zone of GovCloud": lambda env: env.update(region="us-gov-west-1"),
        "no TTL": lambda env: env["endpoint"].update(ttl_seconds=0),
        "a short TTL": lambda env: env["endpoint"].update(ttl_seconds=60),
        "a short TTL of a dependency": cdn_fails_over,
        "silence that counts as failure": db_alarm("breaching", "status", "db"),
        "CloudWatch's own treatment": db_alarm("cloudwatch_default", "status", "db"),
        "silence where it decides nothing": db_alarm("ignore", "status", "cdn"),
    },
)
def test_there_is_no_warning_of(edit: Callable[[Data], object] | None) -> None:
    assert list(warnings_of(edited(edit))) == []


def test_several_warnings_are_reported_together() -> None:
    def edit(env: Data) -> None:
        env["endpoint"]["ttl_seconds"] = 300
        env["failover_on"] = ["db", "cdn"]
        for dependency in env["dependencies"].values():
            dependency["alarm"] = {"missing_data": "ignore"}

    assert [warning.id for warning in warnings_of(edited(edit))] == [
        "staged-resiliency:long-ttl",
        "staged-resiliency:silence-of-db",
        "staged-resiliency:silence-of-cdn",
    ]


def with_instances(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123abcd"


def with_role(env: Data) -> None:
    env["probe"] = {"roles": ["bookstore-api"]}


def subscribed(env: Data) -> None:
    env["notifications"] = {"topic_name": "Pings", "subscriptions": ["ops@example.com"]}


def with_agent_alone(env: Data) -> None:
    env["cloudwatch_agent"] = {"memory_percent": 90}
    del env["dependencies"]


def with_statsd(env: Data) -> None:
    env["probe"]["statsd"] = {"metrics": ["errors", "orders.*"], "max_metrics": 20}


@cases(
    ("edit", "expected"),
    {
        "a host without an instance": (
            combined(with_role, subscribed),
            ServiceWarning(
                "staged-resiliency:no-status-alarm-green",
                "hosts.green",
                "has no instance_id, so no alarm reports failed EC2 status checks; give one to get "
                "a status alarm",
            ),
        ),
        "a probe without a role": (
            combined(with_instances, subscribed),
            ServiceWarning(
                "staged-resiliency:no-probe-roles",
                "probe.roles",
                "is empty: the probe can publish only where the hosts' role has the policy in the "
                "probe stack's output PublishPolicyArn; give the role's name to have it attached",
            ),
        ),
        "a CloudWatch agent without a role": (
            combined(with_instances, subscribed, with_agent_alone),
            ServiceWarning(
                "staged-resiliency:no-cloudwatch-agent-roles",
                "probe.roles",
                "is empty, so the CloudWatch agent may neither read its configuration nor publish; "
                "give the name of the hosts' role, or attach the policy in the output PolicyArn of "
                "the agent's stack to it",
            ),
        ),
        "what an application's metrics may cost": (
            combined(with_instances, with_role, subscribed, with_statsd),
            ServiceWarning(
                "staged-resiliency:application-metrics",
                "probe.statsd",
                "the application may create up to 20 metrics on each host, about $6.00 a month for "
                "a host: errors, orders.*",
            ),
        ),
        "a topic without subscribers": (
            combined(with_instances, with_role),
            ServiceWarning(
                "staged-resiliency:no-subscription",
                "notifications.subscriptions",
                "is empty: unless topic PingPublicationsSNS has other subscribers, nobody receives "
                "the alarms; give an e-mail address, an https URL, a phone number or the ARN of a "
                "queue or a function",
            ),
        ),
    },
)
def test_there_is_a_note_of(edit: Callable[[Data], object], expected: ServiceWarning) -> None:
    assert list(notes_of(edited(edit))) == [expected]


@cases(
    "edit",
    {
        "subscribers": subscribed,
        "an existing topic": lambda env: env.update(
            notifications={"topic_arn": "arn:aws:sns:us-west-2:532151327118:Pings"}
        ),
        "no role where nothing is measured": combined(
            subscribed, lambda env: (env.pop("dependencies"), env.pop("probe"))
        ),
        "no role where the probe is taken away": combined(
            subscribed, lambda env: env.update(probe={"state": "absent"})
        ),
    },
)
def test_there_is_no_note_of(edit: Callable[[Data], object]) -> None:
    assert list(notes_of(edited(combined(with_instances, with_role, edit)))) == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_the_cloudwatch_agent_of_private_hosts_needs_is_noted(state: str) -> None:
    def edit(env: Data) -> None:
        env["cloudwatch_agent"] = {"memory_percent": 90, "state": state}
        env["hosts"]["green"]["address"] = "10.0.0.4"

    notes = notes_of(edited(combined(with_instances, with_role, edit)))
    found = {note.path: note.message for note in notes}
    assert found.get("cloudwatch_agent") == (
        "bookstore-api-green: with a private address the agent needs NAT, or VPC endpoints for "
        "monitoring, ssm, ssmmessages, ec2messages and s3, from which its package comes"
        if state == "present"
        else None
    )


NETWORK = {"subnets": ["subnet-0ab55a49288f1da24"], "security_groups": ["sg-0123abcd"]}


def drilled(edit: Callable[[Data], object]) -> list[str]:
    """The notes of an environment with a drill that stops the active host, without the others."""

    def drills(env: Data) -> None:
        schedule = "cron(0 10 ? * TUE#1 *)"
        stop = {"fault": "stop_instance", "host": "active", "schedule": schedule}
        env["drills"] = {"objective_seconds": 540, "shutdown": {**stop, "duration_minutes": 12}}

    whole = combined(with_instances, with_role, subscribed, drills, edit)
    return [str(each) for each in notes_of(edited(whole))]


def private(env: Data) -> None:
    env["hosts"]["blue"]["address"], env["hosts"]["green"]["address"] = "10.0.0.4", "10.0.1.4"
    env["drills"]["network"] = NETWORK


PROBES_OF_PRIVATE_HOSTS = (
    "hosts: bookstore-api-blue and bookstore-api-green have private addresses: their probes need "
    "NAT, or VPC endpoints for monitoring, ec2, ssm, ssmmessages and ec2messages and a package "
    "repository in the network"
)
OBSERVED_IN_THE_VPC = (
    "drills.network: the function that observes clients calls no AWS API, so its subnets need "
    "neither NAT nor VPC endpoints; sg-0123abcd must allow port 80 out to both hosts, whose "
    "groups must let it in"
)


def test_a_host_that_drills_stop_needs_an_address_that_stays() -> None:
    (note,) = drilled(lambda env: None)
    assert note == (
        "hosts.blue.address: 54.213.54.171 must be an Elastic IP, since an instance that a drill "
        "stops loses any other public address; runs are refused unless it is one"
    )


def test_a_private_address_stays_and_its_host_needs_a_way_to_aws() -> None:
    assert drilled(private) == [PROBES_OF_PRIVATE_HOSTS, OBSERVED_IN_THE_VPC]


def test_without_a_probe_private_hosts_need_no_way_to_aws() -> None:
    def edit(env: Data) -> None:
        private(env)
        del env["dependencies"]

    assert drilled(edit) == [OBSERVED_IN_THE_VPC]


def test_the_vpc_of_a_private_zone_has_to_be_one_of_its_own() -> None:
    def edit(env: Data) -> None:
        private(env)
        env["hosted_zone"]["private"] = True

    zone = "; the VPC must be associated with the zone pingpublications.com"
    assert drilled(edit)[-1] == OBSERVED_IN_THE_VPC + zone


def test_public_addresses_are_reached_from_a_vpc_through_nat_alone() -> None:
    found = drilled(lambda env: env["drills"].update(network=NETWORK))
    assert found[:3] == [
        OBSERVED_IN_THE_VPC,
        *(
            f"hosts.{color}.address: {address} is public, and the function that observes clients "
            "reaches it from drills.network through a NAT gateway alone; give the subnets one, or "
            "the private address"
            for color, address in (("blue", "54.213.54.171"), ("green", "52.11.79.9"))
        ),
    ]


def test_drills_in_govcloud_are_allowed_where_they_observe_from_a_vpc() -> None:
    def edit(env: Data) -> None:
        private(env)
        env["region"] = "us-gov-west-1"

    assert drilled(edit) == [PROBES_OF_PRIVATE_HOSTS, OBSERVED_IN_THE_VPC]


def test_a_warning_reads_as_path_and_message() -> None:
    assert str(ServiceWarning("id", "hosts.green", "is asleep")) == "hosts.green: is asleep"


LOAD_BALANCERS = {
    color: {
        "name": color,
        "instance_id": instance,
        "alias": {"dns_name": f"{color}.example.com", "hosted_zone_id": "Z1H1FL5HABSF5"},
    }
    for color, instance in (("blue", "i-0123abcd"), ("green", "i-0123abce"))
}


@cases(
    ("values", "expected"),
    {
        "no topic in us-east-1": (
            {"notifications": {"topic_arn": "arn:aws:sns:us-west-2:532151327118:Pings"}},
            [
                "notifications: no message says that clients are sent to the standby: the alarm on "
                "failovers needs a topic in us-east-1; give topic_name, or the ARN of one in "
                "more_topics"
            ],
        ),
        "another partition": (
            {
                "region": "cn-north-1",
                "notifications": {"topic_arn": "arn:aws-cn:sns:cn-north-1:532151327118:Pings"},
            },
            [
                "notifications: no message says that clients are sent to the standby: the alarm on "
                "failovers needs a topic in cn-northwest-1; give topic_name, or the ARN of one in "
                "more_topics"
            ],
        ),
        "another topic in us-east-1": (
            {
                "notifications": {
                    "topic_arn": "arn:aws:sns:us-west-2:532151327118:Pings",
                    "more_topics": ["arn:aws:sns:us-east-1:111111111111:Pings"],
                }
            },
            [],
        ),
        "load balancers": (
            {"hosts": LOAD_BALANCERS},
            [
                "failover_on: no message says so when clients are sent to the standby because a "
                "load balancer has no healthy target, which no metric of a health check shows; "
                "add 'endpoint'"
            ],
        ),
        "load balancers whose endpoint decides": (
            {"hosts": LOAD_BALANCERS, "failover_on": ["status", "endpoint"]},
            [],
        ),
    },
)
def test_a_failover_without_a_message_is_warned_of(values: Data, expected: list[str]) -> None:
    found = warnings_of(edited(lambda env: env.update(values)))
    assert [str(warning) for warning in found] == expected


def database(**settings: object) -> Environment:
    def edit(env: Data) -> None:
        env["dependencies"] = {"db": {"label": "Database", "host": "db.example.com", **settings}}

    return edited(edit)


@pytest.mark.parametrize(
    ("port", "advice"),
    [
        (5432, "give check: { protocol: postgresql }"),
        (6379, "give check: { protocol: redis }"),
        (
            3306,
            "and MySQL and MariaDB refuse a host after 100 bare connections; "
            "give check: { protocol: mysql, user: NAME }",
        ),
    ],
)
def test_a_bare_connection_to_a_database_is_warned_of_with_its_protocol(
    port: int, advice: str
) -> None:
    (warning,) = bare_connections(database(port=port))
    assert warning.path == "dependencies.db.check.protocol"
    assert warning.message.startswith(f"tcp to port {port}: a server that hangs for minutes ")
    assert warning.message.endswith(advice)


def test_the_protocol_of_a_database_and_another_port_are_not_warned_of() -> None:
    assert not [*bare_connections(database(port=5432, check={"protocol": "postgresql"}))]
    assert not [*bare_connections(database(port=8080))]


@pytest.mark.parametrize(
    ("signals", "noted"), [(["status"], []), (["status", "peer", "endpoint"], ["peer, endpoint"])]
)
def test_signals_that_may_take_a_failover_of_the_database_for_one_of_the_host_are_noted(
    signals: list[str], noted: list[str]
) -> None:
    def edit(env: Data) -> None:
        env["failover_on"] = signals
        env["drills"] = {
            "objective_seconds": 300,
            "db-failover": {
                "fault": "rds_failover",
                "dependency": "db",
                "db_instance": "shop-db",
                "schedule": "cron(0 10 ? * WED#1 *)",
            },
        }

    assert [note.message for note in notes_of(edited(edit)) if "db-failover" in note.path] == [
        f"makes db fail over, and failover_on has {names}: if these watch something that "
        "needs db, clients are sent to bookstore-api-green, which has lost it too, and the drill "
        "fails; let them watch something that does not need it"
        for names in noted
    ]
