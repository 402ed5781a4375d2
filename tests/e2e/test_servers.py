"""The checks of databases against Debian 13's own servers, on a host with the installed probe."""

import base64
import bz2
import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.machine import requirements, rootfs
from tests.e2e.machine.step_order import Status
from tests.e2e.machine.waiting import BUSY_SECONDS, eventually
from tests.e2e.probed_hosts import BLUE, CONFIGURATION, HOME, UNIT, Cloud, Host
from tests.support import Data, Template, example, synthesize

SERVERS: Final = rootfs.Recipe("trixie", rootfs.DEBIAN.packages).adding(
    "mariadb-server", "postgresql", "redis-server"
)
SAMPLES: Final = 1000
INTERVAL_SECONDS: Final = 2
TIMEOUT_SECONDS: Final = 1
SAMPLING: Final = Path(__file__).parent / "machine" / "sampling.py"

# Each listens on the host's own address, from which connections are counted as a client's: MariaDB
# counts none of the loopback's, and none of clients without a name.
_SET_UP: Final = r"""
set -eu
echo "$ADDRESS client" >>/etc/hosts
printf '[mysqld]\nbind-address=0.0.0.0\n' >/etc/mysql/mariadb.conf.d/99-test.cnf
sed -i 's/^bind .*/bind 0.0.0.0/; s/^protected-mode yes/protected-mode no/' /etc/redis/redis.conf
echo "listen_addresses = '*'" >/etc/postgresql/17/main/conf.d/test.conf
echo "host all all $ADDRESS/32 scram-sha-256" >>/etc/postgresql/17/main/pg_hba.conf
systemctl restart mariadb postgresql@17-main redis-server
mariadb --execute "CREATE USER resiliency_probe@'client'"
runuser -u postgres -- psql --quiet --command "CREATE ROLE resiliency_probe LOGIN PASSWORD 'x'"
"""
_LOGS: Final = (
    "journalctl --sync; journalctl --unit=mariadb --output=cat --no-pager; "
    "cat /var/log/postgresql/*.log /var/log/redis/*.log"
)
# What the servers write whether or not somebody connects.
_HOUSEKEEPING: Final = ("LOG:  checkpoint ", "[Note]", " * ")


def check_of(kind: str, address: str) -> Mapping[str, Any]:
    """A check of the agent's configuration, of the server on the host."""
    checks: Mapping[str, Mapping[str, Any]] = {
        "mysql": {"check": "mysql", "user": "resiliency_probe", "latency": "statistics"},
        "postgresql": {"check": "postgresql"},
        "session": {"check": "postgresql", "user": "resiliency_probe"},
        "redis": {"check": "redis", "latency": "values"},
        "bare": {"check": "tcp", "port": 3306},
    }
    return {"metric": f"{kind}-connectivity", "host": address, **checks[kind]}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """A host with the servers, and the probe that checks them each 2 s."""
    reason = requirements.missing()
    if reason:
        pytest.skip(reason)
    template: Template = synthesize([example()])["bookstore-production-probe"]
    with Cloud() as cloud, Host(cloud, BLUE, template, recipe=SERVERS) as made:
        made.run(["sh", "-c", _SET_UP], env={"ADDRESS": made.address})
        made.write("/srv/sampling.py", SAMPLING.read_text(encoding="utf-8"))
        kinds = ("mysql", "postgresql", "session", "redis", "bare")

        def servers(configuration: Data) -> None:
            configuration.update(interval_seconds=INTERVAL_SECONDS, timeout_seconds=TIMEOUT_SECONDS)
            configuration["targets"] = [check_of(kind, made.address) for kind in kinds[:4]]

        made.install(servers)
        yield made


def sampled(host: Host, kind: str, count: int = SAMPLES, /, **settings: object) -> dict[str, int]:
    """How often each result occurred."""
    given = json.dumps({"host": host.address, **settings})
    words = ["python3", "-I", "/srv/sampling.py", f"{HOME}/current", kind, given, str(count)]
    results: dict[str, int] = json.loads(host.run(words, timeout_seconds=240).stdout)
    return results


def complaints(host: Host, before: str) -> list[str]:
    """The lines that the servers wrote since, except what they always write."""
    lines = host.shell(_LOGS).splitlines()
    known = set(before.splitlines())
    return [
        line
        for line in lines
        if line not in known and not any(each in line for each in _HOUSEKEEPING)
    ]


def mariadb_errors(host: Host) -> Mapping[str, str]:
    """What MariaDB counted."""
    shown = host.shell(
        'mariadb --skip-column-names --execute "SHOW GLOBAL STATUS WHERE Variable_name LIKE '
        "'Aborted_%' OR Variable_name LIKE 'Connection_errors_%'\""
    )
    return dict(line.split("\t") for line in shown.splitlines())


def test_the_probe_runs_on_debian_13(host: Host) -> None:
    assert 'VERSION_ID="13"' in host.read("/etc/os-release")
    assert host.state(UNIT) == "active"
    for kind in ("mysql", "postgresql", "session", "redis"):
        name = f"{kind}-connectivity"

        # One of them: within a second a busy machine may not come to answer each.
        def passes(metric: str = name) -> bool:
            return any(point.greatest == 1 for point in host.metric(metric).values())

        eventually(f"a 1 of {kind}", passes)
    for name in ("mysql-latency", "redis-latency"):
        published = eventually(f"a {name}", partial(host.metric, name), seconds=90).values()
        assert all(0 < point.least <= point.greatest < 1000 for point in published)


def test_a_compressed_configuration_is_installed_as_it_was(host: Host) -> None:
    content = host.read(CONFIGURATION).encode()
    compressed = base64.b64encode(bz2.compress(content)).decode()
    invocation = host.systems_manager(Configuration=compressed)
    assert invocation.status is Status.SUCCESS, invocation
    assert host.read(CONFIGURATION).encode() == content
    broken = host.systems_manager(Configuration=base64.b64encode(b"BZh9").decode())
    assert broken.status is Status.FAILED
    assert "Configuration is not compressed data; nothing was changed" in str(broken)
    assert host.state(UNIT) == "active"


def test_a_thousand_samples_leave_no_error_and_no_line_in_a_log(host: Host) -> None:
    before = host.shell(_LOGS)
    user = {"user": "resiliency_probe"}
    (mysql,) = sampled(host, "MysqlCheck", **user).items()
    (postgresql,) = sampled(host, "PostgresqlCheck").items()
    (session,) = sampled(host, "PostgresqlCheck", **user).items()
    (redis,) = sampled(host, "RedisCheck").items()
    assert mysql[0].startswith("logged in, version 11.8")
    assert [postgresql, session, redis] == [
        ("answered, with TLS", SAMPLES),
        ("asked for the password, with TLS", SAMPLES),
        ("PONG", SAMPLES),
    ]
    assert mysql[1] == SAMPLES
    assert {*mariadb_errors(host).values()} == {"0"}
    assert complaints(host, before) == []
    errors = host.shell("redis-cli info stats | grep -E '^(total_error_replies|rejected)'")
    assert {line.split(":")[1].strip() for line in errors.splitlines()} == {"0"}


def test_bare_connections_block_the_host_and_the_check_says_so(host: Host) -> None:
    assert sampled(host, "TcpCheck", 120, port=3306) == {"connected": 120}
    assert mariadb_errors(host)["Aborted_connects_preauth"] == "120"
    for _ in range(5):
        # Connections count once the server has resolved the client's name.
        (result, *_) = sampled(host, "MysqlCheck", 1, user="resiliency_probe")
        if result.startswith("status (error 1129: "):
            break
        sampled(host, "TcpCheck", 120, port=3306)
    assert result.startswith("status (error 1129: ")
    assert sampled(host, "TcpCheck", 1, port=3306) == {"connected": 1}
    host.shell("mariadb-admin flush-hosts")
    (result,) = sampled(host, "MysqlCheck", 3, user="resiliency_probe")
    assert result.startswith("logged in")


@pytest.mark.parametrize(
    ("kind", "process", "port"),
    [("mysql", "mariadbd", 3306), ("session", "postgres", 5432), ("redis", "redis-server", 6379)],
)
def test_a_server_that_hangs_is_a_0_within_interval_and_timeout(
    host: Host, kind: str, process: str, port: int
) -> None:
    """While a bare connection succeeds."""
    before = host.shell("date +%s.%N")
    host.run(["pkill", "--signal", "STOP", "--oldest", "--exact", process])
    stopped = time.monotonic()
    try:
        metric = f"{kind}-connectivity "

        def hangs() -> bool:
            words = ["journalctl", f"--unit={UNIT}", f"--since=@{before}", "--output=cat"]
            lines = host.run(words).stdout.splitlines()
            return any(line.startswith(metric) and "timeout (" in line for line in lines)

        eventually("a failed sample", hangs, every=0.1)
        assert time.monotonic() - stopped <= INTERVAL_SECONDS + TIMEOUT_SECONDS + BUSY_SECONDS
        assert sampled(host, "TcpCheck", 3, port=port) == {"connected": 3}
    finally:
        host.run(["pkill", "--signal", "CONT", "--oldest", "--exact", process])
