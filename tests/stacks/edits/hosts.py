"""Edits of the hosts, their records and what decides the failover."""

from tests.stacks.edits.row import (
    AAAA,
    ALARMS,
    ASSOCIATION,
    FAILOVER_ALARM,
    GREEN_ID,
    GREEN_STATUS,
    PRIMARY,
    SECONDARY,
    STATUS,
    Row,
    both_ids,
    db_decides,
    db_decides_too,
    decided_by_another_check,
    every,
)
from tests.support import Data

ENDPOINT = "bookstore-api-blue-endpoint"
DB = "bookstore-api-blue-db-connectivity-failed"


def _both_ids_and_db_decides_too(env: Data) -> None:
    both_ids(env)
    db_decides_too(env)


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


def _exchange_names(env: Data) -> None:
    both_ids(env)
    blue, green = env["hosts"]["blue"], env["hosts"]["green"]
    blue["name"], green["name"] = green["name"], blue["name"]


HOST_ROWS = [
    Row(
        "instance id of blue replaced",
        lambda env: env["hosts"]["blue"].update(instance_id=GREEN_ID),
        {f"modify alarm {STATUS}", *decided_by_another_check(STATUS)},
        found={"warning clients", "warning protection"},
    ),
    Row(
        "address of blue replaced",
        lambda env: env["hosts"]["blue"].update(address="54.213.54.172"),
        {f"modify {PRIMARY}"},
        found={"warning clients"},
    ),
    Row("instance id of green added", both_ids, {f"add alarm {GREEN_STATUS}"}),
    Row(
        "active: green",
        lambda env: env.update(active="green"),
        {*decided_by_another_check(STATUS, GREEN_STATUS), f"modify {SECONDARY}"},
        first=both_ids,
        found={"warning clients", "warning protection"},
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
        found={"warning clients", "warning protection"},
    ),
    Row(
        "TTL changed",
        lambda env: env["endpoint"].update(ttl_seconds=10),
        {f"modify {PRIMARY}", f"modify {SECONDARY}"},
    ),
    Row(
        "name added to more_records",
        lambda env: env["endpoint"].update(more_records=["www.pingpublications.com"]),
        every(
            "add",
            {f"{role} A record www.pingpublications.com." for role in ("primary", "secondary")},
        ),
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
        found={"warning clients", "warning protection"},
    ),
    Row(
        "second signal added to failover_on",
        db_decides_too,
        {
            f"modify {FAILOVER_ALARM}",
            "add health check bookstore-api-blue-db-connectivity-failed",
            "add health check bookstore-api-blue-all-signals",
            f"modify {PRIMARY}",
        },
        found={"warning clients", "warning protection"},
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
        found={"warning hosts", "warning messages", "warning names"},
    ),
    Row(
        "host renamed, while a dependency decides failover",
        lambda env: env["hosts"]["blue"].update(name="bookstore-api-azure"),
        {
            f"replace alarm {STATUS}",
            "replace alarm bookstore-api-blue-db-connectivity-failed",
            "replace alarm bookstore-api-blue-cdn-connectivity-failed",
            "replace alarm bookstore-api-blue-probe-silent",
            f"modify {ASSOCIATION}",
            *decided_by_another_check(DB, "bookstore-api-azure-db-connectivity-failed"),
        },
        first=db_decides,
        found={
            "danger clients",
            "warning clients",
            "warning hosts",
            "warning messages",
            "warning names",
            "warning protection",
        },
    ),
    Row(
        "names of the two hosts exchanged",
        _exchange_names,
        {
            f"modify {FAILOVER_ALARM}",
            *every("replace", {*ALARMS, f"alarm {GREEN_STATUS}"}),
            f"modify {ASSOCIATION}",
            f"modify health check {STATUS}",
        },
        first=both_ids,
        found={"warning hosts", "danger names", "warning names"},
    ),
    Row(
        "active: green, while the endpoint decides",
        lambda env: env.update(active="green"),
        {
            *decided_by_another_check(ENDPOINT, "bookstore-api-green-endpoint"),
            f"modify {SECONDARY}",
        },
        first=_endpoint_decides,
        found={"warning clients", "warning protection"},
    ),
    Row(
        "active: green, from an address to a load balancer, while the endpoint decides",
        lambda env: env.update(active="green"),
        {
            *decided_by_another_check(ENDPOINT, "bookstore-api-green-endpoint"),
            f"modify {SECONDARY}",
        },
        first=_green_is_behind_a_load_balancer,
        found={"warning clients", "warning protection"},
    ),
    Row(
        "address of blue replaced, while the endpoint decides",
        lambda env: env["hosts"]["blue"].update(address="54.213.54.172"),
        {*decided_by_another_check(ENDPOINT)},
        first=_endpoint_decides,
        found={"warning clients", "warning protection"},
    ),
    Row(
        "interval or protocol of the endpoint check changed",
        lambda env: env["endpoint"].update(check={"interval_seconds": 10}),
        {*decided_by_another_check(ENDPOINT)},
        first=_endpoint_decides,
        found={"warning clients", "warning protection"},
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
        first=db_decides_too,
        found={"warning clients", "warning protection", "danger time", "warning time"},
    ),
    Row(
        "ipv6_address added to both hosts",
        _with_ipv6,
        every("add", AAAA),
    ),
    Row(
        "ipv6_address taken out of both hosts",
        lambda env: [env["hosts"][color].pop("ipv6_address") for color in ("blue", "green")],
        every("remove", AAAA),
        first=_with_ipv6,
        loses=frozenset(
            f"bookstore.pingpublications.com. AAAA bookstore-{role}"
            for role in ("Primary", "Secondary")
        ),
        found={"danger clients"},
    ),
    Row(
        "record renamed",
        lambda env: env["endpoint"].update(record="books.pingpublications.com"),
        {f"modify {PRIMARY}", f"modify {SECONDARY}", f"modify {FAILOVER_ALARM}"},
        loses=frozenset(
            f"bookstore.pingpublications.com. A bookstore-{role}"
            for role in ("Primary", "Secondary")
        ),
        found={"danger clients", "warning names"},
    ),
]
