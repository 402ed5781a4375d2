"""Names fit AWS's limits, and what a check accepts it accepts again."""

from collections.abc import Callable

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.cloudwatch_agent import agent_name
from staged_resiliency.probe.cloudwatch_configuration import mount_path
from staged_resiliency.shared import (
    alarm_settings,
    aws_ids,
    limits,
    names,
    network_names,
    validation,
)
from tests.cases import cases
from tests.properties import fewer_examples

SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,19}(-[a-z0-9]{1,9}){0,2}", fullmatch=True)
DOMAINS = st.from_regex(r"[A-Za-z0-9_]{1,63}(\.[A-Za-z]{1,20}){1,3}\.?", fullmatch=True)
URLS = st.from_regex(r"https://[a-z]{1,9}\.com(:[1-9][0-9]{0,3})?/[a-z?=]*", fullmatch=True)
HOSTS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9 ._:/=+@-]{0,126}[A-Za-z0-9/])?", fullmatch=True)
REGIONS = st.sampled_from(limits.ALARM_REGIONS)
ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)

LONGEST_SLUG = "a" * 40
LONGEST_HOST = "h" * 128


OUTSIDE = {
    "bookstore-production-failover": names.failover_stack("bookstore", "production"),
    "bookstore-production-probe": names.probe_stack("bookstore", "production"),
    "bookstore-production-failover-alarm": names.failover_alarm_stack("bookstore", "production"),
    "bookstore-production-clients-on-standby": names.failover_alarm("bookstore", "production"),
    "notifications-532151327118-us-west-2-Pings": names.notifications_stack(
        "532151327118", "us-west-2", "Pings"
    ),
    # stacks have no underscore, and at most 128 characters
    "notifications-532151327118-us-west-2-Ping-s-463C97BD": names.notifications_stack(
        "532151327118", "us-west-2", "Ping_s"
    ),
    f"notifications-532151327118-us-west-2-{'a' * 82}-F88147A2": names.notifications_stack(
        "532151327118", "us-west-2", "a" * 256
    ),
    "api-blue-StatusCheckFailed": names.status_alarm("api-blue"),
    "api-blue-db-connectivity-failed": names.connectivity_alarm("api-blue", "db"),
    "api-blue-peer-connectivity-failed": names.peer_alarm("api-blue"),
    "api-blue-probe-silent": names.probe_silent_alarm("api-blue"),
    "db-connectivity": names.connectivity_metric("db"),
    "peer-connectivity": names.PEER_METRIC,
    "probe-heartbeat": names.HEARTBEAT_METRIC,
    "cafe-Primary": names.set_identifier("cafe", "PRIMARY"),
    "bookstore-Secondary": names.set_identifier("bookstore", "SECONDARY"),
    "Bookstore API (Blue) does not answer the other host.": names.peer_description(
        "Bookstore API", "blue"
    ),
    "The probe of Shop (Green) is silent: what the host reaches is not measured.": (
        names.probe_silent_description("Shop", "green")
    ),
    "Shop (Blue) instance failure.": names.status_description("Shop", "blue"),
    "Database Connectivity failure for Shop (Green).": names.connectivity_description(
        "Database", "Shop", "green"
    ),
    "arn:aws:sns:us-west-2:532151327118:Pings": names.topic_arn(
        "532151327118", "us-west-2", "Pings"
    ),
    "arn:aws-us-gov:sns:us-gov-west-1:532151327118:Pings": names.topic_arn(
        "532151327118", "us-gov-west-1", "Pings"
    ),
}


@pytest.mark.parametrize("expected", OUTSIDE)
def test_the_outside_knows_the_name(expected: str) -> None:
    assert OUTSIDE[expected] == expected


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
    aws_ids.host_name(host)
    stack = names.failover_stack(service, environment)
    assert len(stack) <= limits.MAX_STACK_NAME_CHARACTERS
    assert stack[0].isalpha()
    assert stack.replace("-", "").isalnum()
    assert len(names.set_identifier(service, "SECONDARY")) <= limits.MAX_SET_IDENTIFIER_CHARACTERS
    assert len(names.connectivity_metric(dependency)) <= limits.MAX_METRIC_NAME_CHARACTERS
    for alarm in (names.status_alarm(host), names.connectivity_alarm(host, dependency)):
        assert alarm_settings.alarm_name(alarm) == alarm


@given(
    account=ACCOUNTS, region=REGIONS, topic=st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True)
)
def test_the_arn_of_an_accepted_topic_is_accepted(account: str, region: str, topic: str) -> None:
    arn = names.topic_arn(aws_ids.account_id(account), region, aws_ids.topic_name(topic))
    assert aws_ids.topic_arn(arn) == arn


TEXT_CHECKS = [
    pytest.param(check, values, id=getattr(check, "__name__", ""))
    for check, values in [
        (aws_ids.account_id, ACCOUNTS),
        (aws_ids.region, REGIONS),
        (aws_ids.instance_id, st.from_regex(aws_ids.INSTANCE_ID, fullmatch=True)),
        (aws_ids.host_name, HOSTS),
        (validation.slug, SLUGS),
        (network_names.ip_address, st.ip_addresses().map(str)),
        (network_names.ipv6_address, st.ip_addresses(v=6).map(lambda address: address.exploded)),
        (network_names.domain_name, DOMAINS),
        (
            network_names.dns_name_or_address,
            st.ip_addresses().map(str) | st.just("DB.Example.com."),
        ),
        (aws_ids.hosted_zone_id, st.from_regex(aws_ids.HOSTED_ZONE_ID, fullmatch=True)),
        (
            aws_ids.kms_key_arn,
            st.uuids().map(lambda key: f"arn:aws:kms:us-west-2:532151327118:key/{key}"),
        ),
        (validation.days, st.dates().map(str)),
        (aws_ids.topic_name, st.from_regex(r"[A-Za-z0-9_-]{1,256}", fullmatch=True)),
        (network_names.email_address, st.emails()),
        (network_names.https_url, URLS),
        (network_names.url_path, st.from_regex(r"/[!-~]{0,254}", fullmatch=True)),
        (
            alarm_settings.namespace,
            st.from_regex(r"[A-Za-z][A-Za-z0-9/:#. ]{0,99}", fullmatch=True),
        ),
        (validation.one_line, st.text(min_size=1)),
        (aws_ids.tag_key, st.from_regex(r"[\w .:/=+@-]{1,99}", fullmatch=True)),
        (aws_ids.tag_value, st.from_regex(r"[\w .:/=+@-]{0,99}", fullmatch=True)),
        (alarm_settings.failover_statistic, st.sampled_from(limits.FAILOVER_STATISTICS)),
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
@fewer_examples(5)
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
@fewer_examples(5)
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
    assert network_names.is_ipv6(text) is ipv6


@cases(
    ("value", "text"),
    {
        "text": ("abc", "'abc'"),
        "control characters": ("a\nb\x1b", r"'a\nb\x1b'"),
        "text of the greatest length": ("a" * 58, f"'{'a' * 58}'"),
        "longer text": ("a" * 59, f"'{'a' * 56}..."),
        "number": (42, "42"),
    },
)
def test_values_are_shown_short_and_on_one_line(value: object, text: str) -> None:
    assert validation.shown(value) == text


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


@cases(
    ("check", "value"),
    {
        "role too long": (probe_validation.role_name, "a" * 65),
        "role with an umlaut": (probe_validation.role_name, "büro"),
        "association too short": (probe_validation.association_name, "ab"),
        "association with a space": (probe_validation.association_name, "shop probe"),
        "server with a zone": (probe_validation.dns_server, "fe80::1%eth0"),
        "many servers": (probe_validation.dns_server, "224.0.0.251"),
        "text too long": (probe_validation.body_text, "a" * 256),
    },
)
def test_settings_of_the_probe_are_refused(check: Callable[[str], str], value: str) -> None:
    assert refusal(check, value)
