"""The objective of the failover time, and the assumptions of its model."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from resiliency.failover_model import overrides
from resiliency.service_file.model.values import Section

# Faults of an objective that are not a dependency's name.
HOST: Final = "host"

ENDPOINT: Final = "endpoint"

MIN_OBJECTIVE_SECONDS: Final = 60

MAX_OBJECTIVE_SECONDS: Final = 3600


class Objective(Section):
    """How soon clients must be served again when the active host fails."""

    recovery_time_seconds: int = Field(
        ge=1,
        le=86_400,
        description="Seconds from a fault until 95 of 100 clients, whose resolvers honor the "
        "TTL, reach the standby.",
        examples=[300],
    )
    enforce: bool = Field(
        default=False,
        description="Whether to refuse a design that misses the objective, instead of warning.",
    )
    faults: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="Faults to which the objective applies: 'host' (stopped or impaired), "
        "'endpoint' (dead), or the name of a dependency that the active host can't reach; host, "
        "endpoint and the dependencies in failover_on unless given.",
        examples=[["host", "endpoint"]],
    )


def _span(value: object) -> tuple[float, float]:
    """Return a number, or two in a list, as least and most."""
    given = value if isinstance(value, list | tuple) else [value, value]
    numbers = [float(each) for each in given if type(each) is int or type(each) is float]
    if len(given) != 2 or len(numbers) != 2:
        raise ValueError(f"{value!r} is neither a number nor a list of two, such as [3, 5]")
    return numbers[0], numbers[1]


Span = Annotated[
    tuple[float, float],
    BeforeValidator(_span),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number"},
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


class Assumptions(Section):
    """Values that replace assumptions of the failover-time model, each a number or a range."""

    extra_periods: Span | None = Field(
        default=None,
        description="Periods that CloudWatch reads beyond the evaluation periods, if shorter than "
        "300 s, as `resiliency timing --calibrate` shows them.",
        examples=[[3, 5]],
    )
    resolver_floor: Span | None = Field(
        default=None, description="Seconds that a resolver caches an answer with a shorter TTL."
    )
    client_cache: Span | None = Field(
        default=None, description="Seconds that a client caches an address.", examples=[30]
    )
    stretching_share: Span | None = Field(
        default=None,
        description="Share of clients, 0 to 1, whose resolvers keep answers longer than the TTL.",
        examples=[0.087],
    )
    stretched_ttl: Span | None = Field(
        default=None,
        description="Seconds that the resolvers of those clients keep an answer.",
        examples=[[300, 3600]],
    )

    @field_validator("*")
    @classmethod
    def _can_be_simulated(cls, span: Span | None, info: ValidationInfo) -> Span | None:
        if span is not None:
            overrides.known(str(info.field_name), *span)
        return span

    @property
    def given(self) -> tuple[tuple[str, float, float], ...]:
        """The name, lowest and highest value of each assumption that the file replaces."""
        return tuple((name, *span) for name, span in self if span is not None)
