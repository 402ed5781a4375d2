"""``--once`` asks every target once, all at the same time, and prints what they answered."""

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from staged_resiliency.probe.agent.attempt import Tools
from staged_resiliency.probe.agent.checks import TcpCheck
from staged_resiliency.probe.agent.config import Config, Target
from staged_resiliency.probe.agent.dns_check import DnsCheck
from staged_resiliency.probe.agent.http_check import HttpCheck
from staged_resiliency.probe.agent.loop import Loop
from staged_resiliency.probe.agent.main import main
from staged_resiliency.probe.agent.run_once import results_of_one_round, table
from tests.cases import cases
from tests.staged_resiliency.probe.agent.hostile.dns_server import (
    CNAME,
    dns_serving,
    message,
    name,
    record,
)
from tests.staged_resiliency.probe.agent.hostile.http_answers import after_request
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, Peer, serving
from tests.staged_resiliency.probe.agent.support import instance_metadata


def printed(targets: Sequence[Target], **settings: Any) -> list[str]:
    """The lines that are printed for targets."""
    config = Config("shop", "Shop", tuple(targets), **settings)
    return table(results_of_one_round(config, Tools(Loop()), config.host)).split("\n")


def test_the_table_has_a_line_for_each_target_in_their_order() -> None:
    busy = after_request(b"HTTP/1.1 503 Busy\r\n\r\n")
    with serving(Peer.hold) as db, serving(busy) as shop:
        lines = printed(
            [
                Target("shop-connectivity", HttpCheck(HOST, shop.port)),
                Target("db", TcpCheck(HOST, db.port)),
                Target("gone", TcpCheck(HOST, 1)),
            ]
        )
    cells = [re.split(r"  +", line) for line in lines]
    assert [row[:3] for row in cells] == [
        ["METRIC", "TARGET", "VALUE"],
        ["shop-connectivity", f"{HOST}:{shop.port}", "0"],
        ["db", f"{HOST}:{db.port}", "1"],
        ["gone", f"{HOST}:1", "0"],
    ]
    assert [row[4] for row in cells] == [
        "ANSWER",
        "status (status 503)",
        "connected",
        "refused (Connection refused)",
    ]
    assert all(re.fullmatch(r"\d+ ms", row[3]) for row in cells[1:])


def test_the_columns_begin_below_each_other() -> None:
    with serving(Peer.hold) as server:
        check = TcpCheck(HOST, server.port)
        lines = printed(
            [Target("a", check), Target("a-metric-with-a-long-name", TcpCheck(HOST, 1))]
        )
    starts = [lines[0].index(head) for head in ("TARGET", "VALUE", "TIME", "ANSWER")]
    for line in lines[1:]:
        assert all(line[start - 2 : start] == "  " for start in starts)
        assert all(line[start] != " " for start in starts)


def test_all_are_asked_at_the_same_time() -> None:
    with serving(Peer.hold) as server:
        checks = [HttpCheck(HOST, server.port, path=f"/{number}") for number in range(20)]
        start = time.monotonic()
        lines = printed(
            [Target(f"m{number}", check) for number, check in enumerate(checks)],
            timeout_seconds=0.2,
        )
    assert time.monotonic() - start < 1
    assert len([line for line in lines if "timeout (waiting for the answer" in line]) == 20


def test_peers_are_asked_but_not_by_themselves() -> None:
    with serving(Peer.hold) as server:
        check = TcpCheck(HOST, server.port)
        peers = {"blue": TcpCheck(HOST, 1), "green": check, "red": TcpCheck(HOST, 2)}
        lines = printed([Target("db", check)], peers=peers, host="blue")
    assert [re.split(r"  +", line)[:3] for line in lines[1:]] == [
        ["db", f"{HOST}:{server.port}", "1"],
        ["peer-connectivity of green", f"{HOST}:{server.port}", "1"],
        ["peer-connectivity of red", f"{HOST}:2", "0"],
    ]


@cases(
    ("name", "failing", "asked", "note"),
    {
        "itself is not asked": ("blue", ["blue"], ["green"], ""),
        "another peer fails": ("blue", ["green"], ["green"], ""),
        "none of the peers": (
            "third",
            ["blue", "green"],
            [],
            "this host, third, is not a peer, and checks no peers",
        ),
        "unknown": (
            None,
            ["blue", "green"],
            ["blue", "green"],
            "peers do not count: one may be this host, whose name is unknown: ",
        ),
    },
)
def test_the_host_is_known_by_its_name_tag(
    name: str | None,
    failing: Sequence[str],
    asked: Sequence[str],
    note: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "probe.json"
    with serving(Peer.hold) as server, instance_metadata() as metadata:
        metadata.change(tags={"Name": name} if name else {"Name": "a\nb"})
        peers = {
            peer: {"check": "tcp", "host": HOST, "port": 1 if peer in failing else server.port}
            for peer in ("blue", "green")
        }
        target = {"metric": "db", "check": "tcp", "host": HOST, "port": server.port}
        top = {"service": "shop", "namespace": "Shop", "targets": [target], "peers": peers}
        file.write_text(json.dumps(top), encoding="utf-8")
        arguments = ["--configuration", str(file), "--metadata-url", metadata.url, "--once"]
        status = main(arguments)
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("peer-connectivity of ")]
    assert [row.split()[2] for row in rows] == asked
    assert lines[2 + len(asked) :] == [] if not note else lines[-1].startswith(note)
    assert status == (1 if name == "blue" and "green" in failing else 0)


def test_a_host_that_is_not_a_peer_checks_nothing_and_ends() -> None:
    check = TcpCheck(HOST, 1)
    peers = {"blue": check, "green": check}
    assert len(printed([], peers=peers, host="third")) == 1


def test_targets_that_are_asked_alike_have_a_line_each() -> None:
    lines = printed([Target("a", TcpCheck(HOST, 1)), Target("b", TcpCheck(HOST, 1))])
    assert [line.split()[0] for line in lines] == ["METRIC", "a", "b"]


def test_what_a_target_answers_can_t_move_the_cursor() -> None:
    moved = after_request(b"HTTP/1.1 302 Found\r\nLocation: /\x1b[2J\r\n\r\n")
    alias = record(CNAME, name("\x1b[2J\r\n.example"))
    with dns_serving(lambda query: [message(query.data, alias)]) as port, serving(moved) as server:
        lines = printed(
            [
                Target("a", DnsCheck("www.example.com", "CNAME", server=HOST, port=port)),
                Target("b", HttpCheck(HOST, server.port)),
            ]
        )
    assert len(lines) == 3
    assert all(line.isascii() and line.isprintable() for line in lines)
