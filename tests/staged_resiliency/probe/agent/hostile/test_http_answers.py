"""Every HTTP answer of the table, given by a real socket, ends the sample as it should."""

import pytest

from staged_resiliency.probe.agent.http_check import HttpCheck
from tests.staged_resiliency.probe.agent.hostile.asking import Expected, ask, assert_ends
from tests.staged_resiliency.probe.agent.hostile.http_answers import ROWS, Row
from tests.staged_resiliency.probe.agent.hostile.servers import HOST, serving


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_hostile_answer_has_the_right_class_and_detail(row: Row) -> None:
    expected = Expected(row.kind, row.detail)
    with serving(row.script) as server:
        check = HttpCheck(HOST, server.port, **row.settings)
        assert_ends(ask(check, expected.seconds), expected)
        assert server.deserted(3), "the agent has left the connection open"
