"""A client of the instance metadata service: id, region, Name tag and credentials.

Speaks version 2 alone, also where botocore would fall back to version 1.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
"""

from __future__ import annotations

import http.client
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlsplit

DEFAULT_URL = "http://169.254.169.254"
TIMEOUT_SECONDS = 2.0
TOKEN_SECONDS = 21_600
# Below the 15 minutes before the end of credentials in which botocore asks for others with each
# request, and above the 10 in which it does not go on without an answer.
EXTENDED_SECONDS = 14 * 60
_MAX_BYTES = 65_536
_ROLE = "/latest/meta-data/iam/security-credentials/"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_CREDENTIALS = {  # by the names that botocore gives them
    "access_key": "AccessKeyId",
    "secret_key": "SecretAccessKey",
    "token": "Token",
    "expiry_time": "Expiration",
}


class MetadataError(Exception):
    """The metadata service did not answer, or not as expected."""


class Metadata:
    """Asks the metadata service, with a session token that it keeps."""

    def __init__(self, url: str = DEFAULT_URL) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._token = ""

    def instance_id(self) -> str:
        """Return this instance's id."""
        return self._get("/latest/meta-data/instance-id")

    def region(self) -> str:
        """Return this instance's region."""
        return self._get("/latest/meta-data/placement/region")

    def name_tag(self) -> str | None:
        """Return the Name tag; None without one, or where metadata does not include tags."""
        try:
            return self._get("/latest/meta-data/tags/instance/Name")
        except NotThereError:
            return None

    def credentials(self) -> dict[str, str]:
        """Return the instance role's credentials, for botocore's RefreshableCredentials.

        Those that have expired, or soon will, are extended, as botocore's own provider does: while
        the service that issues them is unavailable, the metadata service returns the last ones,
        and AWS goes on accepting them.
        """
        try:
            role = self._get(_ROLE).split("\n")[0]
            answer = json.loads(self._get(_ROLE + quote(role, safe="")))
            found = {name: _header_value(answer[key], key) for name, key in _CREDENTIALS.items()}
            return {**found, "expiry_time": _extended(found["expiry_time"])}
        except NotThereError:
            raise MetadataError("the instance has no role; give it an instance profile") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise MetadataError("the metadata service's credentials can't be parsed") from None

    def _get(self, path: str) -> str:
        for _ in range(2):  # the token may have expired
            if not self._token:
                lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
                status, token = self._ask("PUT", "/latest/api/token", lifetime)
                if status != 200:
                    raise MetadataError(f"the metadata service returns no token (status {status})")
                self._token = _header_value(token, "token")
            status, text = self._ask("GET", path, {"X-aws-ec2-metadata-token": self._token})
            if status == 200:
                return text
            if status == 404:
                raise NotThereError(f"the metadata service has no {path}")
            self._token = ""
        raise MetadataError(f"the metadata service answers {path} with status {status}")

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MAX_BYTES).decode("utf-8")
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise MetadataError(f"the metadata service can't be reached: {reason}") from None
        finally:
            connection.close()


class NotThereError(MetadataError):
    """The metadata service has no such value for this instance."""


def _extended(expires: str) -> str:
    """Return the time at which credentials are taken to expire, at the earliest soon."""
    soonest = _now() + timedelta(seconds=EXTENDED_SECONDS)
    given = datetime.strptime(expires, _TIME).replace(tzinfo=timezone.utc)
    return max(given, soonest).strftime(_TIME)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _header_value(value: object, name: str) -> str:
    """Return the value if an HTTP header can hold it; raise MetadataError for any other."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise MetadataError(f"the metadata service returns a malformed {name}")
    return value
