"""The name that clients use, its zone, and the health check of the endpoint."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from resiliency.service_file.model.values import (
    BodyText,
    DomainName,
    HostedZoneId,
    Port,
    Section,
    UrlPath,
)
from staged_resiliency.shared import limits, validation

Protocol = Literal["http", "https", "tcp"]
CheckerRegion = Literal[
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
]


class HostedZone(Section):
    """The Route 53 hosted zone that holds the endpoint's record."""

    name: DomainName = Field(description="Name of the zone.", examples=["pingpublications.com"])
    id: HostedZoneId | None = Field(
        default=None,
        description="Id of the zone. Without it the zone is looked up by name at synth, which "
        "needs credentials.",
        examples=["Z2EHK3FAEUNRMI"],
    )
    private: bool = Field(
        default=False,
        description="Whether the zone is a private one, which answers in its VPCs alone; such a "
        "zone needs its id.",
    )


class CheckerSettings(Section):
    """Settings of a health check that Route 53's health checkers make."""

    interval_seconds: Literal[10, 30] = Field(
        default=30, description="Seconds between two requests of one checker; 10 costs extra."
    )
    failure_threshold: int = Field(
        default=3,
        ge=1,
        le=limits.MAX_FAILURE_THRESHOLD,
        description="Failed requests in a row after which the health check is unhealthy.",
    )
    regions: Annotated[list[CheckerRegion], Field(min_length=limits.MIN_CHECKER_REGIONS)] | None = (
        Field(
            default=None,
            description="Regions of the health checkers, three or more; all of Route 53's unless "
            "given.",
            examples=[["us-east-1", "us-west-1", "us-west-2"]],
        )
    )
    search_text: BodyText | None = Field(
        default=None,
        description="Text that the first 5,120 bytes of the response must contain; costs extra.",
        examples=["bookstore-api"],
    )
    protocol: Protocol = Field(
        default="http", description="http and https request the path; tcp only connects."
    )


class EndpointCheck(CheckerSettings):
    """How Route 53 health checkers check the active host, when failover_on has 'endpoint'."""

    path: UrlPath | None = Field(
        default=None,
        description="Path that health checkers and the hosts' checks of each other request; the "
        "endpoint's version_path unless given.",
        examples=["/health"],
    )
    host: DomainName | None = Field(
        default=None,
        description="Host header that the checkers send to hosts given by address; the record "
        "unless given.",
        examples=["bookstore.pingpublications.com"],
    )


class Endpoint(Section):
    """The name under which clients find the service."""

    record: DomainName = Field(
        description="DNS name of the failover record pair.",
        examples=["bookstore.pingpublications.com"],
    )
    more_records: list[DomainName] = Field(
        default=[],
        description="Further DNS names of the service, in the same zone: a failover record pair "
        "for each, with the same health check.",
        examples=[["www.pingpublications.com"]],
    )
    ttl_seconds: int = Field(
        default=60,
        ge=0,
        le=limits.MAX_TTL_SECONDS,
        description="How long resolvers keep an answer. Above 60 every failover is slower.",
    )
    port: Port | None = Field(
        default=None,
        description="TCP port on which the hosts serve; 80, or 443 where check.protocol is https.",
        examples=[8080],
    )
    version_path: UrlPath = Field(
        default="/version/",
        description="Path that the serving host answers with status 200 and a JSON object with "
        "its Name tag.",
    )
    version_field: Annotated[str, AfterValidator(validation.version_field)] | None = Field(
        default="environment",
        description="Key of the Name tag in that object; null where version_path only shows the "
        "host's health: then the address shows which host answers.",
    )
    check: EndpointCheck = Field(
        default=EndpointCheck(),
        description="How Route 53 checks the endpoint, when failover_on has 'endpoint'.",
    )

    @property
    def health_path(self) -> str:
        """The path that health checkers and the hosts' checks of each other request."""
        return self.check.path or self.version_path

    @property
    def serving_port(self) -> int:
        """The TCP port on which the hosts serve."""
        return self.port or (443 if self.check.protocol == "https" else 80)
