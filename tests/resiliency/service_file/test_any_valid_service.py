"""Any valid service is read as it was written, and taken by editors and the probe's agent."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from resiliency.service_file.loader import Examined, examine
from resiliency.service_file.mapping import probe_configuration
from resiliency.service_file.model.service import BUILT_IN_SIGNALS, Service
from resiliency.service_file.schema import json_schema
from resiliency.service_file.yaml_source import Document, parse
from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.agent import config as agent
from staged_resiliency.shared import aws_ids, limits, names, validation
from tests.properties import fewer_examples
from tests.support import Data

VALIDATOR = Draft202012Validator(json_schema())


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


SLUGS = matching(r"[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,9}){0,2}")
LINES = matching(r"[\w(){}\[\]:#,'\"\\%@&*!|>-][\w (){}\[\]:#,'\"\\%@&*!|>-]{0,30}")
LABELS = matching(r"[a-z0-9_]{1,20}")
ZONE_IDS = matching(aws_ids.HOSTED_ZONE_ID)
PORTS = st.integers(1, 65535)
TAGS = st.dictionaries(
    matching(r"[A-Zb-z][\w .:/=+@-]{0,20}"), matching(r"[\w .:/=+@-]{0,20}"), max_size=3
)
IPV4 = st.ip_addresses(v=4, network="52.0.0.0/8").map(str)
IPV6 = st.ip_addresses(v=6, network="2600::/16").map(str)
SUBSCRIBERS = st.sampled_from(
    [
        "ops@example.com",
        "https://alerts.example.com/sns?a=b#c",
        "arn:aws:sqs:us-west-2:532151327118:alerts",
        "arn:aws:lambda:us-west-2:532151327118:function:alerts",
        "+15555550100",
    ]
)


@st.composite
def alarms(draw: st.DrawFn, /, **more: st.SearchStrategy[str]) -> Data:
    alarm: Data = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "period_seconds": st.integers(1, 60).map(lambda minutes: minutes * 60),
                "evaluation_periods": st.integers(1, 20),
                "statistic": st.sampled_from(limits.FAILOVER_STATISTICS),
                "threshold": st.floats(0, 1, exclude_min=True) | st.just(1),
                **more,
            },
        )
    )
    if "evaluation_periods" in alarm and draw(st.booleans()):
        alarm["datapoints_to_alarm"] = alarm["evaluation_periods"]
    return alarm


CONNECTIVITY_ALARMS = alarms(
    missing_data=st.sampled_from(["cloudwatch_default", "breaching", "not_breaching", "ignore"])
)


@st.composite
def targets(draw: st.DrawFn, kinds: list[str]) -> tuple[Data, Data]:
    """What reaches blue and green: two of one kind."""
    ipv4 = draw(st.lists(IPV4, min_size=2, max_size=2, unique=True))
    ipv6 = draw(st.lists(IPV6, min_size=2, max_size=2, unique=True))
    kind, dual = draw(st.sampled_from(kinds)), draw(st.booleans())

    def target(index: int) -> Data:
        if kind == "alias":
            name = f"pair{index}.elb.amazonaws.com"
            return {"alias": {"dns_name": name, "hosted_zone_id": draw(ZONE_IDS), "ipv6": dual}}
        if kind == "ipv6":
            return {"address": ipv6[index]}
        more = {"ipv6_address": ipv6[index]} if dual else {}
        return {"address": ipv4[index], **more}

    return target(0), target(1)


ENDPOINT_CHECKS = st.fixed_dictionaries(
    {"interval_seconds": st.sampled_from([10, 30]), "failure_threshold": st.integers(1, 10)},
    optional={
        "protocol": st.sampled_from(["http", "https"]),
        "search_text": LINES,
        "path": st.just("/health"),
        "regions": st.lists(
            st.sampled_from(limits.CHECKER_REGIONS), min_size=3, max_size=8, unique=True
        ),
    },
) | st.just({"protocol": "tcp"})


FAMILIES = st.sampled_from(["ipv4", "ipv6"])
REQUEST = {
    "path": matching(r"/[!-~]{0,40}"),
    "status": st.lists(st.integers(100, 599), min_size=1, max_size=3, unique=True),
    "text": LINES,
    "host_header": st.just("Db.example.com"),
}
CERTIFICATE = {
    "server_name": st.sampled_from(["Db.example.com", "10.0.0.5"]),
    "days_to_expiry": st.integers(0, limits.MAX_DAYS_TO_EXPIRY),
    "ca_file": st.just("/etc/ssl/own.pem"),
}
ANSWERS = {"A": IPV4, "AAAA": IPV6, "CNAME": st.just("Edge.example.com.")}


def checked_by(protocol: str, **keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Data]:
    """A check of a protocol, with some of the keys that go with it."""
    return st.fixed_dictionaries({"protocol": st.just(protocol)}, optional=keys)


def dns_check(record_type: str) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries(
        {"protocol": st.just("dns"), "type": st.just(record_type)},
        optional={"answer": ANSWERS[record_type]},
    )


LATENCIES = st.fixed_dictionaries(
    {},
    optional={
        "percentiles": st.just(True),
        "alarm": st.fixed_dictionaries({"above_milliseconds": st.integers(1, 5000)}),
    },
)
# One of the two alone would have to fit the interval or timeout of the probe, whatever that is.
PACES: st.SearchStrategy[Data] = st.just({}) | st.fixed_dictionaries(
    {"interval_seconds": st.sampled_from([20, 30, 60]), "timeout_seconds": st.floats(1, 10)}
)
STEPS = st.lists(
    st.fixed_dictionaries({"expect": st.just("220 ")}, optional={"send": st.just("QUIT\r\n")}),
    min_size=1,
    max_size=3,
)


@st.composite
def dependencies(draw: st.DrawFn) -> Data:
    named: Data = draw(
        st.fixed_dictionaries({"label": LINES}, optional={"alarm": CONNECTIVITY_ALARMS})
    )
    named["host"] = draw(IPV4 | IPV6 | st.just("db.Example.com"))
    family = {"family": FAMILIES} if named["host"] == "db.Example.com" else {}
    kinds = ["tcp", "tls", "http", "https", "mysql", "postgresql", "redis", "exchange", "dns", ""]
    kind = draw(st.sampled_from(kinds))
    if draw(st.booleans()):
        named["latency"] = draw(LATENCIES)
    if kind in ("tls", "https") and draw(st.booleans()):
        named["certificate"] = {"alarm_days": draw(st.integers(1, 90))}
    match kind:
        case "dns":
            record_type = draw(st.sampled_from(list(ANSWERS)))
            check = draw(dns_check(record_type))
            if draw(st.booleans()):
                check["server"] = draw(IPV4 | IPV6 | st.just("127.0.0.53"))
                named["port"] = draw(PORTS)
            return {**named, "host": "db.Example.com", "check": check}
        case "tcp":
            check = draw(checked_by(kind, **family))
        case "tls":
            check = draw(checked_by(kind, **CERTIFICATE, **family))
        case "http":
            check = draw(checked_by(kind, **REQUEST, **family))
        case "https":
            check = draw(checked_by(kind, **REQUEST, **CERTIFICATE, **family))
        case "mysql" | "postgresql" | "redis" | "exchange":
            check = draw(checked_by(kind, **family))
            check |= draw(PACES) if kind in ("mysql", "exchange") else {}
            check |= {"user": "probe"} if kind == "postgresql" and draw(st.booleans()) else {}
            if draw(st.booleans()):
                check |= {"tls": True, **draw(st.fixed_dictionaries({}, optional=CERTIFICATE))}
            check |= {"user": "probe"} if kind == "mysql" else {}
            check |= {"steps": draw(STEPS)} if kind == "exchange" else {}
        case _:
            return {**named, "port": draw(PORTS)}
    if kind in ("tcp", "tls", "exchange") or draw(st.booleans()):
        named["port"] = draw(PORTS)
    return {**named, "check": check}


@st.composite
def failovers(draw: st.DrawFn, decided_by: list[str]) -> Data:
    """Two targets of a dependency's own name; aliases of CloudFront have one zone alone."""
    who = draw(st.sampled_from(decided_by))
    check = draw(ENDPOINT_CHECKS) if who == "primary" else None
    return {
        "primary": {"dns_name": "D111111abcdef8.cloudfront.net"},
        "secondary": {"dns_name": "Cdn.example.com."},
        "decided_by": who,
        "ttl_seconds": draw(st.integers(0, limits.MAX_TTL_SECONDS)),
        **({} if check is None else {"check": check}),
    }


@st.composite
def probes(draw: st.DrawFn, *, measured: bool) -> Data:
    interval = draw(st.sampled_from(probe_validation.INTERVALS_SECONDS))
    timeout = draw(st.floats(0, interval, exclude_min=True, exclude_max=True))
    probe: Data = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "roles": st.lists(matching(probe_validation.ROLE_NAME), max_size=3, unique=True),
                "journal": st.sampled_from(["samples", "changes"]),
                "statsd": st.fixed_dictionaries(
                    {
                        "metrics": st.lists(
                            matching(r"[A-Z!-)+-9;=-@]{1,40}\*?"),
                            min_size=1,
                            max_size=5,
                            unique=True,
                        )
                    },
                    optional={
                        "tags": st.lists(
                            matching(r"[a-z][a-z0-9_./-]{0,20}"), max_size=3, unique=True
                        ),
                        "max_metrics": st.integers(5, 100),
                        "port": st.integers(1024, 65535),
                    },
                ),
                "state": st.sampled_from(["present", "absent"] if measured else ["present"]),
            },
        )
    )
    return {"interval_seconds": interval, "timeout_seconds": timeout, **probe}


CLOUDWATCH_AGENTS = st.fixed_dictionaries(
    {"memory_percent": st.floats(0, 100, exclude_min=True)},
    optional={
        "disk_percent": st.just({"/": 85, "/var/lib": 80.5}),
        "processes": st.dictionaries(
            SLUGS, st.just({"name": "java"}) | st.just({"command": "a b", "at_least": 2})
        ),
        "in_drills": st.sampled_from(["quiet", "guard", "ignored"]),
        "state": st.sampled_from(["present", "absent"]),
    },
)


@st.composite
def environments(draw: st.DrawFn) -> Data:
    account, region = draw(matching(r"[0-9]{12}")), draw(st.sampled_from(limits.ALARM_REGIONS))
    with_id = draw(st.booleans())
    zone_id = {"id": draw(ZONE_IDS), "private": draw(st.booleans())} if with_id else {}
    # GovCloud's private zones have no alias records of load balancers.
    in_govcloud = limits.partition_of(region) == "aws-us-gov"
    no_alias = in_govcloud and zone_id.get("private")
    kinds = ["ipv4", "ipv6"] if no_alias else ["ipv4", "ipv6", "alias"]
    zone = f"{draw(LABELS)}.example"  # a name of digits alone would be an address
    topic = draw(matching(r"[A-Za-z0-9_-]{1,40}"))
    needed = draw(
        st.dictionaries(
            SLUGS.filter(lambda name: name not in (*BUILT_IN_SIGNALS, "memory")),
            dependencies(),
            max_size=4,
        )
    )
    host_name = matching(r"[A-Za-z0-9][A-Za-z0-9 ._/:=+@-]{0,40}[A-Za-z0-9]")
    host_names = draw(st.lists(host_name, min_size=2, max_size=2, unique_by=str.lower))
    hosts = [
        {"name": name, "instance_id": f"i-0000000{index}", **target}
        for index, (name, target) in enumerate(zip(host_names, draw(targets(kinds)), strict=True))
    ]
    optional: Data = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "status_alarm": alarms(),
                "tags": TAGS,
                "peer_alarm": alarms(),
                "cloudwatch_agent": CLOUDWATCH_AGENTS,
                "failover_on": st.lists(
                    st.sampled_from([*BUILT_IN_SIGNALS, *needed]), min_size=1, unique=True
                ),
            },
        )
    )
    if draw(st.booleans()):
        decided = {"peer", *needed} & set(optional.get("failover_on", []))
        optional["probe"] = draw(probes(measured=bool(needed) and not decided))
        if draw(st.booleans()):
            optional["probe"]["peer"] = True
    absent = optional.get("probe", {}).get("state") == "absent"
    for number, (name, each) in enumerate(needed.items()):
        if each.get("check", {}).get("protocol") != "dns" and draw(st.booleans()):
            each["host"] = f"Needed-{number}.{zone}"
            primary = names.primary_of(name)
            by_hosts = (
                not absent
                and primary not in needed
                and len(primary) <= validation.MAX_SLUG_CHARACTERS
            )
            each["failover"] = draw(failovers(["primary", "hosts"] if by_hosts else ["primary"]))
    if draw(st.booleans()):
        hosts[0]["peer_address"], hosts[1]["peer_address"] = "10.0.0.4", "green.Internal.example."
    return {
        "account": account,
        "region": region,
        "notifications": {
            **(
                {"topic_name": topic}
                if draw(st.booleans())
                else {"topic_arn": names.topic_arn(account, region, topic)}
            ),
            "subscriptions": draw(st.lists(SUBSCRIBERS, unique=True)),
            "recovery": draw(st.booleans()),
            "more_topics": [names.topic_arn("2" * 12, region, "more")] * draw(st.integers(0, 1)),
            "tags": draw(TAGS),
        },
        "hosted_zone": {"name": zone, **zone_id},
        "endpoint": {
            "record": draw(st.sampled_from([zone, f"{draw(LABELS)}.{zone}", f"www.{zone}."])),
            "ttl_seconds": draw(st.integers(0, limits.MAX_TTL_SECONDS)),
            "port": draw(PORTS),
            "version_path": draw(matching(r"/[!-~]{0,40}")),
            "more_records": draw(st.sampled_from([[], [f"more.{zone}"]])),
            **draw(st.fixed_dictionaries({}, optional={"check": ENDPOINT_CHECKS})),
        },
        "active": draw(st.sampled_from(["blue", "green"])),
        "hosts": {"blue": hosts[0], "green": hosts[1]},
        "dependencies": needed,
        **optional,
    }


SERVICES = st.fixed_dictionaries(
    {
        "service": SLUGS,
        "environments": st.dictionaries(SLUGS, environments(), min_size=1, max_size=2),
    },
    optional={"display_name": LINES, "namespace": SLUGS, "tags": TAGS},
)


class _Dumper(yaml.SafeDumper):
    """Writes texts in quotes, since PyYAML leaves out those that only YAML 1.2 needs."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def through_yaml(data: Data) -> Examined:
    document = Document("test.yaml")
    parse(yaml.dump(data, Dumper=_Dumper, sort_keys=False), document)
    return examine(document)


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from paths_of(member, (*path, key))


@pytest.mark.slow
@fewer_examples(5)
@given(SERVICES)
def test_a_valid_service_is_read_as_written_and_editors_and_the_agent_take_it(data: Data) -> None:
    """One property, as to make a service takes longer than to check it."""
    examined = through_yaml(data)
    assert [str(problem) for problem in examined.problems] == []
    service = examined.service
    assert service == Service.model_validate(data)
    # Every key and item has a line.
    assert set(examined.partial.document.lines) == set(paths_of(data))
    # Editors find nothing wrong.
    assert [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)] == []
    for environment in service.environments.values():
        if environment.has_probe:
            configuration = probe_configuration(service, environment)
            content = b64decode(configuration.encoded())
            read = agent.parse(content)
            assert json.loads(content) == configuration.rendered()
            assert len(read.targets) == len(environment.measured)
            assert len(read.peers) == (2 if environment.has_peers else 0)
