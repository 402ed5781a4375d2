"""The part of a service file that says how soon clients must be served again."""

from typing import Annotated, Final

from pydantic import Field

from resiliency.service_file.field_types import Section

HOST: Final = "host"
ENDPOINT: Final = "endpoint"


class Objective(Section):
    """How soon clients must be served again when the active host fails."""

    recovery_time_seconds: int = Field(
        ge=1,
        le=86_400,
        description="Seconds from a fault until 95 of 100 clients reach the standby.",
        examples=[300],
    )
    enforce: bool = Field(
        default=False,
        description="Refuse a design that misses it, in place of a warning.",
    )
    faults: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="What it is promised for: 'host' (stopped or impaired), 'endpoint' (dead), or "
        "the name of a dependency that the active host can't reach; host, endpoint and the "
        "dependencies in failover_on unless given.",
        examples=[["host", "endpoint"]],
    )
