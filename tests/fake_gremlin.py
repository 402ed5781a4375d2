"""A stand-in for Gremlin's API: a real HTTP server, and attacks in the simulated service.

It answers the paths of Gremlin's OpenAPI description that drills use, with the keys of its schemas
(``TaskResponse``, ``Client``, ``PagedResponseTaskResponse``), written as in the description
(``stageLifecycle``) or as in the samples of Gremlin's documents (``stage_lifecycle``). What the
description says of errors: 401 for a bad Authorization header, 403 for a missing privilege or
another team; 404, 429 and 5xx are HTTP's own.

As Gremlin's does, an attack without ids or tags is on every client of the team.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.experiment.json_codec import timestamp
from tests.fake_aws import plans
from tests.fake_aws.simulation import SimulatedService
from tests.staged_resiliency.probe.agent.certificates import Certificate

TEAM = "9676868b-60d2-5ebe-aa66-c1de8162ff9d"
KEY = "dGhlIGtleSBvZiB0aGUgdGVhbQ=="
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:gremlin-AbC123"
CLIENT, OTHER_CLIENT, STRANGER = "client-blue", "client-green", "client-of-somebody-else"

# The keys of CreateAttackInput, of its command and of its target; the rest is free by its schema.
_INPUT = {"command", "target", "annotations", "source", "includeNewTargets"}
_DELAY = 60.0


@dataclass
class StartedAttack:
    """An attack; ``halted_at`` is when it was asked to halt."""

    guid: str
    body: dict[str, Any]
    targets: list[str]
    at: float
    halted_at: float | None = None

    @property
    def shutdown(self) -> bool:
        return bool(self.body["command"]["type"] == "shutdown")

    @property
    def length(self) -> float:
        args = self.body["command"]["args"]
        return float(args[args.index("-l") + 1])


@dataclass
class GremlinService(SimulatedService):
    """The service, whose faults Gremlin injects.

    Attributes:
        halting_takes: From the request to halt an attack until it is halted.
        ends_in: The stage in which an attack ends that is not halted.
        halts_in: The stage in which one ends that is halted.
        hidden: Whether attacks are in no list.
        deaf: Whether a host shuts down although its attack is halted.
        shutdown_behavior: Of the instance.
    """

    attacks: list[StartedAttack] = field(default_factory=list)
    halting_takes: float = 5
    ends_in: str = "Successful"
    halts_in: str = "UserHalted"
    hidden: bool = False
    deaf: bool = False
    shutdown_behavior: str = "stop"

    def _began(self, each: StartedAttack) -> float:
        return each.at + self.script.initiating

    def _halted(self, each: StartedAttack) -> float | None:
        return None if each.halted_at is None else each.halted_at + self.halting_takes

    def state(self, each: StartedAttack) -> tuple[str, str]:
        """The stage of an attack, and its lifecycle."""
        began, halted = self._began(each), self._halted(each)
        ends = began + (_DELAY if each.shutdown else each.length)
        errors = ("LostCommunication", "HaltFailed", "TeardownFailed", "InitializationFailed")
        if halted is not None and each.halted_at is not None and each.halted_at < ends:
            if self.now < halted:
                return "HaltDistributed", "Halting"
            return self.halts_in, "Error" if self.halts_in in errors else "Complete"
        if self.script.initiating_forever or self.now < began:
            return "Pending", "Active"
        if self.ends_in == "InitializationFailed":
            return self.ends_in, "Error"
        if self.now < ends:
            return "Running", "Active"
        return self.ends_in, "Error" if self.ends_in in errors else "Complete"

    @property
    def fault_at(self) -> float | None:
        if self.script.initiating_forever or self.ends_in == "InitializationFailed":
            return None
        for each in self.attacks:
            begins = self._began(each) + (_DELAY if each.shutdown else 0)
            stays = each.halted_at is None or each.halted_at >= begins or self.deaf
            if stays and begins <= self.now:
                return begins
        return None

    @property
    def fault_ended_at(self) -> float | None:
        if self.fault_at is None:
            return None
        each = self.attacks[0]
        if each.shutdown:
            return self._if_past(self._by_hand())
        halted, ends = self._halted(each), self._began(each) + each.length
        if self.halts_in != "UserHalted":
            halted = None  # nobody reached the agent, which ends its attack by itself
        return self._if_past(ends if halted is None else min(halted, ends))

    @property
    def running(self) -> list[str]:
        return [each.guid for each in self.attacks if self.state(each)[1] in ("Active", "Halting")]

    def DescribeInstances(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        (instance,) = given["Filters"][0]["Values"]
        down = self.broken and self.plan.fault is FaultKind.STOP_INSTANCE
        started = self.started_by_hand is not None
        state = ("pending" if started else "stopped") if down else "running"
        found = {"InstanceId": instance, "State": {"Name": state}, **self.script.instance}
        return {"Reservations": [{"Instances": [found]}]}

    def DescribeInstanceAttribute(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert given["Attribute"] == "instanceInitiatedShutdownBehavior"
        return {"InstanceInitiatedShutdownBehavior": {"Value": self.shutdown_behavior}}


def _clients() -> list[dict[str, Any]]:
    return [
        {
            "identifier": identifier,
            "state": "ACTIVE",
            "tags": {"instance-id": instance, "service": "bookstore", "zone": ["us-west-2a"]},
        }
        for identifier, instance in (
            (CLIENT, plans.INSTANCE),
            (OTHER_CLIENT, "i-0123456789abcdef0"),
            (STRANGER, "i-0999999999abcdef0"),
        )
    ]


@dataclass
class FakeGremlin:
    """The server's state.

    Attributes:
        requests: Method and path of each request, in order.
        failures: Answers in place of the real ones, by method and path; the text ``lost`` carries
            the request out and closes the connection without an answer, ``hang up`` does not even
            carry it out.
        snake_case: Whether keys are written as in Gremlin's documents.
    """

    service: GremlinService
    clients: list[dict[str, Any]] = field(default_factory=_clients)
    key: str = KEY
    requests: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[tuple[str, str], list[tuple[int, str] | str]] = field(default_factory=dict)
    snake_case: bool = True
    url: str = ""

    def fail(self, method: str, path: str, *answers: tuple[int, str] | str) -> None:
        self.failures[method, path] = list(answers)

    def handle(
        self, method: str, path: str, query: dict[str, list[str]], headers: Any, body: bytes
    ) -> tuple[int, str]:
        if headers.get("Authorization") != f"Key {self.key}":
            return 401, "Authorization header missing or malformed."
        if query.get("teamId") != [TEAM]:
            return 403, "User requires privilege for target team: EXPERIMENTS_READ"
        match method, path.strip("/").split("/"):
            case "GET", ["clients", "active"]:
                found = [each for each in self.clients if each["state"] == "ACTIVE"]
                return 200, json.dumps([self._keys(each) for each in found])
            case "GET", ["clients", identifier]:
                known = [each for each in self.clients if each["identifier"] == identifier]
                return (200, json.dumps(self._keys(known[0]))) if known else (404, "Not Found")
            case "POST", ["attacks", "new"]:
                return self._create(json.loads(body))
            case "GET", ["attacks", "active"]:
                listed = [
                    self._task(each)
                    for each in self._listed()
                    if self.service.state(each)[1] in ("Active", "Halting")
                ]
                return 200, json.dumps(listed)
            case "GET", ["attacks", "range"]:
                items = [self._task(each) for each in self._listed()]
                return 200, json.dumps(self._keys({"pageNumber": 0, "items": items}))
            case "GET", ["attacks", guid]:
                attack = self._by_id(guid)
                return (200, json.dumps(self._task(attack))) if attack else (404, "Not Found")
            case "DELETE", ["attacks", guid]:
                attack = self._by_id(guid)
                if attack is None:
                    return 404, "Not Found"
                if attack.halted_at is None:
                    attack.halted_at = self.service.now
                return 200, json.dumps([self._task(attack)])
        return 404, "Not Found"

    def _create(self, body: dict[str, Any]) -> tuple[int, str]:
        command, target = body["command"], body["target"]
        if set(body) - _INPUT or not command.get("type") or not isinstance(command["args"], list):
            return 400, "not a CreateAttackInput"
        if command["type"] != "shutdown" and "-l" not in command["args"]:
            return 400, "no length"
        wanted = target.get("hosts", {}).get("ids") or [each["identifier"] for each in self.clients]
        guid = f"00000000-0000-4000-8000-{len(self.service.attacks):012}"
        self.service.attacks.append(StartedAttack(guid, body, wanted, self.service.now))
        return 201, guid

    def _listed(self) -> list[StartedAttack]:
        return [] if self.service.hidden else self.service.attacks

    def _by_id(self, guid: str) -> StartedAttack | None:
        return next((each for each in self.service.attacks if each.guid == guid), None)

    def _task(self, each: StartedAttack) -> dict[str, Any]:
        stage, lifecycle = self.service.state(each)
        began = each.at + self.service.script.initiating
        task: dict[str, Any] = {
            "guid": each.guid,
            "orgId": TEAM,
            "args": each.body["command"]["args"],
            "stage": stage,
            "stageLifecycle": lifecycle,
            "createSource": "Api",
            "targets": each.targets,
            "targetType": "Host",
            "annotations": each.body.get("annotations", {}),
            "startTime": timestamp(each.at),
        }
        if stage not in ("Pending", "InitializationFailed") and (
            each.halted_at is None or each.halted_at > began
        ):
            task["initializationEndTime"] = timestamp(began)
        if lifecycle in ("Complete", "Error"):
            ended = self.service._halted(each)
            natural = began + (_DELAY if each.shutdown else each.length)
            task["endTime"] = timestamp(natural if ended is None else min(ended, natural))
        return self._keys(task)

    def _keys(self, document: dict[str, Any]) -> dict[str, Any]:
        if not self.snake_case:
            return document
        return {
            re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key): value
            for key, value in document.items()
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        gremlin = cast(FakeGremlin, self.server.gremlin)  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/v1")
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        gremlin.requests.append((self.command, path))
        waiting = gremlin.failures.get((self.command, path), [])
        scripted = waiting.pop(0) if waiting else None
        if scripted == "hang up":
            self.close_connection = True
            return
        if isinstance(scripted, tuple):
            status, text = scripted
        else:
            query = parse_qs(parts.query)
            status, text = gremlin.handle(self.command, path, query, self.headers, body)
        if scripted == "lost":
            self.close_connection = True
            return
        raw = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        if 300 <= status < 400:
            self.send_header("Location", text)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(
    service: GremlinService, certificate: Certificate | None = None
) -> Iterator[FakeGremlin]:
    """A server of Gremlin's API, by HTTPS where it has a certificate."""
    gremlin = FakeGremlin(service)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.gremlin = gremlin  # type: ignore[attr-defined]
    gremlin.url = f"http://127.0.0.1:{server.server_port}/v1"
    if certificate is not None:
        server.socket = certificate.serving().wrap_socket(server.socket, server_side=True)
        gremlin.url = f"https://localhost:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield gremlin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
