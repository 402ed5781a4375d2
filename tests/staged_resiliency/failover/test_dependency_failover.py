"""The failover of a dependency's own name: records, who decides, and what is refused."""

from typing import Any

import pytest
from aws_cdk import Stack

from staged_resiliency import (
    AddressTarget,
    AlarmSignal,
    AliasTarget,
    DependencyFailover,
    EndpointSignal,
    HostedZone,
    HttpRequest,
    HttpsRequest,
    MissingData,
    NameTarget,
    TcpConnect,
)
from staged_resiliency.shared.hosts import COLORS
from tests.staged_resiliency.support import (
    HEALTH_CHECK,
    RECORD,
    ZONE_ID,
    a_connectivity_alarm,
    refused,
    synthesized,
)
from tests.support import Data, records_of, resources_of

CDN = "d111111abcdef8.cloudfront.net"
BUCKET = "images.example.com.s3-website-eu-west-1.amazonaws.com"
CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
PRIMARY, SECONDARY = NameTarget(CDN), NameTarget(BUCKET)
STATUS_FILE = EndpointSignal(HttpsRequest(path="/status.txt", search_text="ok"), 10, 2)


def failover(stack: Stack, **changes: Any) -> DependencyFailover:
    """The failover of a CDN, with arguments changed."""
    usual: Data = {
        "service": "shop",
        "dependency": "images",
        "hosted_zone": HostedZone("example.com", ZONE_ID),
        "record_name": "images.example.com",
        "primary": PRIMARY,
        "secondary": SECONDARY,
        "decided_by": STATUS_FILE,
    }
    return DependencyFailover(stack, "Images", **(usual | changes))


def seen_by_hosts(stack: Stack, dependency: str = "images-primary") -> AlarmSignal:
    """An alarm of each host on whether it reaches a dependency."""
    return AlarmSignal(
        "images",
        {
            color: a_connectivity_alarm(
                stack,
                f"{color}Alarm",
                host_name=f"shop-{color}",
                dependency=dependency,
                missing_data=MissingData.NOT_BREACHING,
            )
            for color in COLORS
        },
    )


def test_both_records_are_cnames_of_the_dependencys_own_name() -> None:
    template = synthesized(failover)
    (check_id,) = resources_of(template, HEALTH_CHECK)
    keys = ("Type", "Name", "ResourceRecords", "SetIdentifier", "HealthCheckId", "Comment")
    assert [[each.get(key) for key in keys] for each in records_of(template)] == [
        [
            "CNAME",
            "images.example.com.",
            [CDN],
            "shop-images-Primary",
            {"Ref": check_id},
            "shop-images: the primary, served while it is healthy.",
        ],
        [
            "CNAME",
            "images.example.com.",
            [BUCKET],
            "shop-images-Secondary",
            None,
            "shop-images: the secondary, served while the primary is unhealthy.",
        ],
    ]
    named = [each.get("Metadata") for each in resources_of(template, RECORD).values()]
    assert named == [{"Dependency": "images"}, None]


def test_the_primarys_own_name_is_checked_and_the_secondary_is_not() -> None:
    template = synthesized(failover)
    (check,) = resources_of(template, HEALTH_CHECK).values()
    assert check["Properties"]["HealthCheckConfig"] == {
        "Type": "HTTPS_STR_MATCH",
        "FullyQualifiedDomainName": CDN,
        "Port": 443,
        "ResourcePath": "/status.txt",
        "SearchString": "ok",
        "EnableSNI": True,
        "RequestInterval": 10,
        "FailureThreshold": 2,
        "Inverted": False,
    }
    assert "active host" not in check["Metadata"]["Description"]


def test_what_all_hosts_see_stays_healthy_while_one_host_reaches_the_primary() -> None:
    template = synthesized(lambda stack: failover(stack, decided_by=seen_by_hosts(stack)))
    checks = resources_of(template, HEALTH_CHECK)
    configs = {
        logical_id: check["Properties"]["HealthCheckConfig"] for logical_id, check in checks.items()
    }
    calculated = [each for each in configs.values() if each["Type"] == "CALCULATED"]
    children = [logical_id for logical_id, each in configs.items() if each not in calculated]
    assert [each["HealthThreshold"] for each in calculated] == [1]
    assert calculated[0]["ChildHealthChecks"] == [{"Ref": child} for child in children]
    assert [configs[child]["AlarmIdentifier"]["Name"] for child in children] == [
        f"shop-{color}-images-primary-connectivity-failed" for color in COLORS
    ]
    # Silence is no sight of the primary, whatever the alarm makes of it.
    assert {configs[child]["InsufficientDataHealthStatus"] for child in children} == {"Unhealthy"}
    primary, _ = records_of(template)
    assert checks[primary["HealthCheckId"]["Ref"]]["Properties"]["HealthCheckConfig"] in calculated


def test_an_alias_to_cloudfront_does_not_evaluate_its_target_and_one_to_a_bucket_does() -> None:
    template = synthesized(
        lambda stack: failover(
            stack,
            primary=AliasTarget(CDN, CLOUDFRONT_ZONE),
            secondary=AliasTarget("s3-website-eu-west-1.amazonaws.com", "Z1BKCTXD74EZPE"),
        )
    )
    aliases = [(each["Type"], each["AliasTarget"]) for each in records_of(template)]
    assert aliases == [
        ("A", {"DNSName": CDN, "HostedZoneId": CLOUDFRONT_ZONE, "EvaluateTargetHealth": False}),
        (
            "A",
            {
                "DNSName": "s3-website-eu-west-1.amazonaws.com",
                "HostedZoneId": "Z1BKCTXD74EZPE",
                "EvaluateTargetHealth": True,
            },
        ),
    ]
    assert all("TTL" not in each for each in records_of(template))


def test_two_long_names_fit_into_the_set_identifiers() -> None:
    longest = "a" * 40
    template = synthesized(lambda stack: failover(stack, service=longest, dependency=longest))
    identifiers = [each["SetIdentifier"] for each in records_of(template)]
    assert identifiers == [f"{longest}-{longest}-{role}" for role in ("Primary", "Secondary")]


OTHER = "d222222abcdef8.cloudfront.net"
TWO_DISTRIBUTIONS = (
    "FailoverRecords: primary and secondary are both CloudFront distributions, and only one "
    "distribution can have the records' name as an alternate domain name; give as secondary a "
    "bucket, a load balancer or another CDN"
)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secondary": NameTarget(OTHER)}, TWO_DISTRIBUTIONS),
        (
            {
                "primary": AliasTarget(CDN, CLOUDFRONT_ZONE),
                "secondary": AliasTarget(OTHER, CLOUDFRONT_ZONE),
            },
            TWO_DISTRIBUTIONS,
        ),
        (
            {"secondary": PRIMARY},
            f"DependencyFailover: primary and secondary are both {CDN}; give two targets",
        ),
        (
            {"secondary": NameTarget("Images.example.com.")},
            "DependencyFailover: secondary: images.example.com is the dependency's own name; give "
            "the name of what answers for it",
        ),
        (
            {"secondary": AliasTarget("lb.eu-west-1.elb.amazonaws.com", "Z32O12XQLNTSW2")},
            "FailoverRecords: primary serves CNAME records, secondary A; both need the same, since "
            "each primary record needs a secondary one",
        ),
        (
            {"record_name": "example.com", "secondary": NameTarget("cdn.example.net")},
            "FailoverRecords: record_name: example.com is the zone's own name, which can't be a "
            "CNAME record; give AliasTarget(...) as primary and secondary",
        ),
        (
            {"decided_by": AlarmSignal("images", {})},
            "DependencyFailover: decided_by: has no alarms; give one for each host",
        ),
        (
            {"primary": AddressTarget(ipv4="52.11.79.8")},
            "DependencyFailover: primary: AddressTarget(ipv4='52.11.79.8', ipv6=None) is of type "
            "AddressTarget; give NameTarget(...) or AliasTarget(...)",
        ),
        (
            {"decided_by": "primary"},
            "DependencyFailover: decided_by: 'primary' is of type str; give EndpointSignal(...) or "
            "AlarmSignal(...)",
        ),
        (
            {"secondary": NameTarget("shop.s3.eu-west-1.amazonaws.com")},
            "DependencyFailover: secondary: shop.s3.eu-west-1.amazonaws.com is the bucket shop, "
            "and Amazon S3 finds buckets by the name that clients ask for; give one named "
            "images.example.com",
        ),
        (
            {
                "primary": AliasTarget(CDN, CLOUDFRONT_ZONE),
                "secondary": AliasTarget(BUCKET, "Z1BKCTXD74EZPE"),
            },
            f"DependencyFailover: secondary: {BUCKET} can't be the target of an alias: Route 53 "
            "takes the website endpoint of a region, without a bucket; give one like "
            "s3-website-us-west-2.amazonaws.com",
        ),
        (
            {"primary": SECONDARY, "secondary": PRIMARY},
            f"DependencyFailover: primary: {BUCKET} is a website endpoint of Amazon S3, which has "
            "no https; give EndpointSignal an HttpRequest",
        ),
        (
            {
                "primary": AliasTarget("s3-website-eu-west-1.amazonaws.com", "Z1BKCTXD74EZPE"),
                "secondary": AliasTarget(CDN, CLOUDFRONT_ZONE),
            },
            "DependencyFailover: primary: s3-website-eu-west-1.amazonaws.com names no bucket, and "
            "Route 53 health checkers ask by this name; let hosts decide, with an AlarmSignal",
        ),
    ],
)
def test_what_could_not_fail_over_is_refused(changes: Data, message: str) -> None:
    with refused(message):
        failover(Stack(), **changes)


def test_a_website_may_be_the_primary_over_http_or_by_its_port() -> None:
    for request in (HttpRequest(path="/status.txt"), TcpConnect(80)):
        made = {"primary": SECONDARY, "secondary": PRIMARY, "decided_by": EndpointSignal(request)}
        assert failover(Stack(), **made).records.record_name == "images.example.com"


def test_an_alarm_on_the_dependencys_own_name_is_refused() -> None:
    message = (
        "DependencyFailover: decided_by: shop-blue-images-connectivity-failed is on the "
        "dependency's own name, so it would recover by the failover that it decides, and clients "
        "would go to and fro; let the probes check the primary's own name, as a dependency "
        "images-primary"
    )
    stack = Stack()
    with refused(message):
        failover(stack, decided_by=seen_by_hosts(stack, "images"))
