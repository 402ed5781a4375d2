"""Sends statistic sets to CloudWatch, and says what an error means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session

from .failure import shown
from .metadata import Metadata, MetadataError
from .metric_statistics import Datum

CONNECT_SECONDS = 3
READ_SECONDS = 5
# What CloudWatch says of a request that will never be accepted; some of its protocols append
# "Exception" to these codes.
_NEVER = (
    "InvalidFormat",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "MissingRequiredParameter",
    "RequestEntityTooLarge",
    "Validation",
    "ValidationError",
)
# What it says of credentials that may be newer at the metadata service.
_CREDENTIALS = (
    "AccessDenied",
    "ExpiredToken",
    "InvalidClientTokenId",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
)


class SendError(Exception):
    """A request was not accepted.

    Attributes:
        kind: What went wrong, in a word or two that stay the same while it does.
        never: Whether the same request will never be accepted.
        answered: Whether CloudWatch itself said so.
    """

    def __init__(
        self, kind: str, detail: str, *, never: bool = False, answered: bool = False
    ) -> None:
        super().__init__(f"{kind}: {shown(detail, 300)}")
        self.kind = kind
        self.never = never
        self.answered = answered


class CloudWatch:
    """PutMetricData with the instance role's credentials.

    Args:
        namespace: Of all metrics.
        region: Of CloudWatch.
        metadata: Gives the credentials.
        endpoint_url: CloudWatch's endpoint; the region's when empty.
    """

    def __init__(
        self, namespace: str, region: str, metadata: Metadata, endpoint_url: str = ""
    ) -> None:
        self._namespace = namespace
        self._metadata = metadata
        self._session = botocore.session.Session()
        self._options = {
            "region_name": region,
            "endpoint_url": endpoint_url or None,
            "config": botocore.config.Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": 1},  # the outbox tries again
                parameter_validation=False,
                max_pool_connections=1,
            ),
        }
        self._client: Any = None

    def send(self, data: Sequence[Datum]) -> None:
        """Send data in one request; raises ``SendError``."""
        try:
            if self._client is None:
                self._client = self._new_client()
            self._client.put_metric_data(
                Namespace=self._namespace, MetricData=[_rendered(datum) for datum in data]
            )
        except MetadataError as error:
            raise SendError("no credentials", str(error)) from None
        except botocore.exceptions.ClientError as error:
            raise self._meaning(error) from None
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise SendError(type(error).__name__, str(error)) from None

    def _new_client(self) -> Any:
        credentials = botocore.credentials.RefreshableCredentials.create_from_metadata(
            self._metadata.credentials(), self._metadata.credentials, "imdsv2"
        )
        self._session._credentials = credentials  # botocore has no setter for refreshable ones
        return self._session.create_client("cloudwatch", **self._options)

    def _meaning(self, error: Any) -> SendError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        meaning = code[: -len("Exception")] if code.endswith("Exception") else code
        if meaning in _CREDENTIALS:
            self._client = None  # the next attempt asks for credentials anew
        never = meaning in _NEVER or status == 413
        return SendError(shown(code, 60), str(error), never=never, answered=True)


def _rendered(datum: Datum) -> dict[str, Any]:
    return {
        "MetricName": datum.series.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in datum.series.dimensions],
        "Timestamp": datetime.fromtimestamp(datum.minute, timezone.utc),
        "StatisticValues": {
            "SampleCount": datum.samples,
            "Sum": datum.total,
            "Minimum": datum.lowest,
            "Maximum": datum.highest,
        },
    }
