"""Lines with the priority that journald reads."""

import errno
import io
import sys

import pytest

from staged_resiliency.probe.agent.attempt import TIMEOUT, Failure
from staged_resiliency.probe.agent.journal import Journal
from staged_resiliency.probe.agent.sampler import Result, Sampler
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, WELL, VirtualHost, host_series


def result(failure: Failure | None, seconds: float) -> Result:
    with VirtualHost() as world:
        sampler = Sampler(world.tools, host_series("db-connectivity"), WELL, 10, 5, print)
        return Result(sampler, MIDNIGHT, seconds, "connected", failure)


def test_lines_have_their_priority_and_go_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    journal = Journal()
    journal.info("known")
    journal.warning("looked at")
    assert capsys.readouterr().out == "<6>known\n<4>looked at\n"


def test_samples_are_written_in_the_documented_form() -> None:
    lines: list[str] = []
    journal = Journal(lines.append)
    journal.result(result(None, 0.0034), changed=False)
    late = Failure(TIMEOUT, "no answer within 5 s")
    journal.result(result(late, 5.0012), changed=False)
    assert lines == [
        "<6>db-connectivity well:1 succeeded in 3 ms",
        "<4>db-connectivity well:1 failed after 5001 ms: timeout (no answer within 5 s)",
    ]


def test_with_changes_only_other_samples_are_not_written() -> None:
    lines: list[str] = []
    journal = Journal(lines.append, every_sample=False)
    journal.result(result(None, 0.003), changed=False)
    assert lines == []
    journal.result(result(None, 0.003), changed=True)
    assert len(lines) == 1


class FullDisk(io.StringIO):
    """Standard output to a file for which there is no more room."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_costs_the_line_and_not_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    Journal().info("lost")
