"""AWS calls of `resiliency drill`: each failed call raises an error with a one-line message.

``NEEDS`` lists the operations of each subcommand; docs/drill-command.md has the same as a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import boto3
import botocore
import botocore.exceptions as failures
from botocore.config import Config

from resiliency.drill_cli.safe_console import one_line
from resiliency.errors import UserError
from staged_resiliency.experiment.json_codec import JsonObject

Operation = tuple[str, str]
"""botocore's name of a service, and the name of an operation."""

IDENTITY: Final[Operation] = ("sts", "GetCallerIdentity")
"""Requires no permission."""

STACK: Final[Operation] = ("cloudformation", "ListStackResources")
STACKS: Final[Operation] = ("cloudformation", "DescribeStacks")
STATE_MACHINE: Final[Operation] = ("stepfunctions", "DescribeStateMachine")
EXECUTIONS: Final[Operation] = ("stepfunctions", "ListExecutions")
START: Final[Operation] = ("stepfunctions", "StartExecution")
EXECUTION: Final[Operation] = ("stepfunctions", "DescribeExecution")
HISTORY: Final[Operation] = ("stepfunctions", "GetExecutionHistory")
SCHEDULE: Final[Operation] = ("scheduler", "GetSchedule")
OBJECTS: Final[Operation] = ("s3", "ListObjectsV2")
OBJECT: Final[Operation] = ("s3", "GetObject")
SAVE: Final[Operation] = ("s3", "PutObject")
INSTANCES: Final[Operation] = ("ec2", "DescribeInstances")
TEMPLATE: Final[Operation] = ("fis", "GetExperimentTemplate")
EXPERIMENTS: Final[Operation] = ("fis", "ListExperiments")
ALARMS: Final[Operation] = ("cloudwatch", "DescribeAlarms")
MANAGED: Final[Operation] = ("ssm", "DescribeInstanceInformation")
LOCKS: Final[Operation] = ("ssm", "GetParametersByPath")

_FIND: Final = (IDENTITY, STACK, STATE_MACHINE)
_READ: Final = (OBJECTS, OBJECT)
_FOLLOW: Final = (*_FIND, EXECUTIONS, EXECUTION, HISTORY, *_READ)

NEEDS: Final[Mapping[str, tuple[Operation, ...]]] = {
    "list": (*_FIND, EXECUTIONS, SCHEDULE, *_READ),
    "preview": (
        *(*_FIND, STACKS, EXECUTIONS, LOCKS),
        *(INSTANCES, TEMPLATE, EXPERIMENTS, ALARMS, MANAGED),
    ),
    "approve": (*_FIND, SAVE),
    "start": (*_FOLLOW, START),
    "follow": _FOLLOW,
    "report": (*_FIND, *_READ),
}
"""The operations of each subcommand. An encrypted bucket also requires kms:Decrypt."""

GATE_NEEDS: Final = (*_FIND, STACKS, EXECUTIONS, LOCKS, *_READ)
"""The operations of `resiliency gate`; those of `gate --run` too are those of `drill start`."""

_PREFIXES: Final[Mapping[str, str]] = {
    "elbv2": "elasticloadbalancing",
    "stepfunctions": "states",
}
_ACTIONS: Final[Mapping[Operation, str]] = {
    OBJECTS: "s3:ListBucket",
    ("lambda", "Invoke"): "lambda:InvokeFunction",
}

ATTEMPTS: Final = 4
"""Number of attempts of a call, with growing pauses, before it fails."""

_MOST_BYTES: Final = 32 * 1024 * 1024
PERMISSIONS: Final = "docs/drill-command.md lists the permissions that each subcommand needs"
_SIGN_IN: Final = "sign in (`aws sso login`, or as usual for this account) and try again"

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
    "NoSuchHealthCheck",
    "NoSuchHostedZone",
    "NoSuchKey",
    "NotFound",
    "NotFoundException",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "TargetGroupNotFound",
)


class NotFoundError(UserError):
    """A resource does not exist."""


class TemporaryError(UserError):
    """AWS throttled a call or could not be reached; a later call may succeed."""


class Session(Protocol):
    """The part of boto3's session that is used here."""

    @property
    def region_name(self) -> str:
        """The region of the session."""
        ...

    def client(self, service_name: str, region_name: str | None = None, *, config: Config) -> Any:
        """Return a client of a service, in the session's region unless another is given."""
        ...


class Aws:
    """Calls AWS APIs in one region, with the user's credentials.

    ``identity`` is the ARN of their user or role.

    Args:
        session: The session that makes clients.
        permissions: Where the documentation lists the permissions that are needed.

    Raises:
        UserError: There are no credentials, or AWS rejects them.
    """

    def __init__(self, session: Session, *, permissions: str = PERMISSIONS) -> None:
        self._session = session
        self._permissions = permissions
        self._clients: dict[tuple[str, str | None], Any] = {}
        self.region: str = session.region_name
        self.identity = ""
        caller = self(*IDENTITY)
        self.account: str = caller["Account"]
        self.identity = caller["Arn"]

    def __call__(
        self, service: str, operation: str, *, region: str | None = None, **parameters: object
    ) -> JsonObject:
        """Call an API; see ``staged_resiliency.drills.runtime.context.Aws``.

        Raises:
            NotFoundError: The resource does not exist.
            TemporaryError: AWS throttled the call, or could not be reached.
            UserError: The call failed otherwise.
        """
        try:
            method = getattr(self._client(service, region), botocore.xform_name(operation))
            answer: JsonObject = method(**parameters)
        except (failures.BotoCoreError, failures.ClientError) as error:
            raise self._user_error(error, (service, operation), parameters) from None
        return answer

    def all(self, of: Operation, key: str, **parameters: object) -> Sequence[JsonObject]:
        """Return the items of all pages that a list operation returns."""
        return [each for page in self.pages(of, **parameters) for each in page.get(key, ())]

    def pages(self, of: Operation, **parameters: object) -> Iterator[JsonObject]:
        """Yield the pages that a list operation returns."""
        service, operation = of
        try:
            paginator = self._client(service).get_paginator(botocore.xform_name(operation))
            yield from paginator.paginate(**parameters)
        except (failures.BotoCoreError, failures.ClientError) as error:
            raise self._user_error(error, of, parameters) from None

    def text(self, bucket: str, key: str) -> str:
        """Return the text of an object in S3.

        Raises:
            NotFoundError: The object does not exist.
            UserError: It can't be read.
            ValueError: It is too large, or not text.
        """
        where = {"Bucket": bucket, "Key": key}
        body = self("s3", "GetObject", **where)["Body"]
        try:
            content: bytes = body.read(_MOST_BYTES + 1)
        except failures.BotoCoreError as error:
            raise self._user_error(error, ("s3", "GetObject"), where) from None
        if len(content) > _MOST_BYTES:
            raise ValueError(f"is larger than {_MOST_BYTES} bytes")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"is not UTF-8 ({error})") from None

    def _client(self, service: str, region: str | None = None) -> Any:
        if (service, region) not in self._clients:
            retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
            config = Config(connect_timeout=5, read_timeout=20, retries=retries)
            self._clients[service, region] = self._session.client(service, region, config=config)
        return self._clients[service, region]

    def _user_error(
        self, error: Exception, of: Operation, parameters: Mapping[str, object]
    ) -> UserError:
        called = action(*of)
        about = _about(parameters)
        if isinstance(error, failures.ClientError):
            found = error.response.get("Error", {})
            code, message = str(found.get("Code", "")), one_line(str(found.get("Message", "")))
            return self._error_answer(code, message, called, about)
        reason = one_line(str(error))
        if isinstance(error, failures.NoCredentialsError):
            return UserError(f"no AWS credentials; give --profile, set AWS_PROFILE, or {_SIGN_IN}")
        if isinstance(error, _SIGNED_OUT):
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
                f"AWS can't be reached for {called} in {self.region}: {reason}; check the "
                "network, the proxy and the region"
            )
        return UserError(f"{called}: {reason}")

    def _error_answer(self, code: str, message: str, called: str, about: str) -> UserError:
        on = f" on {about}" if about else ""
        if code in _EXPIRED:
            return UserError(f"the AWS credentials have expired; {_SIGN_IN}")
        if code in _UNKNOWN:
            return UserError(
                f"AWS rejects the credentials ({code}); check --profile and AWS_PROFILE, "
                f"or {_SIGN_IN}"
            )
        if code in _DENIED:
            who = self.identity or "these credentials"
            return UserError(
                f"{who} may not {called}{on}; {self._permissions} (AWS says: {message})"
            )
        if code in _BUSY:
            return TemporaryError(
                f"AWS throttles {called}, also after {ATTEMPTS} attempts; try again in a minute"
            )
        if code in _AWAY:
            return TemporaryError(f"AWS failed at {called}{on} ({code}); try again in a minute")
        # CloudFormation has no error code of its own for a stack that does not exist.
        missing = code in _MISSING or (code == "ValidationError" and "does not exist" in message)
        kind = NotFoundError if missing else UserError
        return kind(f"{called}{on}: AWS says {code}: {message}")


def action(service: str, operation: str) -> str:
    """Return the IAM action that authorizes an operation."""
    named = _ACTIONS.get((service, operation))
    return named or f"{_PREFIXES.get(service, service)}:{operation}"


def session(profile: str | None, region: str | None) -> Session:
    """Return a boto3 session.

    Raises:
        UserError: The profile does not exist, or there is no region.
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
    """The resource of a call, for error messages."""
    if "Bucket" in parameters:
        return f"s3://{parameters['Bucket']}/{parameters.get('Key', parameters.get('Prefix', ''))}"
    return next((each for each in parameters.values() if isinstance(each, str)), "")
