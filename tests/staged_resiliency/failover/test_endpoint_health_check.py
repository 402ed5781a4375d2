"""A health check by Route 53's own checkers on an endpoint."""

from typing import Any

from aws_cdk import Stack

from staged_resiliency import EndpointHealthCheck, HttpRequest, HttpsRequest, TcpConnect
from tests.cases import cases
from tests.staged_resiliency.support import (
    HEALTH_CHECK,
    NO_DNS_NAME,
    only_id,
    refused,
    synthesized,
    text_parameter,
)
from tests.support import Data, only

ADDRESS = "52.11.79.8"


def health_check(stack: Stack, **changes: Any) -> EndpointHealthCheck:
    """A health check on an endpoint, with arguments changed."""
    usual: Data = {"address": ADDRESS, "request": HttpRequest(), "label": "shop-blue"}
    return EndpointHealthCheck(stack, "HealthCheck", **{**usual, **changes})


def config_of(**changes: Any) -> Data:
    """The configuration of that health check."""
    template = synthesized(lambda stack: health_check(stack, **changes))
    config: Data = only(template, HEALTH_CHECK)["HealthCheckConfig"]
    return config


@cases(
    ("changes", "rendered"),
    {
        "by HTTP unless said otherwise": ({}, {}),
        "by HTTP with everything but a text": (
            {"request": HttpRequest("/version/", port=8080, host_header="Shop.Example.com.")},
            {
                "Port": 8080,
                "ResourcePath": "/version/",
                "FullyQualifiedDomainName": "shop.example.com",
            },
        ),
        "by HTTP with a text": (
            {"request": HttpRequest(search_text="shop")},
            {"Type": "HTTP_STR_MATCH", "SearchString": "shop"},
        ),
        "by HTTPS": (
            {"request": HttpsRequest()},
            {"Type": "HTTPS", "Port": 443, "EnableSNI": True},
        ),
        "by HTTPS with everything": (
            {"request": HttpsRequest("/v", 8443, "shop.example.com", "shop")},
            {
                "Type": "HTTPS_STR_MATCH",
                "Port": 8443,
                "ResourcePath": "/v",
                "EnableSNI": True,
                "FullyQualifiedDomainName": "shop.example.com",
                "SearchString": "shop",
            },
        ),
        "by TCP": (
            {"request": TcpConnect(port=5432)},
            {"Type": "TCP", "Port": 5432, "ResourcePath": None},
        ),
        "by its domain name": (
            {"address": None, "domain_name": "Blue.example.com."},
            {"FullyQualifiedDomainName": "blue.example.com", "IPAddress": None},
        ),
        "by its IPv6 address in short": (
            {"address": "2600:1F14:0:0::9"},
            {"IPAddress": "2600:1f14::9"},
        ),
        "every 10 seconds": ({"interval_seconds": 10}, {"RequestInterval": 10}),
        "until one request fails": ({"failure_threshold": 1}, {"FailureThreshold": 1}),
        "until ten requests fail": ({"failure_threshold": 10}, {"FailureThreshold": 10}),
    },
)
def test_an_endpoint_is_asked(changes: Data, rendered: Data) -> None:
    usual = {
        "Type": "HTTP",
        "IPAddress": ADDRESS,
        "Port": 80,
        "ResourcePath": "/",
        "RequestInterval": 30,
        "FailureThreshold": 3,
        "Inverted": False,
    }
    expected = {key: value for key, value in (usual | rendered).items() if value is not None}
    assert config_of(**changes) == expected


def test_an_address_that_the_deployment_knows_is_asked_by_reference() -> None:
    def build(stack: Stack) -> None:
        health_check(stack, address=text_parameter(stack, "Address"))

    config = only(synthesized(build), HEALTH_CHECK)["HealthCheckConfig"]
    assert config["IPAddress"] == {"Ref": "Address"}


def test_the_label_names_the_health_check() -> None:
    tags = only(synthesized(health_check), HEALTH_CHECK)["HealthCheckTags"]
    assert tags == [{"Key": "Name", "Value": "shop-blue"}]


UNREACHABLE = "can't be reached by Route 53's checkers; give a public address"


@cases(
    ("changes", "message"),
    {
        "no endpoint": ({"address": None}, "give either address or domain_name"),
        "two endpoints": (
            {"domain_name": "blue.example.com"},
            "give either address or domain_name",
        ),
        "internal load balancer": (
            {"address": None, "domain_name": "internal-blue-1.eu-west-1.elb.amazonaws.com"},
            "domain_name: 'internal-blue-1.eu-west-1.elb.amazonaws.com' is an internal load "
            "balancer, which Route 53's checkers can't reach; give one that faces the internet, "
            "or decide by an alarm of the hosts' probes",
        ),
        "no address": (
            {"address": "blue"},
            "address: 'blue' is not an IPv4 or IPv6 address; give one like 52.11.79.9",
        ),
        "private address": ({"address": "10.0.0.1"}, f"address: '10.0.0.1' {UNREACHABLE}"),
        "shared address": ({"address": "100.64.0.1"}, f"address: '100.64.0.1' {UNREACHABLE}"),
        "private IPv6 address": ({"address": "fd00::1"}, f"address: 'fd00::1' {UNREACHABLE}"),
        "loopback address": (
            {"address": "127.0.0.1"},
            "address: '127.0.0.1' is not the address of a host that clients can reach; give one "
            "like 52.11.79.9",
        ),
        "no DNS name": (
            {"address": None, "domain_name": "localhost"},
            f"domain_name: 'localhost' {NO_DNS_NAME}",
        ),
        "host header beside a domain name": (
            {
                "address": None,
                "domain_name": "blue.example.com",
                "request": HttpsRequest(host_header="shop.example.com"),
            },
            "request.host_header: goes with address only; with domain_name Route 53 sends that "
            "name",
        ),
        "host header": (
            {"request": HttpRequest(host_header="shop")},
            f"request.host_header: 'shop' {NO_DNS_NAME}",
        ),
        "two regions": (
            {"regions": ["us-east-1", "us-west-1"]},
            "regions: us-east-1, us-west-1 are fewer than 3, which Route 53 asks for",
        ),
        "region without checkers": (
            {"regions": ["eu-central-1", "us-west-1", "us-west-2"]},
            "regions: 'eu-central-1' is not allowed; allowed: us-east-1, us-west-1, us-west-2, "
            "eu-west-1, ap-southeast-1, ap-southeast-2, ap-northeast-1, sa-east-1",
        ),
        "port zero": (
            {"request": TcpConnect(port=0)},
            "request.port: 0 is not a TCP port; allowed: 1 to 65535",
        ),
        "port too high": (
            {"request": HttpRequest(port=65536)},
            "request.port: 65536 is not a TCP port; allowed: 1 to 65535",
        ),
        "path": (
            {"request": HttpRequest(path="version")},
            "request.path: 'version' is not a URL path that starts with /; give one like /version/",
        ),
        "too long path": (
            {"request": HttpRequest(path="/" + "p" * 255)},
            f"request.path: path '/{'p' * 55}... has 256 characters; at most 255 fit",
        ),
        "empty text": (
            {"request": HttpRequest(search_text="")},
            "request.search_text: is empty; give a text or leave it out",
        ),
        "too long text": (
            {"request": HttpRequest(search_text="t" * 256)},
            f"request.search_text: the text '{'t' * 56}... has 256 characters; at most 255 fit",
        ),
        "interval": (
            {"interval_seconds": 20},
            "interval_seconds: 20 s is not an interval Route 53 offers; allowed: 10 or 30",
        ),
        "failure threshold too low": (
            {"failure_threshold": 0},
            "failure_threshold: 0 is out of range; allowed: 1 to 10",
        ),
        "failure threshold too high": (
            {"failure_threshold": 11},
            "failure_threshold: 11 is out of range; allowed: 1 to 10",
        ),
    },
)
def test_a_health_check_refuses(changes: Data, message: str, stack: Stack) -> None:
    with refused(f"EndpointHealthCheck: {message}"):
        health_check(stack, **changes)


@cases(
    "changes",
    {
        "address": {"address": "52.11.79.9"},
        "name for address": {"address": None, "domain_name": "lb.example.com"},
        "kind": {"request": HttpsRequest()},
        "port": {"request": HttpRequest(port=81)},
        "path": {"request": HttpRequest(path="/v")},
        "host header": {"request": HttpRequest(host_header="a.example.com")},
        "text": {"request": HttpRequest(search_text="a")},
        "interval": {"interval_seconds": 10},
        "host": {"label": "shop-green"},
    },
)
def test_another_endpoint_or_request_is_another_health_check(changes: Data) -> None:
    assert _id_of(**changes) != _id_of()


def test_another_failure_threshold_is_an_update() -> None:
    assert _id_of(failure_threshold=5) == _id_of()


def _id_of(**changes: Any) -> str:
    return only_id(synthesized(lambda stack: health_check(stack, **changes)), HEALTH_CHECK)
