"""The command line, and the agent as a process of its own on stand-ins of loopback."""

import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.agent import main as module
from staged_resiliency.probe.agent.main import main
from tests.cases import cases
from tests.e2e.machine.put_metric_data import Metric
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    SPOOLED,
    HttpCloudWatch,
    eventually,
    instance_metadata,
    serving,
    silence,
    unused_url,
)

PACKAGE = "staged_resiliency.probe.agent"
FIRST, SECOND = "cdn-health", "ads-health"  # their phases are small: they are sampled soon


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What the program sets for its whole process is as it was after each test."""
    size = threading.stack_size()
    signals = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    handlers = [(number, signal.getsignal(number)) for number in signals]
    yield
    threading.stack_size(size)
    for number, handler in handlers:
        signal.signal(number, handler)


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


class File:
    """A configuration file with targets on loopback, by their metrics and ports."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bookstore.json"

    def write(self, targets: dict[str, int], **others: Any) -> None:
        content = {
            "service": "bookstore",
            "namespace": "Bookstore",
            "interval_seconds": 1,
            "timeout_seconds": 0.5,
            "targets": [
                {"metric": metric, "check": "tcp", "host": "127.0.0.1", "port": port}
                for metric, port in targets.items()
            ],
            **others,
        }
        self.path.write_text(json.dumps(content))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_a_valid_configuration_is_reported_as_valid(
    file: File, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write({FIRST: 80})
    assert main(["--configuration", str(file.path), "--check-config"]) == 0
    assert capsys.readouterr().out == f"{file.path}: valid: 1 targets and 0 peers every 1 s\n"


@pytest.mark.parametrize("options", [[], ["--check-config"], ["--once"]])
def test_what_is_wrong_with_a_configuration_is_a_line_on_standard_error(
    file: File, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    file.write({FIRST: 70000})
    assert main(["--configuration", str(file.path), *options]) == 2
    reported = capsys.readouterr()
    assert reported.out == ""
    assert reported.err == (
        f"{file.path}: targets[0].port: must be a whole number from 1 to 65535, not 70000\n"
    )


def test_once_prints_a_table_and_its_status_is_1_on_failure(
    file: File, capsys: pytest.CaptureFixture[str]
) -> None:
    with silence() as url:
        file.write({FIRST: port_of(url)})
        assert main(["--configuration", str(file.path), "--once"]) == 0
        file.write({FIRST: port_of(url), "db-connectivity": port_of(unused_url())})
        assert main(["--configuration", str(file.path), "--once"]) == 1
    table = capsys.readouterr().out.splitlines()[-2:]
    assert table[0].split()[0::2] == [FIRST, "1", "ms"]
    assert "refused (Connection refused)" in table[1]


@cases(
    ("options", "message"),
    {
        "nothing": ([], "the following arguments are required: --configuration"),
        "both": (["--configuration", "x", "--once", "--check-config"], "not allowed with"),
        "a port out of range": (
            ["--configuration", "x", "--metadata-url", "http://host:99999"],
            "such as https://monitoring.us-west-2.amazonaws.com, not 'http://host:99999'",
        ),
        "no URL": (
            ["--configuration", "x", "--metadata-url", "169.254.169.254"],
            "argument --metadata-url: must be a URL",
        ),
    },
)
def test_wrong_usage_ends_with_status_2(
    capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_the_spool_is_in_systemds_state_directory_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/probe")
    usual = ["--configuration", "x"]
    assert module._parser().parse_args(usual).state == Path("/var/lib/probe")
    assert module._parser().parse_args([*usual, "--state", "/tmp/x"]).state == Path("/tmp/x")
    monkeypatch.delenv("STATE_DIRECTORY")
    given = module._parser().parse_args(usual)
    assert given.state is None
    assert given.metadata_url == "http://169.254.169.254"


def test_the_package_can_be_run(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write({FIRST: 80})
    monkeypatch.setattr(sys, "argv", ["probe", "--configuration", str(file.path), "--check-config"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(PACKAGE, run_name="__main__")
    assert ended.value.code == 0


class Systemd:
    """Stands in for systemd: receives notifications."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10)

    def hears(self, line: str) -> None:
        """Wait until a line is received."""
        end = time.monotonic() + 10
        while line not in self.socket.recv(4096).decode().splitlines():
            assert time.monotonic() < end, f"it did not receive {line}"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path / "notify")
    yield systemd
    systemd.socket.close()


def having(cloudwatch: HttpCloudWatch, metric: Metric, namespace: str) -> Callable[[], bool]:
    """Whether CloudWatch received a metric."""

    def found() -> bool:
        puts = [put for put in cloudwatch.puts() if put.namespace == namespace]
        return any(datum.metric == metric for put in puts for datum in put.data)

    return found


@pytest.mark.slow
def test_the_agent_obeys_signals(
    file: File, systemd: Systemd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: SIGHUP with the same namespace, then with another, and SIGTERM."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    cloudwatch = HttpCloudWatch()
    problems: list[BaseException] = []

    def operate() -> None:
        try:
            systemd.hears("READY=1")
            eventually(having(cloudwatch, Metric.of(FIRST, Host=BLUE), "Bookstore"))
            file.write({SECOND: port}, endpoint_url=url)
            os.kill(os.getpid(), signal.SIGHUP)
            eventually(having(cloudwatch, Metric.of(SECOND, Host=BLUE), "Bookstore"))
            file.write({FIRST: port}, endpoint_url=url, namespace="Library")
            os.kill(os.getpid(), signal.SIGHUP)
            systemd.hears("READY=1")
            eventually(having(cloudwatch, Metric.of(FIRST, Host=BLUE), "Library"))
        except BaseException as problem:
            problems.append(problem)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    with (
        silence() as target,
        serving(cloudwatch.answer) as url,
        instance_metadata(tags={"Name": BLUE}) as metadata,
    ):
        port = port_of(target)
        file.write({FIRST: port}, endpoint_url=url)
        operator = threading.Thread(target=operate)
        operator.start()
        options = ["--metadata-url", metadata.url, "--state", str(tmp_path)]
        assert main(["--configuration", str(file.path), *options]) == 0
        operator.join()
    assert problems == []
    systemd.hears("STOPPING=1")


@pytest.mark.slow
def test_a_signal_that_reaches_another_thread_wakes_the_loop(
    file: File, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    times: list[float] = []

    def operate() -> None:
        try:
            systemd.hears("READY=1")
            time.sleep(0.1)
        finally:
            times.append(time.monotonic())
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    with serving(HttpCloudWatch().answer) as url, instance_metadata() as metadata:
        # It has nothing to do until a minute is over or the sample is due, which takes 44 s.
        here = {"host": BLUE, "region": "us-west-2", "endpoint_url": url}
        file.write({"smtp-connectivity": 1}, interval_seconds=60, timeout_seconds=1, **here)
        operator = threading.Thread(target=operate)
        operator.start()
        options = ["--configuration", str(file.path), "--metadata-url", metadata.url]
        assert main(options) == 0
        assert time.monotonic() - times[0] < 1
        operator.join()


@pytest.mark.slow
def test_the_agent_as_a_process_publishes_reloads_and_ends(
    file: File, systemd: Systemd, tmp_path: Path
) -> None:
    cloudwatch = HttpCloudWatch()
    state = tmp_path / "state"
    state.mkdir()
    with (
        silence() as target,
        serving(cloudwatch.answer) as url,
        instance_metadata(tags={"Name": BLUE}) as metadata,
    ):
        ports = {FIRST: port_of(target), SECOND: port_of(unused_url())}
        file.write(ports, endpoint_url=url)
        environment = {
            "PATH": os.environ["PATH"],
            "NOTIFY_SOCKET": str(systemd.path),
            "WATCHDOG_USEC": "300000",
            "STATE_DIRECTORY": str(state),
        }
        process = subprocess.Popen(
            [
                *(sys.executable, "-B", "-m", PACKAGE),
                *(f"--configuration={file.path}", f"--metadata-url={metadata.url}"),
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            systemd.hears("READY=1")
            systemd.hears("WATCHDOG=1")
            class_of = Metric.of(f"{SECOND}-failures", Host=BLUE, Class="refused")
            eventually(having(cloudwatch, class_of, "Bookstore"))
            file.path.write_text("{}")
            process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
            file.write({FIRST: port_of(target)}, endpoint_url=url)
            process.send_signal(signal.SIGHUP)
            systemd.hears(f"STATUS=1 targets every 1 s, namespace Bookstore, host {BLUE}")
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=5)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == (f"<6>ready: 2 targets every 1 s, namespace Bookstore, host {BLUE}")
    assert any(line.startswith(f"<6>{FIRST} 127.0.0.1:") for line in lines)
    failed = rf"<4>{SECOND} 127\.0\.0\.1:\d+ failed after \d+ ms: refused \(Connection refused\)"
    assert any(re.fullmatch(failed, line) for line in lines)
    assert any("the new configuration is refused: " in line for line in lines)
    heartbeat = Metric.of("probe-heartbeat", Host=BLUE)
    assert having(cloudwatch, heartbeat, "Bookstore")()
    assert list(state.glob(SPOOLED)) == []
    assert not any(request.of_version_1 for request in metadata.service.requests)


def test_a_look_at_the_targets_needs_no_botocore(tmp_path: Path) -> None:
    """It is somewhere else where the distribution has none."""
    file = tmp_path / "bookstore.json"
    target = {"metric": FIRST, "check": "tcp", "host": "127.0.0.1", "port": 1}
    file.write_text(json.dumps({"service": "a", "namespace": "A", "targets": [target]}))
    script = (
        "import sys; sys.modules['botocore'] = None; "
        "from staged_resiliency.probe.agent.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", script, "--configuration", str(file), "--once"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "refused (Connection refused)" in done.stdout
