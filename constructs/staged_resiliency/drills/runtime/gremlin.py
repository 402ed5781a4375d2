"""Gremlin's API, as far as drills use it: clients of a team, and attacks on one of them.

Gremlin calls attacks experiments in its newer documents. Its OpenAPI description names keys like
``stageLifecycle``, and answers in its documents have ``stage_lifecycle``: both are read.

See https://www.gremlin.com/docs/api-reference-examples and https://api.gremlin.com/v1/openapi.json
"""

import http.client
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from staged_resiliency.drills.runtime.context import AwsError, Context
from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.drills.runtime.keys import RUN_TAG
from staged_resiliency.drills.runtime.network import printable_line
from staged_resiliency.experiment.json_codec import timestamp

ATTEMPTS: Final = 3
"""How often a call that changes nothing when it is repeated is tried."""

STEP_SECONDS: Final = 5.0
"""Timeout of the connection, and of each wait for a part of the answer."""

DEADLINE_SECONDS: Final = 15.0
"""Timeout of a whole answer; after as long no further attempt begins. So a function that ends a
fault goes on without Gremlin before its own time is over."""

MAX_BYTES: Final = 10_000_000
PAGE: Final = 1000
LOOK_BACK_SECONDS: Final = 4 * 86_400.0
"""How old an attack of a run may be: a cleanup follows its run for two days."""

ACTIVE: Final = "Active"
HALTING: Final = "Halting"
COMPLETE: Final = "Complete"
ERROR: Final = "Error"
SUCCESSFUL: Final = "Successful"

# In these stages an attack has run; where Gremlin does not say since when, since its creation.
_HAS_RUN: Final = (
    *("Running", "InterruptTriggered", "RollbackTriggered", "RollbackStarted", "TearingDown"),
    *(SUCCESSFUL, "LostCommunication", "TeardownFailed", "HaltFailed"),
)
_LIFECYCLES: Final = (ACTIVE, HALTING, COMPLETE, ERROR)
_IDENTITY: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+]00:?00)")
_KEY: Final = re.compile(r"[!-~]{1,4096}")
_MEANINGS: Final[Mapping[int, str]] = {
    401: "Gremlin does not know the API key in the secret; store a valid one",
    403: "the API key lacks a privilege in the team, or is of another team",
    404: "the team has no such client or attack",
    429: "too many requests",
}


class GremlinError(AwsError):
    """A failed call of Gremlin's API, handled like a failed call of AWS.

    Attributes:
        refused: Whether it is certain that Gremlin did nothing.
    """

    def __init__(self, code: str, message: str, *, refused: bool = False) -> None:
        super().__init__(code, message)
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Client:
    """An agent of Gremlin on a host.

    Attributes:
        active: Whether it can be attacked.
        tags: The values of each of its tags.
    """

    identifier: str
    active: bool
    tags: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Attack:
    """The state of an attack; times are in seconds since the epoch.

    Attributes:
        stage: Gremlin's stage, such as ``Running``.
        lifecycle: ``Active``, ``Halting``, ``Complete`` or ``Error``.
        targets: Identifiers of the clients that are attacked; empty where Gremlin names none.
        run: The execution that started it; empty for any other.
        created_at: When it was created; None where Gremlin gives no time.
        running_since: When it began to run on the client; None before, and where it never did.
    """

    id: str
    stage: str
    lifecycle: str
    targets: Sequence[str]
    run: str
    created_at: float | None
    running_since: float | None
    ended_at: float | None

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.lifecycle in (ACTIVE, HALTING)


def clients(attack: GremlinAttack, context: Context) -> Sequence[Client]:
    """Return the active clients of the team."""
    found = _json(attack, context, "/clients/active")
    return [_client(each) for each in _listed(found, "/clients/active")]


def client(attack: GremlinAttack, identifier: str, context: Context) -> Client | None:
    """Return the client with an identifier; None where the team has none."""
    try:
        return _client(_json(attack, context, f"/clients/{quote(identifier, safe='')}"))
    except GremlinError as error:
        if error.code != "Gremlin 404":
            raise
        return None


def create(attack: GremlinAttack, target: str, run: str, context: Context) -> str:
    """Start the attack on one client, and return its ID. It is never tried again.

    Raises:
        GremlinError: It was refused; or whether it was started is unknown.
    """
    if not target:  # a selector that is empty selects every client of the team
        raise GremlinError("NoTarget", "no client is given", refused=True)
    body = {
        "command": {
            "type": attack.kind,
            "commandType": attack.kind.replace("_", " ").title(),
            "args": list(attack.args),
        },
        "target": {"type": "Exact", "hosts": {"ids": [target]}},
        "annotations": {RUN_TAG: run},
    }
    raw = _call(attack, context, "POST", "/attacks/new", json.dumps(body).encode())
    identity = raw.decode("utf-8", "replace").strip().strip('"')
    if _IDENTITY.fullmatch(identity) is None:
        raise _unexpected("POST", "/attacks/new")
    return identity


def get(attack: GremlinAttack, identity: str, context: Context) -> Attack:
    """Return the current state of an attack."""
    return _attack(_json(attack, context, _path(identity)))


def halt(attack: GremlinAttack, identity: str, context: Context) -> None:
    """Halt an attack; it is no error if it has ended."""
    _call(attack, context, "DELETE", _path(identity))


def active(attack: GremlinAttack, context: Context) -> Sequence[Attack]:
    """Return the active attacks of the team."""
    found = _json(attack, context, "/attacks/active", pageSize=str(PAGE))
    return [_attack(each) for each in _listed(found, "/attacks/active")]


def of_run(attack: GremlinAttack, run: str, context: Context) -> Sequence[Attack]:
    """Return the attacks that a run started, in whatever state they are."""
    found = [each for each in active(attack, context) if each.run == run]
    since = timestamp(context.clock() - LOOK_BACK_SECONDS) or ""
    more: dict[str, str] = {}
    while not found:
        path = "/attacks/range"
        page = _json(attack, context, path, startTime=since, pageSize=str(PAGE), **more)
        items = _listed(_value(page, "items"), path)
        found = [known for each in items if (known := _attack(each)).run == run]
        token = _value(page, "pageToken")
        if len(items) < PAGE or not isinstance(token, str) or not token:
            break
        more = {"pageToken": token}
    return found


def _path(identity: str) -> str:
    return f"/attacks/{quote(identity, safe='')}"


def _client(document: object) -> Client:
    identifier = _value(document, "identifier")
    tags = _value(document, "tags")
    if not isinstance(identifier, str) or not identifier:
        raise _unexpected("GET", "/clients")
    return Client(
        identifier,
        _value(document, "state") in (None, "ACTIVE"),
        {
            str(name): [str(each) for each in (value if isinstance(value, list) else [value])]
            for name, value in (tags.items() if isinstance(tags, dict) else ())
        },
    )


def _attack(document: object) -> Attack:
    identity, stage = _value(document, "guid"), _value(document, "stage")
    lifecycle = _value(document, "stageLifecycle")
    known = isinstance(identity, str) and isinstance(stage, str)
    if not known or lifecycle not in _LIFECYCLES:
        raise _unexpected("GET", "/attacks")
    targets, containers = _value(document, "targets"), _value(document, "targetContainers")
    annotations = _value(document, "annotations")
    run = annotations.get(RUN_TAG) if isinstance(annotations, dict) else None
    created = _moment(_value(document, "startTime") or _value(document, "createdAt"))
    running = _moment(_value(document, "initializationEndTime"))
    return Attack(
        id=str(identity),
        stage=str(stage),
        lifecycle=str(lifecycle),
        targets=sorted(
            {
                *map(str, targets if isinstance(targets, list) else ()),
                *map(str, containers if isinstance(containers, dict) else ()),
            }
        ),
        run=run if isinstance(run, str) else "",
        created_at=created,
        running_since=running or (created if stage in _HAS_RUN else None),
        ended_at=_moment(_value(document, "endTime")),
    )


def _value(document: object, key: str) -> Any:
    """Return the value of a key in camel case or snake case; None where it is missing."""
    if not isinstance(document, dict):
        return None
    snake = re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", key)
    return document.get(key, document.get(snake))


def _listed(value: object, path: str) -> Sequence[object]:
    if not isinstance(value, list):
        raise _unexpected("GET", path)
    return value


def _moment(text: object) -> float | None:
    if text is None:
        return None
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        whole = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        whole = None
    if found is None or whole is None:
        raise _unexpected("GET", "/attacks")
    return whole.replace(tzinfo=timezone.utc).timestamp() + float(found[2] or 0)


def _unexpected(method: str, path: str) -> GremlinError:
    return GremlinError("Gremlin", f"{method} {path}: its answer is not as its API is described")


def _json(attack: GremlinAttack, context: Context, path: str, **query: str) -> object:
    raw = _call(attack, context, "GET", path, query=query)
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise _unexpected("GET", path) from None
    return found


def _call(
    attack: GremlinAttack,
    context: Context,
    method: str,
    path: str,
    body: bytes | None = None,
    query: Mapping[str, str] | None = None,
) -> bytes:
    """Call the API and return the body of its answer.

    What changes nothing when it is repeated is tried again; anything else only where the key was
    refused that was read before it was exchanged in the secret.
    """
    where = f"{method} {path}"
    target = f"{path}?{urlencode({'teamId': attack.team_id, **(query or {})})}"
    left = 1 if method == "POST" else ATTEMPTS
    until = time.monotonic() + DEADLINE_SECONDS
    was_read_before = attack.secret_arn in context.secrets
    while True:
        key = _key(attack, context)
        left -= 1
        try:
            status, answer = _exchange(context.gremlin_url, method, target, key, body)
        except GremlinError as error:
            failed, again = error, True
        else:
            if 200 <= status < 300:
                return answer
            again = status == 429 or status >= 500
            said = answer.decode("utf-8", "replace").replace(key, "***")
            detail = printable_line(" ".join(said.split()))
            text = "; ".join(
                filter(None, (f"{where}: {_MEANINGS.get(status, '')}".rstrip(": "), detail))
            )
            failed = GremlinError(f"Gremlin {status}", text, refused=status < 500)
        if failed.code == "Gremlin 401" and was_read_before:
            was_read_before = False
            del context.secrets[attack.secret_arn]
            left += 1
        elif left <= 0 or not again or time.monotonic() > until:
            raise failed
        else:
            context.sleep(float(ATTEMPTS - left))


def _key(attack: GremlinAttack, context: Context) -> str:
    if attack.secret_arn not in context.secrets:
        answer = context.aws("secretsmanager", "GetSecretValue", SecretId=attack.secret_arn)
        found = str(answer.get("SecretString", "")).strip().removeprefix("Key ")
        if found.startswith("{") or _KEY.fullmatch(found) is None:
            raise GremlinError(
                "GremlinKey",
                f"{attack.secret_arn} must hold the API key alone, as plain text",
                refused=True,
            )
        context.secrets[attack.secret_arn] = found
    return context.secrets[attack.secret_arn]


def _exchange(
    url: str, method: str, target: str, key: str, body: bytes | None
) -> tuple[int, bytes]:
    """Send one request and return the status and body of its answer; redirects are not followed.

    Raises:
        GremlinError: There was no answer, or not a whole one.
    """
    base = urlsplit(url)
    connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
    options: dict[str, Any] = {"timeout": STEP_SECONDS}
    if base.scheme == "https":
        connect = http.client.HTTPSConnection
        options["context"] = ssl.create_default_context()
    connection = connect(base.hostname, base.port, **options)
    where = f"{method} {target.partition('?')[0]}"
    headers = {"Authorization": f"Key {key}", "Accept": "*/*"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        try:
            connection.connect()
        except OSError as error:
            text = f"{where}: no connection: {printable_line(str(error))}"
            raise GremlinError("Gremlin", text, refused=True) from None
        try:
            with _deadline(connection.sock):
                connection.request(method, f"{base.path}{target}", body, headers)
                answer = connection.getresponse()
                raw = _read(answer)
        except (OSError, http.client.HTTPException) as error:
            text = f"{where}: no answer: {printable_line(f'{type(error).__name__} {error}')}"
            raise GremlinError("Gremlin", text) from None
        if len(raw) > MAX_BYTES:
            raise GremlinError("Gremlin", f"{where}: an answer of more than {MAX_BYTES} bytes")
        return answer.status, raw
    finally:
        connection.close()


@contextmanager
def _deadline(sock: socket.socket) -> Iterator[None]:
    """Cut the connection where the whole answer is not there in time, however slowly it comes."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):  # it was closed just now
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of TLS would not be safe here

    timer = threading.Timer(DEADLINE_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError(f"no whole answer within {DEADLINE_SECONDS:g} s")


def _read(answer: http.client.HTTPResponse) -> bytes:
    with answer:
        raw = answer.read(MAX_BYTES + 1)
    if answer.length and len(raw) <= MAX_BYTES:  # the connection was closed before
        raise http.client.IncompleteRead(raw, answer.length)
    return raw
