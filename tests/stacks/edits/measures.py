"""Edits of alarms, dependencies, the probe and the CloudWatch agent."""

from tests.stacks.edits.row import (
    AGENT,
    ASSOCIATION,
    CDN_ALARMS,
    DB_ALARMS,
    FAILOVER_ALARM,
    MEMORY_ALARMS,
    PEER_ALARMS,
    PRIMARY,
    PROBE_PARTS,
    SILENCE_ALARMS,
    STATUS,
    Row,
    both_ids,
    db_decides,
    db_decides_too,
    decided_by_another_check,
    every,
)
from tests.support import Data


def _measure_memory(env: Data) -> None:
    both_ids(env)
    env["cloudwatch_agent"] = {"memory_percent": 90}


CDN_RECORDS = {
    f"{role} CNAME record cdn.bookstore.pingpublications.com." for role in ("primary", "secondary")
}


def cdn_fails_over(env: Data) -> None:
    env["dependencies"]["cdn"]["failover"] = {
        "primary": {"dns_name": "d111111abcdef8.cloudfront.net"},
        "secondary": {"dns_name": "cdn.example.com"},
    }


def _rename_dependency(env: Data) -> None:
    env["dependencies"]["store"] = env["dependencies"].pop("db")


MEASURE_ROWS = [
    Row(
        "label of a dependency edited",
        lambda env: env["dependencies"]["db"].update(label="Main database"),
        every("modify", DB_ALARMS),
    ),
    Row(
        "threshold of a dependency's alarm edited",
        lambda env: env["dependencies"]["db"].update(alarm={"threshold": 0.5}),
        every("modify", DB_ALARMS),
    ),
    Row(
        "threshold of a dependency's alarm edited, while it decides failover",
        lambda env: env["dependencies"]["db"].update(alarm={"threshold": 0.5}),
        {
            f"modify {FAILOVER_ALARM}",
            *every("modify", DB_ALARMS),
            "add health check bookstore-api-blue-db-connectivity-failed",
            "remove health check bookstore-api-blue-db-connectivity-failed",
            "add health check bookstore-api-blue-all-signals",
            "remove health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
        first=db_decides_too,
        found={"warning clients", "warning protection", "warning time"},
    ),
    Row(
        "threshold of the status alarm edited",
        lambda env: env.update(status_alarm={"threshold": 0.5}),
        {f"modify alarm {STATUS}", *decided_by_another_check(STATUS)},
        found={"warning clients", "warning protection"},
    ),
    Row(
        "missing data of a dependency's alarm edited",
        lambda env: env["dependencies"]["db"].update(alarm={"missing_data": "breaching"}),
        every("modify", DB_ALARMS),
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
            *every("add", MEMORY_ALARMS),
        },
        first=both_ids,
        found={"warning hosts", "warning permissions"},
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
        found={"warning hosts"},
    ),
    Row(
        "state: absent in cloudwatch_agent",
        lambda env: env["cloudwatch_agent"].update(state="absent"),
        {
            f"modify association {AGENT}",
            "replace document of the CloudWatch agent",
            *every("remove", MEMORY_ALARMS),
        },
        first=_measure_memory,
        found={"warning hosts", "warning names", "warning protection"},
    ),
    Row(
        "cloudwatch_agent removed",
        lambda env: env.pop("cloudwatch_agent"),
        {
            f"remove parameter AmazonCloudWatch-{AGENT}",
            f"remove association {AGENT}",
            "remove document of the CloudWatch agent",
            "remove policy of the CloudWatch agent",
            *every("remove", MEMORY_ALARMS),
        },
        first=_measure_memory,
        found={"warning protection", "warning rest"},
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
        found={"warning hosts"},
    ),
    Row(
        "dependency renamed",
        _rename_dependency,
        {
            *every("remove", DB_ALARMS),
            "add alarm bookstore-api-blue-store-connectivity-failed",
            "add alarm bookstore-api-green-store-connectivity-failed",
            f"modify {ASSOCIATION}",
        },
        found={"warning hosts", "warning protection"},
    ),
    Row(
        "dependency removed",
        lambda env: env["dependencies"].pop("db"),
        {*every("remove", DB_ALARMS), f"modify {ASSOCIATION}"},
        found={"warning hosts", "warning protection"},
    ),
    Row(
        "address or port of a dependency changed",
        lambda env: env["dependencies"]["db"].update(port=5433),
        {f"modify {ASSOCIATION}"},
        found={"warning hosts"},
    ),
    Row(
        "check of a dependency changed",
        lambda env: env["dependencies"]["db"].update(check={"protocol": "tls"}),
        {f"modify {ASSOCIATION}"},
        found={"warning hosts"},
    ),
    Row(
        "failover of a dependency added",
        cdn_fails_over,
        {
            *every("add", CDN_RECORDS),
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
            *every("modify", CDN_RECORDS),
            "add health check bookstore-cdn-primary",
            "remove health check bookstore-cdn-primary",
            "modify alarm bookstore-production-cdn-on-secondary",
        },
        first=cdn_fails_over,
        found={"warning clients", "warning protection"},
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
        first=cdn_fails_over,
        found={
            "danger clients",
            "warning clients",
            "warning hosts",
            "warning protection",
            "warning time",
        },
    ),
    Row(
        "dependencies reordered",
        lambda env: env.update(dependencies=dict(reversed(env["dependencies"].items()))),
        set(),
    ),
    Row(
        "last dependency removed",
        lambda env: env.pop("dependencies"),
        {*every("remove", DB_ALARMS | CDN_ALARMS), *every("remove", PROBE_PARTS)},
        found={"warning protection", "warning rest"},
    ),
    Row(
        "interval, timeout or journal of the probe changed",
        lambda env: env.update(probe={"interval_seconds": 5, "timeout_seconds": 2}),
        {f"modify {ASSOCIATION}"},
        found={"warning hosts"},
    ),
    Row(
        "role of the probe added",
        lambda env: env.update(probe={"roles": ["bookstore-api"]}),
        {"modify policy of the probe"},
        found={"warning permissions"},
    ),
    Row(
        "bucket for the output of the probe's runs added",
        lambda env: env.update(probe={"output_bucket": "run-output"}),
        {f"modify {ASSOCIATION}", "modify policy of the probe"},
        found={"warning hosts", "warning permissions"},
    ),
    Row(
        "metrics of the application allowed",
        lambda env: env.update(probe={"statsd": {"metrics": ["errors"]}}),
        {f"modify {ASSOCIATION}"},
        found={"warning hosts"},
    ),
    Row(
        "peer checks turned on",
        lambda env: env.update(probe={"peer": True}),
        {f"modify {ASSOCIATION}", *every("add", PEER_ALARMS)},
        found={"warning hosts"},
    ),
    Row(
        "peer_address changed",
        lambda env: env["hosts"]["green"].update(peer_address="10.0.1.4"),
        {f"modify {ASSOCIATION}"},
        first=lambda env: env.update(probe={"peer": True}),
        found={"warning hosts"},
    ),
    Row(
        "state: absent",
        lambda env: env.update(probe={"state": "absent"}),
        {f"modify {ASSOCIATION}", *every("remove", SILENCE_ALARMS)},
        found={"warning hosts", "warning protection"},
    ),
    Row(
        "state: absent, together with the end of a dependency that decides failover",
        lambda env: env.update(probe={"state": "absent"}, failover_on=["status"]),
        {
            f"modify {ASSOCIATION}",
            *every("remove", SILENCE_ALARMS),
            *decided_by_another_check("bookstore-api-blue-db-connectivity-failed", STATUS),
        },
        first=db_decides,
        found={
            "danger clients",
            "warning clients",
            "warning hosts",
            "warning protection",
            "danger time",
        },
    ),
]
