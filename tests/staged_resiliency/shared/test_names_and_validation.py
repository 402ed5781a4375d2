"""Names fit AWS's limits, validation is idempotent, and constants agree with botocore's models."""

import re
from collections.abc import Callable

import botocore.session
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.cloudwatch_agent import agent_name
from staged_resiliency.probe.cloudwatch_configuration import mount_path
from staged_resiliency.shared import limits, names, validation
from tests.cases import cases
from tests.staged_resiliency.api_model import service_model

SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,9}){0,2}", fullmatch=True)
DOMAINS = st.from_regex(r"[A-Za-z0-9_]{1,63}(\.[A-Za-z]{1,20}){1,3}\.?", fullmatch=True)
URLS = st.from_regex(r"https://[a-z]{1,9}\.com(:[1-9][0-9]{0,3})?/[a-z?=]*", fullmatch=True)
HOSTS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9 ._:/=+@-]{0,126}[A-Za-z0-9/])?", fullmatch=True)
REGIONS = st.sampled_from(limits.ALARM_REGIONS)
ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)

LONGEST_SLUG = "a" * 40
LONGEST_HOST = "h" * 128


@cases(
    ("made", "expected"),
    {
        "failover stack": (
            names.failover_stack("bookstore", "production"),
            "bookstore-production-failover"),
        "probe stack": (
            names.probe_stack("bookstore", "production"),
            "bookstore-production-probe"),
        "failover alarm stack": (
            names.failover_alarm_stack("bookstore", "production"),
            "bookstore-production-failover-alarm"),
        "failover alarm": (
            names.failover_alarm("bookstore", "production"),
            "bookstore-production-clients-on-standby"),
        "notifications stack": (
            names.notifications_stack("532151327118", "us-west-2", "Pings"),
            "notifications-532151327118-us-west-2-Pings"),
        "notifications stack of a topic with a sign that stacks don't have": (
            names.notifications_stack("532151327118", "us-west-2", "Ping_s"),
            "notifications-532151327118-us-west-2-Ping-s-463C97BD"),
        "notifications stack of a topic with a long name": (
            names.notifications_stack("532151327118", "us-west-2", "a" * 256),
            f"notifications-532151327118-us-west-2-{'a' * 82}-F88147A2"),
        "status alarm": (
            names.status_alarm("bookstore-api-blue"),
            "bookstore-api-blue-StatusCheckFailed"),
        "connectivity alarm": (
            names.connectivity_alarm("bookstore-api-blue", "db"),
            "bookstore-api-blue-db-connectivity-failed"),
        "metric": (names.connectivity_metric("db"), "db-connectivity"),
        "metric of peers": (names.PEER_METRIC, "peer-connectivity"),
        "metric of the probe itself": (names.HEARTBEAT_METRIC, "probe-heartbeat"),
        "peer alarm": (
            names.peer_alarm("bookstore-api-blue"),
            "bookstore-api-blue-peer-connectivity-failed"),
        "silence alarm": (
            names.probe_silent_alarm("bookstore-api-blue"),
            "bookstore-api-blue-probe-silent"),
        "peer alarm's text": (
            names.peer_description("Bookstore API", "blue"),
            "Bookstore API (Blue) does not answer the other host."),
        "silence alarm's text": (
            names.probe_silent_description("Bookstore API", "green"),
            "The probe of Bookstore API (Green) is silent: what the host reaches is not measured."),
        "primary": (names.set_identifier("cafe", "PRIMARY"), "cafe-Primary"),
        "secondary": (
            names.set_identifier("bookstore", "SECONDARY"), "bookstore-Secondary"),
        "status alarm's text": (
            names.status_description("Bookstore API", "blue"),
            "Bookstore API (Blue) instance failure."),
        "connectivity alarm's text": (
            names.connectivity_description("Database", "Bookstore API", "green"),
            "Database Connectivity failure for Bookstore API (Green)."),
        "topic": (
            names.topic_arn("532151327118", "us-west-2", "Pings"),
            "arn:aws:sns:us-west-2:532151327118:Pings"),
        "topic in another partition": (
            names.topic_arn("532151327118", "us-gov-west-1", "Pings"),
            "arn:aws-us-gov:sns:us-gov-west-1:532151327118:Pings"),
    },
)  # fmt: skip
def test_names_are_what_the_outside_knows(made: str, expected: str) -> None:
    assert made == expected


@cases(
    ("made", "most"),
    {
        "stack": (
            names.failover_stack(LONGEST_SLUG, LONGEST_SLUG),
            limits.MAX_STACK_NAME_CHARACTERS,
        ),
        "status alarm": (names.status_alarm(LONGEST_HOST), limits.MAX_ALARM_NAME_CHARACTERS),
        "connectivity alarm": (
            names.connectivity_alarm(LONGEST_HOST, LONGEST_SLUG),
            limits.MAX_ALARM_NAME_CHARACTERS,
        ),
        "peer alarm": (names.peer_alarm(LONGEST_HOST), limits.MAX_ALARM_NAME_CHARACTERS),
        "silence alarm": (names.probe_silent_alarm(LONGEST_HOST), limits.MAX_ALARM_NAME_CHARACTERS),
        "association": (
            probe_validation.association_name(names.probe_stack(LONGEST_SLUG, LONGEST_SLUG)),
            128,
        ),
        "association of the CloudWatch agent": (
            agent_name(names.cloudwatch_agent_stack(LONGEST_SLUG, LONGEST_SLUG)),
            100,
        ),
        "alarm on a disk": (
            names.own_alarm(LONGEST_HOST, names.disk_alarm(mount_path(f"/{'a' * 63}"))),
            limits.MAX_ALARM_NAME_CHARACTERS,
        ),
        "metric": (names.connectivity_metric(LONGEST_SLUG), limits.MAX_METRIC_NAME_CHARACTERS),
        "set identifier": (
            names.set_identifier(LONGEST_SLUG, "SECONDARY"),
            limits.MAX_SET_IDENTIFIER_CHARACTERS,
        ),
        "alarm's text": (
            names.connectivity_description("l" * 200, "d" * 200, "green"),
            limits.MAX_ALARM_DESCRIPTION_CHARACTERS,
        ),
    },
)
def test_the_longest_names_fit(made: str, most: int) -> None:
    assert len(made) <= most


@given(service=SLUGS, environment=SLUGS, host=HOSTS, dependency=SLUGS)
def test_accepted_names_make_names_that_aws_takes(
    service: str, environment: str, host: str, dependency: str
) -> None:
    for name in (service, environment, dependency):
        validation.slug(name)
    validation.host_name(host)
    stack = names.failover_stack(service, environment)
    assert len(stack) <= limits.MAX_STACK_NAME_CHARACTERS
    assert stack[0].isalpha()
    assert stack.replace("-", "").isalnum()
    assert len(names.set_identifier(service, "SECONDARY")) <= limits.MAX_SET_IDENTIFIER_CHARACTERS
    assert len(names.connectivity_metric(dependency)) <= limits.MAX_METRIC_NAME_CHARACTERS
    for alarm in (names.status_alarm(host), names.connectivity_alarm(host, dependency)):
        assert validation.alarm_name(alarm) == alarm


@given(
    account=ACCOUNTS, region=REGIONS, topic=st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True)
)
def test_the_arn_of_an_accepted_topic_is_accepted(account: str, region: str, topic: str) -> None:
    arn = names.topic_arn(validation.account_id(account), region, validation.topic_name(topic))
    assert validation.topic_arn(arn) == arn


TEXT_CHECKS = [
    pytest.param(check, values, id=getattr(check, "__name__", ""))
    for check, values in [
        (validation.account_id, ACCOUNTS),
        (validation.region, REGIONS),
        (validation.instance_id, st.from_regex(validation.INSTANCE_ID, fullmatch=True)),
        (validation.host_name, HOSTS),
        (validation.slug, SLUGS),
        (validation.ip_address, st.ip_addresses().map(str)),
        (validation.ipv6_address, st.ip_addresses(v=6).map(lambda address: address.exploded)),
        (validation.domain_name, DOMAINS),
        (validation.dns_name_or_address, st.ip_addresses().map(str) | st.just("DB.Example.com.")),
        (validation.hosted_zone_id, st.from_regex(validation.HOSTED_ZONE_ID, fullmatch=True)),
        (
            validation.kms_key_arn,
            st.uuids().map(lambda key: f"arn:aws:kms:us-west-2:532151327118:key/{key}"),
        ),
        (validation.days, st.dates().map(str)),
        (validation.topic_name, st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True)),
        (validation.email_address, st.emails()),
        (validation.https_url, URLS),
        (validation.url_path, st.from_regex(r"/[!-~]{0,254}", fullmatch=True)),
        (validation.namespace, st.from_regex(r"[A-Za-z][A-Za-z0-9/:#. ]{0,99}", fullmatch=True)),
        (validation.one_line, st.text(min_size=1)),
        (validation.tag_key, st.from_regex(r"[\w .:/=+@-]{1,99}", fullmatch=True)),
        (validation.tag_value, st.from_regex(r"[\w .:/=+@-]{0,99}", fullmatch=True)),
        (validation.failover_statistic, st.sampled_from(limits.FAILOVER_STATISTICS)),
        (probe_validation.body_text, st.text(min_size=1)),
        (probe_validation.dns_server, st.ip_addresses().map(str)),
        (probe_validation.role_name, st.from_regex(probe_validation.ROLE_NAME, fullmatch=True)),
        (
            probe_validation.association_name,
            st.from_regex(r"[A-Za-z0-9_.-]{3,128}", fullmatch=True),
        ),
        (
            probe_validation.max_concurrency,
            st.sampled_from(["1", "20", "9999999", "1%", "99%", "100%"]),
        ),
        (probe_validation.max_errors, st.sampled_from(["0", "1", "9999999", "0%", "99%", "100%"])),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("check", "values"), TEXT_CHECKS)
@given(data=st.data())
def test_a_checked_text_is_accepted_unchanged(
    data: st.DataObject, check: Callable[[str], str], values: st.SearchStrategy[str]
) -> None:
    try:
        once = check(data.draw(values))
    except ValueError:
        reject()  # hypothesis fails the test when it finds too few that are accepted
    assert check(once) == once


def refusal(check: Callable[[str], str], text: str) -> str | None:
    try:
        check(text)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("check", "values"), TEXT_CHECKS)
@given(text=st.text())
def test_any_text_is_accepted_or_refused_with_a_sentence(
    text: str, check: Callable[[str], str], values: st.SearchStrategy[str]
) -> None:
    message = refusal(check, text)
    assert message is None or (message.isprintable() and len(message.split()) > 4)


@pytest.mark.parametrize(
    ("text", "ipv6"),
    [
        ("2600:1f14::9", True),
        ("::ffff:52.11.79.9", True),
        ("52.11.79.9", False),
        ("db.example.com:5432", False),
        ("db.example.com", False),
        ("", False),
    ],
)
def test_ipv6_addresses_are_recognized(text: str, ipv6: bool) -> None:
    assert validation.is_ipv6(text) is ipv6


@cases(
    ("value", "most", "text"),
    {
        "text": ("abc", 60, "'abc'"),
        "control characters": ("a\nb\x1b", 60, r"'a\nb\x1b'"),
        "long text": ("a" * 100, 20, "'aaaaaaaaaaaaaaaa..."),
        "number": (42, 60, "42"),
    },
)
def test_values_are_shown_short_and_on_one_line(value: object, most: int, text: str) -> None:
    assert validation.shown(value, most) == text


@cases(
    ("word", "found"),
    {
        "swapped letters": ("regoin", "region"),
        "capitals": ("Region", "region"),
        "a part": ("ttl", "ttl_seconds"),
        "too short a part": ("id", None),
        "a part of two": ("_sec", None),
        "something else": ("weather", None),
        "nothing": ("", None),
    },
)
def test_the_nearest_word_is_found(word: str, found: str | None) -> None:
    allowed = ["region", "ttl_seconds", "interval_seconds", "instance_id"]
    assert validation.nearest(word, allowed) == found


@pytest.fixture(scope="module")
def botocore_session() -> botocore.session.Session:
    return botocore.session.get_session()


@pytest.mark.parametrize("region", limits.ALARM_REGIONS)
def test_the_partition_of_a_region_is_botocore_s(
    botocore_session: botocore.session.Session, region: str
) -> None:
    assert limits.partition_of(region) == botocore_session.get_partition_for_region(region)


@cases(
    ("check", "value"),
    {
        "role too long": (probe_validation.role_name, "a" * 65),
        "role with an umlaut": (probe_validation.role_name, "büro"),
        "association too short": (probe_validation.association_name, "ab"),
        "association with a space": (probe_validation.association_name, "shop probe"),
        "no instance at a time": (probe_validation.max_concurrency, "0"),
        "more than all": (probe_validation.max_concurrency, "101%"),
        "fewer than no error": (probe_validation.max_errors, "-1"),
        "errors as a word": (probe_validation.max_errors, "half"),
        "server with a zone": (probe_validation.dns_server, "fe80::1%eth0"),
        "many servers": (probe_validation.dns_server, "224.0.0.251"),
        "text too long": (probe_validation.body_text, "a" * 256),
    },
)
def test_settings_of_the_probe_are_refused(check: Callable[[str], str], value: str) -> None:
    assert refusal(check, value)


@cases(
    ("shape", "check"),
    {
        "concurrency": ("MaxConcurrency", probe_validation.max_concurrency),
        "errors": ("MaxErrors", probe_validation.max_errors),
    },
)
@pytest.mark.parametrize("value", ["0", "1", "07", "10", "12345678", "0%", "5%", "100%", "101%"])
def test_rates_are_those_that_state_manager_takes(
    shape: str, check: Callable[[str], str], value: str
) -> None:
    rule = service_model("ssm").shape_for(shape).metadata
    taken = re.search(rule["pattern"], value) is not None and len(value) <= rule["max"]
    assert (refusal(check, value) is None) == taken
