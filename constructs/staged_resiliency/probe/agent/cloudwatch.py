"""Sends statistic sets to CloudWatch, and classifies its errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session

from .journal import printable
from .metadata import Metadata, MetadataError
from .metric_statistics import Datum

CONNECT_SECONDS = 3
READ_SECONDS = 5
# Error codes of requests that CloudWatch will never accept; some of its protocols append
# "Exception" to the codes.
_PERMANENT = (
    "InvalidFormat",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "MissingRequiredParameter",
    "RequestEntityTooLarge",
    "Validation",
    "ValidationError",
)
# Error codes of credentials; the metadata service may have newer ones.
_CREDENTIALS = (
    "AccessDenied",
    "ExpiredToken",
    "InvalidClientTokenId",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "UnrecognizedClient",
)


class SendError(Exception):
    """A request was not accepted; ``kind`` is the same each time the error occurs.

    It is ``permanent`` when CloudWatch will never accept the request, and ``answered`` when
    CloudWatch answered, so that this host is not cut off.
    """

    def __init__(
        self, kind: str, detail: str, *, permanent: bool = False, answered: bool = False
    ) -> None:
        super().__init__(f"{kind}: {printable(detail, 300)}")
        self.kind = kind
        self.permanent = permanent
        self.answered = answered


class CloudWatch:
    """Calls PutMetricData with the instance role's credentials."""

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
                retries={"mode": "standard", "total_max_attempts": 1},  # the outbox retries
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
            raise self._send_error(error) from None
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise SendError(type(error).__name__, str(error)) from None

    def _new_client(self) -> Any:
        credentials = botocore.credentials.RefreshableCredentials.create_from_metadata(
            self._metadata.credentials(), self._metadata.credentials, "imdsv2"
        )
        self._session._credentials = credentials  # botocore has no setter for refreshable ones
        return self._session.create_client("cloudwatch", **self._options)

    def _send_error(self, error: Any) -> SendError:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        base_code = code[: -len("Exception")] if code.endswith("Exception") else code
        if base_code in _CREDENTIALS:
            self._client = None  # the next request asks for credentials again
        permanent = base_code in _PERMANENT or status == 413
        return SendError(printable(code, 60), str(error), permanent=permanent, answered=True)


def _rendered(datum: Datum) -> dict[str, Any]:
    rendered = {
        "MetricName": datum.series.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in datum.series.dimensions],
        "Timestamp": datetime.fromtimestamp(datum.minute, timezone.utc),
    }
    if datum.values:
        values, counts = zip(*datum.values)
        return {**rendered, "Values": values, "Counts": counts}
    statistics = {
        "SampleCount": datum.samples,
        "Sum": datum.total,
        "Minimum": datum.lowest,
        "Maximum": datum.highest,
    }
    return {**rendered, "StatisticValues": statistics}
