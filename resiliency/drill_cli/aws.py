"""AWS's APIs, each failure told in one line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import boto3
import botocore
import botocore.exceptions as failures
from botocore.config import Config

from resiliency.drill_cli.errors import NotThereError, TemporaryError
from resiliency.drill_cli.permissions import IDENTITY, Operation, action
from resiliency.drill_cli.safe_console import one_line
from resiliency.errors import UserError

JsonObject = Mapping[str, Any]
"""An answer of an API."""

ATTEMPTS: Final = 4
"""How often a call is tried in all, with pauses that grow, before it counts as failed."""

_MOST_BYTES: Final = 32 * 1024 * 1024
_RIGHTS: Final = "docs/drill-command.md lists the rights that each subcommand needs"
_SIGN_IN: Final = "sign in (`aws sso login`, or however this account is entered) and try again"

_EXPIRED: Final = (
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
)
_UNKNOWN: Final = (
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_SIGNED_OUT: Final = (failures.SSOError, failures.LoginError, failures.TokenRetrievalError)
_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
_BUSY: Final = (
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)
_AWAY: Final = ("InternalError", "InternalFailure", "ServiceUnavailable", "500", "503")
_MISSING: Final = (
    "404",
    "ExecutionDoesNotExist",
    "NoSuchBucket",
    "NoSuchKey",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
)


class Session(Protocol):
    """The part of boto3's session that is used."""

    @property
    def region_name(self) -> str:
        """Region of the session."""
        ...

    def client(self, service_name: str, *, config: Config) -> Any:
        """A client of an API."""
        ...


class Aws:
    """AWS with someone's credentials, in one region.

    Attributes:
        region: The region.
        account: Account of the credentials.
        identity: ARN of who they are.

    Args:
        session: A session of boto3.

    Raises:
        UserError: There are no credentials, or none that AWS takes.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self.region: str = session.region_name
        self.identity = ""
        caller = self(*IDENTITY)
        self.account: str = caller["Account"]
        self.identity = caller["Arn"]

    def __call__(self, service: str, operation: str, **parameters: object) -> JsonObject:
        """Call an API once.

        Args:
            service: As botocore names it, such as ``fis``.
            operation: As the API names it, such as ``ListExperiments``.
            **parameters: Those of the API.

        Raises:
            NotThereError: What it is about is not there.
            TemporaryError: AWS was too busy, or could not be reached.
            UserError: It was refused.
        """
        try:
            method = getattr(self._client(service), botocore.xform_name(operation))
            answer: JsonObject = method(**parameters)
        except (failures.BotoCoreError, failures.ClientError) as error:
            raise self._told(error, (service, operation), parameters) from None
        return answer

    def all(self, of: Operation, key: str, **parameters: object) -> Sequence[JsonObject]:
        """Everything that an API lists, from all its pages."""
        return [each for page in self.pages(of, **parameters) for each in page.get(key, ())]

    def pages(self, of: Operation, **parameters: object) -> Iterator[JsonObject]:
        """The pages of what an API lists, as far as they are asked for."""
        service, operation = of
        try:
            paginator = self._client(service).get_paginator(botocore.xform_name(operation))
            yield from paginator.paginate(**parameters)
        except (failures.BotoCoreError, failures.ClientError) as error:
            raise self._told(error, of, parameters) from None

    def text(self, bucket: str, key: str) -> str:
        """The text of an object.

        Raises:
            NotThereError: There is no such object.
            UserError: It can't be read.
            ValueError: It is too large, or no text.
        """
        where = {"Bucket": bucket, "Key": key}
        body = self("s3", "GetObject", **where)["Body"]
        try:
            content: bytes = body.read(_MOST_BYTES + 1)
        except failures.BotoCoreError as error:
            raise self._told(error, ("s3", "GetObject"), where) from None
        if len(content) > _MOST_BYTES:
            raise ValueError(f"is larger than {_MOST_BYTES} bytes")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"is not UTF-8 ({error})") from None

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
            config = Config(connect_timeout=5, read_timeout=20, retries=retries)
            self._clients[service] = self._session.client(service, config=config)
        return self._clients[service]

    def _told(self, error: Exception, of: Operation, parameters: Mapping[str, object]) -> UserError:
        asked = action(*of)
        about = _about(parameters)
        if isinstance(error, failures.ClientError):
            told = error.response.get("Error", {})
            code, message = str(told.get("Code", "")), one_line(str(told.get("Message", "")))
            return self._refused(code, message, asked, about)
        reason = one_line(str(error))
        if isinstance(error, failures.NoCredentialsError):
            return UserError(f"no AWS credentials; give --profile, set AWS_PROFILE, or {_SIGN_IN}")
        if isinstance(
            error, (failures.SSOError, failures.LoginError, failures.TokenRetrievalError)
        ):
            return UserError(f"the AWS credentials have expired; {_SIGN_IN}")
        if isinstance(
            error,
            (
                failures.PartialCredentialsError,
                failures.CredentialRetrievalError,
                failures.InvalidConfigError,
            ),
        ):
            return UserError(f"the AWS credentials can't be read: {reason}")
        if isinstance(error, (failures.HTTPClientError, failures.ConnectionError)):
            return TemporaryError(
                f"AWS can't be reached for {asked} in {self.region}: {reason}; look at the "
                "network, the proxy and the region"
            )
        return UserError(f"{asked}: {reason}")

    def _refused(self, code: str, message: str, asked: str, about: str) -> UserError:
        on = f" on {about}" if about else ""
        if code in _EXPIRED:
            return UserError(f"the AWS credentials have expired; {_SIGN_IN}")
        if code in _UNKNOWN:
            return UserError(
                f"AWS does not take the credentials ({code}); look at --profile and AWS_PROFILE, "
                f"or {_SIGN_IN}"
            )
        if code in _DENIED:
            who = self.identity or "these credentials"
            return UserError(f"{who} may not {asked}{on}; {_RIGHTS} (AWS says: {message})")
        if code in _BUSY:
            return TemporaryError(
                f"AWS throttles {asked}, also after {ATTEMPTS} attempts; try again in a minute"
            )
        if code in _AWAY:
            return TemporaryError(f"AWS failed at {asked}{on} ({code}); try again in a minute")
        # CloudFormation has no code of its own for a stack that is not there.
        missing = code in _MISSING or (code == "ValidationError" and "does not exist" in message)
        kind = NotThereError if missing else UserError
        return kind(f"{asked}{on}: AWS says {code}: {message}")


def session(profile: str | None, region: str | None) -> Session:
    """A session of boto3.

    Raises:
        UserError: There is no such profile, or no region.
    """
    try:
        made = boto3.session.Session(profile_name=profile, region_name=region)
    except failures.ProfileNotFound:
        known = ", ".join(map(repr, boto3.session.Session().available_profiles)) or "none"
        raise UserError(
            f"no AWS profile {profile!r}; ~/.aws/config and ~/.aws/credentials have {known}"
        ) from None
    except failures.BotoCoreError as error:
        raise UserError(f"AWS's configuration can't be read: {error}") from None
    if not made.region_name:
        raise UserError(
            "no region; give --region, or --services with the file that names the service"
        )
    found: Session = made
    return found


def _about(parameters: Mapping[str, object]) -> str:
    """What a call is about, as its error names it."""
    if "Bucket" in parameters:
        return f"s3://{parameters['Bucket']}/{parameters.get('Key', parameters.get('Prefix', ''))}"
    return next((each for each in parameters.values() if isinstance(each, str)), "")
