"""The edits of a service file, and exactly what each of them changes.

The same table is explained in docs/reviewing-change-sets.md.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.support import Data, production

GREEN_ID = "i-0123456789abcdef0"
STATUS = "bookstore-api-blue-StatusCheckFailed"
GREEN_STATUS = "bookstore-api-green-StatusCheckFailed"
PRIMARY = "primary A record bookstore.pingpublications.com."
SECONDARY = "secondary A record bookstore.pingpublications.com."
AAAA = {f"{role} AAAA record bookstore.pingpublications.com." for role in ("primary", "secondary")}
DB_ALARMS = {f"alarm bookstore-api-{color}-db-connectivity-failed" for color in ("blue", "green")}
CDN_ALARMS = {f"alarm bookstore-api-{color}-cdn-connectivity-failed" for color in ("blue", "green")}
SILENCE_ALARMS = {f"alarm bookstore-api-{color}-probe-silent" for color in ("blue", "green")}
PEER_ALARMS = {
    f"alarm bookstore-api-{color}-peer-connectivity-failed" for color in ("blue", "green")
}
ALARMS = {f"alarm {STATUS}", *DB_ALARMS, *CDN_ALARMS, *SILENCE_ALARMS}
FAILOVER_ALARM = "alarm bookstore-production-clients-on-standby"
ASSOCIATION = "association bookstore-production-probe"
AGENT = "bookstore-production-cloudwatch-agent"
MEMORY_ALARMS = {f"alarm bookstore-api-{color}-memory" for color in ("blue", "green")}
PROBE_PARTS = {"document of the probe", ASSOCIATION, "policy of the probe", *SILENCE_ALARMS}
SERVICE_PARTS = {
    *ALARMS,
    f"health check {STATUS}",
    PRIMARY,
    SECONDARY,
    "document of the probe",
    "policy of the probe",
}
TOPIC_PARTS = {"topic PingPublicationsSNS", "AWS::SNS::TopicPolicy", "AWS::KMS::Key"}


def _all(action: str, labels: set[str]) -> set[str]:
    return {f"{action} {label}" for label in labels}


@dataclass(frozen=True)
class Row:
    """An edit, and exactly what it changes.

    Attributes:
        name: The edit, as docs/reviewing-change-sets.md names it.
        edit: Edits the production environment.
        expected: The changes.
        first: Edits the environment before the edit that is looked at.
        loses: Records that are gone afterwards.
        of_service: Edits the service, beside its production environment.
    """

    name: str
    edit: Callable[[Data], object]
    expected: set[str]
    first: Callable[[Data], object] = lambda env: None
    loses: frozenset[str] = frozenset()
    of_service: Callable[[Data], object] = lambda data: None

    def sides(self, data: Data) -> tuple[Data, Data]:
        """The service before and after the edit."""
        before = copy.deepcopy(data)
        self.first(before["environments"]["production"])
        after = copy.deepcopy(before)
        self.edit(after["environments"]["production"])
        self.of_service(after)
        assert json.dumps(before) != json.dumps(after), "the edit does nothing"
        return before, after


def _both_ids(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = GREEN_ID


def _measure_memory(env: Data) -> None:
    _both_ids(env)
    env["cloudwatch_agent"] = {"memory_percent": 90}


CDN_RECORDS = {
    f"{role} CNAME record cdn.bookstore.pingpublications.com." for role in ("primary", "secondary")
}


def _cdn_fails_over(env: Data) -> None:
    env["dependencies"]["cdn"]["failover"] = {
        "primary": {"dns_name": "d111111abcdef8.cloudfront.net"},
        "secondary": {"dns_name": "cdn.example.com"},
    }


def _db_decides_too(env: Data) -> None:
    env["failover_on"] = ["status", "db"]


def _both_ids_and_db_decides_too(env: Data) -> None:
    _both_ids(env)
    _db_decides_too(env)


def _endpoint_decides(env: Data) -> None:
    env["failover_on"] = ["endpoint"]


def _green_is_behind_a_load_balancer(env: Data) -> None:
    _endpoint_decides(env)
    del env["hosts"]["green"]["address"]
    env["hosts"]["green"]["alias"] = {
        "dns_name": "green-1.us-west-2.elb.amazonaws.com",
        "hosted_zone_id": "Z1H1FL5HABSF5",
    }


def _with_ipv6(env: Data) -> None:
    env["hosts"]["blue"]["ipv6_address"] = "2600:1f14::8"
    env["hosts"]["green"]["ipv6_address"] = "2600:1f14::9"


def _db_decides(env: Data) -> None:
    env["failover_on"] = ["db"]


def _exchange_names(env: Data) -> None:
    _both_ids(env)
    blue, green = env["hosts"]["blue"], env["hosts"]["green"]
    blue["name"], green["name"] = green["name"], blue["name"]


def _rename_dependency(env: Data) -> None:
    env["dependencies"]["store"] = env["dependencies"].pop("db")


ROWS = [
    Row(
        "label of a dependency edited",
        lambda env: env["dependencies"]["db"].update(label="Main database"),
        _all("modify", DB_ALARMS),
    ),
    Row(
        "threshold of a dependency's alarm edited",
        lambda env: env["dependencies"]["db"].update(alarm={"threshold": 0.5}),
        _all("modify", DB_ALARMS),
    ),
    Row(
        "threshold of a dependency's alarm edited, while it decides failover",
        lambda env: env["dependencies"]["db"].update(alarm={"threshold": 0.5}),
        {
            f"modify {FAILOVER_ALARM}",
            *_all("modify", DB_ALARMS),
            "add health check bookstore-api-blue-db-connectivity-failed",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            "add health check bookstore-api-blue-all-signals",
            "remove health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
        first=_db_decides_too,
    ),
    Row(
        "threshold of the status alarm edited",
        lambda env: env.update(status_alarm={"threshold": 0.5}),
        {
            f"modify {FAILOVER_ALARM}",
            f"modify alarm {STATUS}",
            f"add health check {STATUS}",
            f"remove health check {STATUS}",
            f"modify {PRIMARY}",
        },
    ),
    Row(
        "missing data of a dependency's alarm edited",
        lambda env: env["dependencies"]["db"].update(alarm={"missing_data": "breaching"}),
        _all("modify", DB_ALARMS),
    ),
    Row(
        "instance id of blue replaced",
        lambda env: env["hosts"]["blue"].update(instance_id=GREEN_ID),
        {
            f"modify {FAILOVER_ALARM}",
            f"modify alarm {STATUS}",
            f"add health check {STATUS}",
            f"remove health check {STATUS}",
            f"modify {PRIMARY}",
        },
    ),
    Row(
        "address of blue replaced",
        lambda env: env["hosts"]["blue"].update(address="54.213.54.172"),
        {f"modify {PRIMARY}"},
    ),
    Row(
        "instance id of green added",
        _both_ids,
        {f"add alarm {GREEN_STATUS}"},
    ),
    Row(
        "active: green",
        lambda env: env.update(active="green"),
        {
            f"modify {FAILOVER_ALARM}",
            f"add health check {GREEN_STATUS}",
            f"remove health check {STATUS}",
            f"modify {PRIMARY}",
            f"modify {SECONDARY}",
        },
        first=_both_ids,
    ),
    Row(
        "active: green, while several signals decide",
        lambda env: env.update(active="green"),
        {
            f"modify {FAILOVER_ALARM}",
            f"add health check {GREEN_STATUS}",
            f"remove health check {STATUS}",
            "add health check bookstore-api-green-db-connectivity-failed",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            "add health check bookstore-api-green-all-signals",
            "remove health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
            f"modify {SECONDARY}",
        },
        first=_both_ids_and_db_decides_too,
    ),
    Row(
        "TTL changed",
        lambda env: env["endpoint"].update(ttl_seconds=10),
        {f"modify {PRIMARY}", f"modify {SECONDARY}"},
    ),
    Row(
        "name added to more_records",
        lambda env: env["endpoint"].update(more_records=["www.pingpublications.com"]),
        _all(
            "add",
            {f"{role} A record www.pingpublications.com." for role in ("primary", "secondary")},
        ),
    ),
    Row(
        "alarm on a metric of one's own added",
        lambda env: env.update(
            alarms={
                "errors": {
                    "label": "Too many errors",
                    "metric": {"namespace": "S", "name": "e", "dimensions": {"Host": "{host}"}},
                    "at_least": 5,
                }
            }
        ),
        {"add alarm bookstore-api-blue-errors", "add alarm bookstore-api-green-errors"},
    ),
    Row(
        "cloudwatch_agent added",
        _measure_memory,
        {
            f"add parameter AmazonCloudWatch-{AGENT}",
            f"add association {AGENT}",
            "add document of the CloudWatch agent",
            "add policy of the CloudWatch agent",
            *_all("add", MEMORY_ALARMS),
        },
        first=_both_ids,
    ),
    Row(
        "disk or processes added to cloudwatch_agent",
        lambda env: env["cloudwatch_agent"].update(disk_percent={"/": 85}),
        {
            f"modify parameter AmazonCloudWatch-{AGENT}",
            f"modify association {AGENT}",
            "add alarm bookstore-api-blue-disk-root",
            "add alarm bookstore-api-green-disk-root",
        },
        first=_measure_memory,
    ),
    Row(
        "state: absent in cloudwatch_agent",
        lambda env: env["cloudwatch_agent"].update(state="absent"),
        {
            f"modify association {AGENT}",
            "replace document of the CloudWatch agent",
            *_all("remove", MEMORY_ALARMS),
        },
        first=_measure_memory,
    ),
    Row(
        "cloudwatch_agent removed",
        lambda env: env.pop("cloudwatch_agent"),
        {
            f"remove parameter AmazonCloudWatch-{AGENT}",
            f"remove association {AGENT}",
            "remove document of the CloudWatch agent",
            "remove policy of the CloudWatch agent",
            *_all("remove", MEMORY_ALARMS),
        },
        first=_measure_memory,
    ),
    Row(
        "dependency added",
        lambda env: env["dependencies"].update(
            search={"label": "Search", "host": "search.pingpublications.com", "port": 9200}
        ),
        {
            "add alarm bookstore-api-blue-search-connectivity-failed",
            "add alarm bookstore-api-green-search-connectivity-failed",
            f"modify {ASSOCIATION}",
        },
    ),
    Row(
        "dependency renamed",
        _rename_dependency,
        {
            *_all("remove", DB_ALARMS),
            "add alarm bookstore-api-blue-store-connectivity-failed",
            "add alarm bookstore-api-green-store-connectivity-failed",
            f"modify {ASSOCIATION}",
        },
    ),
    Row(
        "dependency removed",
        lambda env: env["dependencies"].pop("db"),
        {*_all("remove", DB_ALARMS), f"modify {ASSOCIATION}"},
    ),
    Row(
        "address or port of a dependency changed",
        lambda env: env["dependencies"]["db"].update(port=5433),
        {f"modify {ASSOCIATION}"},
    ),
    Row(
        "check of a dependency changed",
        lambda env: env["dependencies"]["db"].update(check={"protocol": "tls"}),
        {f"modify {ASSOCIATION}"},
    ),
    Row(
        "failover of a dependency added",
        _cdn_fails_over,
        {
            *_all("add", CDN_RECORDS),
            "add health check bookstore-cdn-primary",
            "add alarm bookstore-production-cdn-on-secondary",
        },
    ),
    Row(
        "targets of a dependency exchanged",
        lambda env: env["dependencies"]["cdn"]["failover"].update(
            primary={"dns_name": "cdn.example.com"},
            secondary={"dns_name": "d111111abcdef8.cloudfront.net"},
        ),
        {
            *_all("modify", CDN_RECORDS),
            "add health check bookstore-cdn-primary",
            "remove health check bookstore-cdn-primary",
            "modify alarm bookstore-production-cdn-on-secondary",
        },
        first=_cdn_fails_over,
    ),
    Row(
        "decided_by: hosts",
        lambda env: env["dependencies"]["cdn"]["failover"].update(decided_by="hosts"),
        {
            "modify primary CNAME record cdn.bookstore.pingpublications.com.",
            "remove health check bookstore-cdn-primary",
            "add health check bookstore-cdn-primary-for-any-host",
            *(
                f"add {kind} bookstore-api-{color}-cdn-primary-connectivity-failed"
                for kind in ("alarm", "health check")
                for color in ("blue", "green")
            ),
            "modify alarm bookstore-production-cdn-on-secondary",
            f"modify {ASSOCIATION}",
        },
        first=_cdn_fails_over,
    ),
    Row(
        "dependencies reordered",
        lambda env: env.update(dependencies=dict(reversed(env["dependencies"].items()))),
        set(),
    ),
    Row(
        "last dependency removed",
        lambda env: env.pop("dependencies"),
        {*_all("remove", DB_ALARMS | CDN_ALARMS), *_all("remove", PROBE_PARTS)},
    ),
    Row(
        "interval, timeout or journal of the probe changed",
        lambda env: env.update(probe={"interval_seconds": 5, "timeout_seconds": 2}),
        {f"modify {ASSOCIATION}"},
    ),
    Row(
        "role of the probe added",
        lambda env: env.update(probe={"roles": ["bookstore-api"]}),
        {"modify policy of the probe"},
    ),
    Row(
        "bucket for the output of the probe's runs added",
        lambda env: env.update(probe={"output_bucket": "run-output"}),
        {f"modify {ASSOCIATION}", "modify policy of the probe"},
    ),
    Row(
        "metrics of the application allowed",
        lambda env: env.update(probe={"statsd": {"metrics": ["errors"]}}),
        {f"modify {ASSOCIATION}"},
    ),
    Row(
        "peer checks turned on",
        lambda env: env.update(probe={"peer": True}),
        {f"modify {ASSOCIATION}", *_all("add", PEER_ALARMS)},
    ),
    Row(
        "peer added to failover_on",
        lambda env: env.update(failover_on=["status", "peer"]),
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-blue-peer-connectivity-failed",
            "add health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
        first=lambda env: env.update(probe={"peer": True}),
    ),
    Row(
        "peer_address changed",
        lambda env: env["hosts"]["green"].update(peer_address="10.0.1.4"),
        {f"modify {ASSOCIATION}"},
        first=lambda env: env.update(probe={"peer": True}),
    ),
    Row(
        "state: absent",
        lambda env: env.update(probe={"state": "absent"}),
        {f"modify {ASSOCIATION}", *_all("remove", SILENCE_ALARMS)},
    ),
    Row(
        "state: absent, together with the end of a dependency that decides failover",
        lambda env: env.update(probe={"state": "absent"}, failover_on=["status"]),
        {
            f"modify {ASSOCIATION}",
            *_all("remove", SILENCE_ALARMS),
            f"modify {FAILOVER_ALARM}",
            f"add health check {STATUS}",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            f"modify {PRIMARY}",
        },
        first=_db_decides,
    ),
    Row(
        "second signal added to failover_on",
        _db_decides_too,
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-blue-db-connectivity-failed",
            "add health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
    ),
    Row(
        "host renamed",
        lambda env: env["hosts"]["blue"].update(name="bookstore-api-azure"),
        {
            f"modify {FAILOVER_ALARM}",
            f"replace alarm {STATUS}",
            "replace alarm bookstore-api-blue-db-connectivity-failed",
            "replace alarm bookstore-api-blue-cdn-connectivity-failed",
            "replace alarm bookstore-api-blue-probe-silent",
            f"modify {ASSOCIATION}",
            f"modify health check {STATUS}",
        },
    ),
    Row(
        "host renamed, while a dependency decides failover",
        lambda env: env["hosts"]["blue"].update(name="bookstore-api-azure"),
        {
            f"modify {FAILOVER_ALARM}",
            f"replace alarm {STATUS}",
            "replace alarm bookstore-api-blue-db-connectivity-failed",
            "replace alarm bookstore-api-blue-cdn-connectivity-failed",
            "replace alarm bookstore-api-blue-probe-silent",
            f"modify {ASSOCIATION}",
            "add health check bookstore-api-azure-db-connectivity-failed",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            f"modify {PRIMARY}",
        },
        first=_db_decides,
    ),
    Row(
        "names of the two hosts exchanged",
        _exchange_names,
        {
            f"modify {FAILOVER_ALARM}",
            *_all("replace", {*ALARMS, f"alarm {GREEN_STATUS}"}),
            f"modify {ASSOCIATION}",
            f"modify health check {STATUS}",
        },
        first=_both_ids,
    ),
    Row(
        "namespace changed, while a dependency decides failover",
        lambda env: None,
        {
            f"modify {FAILOVER_ALARM}",
            *_all("modify", ALARMS - {f"alarm {STATUS}"}),
            f"modify {ASSOCIATION}",
            "modify policy of the probe",
            "add health check bookstore-api-blue-db-connectivity-failed",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            f"modify {PRIMARY}",
        },
        first=_db_decides,
        of_service=lambda data: data.update(namespace="Books"),
    ),
    Row(
        "region changed",
        lambda env: env.update(region="eu-west-1"),
        {
            f"modify {FAILOVER_ALARM}",
            *_all("add", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION}),
            *_all("remove", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION}),
        },
    ),
    Row(
        "account changed",
        lambda env: env.update(account="111111111111"),
        {
            *_all("add", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            *_all("remove", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION, FAILOVER_ALARM}),
        },
    ),
    Row(
        "service renamed",
        lambda env: None,
        {
            *_all("add", SERVICE_PARTS),
            *_all("remove", {*SERVICE_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            "add association books-production-probe",
            "add alarm books-production-clients-on-standby",
        },
        of_service=lambda data: data.update(service="books"),
    ),
    Row(
        "environment renamed",
        lambda env: None,
        {
            *_all("add", SERVICE_PARTS),
            *_all("remove", {*SERVICE_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            "add association bookstore-live-probe",
            "add alarm bookstore-live-clients-on-standby",
        },
        of_service=lambda data: data.update(environments={"live": production(data)}),
    ),
    Row(
        "active: green, while the endpoint decides",
        lambda env: env.update(active="green"),
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-green-endpoint",
            "remove health check bookstore-api-blue-endpoint",
            f"modify {PRIMARY}",
            f"modify {SECONDARY}",
        },
        first=_endpoint_decides,
    ),
    Row(
        "active: green, from an address to a load balancer, while the endpoint decides",
        lambda env: env.update(active="green"),
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-green-endpoint",
            "remove health check bookstore-api-blue-endpoint",
            f"modify {PRIMARY}",
            f"modify {SECONDARY}",
        },
        first=_green_is_behind_a_load_balancer,
    ),
    Row(
        "address of blue replaced, while the endpoint decides",
        lambda env: env["hosts"]["blue"].update(address="54.213.54.172"),
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-blue-endpoint",
            "remove health check bookstore-api-blue-endpoint",
            f"modify {PRIMARY}",
        },
        first=_endpoint_decides,
    ),
    Row(
        "interval or protocol of the endpoint check changed",
        lambda env: env["endpoint"].update(check={"interval_seconds": 10}),
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-blue-endpoint",
            "remove health check bookstore-api-blue-endpoint",
            f"modify {PRIMARY}",
        },
        first=_endpoint_decides,
    ),
    Row(
        "signal removed from failover_on",
        lambda env: env.update(failover_on=["status"]),
        {
            f"modify {FAILOVER_ALARM}",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            "remove health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
        first=_db_decides_too,
    ),
    Row(
        "ipv6_address added to both hosts",
        _with_ipv6,
        _all("add", AAAA),
    ),
    Row(
        "ipv6_address taken out of both hosts",
        lambda env: [env["hosts"][color].pop("ipv6_address") for color in ("blue", "green")],
        _all("remove", AAAA),
        first=_with_ipv6,
        loses=frozenset(
            f"bookstore.pingpublications.com. AAAA bookstore-{role}"
            for role in ("Primary", "Secondary")
        ),
    ),
    Row(
        "record renamed",
        lambda env: env["endpoint"].update(record="books.pingpublications.com"),
        {f"modify {PRIMARY}", f"modify {SECONDARY}", f"modify {FAILOVER_ALARM}"},
        loses=frozenset(
            f"bookstore.pingpublications.com. A bookstore-{role}"
            for role in ("Primary", "Secondary")
        ),
    ),
    Row(
        "name of the created topic changed",
        lambda env: env["notifications"].update(topic_name="Pager"),
        {
            *_all("modify", ALARMS | {FAILOVER_ALARM}),
            *_all("remove", TOPIC_PARTS),
            "add topic Pager",
            "add AWS::SNS::TopicPolicy",
            "add AWS::KMS::Key",
        },
    ),
    Row(
        "objective given",
        lambda env: env.update(objective={"recovery_time_seconds": 600, "faults": ["host"]}),
        set(),
    ),
    Row(
        "number of the failover-time model given",
        lambda env: env.update(assumptions={"extra_periods": [3, 5]}),
        set(),
    ),
    Row("tag added", lambda env: env.update(tags={"team": "ops"}), set()),
    Row(
        "recovery notifications asked for",
        lambda env: env["notifications"].update(recovery=True),
        _all("modify", ALARMS),
    ),
    Row(
        "subscriber added",
        lambda env: env["notifications"].update(subscriptions=["ops@example.com"]),
        {"add subscription ops@example.com"},
    ),
    Row(
        "subscriber taken out",
        lambda env: env["notifications"].pop("subscriptions"),
        {"remove subscription ops@example.com"},
        first=lambda env: env["notifications"].update(subscriptions=["ops@example.com"]),
    ),
    Row(
        "another topic added",
        lambda env: env["notifications"].update(
            more_topics=["arn:aws:sns:us-west-2:111111111111:operations"]
        ),
        _all("modify", ALARMS),
    ),
    Row(
        "subscribers reordered",
        lambda env: env["notifications"]["subscriptions"].reverse(),
        set(),
        first=lambda env: env["notifications"].update(
            subscriptions=["ops@example.com", "dev@example.com"]
        ),
    ),
    Row(
        "another topic adopted instead of created",
        lambda env: env.update(
            notifications={"topic_arn": "arn:aws:sns:us-west-2:532151327118:Pager"}
        ),
        {*_all("modify", ALARMS), *_all("remove", TOPIC_PARTS | {FAILOVER_ALARM})},
    ),
    Row(
        "the created topic adopted by its ARN",
        lambda env: env.update(
            notifications={"topic_arn": "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"}
        ),
        _all("remove", TOPIC_PARTS | {FAILOVER_ALARM}),
    ),
]
