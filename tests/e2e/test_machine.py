"""The machine that other tests install things on does what they take for granted."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest

from tests.e2e.machine import requirements, rootfs
from tests.e2e.machine.boot import Boot
from tests.e2e.machine.cloudwatch import CloudWatch
from tests.e2e.machine.container import Container
from tests.e2e.machine.control_groups import ControlGroups
from tests.e2e.machine.metadata_service import (
    TOKEN_HEADER,
    TOKEN_PATH,
    TTL_HEADER,
    Instance,
    MetadataService,
)
from tests.e2e.machine.network import METADATA, PrivateNetwork
from tests.e2e.machine.processes import CommandError
from tests.e2e.machine.put_metric_data import Datum, Metric, Point, Put, breaches
from tests.e2e.machine.step_order import Status
from tests.e2e.machine.systems_manager import run_document
from tests.e2e.machine.waiting import eventually

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def possible() -> None:
    reason = requirements.missing()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def network(possible: None) -> Iterator[PrivateNetwork]:
    with PrivateNetwork() as made:
        yield made


@pytest.fixture(scope="module")
def blue(network: PrivateNetwork) -> Iterator[Container]:
    with Container("test-blue", network=network) as container:
        yield container


@pytest.fixture(scope="module")
def green(network: PrivateNetwork) -> Iterator[Container]:
    with Container("test-green", network=network) as container:
        yield container


@pytest.fixture
def metadata(network: PrivateNetwork, blue: Container) -> Iterator[MetadataService]:
    said = {blue.address: Instance(tags={"Name": "bookstore-api-blue"})}
    with MetadataService(network.listen(METADATA, 80), said) as service:
        yield service


def fetch(container: Container, path: str, *headers: str, method: str = "GET") -> tuple[int, str]:
    """The status and body of a request to the metadata service."""
    script = (
        "import sys, urllib.request as u, urllib.error\n"
        "url, method, *headers = sys.argv[1:]\n"
        "r = u.Request(url, method=method, headers=dict(h.split(': ') for h in headers))\n"
        "try: a = u.urlopen(r, timeout=2)\n"
        "except urllib.error.HTTPError as e: a = e\n"
        "print(a.status); print(a.read().decode())"
    )
    words = ["python3", "-c", script, f"http://{METADATA}{path}", method, *headers]
    status, _, body = container.run(words).stdout.partition("\n")
    return int(status), body.removesuffix("\n")


def new_token(container: Container) -> str:
    status, token = fetch(container, TOKEN_PATH, f"{TTL_HEADER}: 60", method="PUT")
    assert status == 200
    return token


# The container


def test_all_units_of_a_container_start(blue: Container) -> None:
    assert blue.shell("systemctl is-system-running") == "running"
    assert blue.shell("systemctl --failed --no-legend") == ""
    assert blue.shell("hostname") == "test-blue"


def test_a_command_has_no_more_environment_than_a_service(blue: Container) -> None:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert blue.run(["env"], env={"A": "b"}).stdout.splitlines() == [path, "A=b"]


def test_a_command_that_fails_says_what_it_printed(blue: Container) -> None:
    with pytest.raises(CommandError, match=r"exit status 3\nsaid\n$"):
        blue.shell("echo said; exit 3")
    assert blue.run(["false"], check=False).returncode == 1


def test_changes_of_one_container_are_not_seen_by_another(
    blue: Container, green: Container
) -> None:
    blue.write("/opt/of-blue", "blue")
    assert blue.read("/opt/of-blue") == "blue"
    assert not green.exists("/opt/of-blue")
    assert not list(rootfs.CACHE.glob("*/tree/opt/*"))


# The metadata service


def test_metadata_take_a_token(blue: Container, metadata: MetadataService) -> None:
    path = "/latest/meta-data/instance-id"
    assert fetch(blue, path) == (401, "")
    assert fetch(blue, path, f"{TOKEN_HEADER}: guessed") == (401, "")
    token = new_token(blue)
    assert fetch(blue, path, f"{TOKEN_HEADER}: {token}") == (200, "i-0123456789abcdef0")
    assert [request.of_version_1 for request in metadata.requests] == [True, False, False, False]
    assert {request.source for request in metadata.requests} == {blue.address}


def test_a_token_takes_a_sound_lifetime(blue: Container, metadata: MetadataService) -> None:
    for ttl in ("0", "21601", "soon"):
        assert fetch(blue, TOKEN_PATH, f"{TTL_HEADER}: {ttl}", method="PUT") == (400, "")
    assert fetch(blue, TOKEN_PATH, method="PUT") == (400, "")
    assert [request.status for request in metadata.requests] == [400] * 4


def test_metadata_tell_instances_apart(
    blue: Container, green: Container, metadata: MetadataService
) -> None:
    metadata.instances[green.address] = Instance(instance_id="i-0fedcba9876543210", tags=None)
    of_green = f"{TOKEN_HEADER}: {new_token(green)}"
    assert fetch(green, "/latest/meta-data/instance-id", of_green) == (200, "i-0fedcba9876543210")
    assert fetch(green, "/latest/meta-data/tags/instance/Name", of_green) == (404, "")
    assert fetch(blue, "/latest/meta-data/instance-id", of_green) == (401, "")
    of_blue = f"{TOKEN_HEADER}: {new_token(blue)}"
    assert fetch(blue, "/latest/meta-data/tags/instance/Name", of_blue) == (
        200,
        "bookstore-api-blue",
    )
    assert fetch(blue, "/latest/meta-data/tags/instance", of_blue) == (404, "")
    assert fetch(blue, "/latest/meta-data/placement/region", of_blue) == (200, "us-west-2")


# CloudWatch


@pytest.mark.parametrize("number", [1, 300])
def test_requests_of_a_newer_client_are_read_too(number: int) -> None:
    """It writes JSON where an old one writes a form, and compresses what is long."""
    listener = socket.create_server(("127.0.0.1", 0))
    with CloudWatch(lambda: listener) as api:
        session = botocore.session.Session()
        session.set_credentials("AKIATEST", "secret")
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        client = session.create_client("cloudwatch", region_name="us-west-2", endpoint_url=url)
        now = datetime.now(timezone.utc)
        client.put_metric_data(
            Namespace="Bookstore",
            MetricData=[
                {"MetricName": f"m{one}", "Timestamp": now, "Value": one} for one in range(number)
            ],
        )
        client.close()
        (request,) = api.requests
        assert request.access_key == "AKIATEST"
        assert (request.size < len(request.body)) is (number > 1)
        assert [datum.point.total for datum in request.put().data] == list(range(number))
        assert breaches(request.put(), request.size, now) == []


def a_put(*data: Datum, namespace: str = "Bookstore") -> Put:
    return Put(namespace, data)


def a_datum(point: Point, minutes_ago: float = 0) -> Datum:
    return Datum(Metric.of("db"), NOW - timedelta(minutes=minutes_ago), point, True, None)


NOW: Final = datetime(2031, 2, 3, 4, 5, tzinfo=timezone.utc)
ONE: Final = Point(1, 1, 1, 1)


@pytest.mark.parametrize(
    ("sent", "size", "found"),
    [
        (a_put(a_datum(ONE)), 1_000_000, []),
        (a_put(a_datum(ONE)), 1_000_001, ["1000001 bytes; allowed: 1000000"]),
        (a_put(), 1, ["0 data; allowed: 1 to 1000"]),
        (a_put(*[a_datum(ONE)] * 1001), 1, ["1001 data; allowed: 1 to 1000"]),
        (a_put(a_datum(ONE), namespace="AWS/EC2"), 1, ["namespace 'AWS/EC2'"]),
        (a_put(a_datum(ONE, 14 * 1440 + 1)), 1, ["db: is 14 days, 0:01:00 old"]),
        (a_put(a_datum(ONE, -121)), 1, ["db: is -1 day, 21:59:00 old"]),
        (a_put(a_datum(Point(0, 0, 0, 0))), 1, [f"db: {Point(0, 0, 0, 0)}"]),
        (
            a_put(a_datum(Point(2, 5, 0, 1))),
            1,
            [f"db: its average is outside its bounds: {Point(2, 5, 0, 1)}"],
        ),
    ],
)
def test_limits_that_moto_does_not_know(sent: Put, size: int, found: list[str]) -> None:
    assert breaches(sent, size, NOW) == found


# Systems Manager


def a_step(name: str, *commands: str, **inputs: Any) -> dict[str, Any]:
    return {
        "action": "aws:runShellScript",
        "name": name,
        "precondition": {"StringEquals": ["platformType", "Linux"]},
        "inputs": {"timeoutSeconds": "30", "runCommand": list(commands), **inputs},
    }


def a_document(*steps: dict[str, Any]) -> dict[str, Any]:
    parameters = {
        "Text": {"type": "String", "allowedPattern": "^[a-z]*$", "default": "default"},
    }
    return {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}


def test_a_failing_step_ends_a_document_where_it_is_to(blue: Container) -> None:
    done = run_document(
        blue,
        a_document(
            a_step("first", "set -eu", 'echo "{{ Text }}"', "echo broken >&2", "false", "echo no"),
            a_step("second", "echo second", "exit 3", onFailure="exit"),
            a_step("third", "echo third"),
        ),
        {"Text": "given"},
    )
    assert [(step.name, step.status.value, step.exit_status) for step in done.steps] == [
        ("first", "Failed", 1),
        ("second", "Failed", 3),
        ("third", "Skipped", 0),
    ], str(done)
    assert done.status is Status.FAILED
    assert (done.step("first").stdout, done.step("first").stderr) == ("given\n", "broken\n")


def test_a_script_runs_as_the_agent_runs_it(blue: Container) -> None:
    commands = ["id -un", "pwd", "readlink /proc/self/fd/0", "echo ${HOME-no home}", "umask"]
    commands += ["readlink /proc/$$/exe", "env | cut -d= -f1 | sort | xargs"]
    done = run_document(blue, a_document(a_step("look", *commands)))
    assert done.step("look").stdout.splitlines() == [
        "root",
        "/usr/bin",
        "/dev/null",
        "no home",
        "0022",
        "/usr/bin/dash",
        "AWS_SSM_INSTANCE_ID AWS_SSM_PLATFORM_NAME AWS_SSM_PLATFORM_VERSION AWS_SSM_REGION_NAME "
        "LANG PATH PWD",
    ]


def test_a_first_line_can_name_another_interpreter(blue: Container) -> None:
    step = a_step("look", "#!/usr/bin/env python3", "import sys; print(sys.version_info.major)")
    assert run_document(blue, a_document(step)).step("look").stdout == "3\n"


def test_a_step_lasts_until_its_output_ends_or_its_time_is_up(blue: Container) -> None:
    before = time.monotonic()
    done = run_document(
        blue,
        a_document(
            a_step("quick", "sleep 30 >/dev/null 2>&1 & echo gone"),
            a_step("slow", "echo so far; sleep 30 & echo $!", timeoutSeconds="5", onFailure="exit"),
            a_step("next", "true"),
        ),
    )
    assert 5 <= time.monotonic() - before < 30, "none of the sleeps is waited for"
    assert [step.status for step in done.steps] == [
        Status.SUCCESS,
        Status.TIMED_OUT,
        Status.SUCCESS,
    ]
    assert done.status is Status.TIMED_OUT
    said, process = done.step("slow").stdout.split("\n")[:2]
    assert said == "so far"
    assert not blue.exists(f"/proc/{process}/exe")


# What remains


@pytest.mark.usefixtures("possible")
def test_nothing_is_left_behind() -> None:
    before = _of_this_machine()
    name = f"test-gone-{os.getpid()}"
    with PrivateNetwork() as network, Container(name, network=network) as container:
        groups = ControlGroups(name).directories
        assert all(group.exists() for group in groups)
        container.run(["true"])
        assert _machines(name)
    assert _of_this_machine() == before
    assert not any(group.exists() for group in groups)
    assert not _machines(name)


@pytest.mark.usefixtures("possible")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_runs_on_when_the_tests_are_killed(how: signal.Signals) -> None:
    name = f"test-killed-{os.getpid()}-{how.value}"
    script = (
        "from tests.e2e.machine.container import Container\n"
        "from tests.e2e.machine.network import PrivateNetwork\n"
        f"with PrivateNetwork() as n, Container({name!r}, network=n):\n"
        "    print('up', flush=True); import time; time.sleep(60)"
    )
    before = _of_this_machine()
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert _machines(name)
        process.send_signal(how)
    eventually("its container ends", lambda: not _machines(name))
    assert _of_this_machine() == before


@pytest.mark.usefixtures("possible")
def test_a_container_that_does_not_boot_gives_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"test-empty did not boot:\n.*OS root directory"):
        Boot("test-empty", tmp_path, entering=[], options=[])
    assert not any(group.exists() for group in ControlGroups("test-empty").directories)


@pytest.mark.parametrize("name", ["", "not a name", "under_score", "-x", "x" * 65])
def test_a_container_takes_a_host_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"name: .*; allowed: 1 to 64 letters, digits and hyphens"):
        Container(name)


def _of_this_machine() -> tuple[str, list[str]]:
    """Mounts and network interfaces."""
    return Path("/proc/self/mountinfo").read_text(), sorted(
        each.name for each in Path("/sys/class/net").iterdir()
    )


def _machines(name: str) -> list[str]:
    """Processes that run a container of this name."""
    option = f"--machine={name}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if option in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(process.name)
        except OSError:
            continue
    return found
