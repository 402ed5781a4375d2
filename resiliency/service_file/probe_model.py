"""The parts of a service file that say what the probe measures, and how."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from resiliency.service_file.field_types import (
    BodyText,
    DomainName,
    DomainNameOrAddress,
    IntervalSeconds,
    RoleName,
    Section,
    UrlPath,
)
from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.configuration import DEFAULT_INTERVAL_SECONDS, DEFAULT_TIMEOUT_SECONDS
from staged_resiliency.shared import limits

DependencyProtocol = Literal["tcp", "tls", "http", "https", "dns"]


class DependencyCheck(Section):
    """How the probe asks a dependency. Each key goes with some of the protocols."""

    protocol: DependencyProtocol = Field(
        default="tcp",
        description="tcp connects; tls shakes hands; http and https ask for a path; dns asks a "
        "DNS server for the host's name.",
    )
    path: UrlPath = Field(default="/", description="Path and query to ask for (http, https).")
    status: Annotated[list[Annotated[int, Field(ge=100, le=599)]], Field(min_length=1)] | None = (
        Field(
            default=None,
            description="Statuses that are well (http, https); any 2xx unless given. Redirects are "
            "not followed.",
            examples=[[200, 204]],
        )
    )
    text: BodyText | None = Field(
        default=None,
        description="Text that the first 64 KB of the answer must hold (http, https).",
        examples=["pong"],
    )
    host_header: DomainName | None = Field(
        default=None,
        description="Name to ask for (http, https); the host unless given.",
        examples=["search.example.com"],
    )
    server_name: DomainNameOrAddress | None = Field(
        default=None,
        description="Name that the certificate must have (tls, https); the host unless given.",
        examples=["search.example.com"],
    )
    days_to_expiry: int = Field(
        default=0,
        ge=0,
        le=limits.MAX_DAYS_TO_EXPIRY,
        description="The check fails when the certificate is valid for fewer days (tls, https).",
    )
    type: Literal["A", "AAAA", "CNAME"] = Field(
        default="A", description="Type of the record to ask for (dns)."
    )
    answer: str | None = Field(
        default=None,
        description="Value that must be among the answers (dns); any answer is well unless given.",
        examples=["10.0.0.5"],
    )
    server: Annotated[str, AfterValidator(probe_validation.dns_server)] | None = Field(
        default=None,
        description="Address of the DNS server, with the dependency's port or 53 (dns); the "
        "host's own servers unless given.",
        examples=["10.0.0.2"],
    )
    family: Literal["ipv4", "ipv6"] = Field(
        default="ipv4",
        description="Which addresses of a name are asked (all but dns); they are not raced.",
    )


class Probe(Section):
    """The agent on the hosts that measures what they reach; there where it has something to do."""

    roles: list[RoleName] = Field(
        default=[],
        description="Names of the hosts' existing IAM roles; they get the permission to publish.",
        examples=[["bookstore-api"]],
    )
    interval_seconds: IntervalSeconds = Field(
        default=DEFAULT_INTERVAL_SECONDS,
        description="Seconds between two samples of a target; a divisor of 60.",
    )
    timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT_SECONDS,
        description="Seconds that a sample may take; less than the interval.",
    )
    journal: Literal["samples", "changes"] = Field(
        default="samples",
        description="What stands in the hosts' journal: each sample, or each change of a target.",
    )
    peer: bool = Field(
        default=False,
        description="Each host asks the other one's endpoint, so that a dead host is seen from "
        "outside. True where failover_on has 'peer'.",
    )
    state: Literal["present", "absent"] = Field(
        default="present",
        description="absent takes the agent away from the hosts, before its stack is removed.",
    )
