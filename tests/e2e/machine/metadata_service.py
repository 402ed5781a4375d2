"""The instance metadata service, as instances with ``HttpTokens: required`` see it.

It tells instances apart by their source address, answers nobody without a session token
(EC2 User Guide, "Use the Instance Metadata Service") and remembers who asked what.
"""

import json
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from tests.e2e.machine.closing import Closing
from tests.e2e.machine.servers import HttpAnswer, HttpRequest, ListeningServer

TOKEN_PATH: Final = "/latest/api/token"
TOKEN_HEADER: Final = "X-aws-ec2-metadata-token"
TTL_HEADER: Final = "X-aws-ec2-metadata-token-ttl-seconds"
MAX_TTL_SECONDS: Final = 21_600

_TREE: Final = "/latest/meta-data/"


@dataclass(frozen=True)
class Credentials:
    """A role's credentials for a while."""

    access_key: str = "ASIATESTTESTTESTTEST"
    secret_key: str = "secret-of-a-test"
    token: str = "token-of-a-test"
    expiration: datetime = field(
        default_factory=lambda: datetime.now(timezone.utc) + timedelta(hours=6)
    )


@dataclass(frozen=True)
class Instance:
    """The metadata of an instance.

    Attributes:
        instance_id: Its id.
        tags: Its tags; None where tags in instance metadata are switched off.
        region: Where it runs.
        role: The name of its role; None where it has no instance profile.
        credentials: The role's credentials.
    """

    instance_id: str = "i-0123456789abcdef0"
    tags: Mapping[str, str] | None = None
    region: str = "us-west-2"
    role: str | None = "bookstore-instance"
    credentials: Credentials = field(default_factory=Credentials)

    def documents(self) -> Mapping[str, str]:
        """Return the values by path below /latest/meta-data/."""
        found = {
            "instance-id": self.instance_id,
            "placement/region": self.region,
            "placement/availability-zone": f"{self.region}a",
        }
        if self.role is not None:
            found["iam/security-credentials/"] = self.role
            found[f"iam/security-credentials/{self.role}"] = json.dumps(
                {
                    "Code": "Success",
                    "LastUpdated": _timestamp(datetime.now(timezone.utc)),
                    "Type": "AWS-HMAC",
                    "AccessKeyId": self.credentials.access_key,
                    "SecretAccessKey": self.credentials.secret_key,
                    "Token": self.credentials.token,
                    "Expiration": _timestamp(self.credentials.expiration),
                }
            )
        if self.tags is not None:
            found["tags/instance/"] = "\n".join(self.tags)
            found |= {f"tags/instance/{key}": value for key, value in self.tags.items()}
        return found


@dataclass(frozen=True)
class MetadataRequest:
    """A request and its answer.

    Attributes:
        source: The address that it came from.
        method: ``GET`` or ``PUT``.
        path: What it asked for.
        with_token: Whether it brought a session token, sound or not; a request of version 1
            of the service has none.
        status: The answer's status.
    """

    source: str
    method: str
    path: str
    with_token: bool
    status: int

    @property
    def of_version_1(self) -> bool:
        """Whether it is a request of version 1."""
        return self.method == "GET" and not self.with_token


class MetadataService(Closing):
    """Serves the metadata until ``close``.

    Attributes:
        instances: What it says, by the source's address. Other sources are not answered. May be
            changed at any time, as when credentials are rotated.
        requests: What was asked so far, oldest first.
    """

    def __init__(self, listener: socket.socket, instances: Mapping[str, Instance]) -> None:
        """Serve on a socket that listens already, as ``PrivateNetwork.listen`` makes it."""
        self.instances = dict(instances)
        self.requests: list[MetadataRequest] = []
        self._tokens: dict[str, tuple[str, float]] = {}
        self._server = ListeningServer(listener, self._answered)

    def change(self, address: str, **changes: Any) -> None:
        """Change an instance's metadata, such as its ``credentials``."""
        self.instances[address] = replace(self.instances[address], **changes)

    def close(self) -> None:
        """Stop the service."""
        self._server.end()

    def _answered(self, request: HttpRequest) -> HttpAnswer:
        headers = [("Content-Type", "text/plain")]
        if request.method == "PUT":
            status, text = self._new_token(request)
            if status == 200:  # the Go SDK refuses a token whose lifetime the answer does not say
                headers.append((TTL_HEADER, request.headers[TTL_HEADER]))
        else:
            status, text = self._read(request)
        self.requests.append(
            MetadataRequest(
                source=request.source,
                method=request.method,
                path=request.path,
                with_token=TOKEN_HEADER in request.headers,
                status=status,
            )
        )
        return HttpAnswer(status, text.encode(), headers)

    def _new_token(self, request: HttpRequest) -> tuple[int, str]:
        if request.path != TOKEN_PATH:
            return 405, ""
        if "X-Forwarded-For" in request.headers:  # it came through a proxy
            return 403, ""
        ttl = request.headers.get(TTL_HEADER, "")
        if not ttl.isdecimal() or not 1 <= int(ttl) <= MAX_TTL_SECONDS:
            return 400, ""
        token = secrets.token_urlsafe(40)
        self._tokens[token] = (request.source, time.monotonic() + int(ttl))
        return 200, token

    def _read(self, request: HttpRequest) -> tuple[int, str]:
        owner, until = self._tokens.get(request.headers.get(TOKEN_HEADER, ""), ("", 0.0))
        if owner != request.source or time.monotonic() > until:
            return 401, ""
        instance = self.instances.get(request.source)
        if instance is None or not request.path.startswith(_TREE):
            return 404, ""
        text = instance.documents().get(request.path.removeprefix(_TREE))
        return (404, "") if text is None else (200, text)


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
