"""Route 53 health checks that send requests to an endpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aws_cdk import Duration
from aws_cdk import aws_route53 as route53
from constructs import Construct

from staged_resiliency.failover.health_checks import HealthCheck
from staged_resiliency.shared import limits, network_names, validation
from staged_resiliency.shared.digest import digest, stable
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds, require_one_of, wrong_type


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request; the endpoint is healthy when the response's status is 2xx or 3xx.

    Attributes:
        path: Path to request; ``/`` unless given.
        port: TCP port; 80 unless given.
        host_header: Host header of the request, where the endpoint is an address; the address
            unless given.
        search_text: Text that the first 5,120 bytes of the response must contain; costs extra. Only
            the status counts unless given.
    """

    path: str = "/"
    port: int = 80
    host_header: str | None = None
    search_text: str | None = None


@dataclass(frozen=True, slots=True)
class HttpsRequest:
    """An HTTPS request, at extra cost; Route 53 does not verify the certificate.

    Attributes:
        path: Path to request; ``/`` unless given.
        port: TCP port; 443 unless given.
        host_header: Host header and TLS server name, where the endpoint is an address; the
            address, and no server name, unless given.
        search_text: Text that the first 5,120 bytes of the response must contain; costs extra. Only
            the status counts unless given.
    """

    path: str = "/"
    port: int = 443
    host_header: str | None = None
    search_text: str | None = None


@dataclass(frozen=True, slots=True)
class TcpConnect:
    """A TCP connection; the endpoint is healthy when it is made within ten seconds.

    Attributes:
        port: TCP port.
    """

    port: int


Request: TypeAlias = HttpRequest | HttpsRequest | TcpConnect
"""The request that Route 53's health checkers send."""


class EndpointHealthCheck(HealthCheck):
    """A health check that is healthy while Route 53's health checkers get a response.

    Args:
        address: IPv4 or IPv6 address of the endpoint, reachable from the internet. Either this
            or ``domain_name``.
        domain_name: DNS name of the endpoint, which the checkers resolve themselves.
        request: What the checkers send: ``HttpRequest``, ``HttpsRequest`` or ``TcpConnect``.
        interval_seconds: Seconds between two requests of one checker, or a ``Duration``: 30
            unless given, or 10 at extra cost.
        failure_threshold: Requests in a row, 1 to 10, that change the status; 3 unless given.
        regions: The regions of the checkers, three or more; all that Route 53 has unless given.
        label: Name tag of the health check. Route 53 shows it.

    Raises:
        InvalidInputError: An argument that Route 53 would refuse.

    A changed endpoint or request replaces the health check, since Route 53 accepts no update that
    adds or removes an address; only the failure threshold and the regions are updated in place.

    Attributes are those of ``HealthCheck``.

    Example:
        >>> from aws_cdk import App, Stack
        >>> health_check = EndpointHealthCheck(
        ...     Stack(App(), "Shop"),
        ...     "HealthCheck",
        ...     address="52.11.79.8",
        ...     request=HttpsRequest(path="/version/", host_header="shop.example.com"),
        ...     label="shop-blue-endpoint",
        ... )
        >>> health_check.metric_health_check_status().metric_name
        'HealthCheckStatus'

    See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        request: Request,
        label: str,
        address: str | None = None,
        domain_name: str | None = None,
        interval_seconds: Literal[10, 30] | Duration = 30,
        failure_threshold: int = 3,
        regions: Sequence[str] = (),
    ) -> None:
        owner = "EndpointHealthCheck"
        if (address is None) == (domain_name is None):
            raise InvalidInputError(f"{owner}: give either address or domain_name")
        if address is not None:
            address = checked(owner, "address", address, _public_address)
        if domain_name is not None:
            domain_name = checked(owner, "domain_name", domain_name, _public_name)
        if not isinstance(request, HttpRequest | HttpsRequest | TcpConnect):
            allowed = "HttpRequest(...), HttpsRequest(...) or TcpConnect(...)"
            raise wrong_type(owner, "request", request, allowed)
        checked(owner, "request.port", request.port, network_names.port)
        checked(owner, "failure_threshold", failure_threshold, _failure_threshold)
        interval = checked(owner, "interval_seconds", in_seconds(interval_seconds), _interval)
        _require_regions(regions)
        if isinstance(request, TcpConnect):
            kind, path, header, text = "TCP", None, None, None
        else:
            kind = "HTTP" if isinstance(request, HttpRequest) else "HTTPS"
            path = checked(owner, "request.path", request.path, network_names.url_path)
            header, text = request.host_header, request.search_text
            if header is not None:
                header = checked(owner, "request.host_header", header, network_names.domain_name)
            if text is not None:
                text = checked(owner, "request.search_text", text, _search_text)
        if domain_name is not None and header is not None:
            raise InvalidInputError(
                f"{owner}: request.host_header: goes with address only; with domain_name "
                "Route 53 sends that name"
            )
        type_ = kind if text is None else f"{kind}_STR_MATCH"
        super().__init__(
            scope,
            construct_id,
            content_digest=digest(
                label,
                type_,
                stable(address),
                stable(domain_name),
                stable(header),
                stable(request.port),
                stable(path),
                stable(text),
                stable(interval),
            ),
            config=route53.CfnHealthCheck.HealthCheckConfigProperty(
                type=type_,
                ip_address=address,
                fully_qualified_domain_name=domain_name or header,
                port=request.port,
                resource_path=path,
                search_string=text,
                enable_sni=True if kind == "HTTPS" else None,
                request_interval=interval,
                failure_threshold=failure_threshold,
                regions=list(regions) or None,
                inverted=False,
            ),
            label=label,
            description="Route 53's checkers ask the active host over the internet.",
        )


def _public_address(value: str) -> str:
    address = network_names.ip_address(value)
    if not network_names.is_public(address):
        raise ValueError(
            f"{validation.shown(value)} can't be reached by Route 53's checkers; give a public "
            "address"
        )
    return address


def _public_name(value: str) -> str:
    if network_names.is_internal_balancer(value):
        raise ValueError(
            f"{validation.shown(value)} is an internal load balancer, which Route 53's checkers "
            "can't reach; give one that faces the internet, or decide by an alarm of the hosts' "
            "probes"
        )
    return network_names.domain_name(value)


_failure_threshold = validation.in_range(1, limits.MAX_FAILURE_THRESHOLD)


def _interval(value: int) -> int:
    if value not in limits.REQUEST_INTERVALS_SECONDS:
        raise ValueError(f"{value} s is not an interval Route 53 offers; allowed: 10 or 30")
    return value


def _require_regions(regions: Sequence[str]) -> None:
    for region in regions:
        require_one_of("EndpointHealthCheck", "regions", region, limits.CHECKER_REGIONS)
    if regions and len(set(regions)) < limits.MIN_CHECKER_REGIONS:
        raise InvalidInputError(
            f"EndpointHealthCheck: regions: {', '.join(regions)} are fewer than "
            f"{limits.MIN_CHECKER_REGIONS}, which Route 53 asks for"
        )


def _search_text(value: str) -> str:
    if not value:
        raise ValueError("is empty; give a text or leave it out")
    return validation.at_most(value, limits.MAX_SEARCH_TEXT_CHARACTERS, "the text")
