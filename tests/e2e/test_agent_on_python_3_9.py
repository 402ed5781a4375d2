"""The agent, as it is installed, on the oldest Python that it promises."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from staged_resiliency.probe.document_builder import agent_files
from tests import statsd_clients
from tests.e2e.machine.cloudwatch import CloudWatch
from tests.e2e.machine.metadata_service import Instance, MetadataService
from tests.e2e.machine.put_metric_data import Metric, merged
from tests.e2e.machine.targets import TcpTarget
from tests.e2e.machine.waiting import eventually
from tests.e2e.pythons import interpreter
from tests.support import ROOT

PINS = ROOT / "constructs" / "staged_resiliency" / "probe" / "install" / "requirements.txt"
LOOPBACK = "127.0.0.1"


def listen(port: int = 0) -> socket.socket:
    return socket.create_server((LOOPBACK, port))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment as the installer makes it."""
    oldest = interpreter("3.9")
    if oldest is None:
        pytest.skip("this machine has no Python 3.9")
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([oldest, "-I", "-m", "venv", folder], check=True)
    made = folder / "bin" / "python"
    pip: list[str | Path] = [
        made,
        "-I",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", PINS], check=True)
    return made


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The agent's files as they are installed."""
    folder = tmp_path / "agent"
    for path, content in agent_files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


def _waiting(port: int) -> bool:
    """Whether datagrams wait for whoever listens at a port."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    (queue,) = [row[4] for row in rows if row[1] == f"0100007F:{port:04X}"]
    return int(queue.partition(":")[2], 16) > 0


def test_it_asks_its_targets_and_publishes(python: Path, agent: Path, tmp_path: Path) -> None:
    with listen() as free:
        port = free.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind((LOOPBACK, 0))
        statsd_port = unused.getsockname()[1]
    instance = Instance(tags={"Name": "bookstore-api-blue"})
    metadata_socket = listen()
    with (
        CloudWatch(lambda: listen(port)) as cloudwatch,
        MetadataService(metadata_socket, {LOOPBACK: instance}),
        TcpTarget(target := listen()),
    ):
        configuration = tmp_path / "bookstore.json"
        configuration.write_text(
            json.dumps(
                {
                    "service": "bookstore",
                    "namespace": "Bookstore",
                    "interval_seconds": 2,
                    "timeout_seconds": 1,
                    "endpoint_url": f"http://{LOOPBACK}:{port}",
                    "statsd": {"metrics": ["plain.*"], "max_metrics": 5, "port": statsd_port},
                    "targets": [
                        {
                            "metric": "db-connectivity",
                            "check": "tcp",
                            "host": "localhost",
                            "port": target.getsockname()[1],
                        }
                    ],
                }
            )
        )
        words: list[str | Path] = [python, "-I", "-B", agent, "--configuration", configuration]
        once = subprocess.run([*words, "--once"], capture_output=True, text=True, check=False)
        assert (once.returncode, once.stderr) == (0, "")
        assert "connected" in once.stdout

        metadata_url = f"http://{LOOPBACK}:{metadata_socket.getsockname()[1]}"
        journal = tmp_path / "journal"
        with journal.open("w") as lines:
            running = subprocess.Popen(
                [*words, "--metadata-url", metadata_url], stdout=lines, stderr=lines
            )
        try:
            expected = Metric.of("db-connectivity", Host="bookstore-api-blue")
            points = eventually(
                "a data point",
                lambda: cloudwatch.points("Bookstore", expected),
            )
            statsd_clients.send(statsd_port)
            eventually("all is received", lambda: not _waiting(statsd_port))
        finally:
            running.terminate()
            status = running.wait(timeout=30)
        assert {point.average for point in points.values()} == {1}
        assert status == 0
        orders = Metric.of("plain.orders", Host="bookstore-api-blue")
        sent = merged(each.put() for each in cloudwatch.requests).items()
        assert sum(point.total for (_, metric, _), point in sent if metric == orders) == 2
        assert "Traceback" not in journal.read_text()
