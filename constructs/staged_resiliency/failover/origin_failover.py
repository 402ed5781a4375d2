"""An origin group of CloudFront that asks the secondary origin within seconds."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3

from staged_resiliency.shared import limits, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, in_seconds, wrong_type

_OWNER: Final = "OriginFailover"

DEFAULT_CONNECTION_ATTEMPTS: Final = 2
DEFAULT_CONNECTION_TIMEOUT_SECONDS: Final = 2
DEFAULT_RESPONSE_TIMEOUT_SECONDS: Final = 5
DEFAULT_STATUS_CODES: Final = (500, 502, 503, 504)


class OriginFailover(origins.OriginGroup):
    """Two origins of a CloudFront distribution, which asks the secondary when the primary fails.

    It is the ``origin`` of a behaviour of the CDK's ``Distribution``. CloudFront asks the primary
    first for each request that is not in its cache, and the secondary if the primary can't be
    connected to, does not respond in time, or responds with one of the status codes; for GET, HEAD
    and OPTIONS alone. With CloudFront's defaults a client waits up to 30 s until the secondary is
    asked, and two minutes where the primary accepts connections and hangs. With those here it is
    4 s and 14 s, which ``resiliency timing`` reads from the template.

    Args:
        primary: DNS name of the origin, or a bucket of Amazon S3, to which a distribution of the
            same stack gets access (origin access control).
        secondary: The same for the other one.
        connection_attempts: How often CloudFront tries each origin, 1 to 3; 2 unless given.
        connection_timeout_seconds: How long it waits for a connection, 1 to 10 s or a
            ``Duration``; 2 unless given.
        response_timeout_seconds: How long it waits for a response of an origin given by its name,
            1 to 120 s or a ``Duration``; 5 unless given. More than the slowest good response takes.
        status_codes: Status codes of the primary upon which the secondary is asked; 500, 502, 503
            and 504 unless given. CloudFront takes 503 for a primary that can't be connected to and
            504 for one that does not respond in time, so both have to be among them. A bucket that
            denies access responds with 403.

    Raises:
        InvalidInputError: A name, number or code that CloudFront would refuse, or one origin twice.

    Attributes:
        unreachable_seconds: The most seconds until the secondary is asked, where the primary
            accepts no connection.
        unresponsive_seconds: The same where it accepts them and does not respond; None for a
            bucket, whose response time-out is CloudFront's own.

    Example:
        >>> from aws_cdk import App, Stack
        >>> origin = OriginFailover("a.example.com", "b.example.com")
        >>> distribution = cloudfront.Distribution(
        ...     Stack(App(), "Shop"),
        ...     "Images",
        ...     default_behavior=cloudfront.BehaviorOptions(origin=origin),
        ... )
        >>> origin.unreachable_seconds, origin.unresponsive_seconds
        (4, 14)

    See https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/high_availability_origin_failover.html
    """

    def __init__(
        self,
        primary: str | s3.IBucket,
        secondary: str | s3.IBucket,
        *,
        connection_attempts: int = DEFAULT_CONNECTION_ATTEMPTS,
        connection_timeout_seconds: int | Duration = DEFAULT_CONNECTION_TIMEOUT_SECONDS,
        response_timeout_seconds: int | Duration = DEFAULT_RESPONSE_TIMEOUT_SECONDS,
        status_codes: Sequence[int] = DEFAULT_STATUS_CODES,
    ) -> None:
        attempts = checked(
            _OWNER,
            "connection_attempts",
            connection_attempts,
            validation.in_range(1, limits.MAX_ORIGIN_ATTEMPTS),
        )
        connecting = checked(
            _OWNER,
            "connection_timeout_seconds",
            in_seconds(connection_timeout_seconds),
            validation.in_range(1, limits.MAX_ORIGIN_CONNECTION_SECONDS),
        )
        responding = checked(
            _OWNER,
            "response_timeout_seconds",
            in_seconds(response_timeout_seconds),
            validation.in_range(1, limits.MAX_ORIGIN_RESPONSE_SECONDS),
        )
        for code in status_codes:
            checked(_OWNER, "status_codes", code, _status_code)
        for code, failure in (
            (503, "accepts no connection"),
            (504, "does not respond in time"),
        ):
            if code not in status_codes:
                raise InvalidInputError(
                    f"{_OWNER}: status_codes: lacks {code}, without which CloudFront does not ask "
                    f"the secondary where the primary {failure}; add it"
                )
        if primary == secondary:
            raise InvalidInputError(
                f"{_OWNER}: primary and secondary are the same; give two origins"
            )

        def origin(argument: str, given: str | s3.IBucket) -> cloudfront.IOrigin:
            timeout = Duration.seconds(connecting)
            if isinstance(given, str):
                return origins.HttpOrigin(
                    checked(_OWNER, argument, given, network_names.domain_name),
                    connection_attempts=attempts,
                    connection_timeout=timeout,
                    read_timeout=Duration.seconds(responding),
                )
            if not hasattr(given, "bucket_regional_domain_name"):
                raise wrong_type(_OWNER, argument, given, "a DNS name or a bucket")
            return origins.S3BucketOrigin.with_origin_access_control(
                given, connection_attempts=attempts, connection_timeout=timeout
            )

        super().__init__(
            primary_origin=origin("primary", primary),
            fallback_origin=origin("secondary", secondary),
            fallback_status_codes=list(status_codes),
        )
        self.unreachable_seconds: Final = attempts * connecting
        self.unresponsive_seconds: Final = (
            attempts * (connecting + responding) if isinstance(primary, str) else None
        )


def _status_code(value: int) -> int:
    if value not in limits.ORIGIN_STATUS_CODES:
        allowed = ", ".join(map(str, limits.ORIGIN_STATUS_CODES))
        raise ValueError(f"{value} can't make CloudFront ask another origin; allowed: {allowed}")
    return value
