"""`resiliency drill follow`: a run as it happens, and its verdict."""

from dataclasses import replace
from typing import Any

import pytest

from resiliency.drill_cli import dispatch, follow
from resiliency.drill_cli.safe_console import SafeConsole
from staged_resiliency.drills.runtime.durations import Timeouts
from tests import journals
from tests.cases import cases
from tests.fake_aws import plans
from tests.fake_aws.command import NOW, Run, phase_record
from tests.fake_aws.simulation import ApiError
from tests.resiliency.drill_cli.conftest import Drill

HISTORY = ("stepfunctions", "GetExecutionHistory")


def journal(script: journals.Script = journals.STOPPED) -> dict[str, Any]:
    return dict(journals.run_of(replace(script, experiment="shutdown", kind="drill")))


def scripted(drill: Drill) -> Run:
    """A run of five minutes in which nothing goes wrong."""
    run = drill.aws.begin("shutdown", "run-1")
    run.phase("Preflight", NOW + 1, NOW + 4, message="all checks passed")
    run.phase("Steady state", NOW + 5, NOW + 15, message="bookstore-api-blue serves")
    run.phase("Inject", NOW + 16, NOW + 30, message="experiment EXP1", experiment="EXP1")
    for call in range(5):
        at = NOW + 31 + 40 * call
        message = "it happened" if call == 4 else ""
        run.phase("Observe", at, at + 39, again=call < 4, message=message)
    run.phase("End fault", NOW + 240, NOW + 250, message="the experiment is stopped")
    run.end("SUCCEEDED", NOW + 300)
    return run


def test_a_run_is_shown_phase_by_phase_and_a_passed_one_is_a_success(drill: Drill) -> None:
    scripted(drill)
    seen = [
        (NOW + 32, "client", plans.RECORD, "no answer"),
        (NOW + 36, "client", plans.RECORD, "no answer"),
        (NOW + 40, "alarm", plans.STATUS_ALARM, "ALARM"),
    ]
    key = "runs/shutdown/run-1/phases/1-observe.json"
    drill.aws.service.after(70, lambda: drill.aws.put(key, phase_record("Observe", NOW + 31, seen)))
    drill.aws.service.after(310, lambda: drill.aws.record(journal(), "run-1"))
    expected = drill("follow").out.splitlines()
    assert expected[0] == "shutdown of bookstore in production, run run-1"
    assert expected[1].startswith("Ctrl-C ends this view only")
    assert expected[2:16] == [
        "19:30:01Z  Preflight",
        "19:30:04Z  Preflight: all checks passed",
        "19:30:05Z  Steady state",
        "19:30:15Z  Steady state: bookstore-api-blue serves",
        "19:30:16Z  Inject",
        "19:30:30Z  Inject: experiment EXP1",
        "19:30:31Z  Observe",
        f"19:30:32Z  client {plans.RECORD}: no answer",
        f"19:30:40Z  alarm {plans.STATUS_ALARM}: ALARM",
        "19:33:50Z  Observe: it happened",
        "19:34:00Z  End fault",
        "19:34:10Z  End fault: the experiment is stopped",
        "The run ended (SUCCEEDED); its verdict is not recorded yet.",
        "",
    ]
    assert expected[16] == "passed: All 5 expectations met."
    assert "failover 268 s" in expected[-1]


def test_a_failed_run_is_a_failure_and_says_why(drill: Drill) -> None:
    scripted(drill)
    drill.aws.record(journal(journals.LATE), "run-1")
    out = drill("follow", "shutdown", "--run", "run-1", status=1).out
    assert (
        "failed: clients of bookstore.pingpublications.com reach bookstore-api-green 432 s" in out
    )
    assert "not recorded yet" not in out


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_a_run_that_did_not_come_to_its_end_is_a_failure(status: str, drill: Drill) -> None:
    run = drill.aws.begin("shutdown", "run-1")
    run.phase("Preflight", NOW + 1, NOW + 4)
    run.end(status, NOW + 10)
    stopped = {**journals.aborted_run(reason="the run was aborted"), "experiment": "shutdown"}
    drill.aws.service.after(60, lambda: drill.aws.record(stopped, "run-1"))
    out = drill("follow", status=1).out
    assert f"The run ended ({status})" in out
    assert "aborted: the run was aborted" in out


@pytest.fixture
def slow_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Poll once a minute, as these runs take long."""
    monkeypatch.setattr(follow, "POLL_SECONDS", 60.0)


@pytest.mark.usefixtures("slow_polls")
def test_a_run_without_a_verdict_is_not_waited_for_for_ever(drill: Drill) -> None:
    drill.aws.begin("shutdown", "run-1").end("ABORTED", NOW + 10)
    printed = drill("follow", status=1)
    assert printed.out.splitlines()[-1] == (
        "The run ended (ABORTED). The cleanup ends its fault, then records the verdict, within 27 "
        "min."
    )
    assert printed.err == (
        "run-1: ended (ABORTED) without a verdict within 27 min; make sure that bookstore-api-blue "
        "is well, and check the cleanup's log\n"
    )


@pytest.mark.usefixtures("slow_polls")
@pytest.mark.parametrize("minutes", [10, 60])
def test_the_verdict_of_a_blackhole_that_was_aborted_at_once_is_waited_for(
    minutes: int, drill: Drill
) -> None:
    seconds = minutes * 60
    timeouts = Timeouts.of(seconds, plans.BLACKHOLE.hypothesis, 360)
    plan = replace(plans.BLACKHOLE, drill="longer", fault_seconds=seconds, timeouts=timeouts)
    drill.aws.deploy(plan)
    run = drill.aws.begin(plan.drill, "run-1")
    run.phase("Inject", NOW + 1, NOW + 4, message="experiment EXP1", experiment="EXP1")
    run.end("ABORTED", NOW + 5)
    # Its host alone ends it, when its time is over; the cleanup waits, and may be called again.
    stopped = {**journals.aborted_run(reason="the run was aborted"), "experiment": plan.drill}
    drill.aws.service.after(5 + seconds + 300, lambda: drill.aws.record(stopped, "run-1"))
    out = drill("follow", plan.drill, status=1).out
    assert "The cleanup ends its fault" in out
    assert "aborted: the run was aborted" in out


def test_a_verdict_that_cannot_be_read_is_shown_in_a_line(drill: Drill) -> None:
    drill.aws.begin("shutdown", "run-1").end("SUCCEEDED", NOW)
    drill.aws.put("journals/shutdown/run-1.json", '{"schema_version": 99}')
    error = drill("follow", status=1).err
    assert "schema_version: 99 is newer than this release" in error
    assert len(error.splitlines()) == 1


def test_ctrl_c_ends_the_view_and_nothing_in_the_account(drill: Drill) -> None:
    run = scripted(drill)

    def interrupt() -> None:
        raise KeyboardInterrupt

    drill.aws.service.after(100, interrupt)
    out = drill("follow", status=1).out
    assert "No longer followed. The drill continues in the account" in out
    assert "resiliency drill follow bookstore production shutdown --run run-1" in out
    assert f"aws stepfunctions stop-execution --execution-arn {run.arn} --region us-west-2" in out
    assert "aws fis stop-experiment --id EXP1 --region us-west-2" in out
    changing = ("Stop", "Start", "Put", "Delete", "Update", "Create", "Send", "Set")
    assert not [each for each in drill.aws.calls if each[1].startswith(changing)]


def test_ctrl_c_at_the_first_look_still_says_how_to_stop_it(drill: Drill) -> None:
    drill.aws.begin("db-blackhole", "run-1")
    drill.aws.refuse("stepfunctions", "DescribeExecution", KeyboardInterrupt())
    out = drill("follow", status=1).out
    assert f"aws fis list-experiments --experiment-template-id {plans.OTHER_TEMPLATE}" in out
    assert "aws ec2" not in out


def test_only_what_is_new_is_asked_for(drill: Drill) -> None:
    scripted(drill)
    drill.aws.record(journal(), "run-1")
    drill("follow")
    looks = drill.aws.calls.count(("stepfunctions", "DescribeExecution"))
    events = len(drill.aws.runs[0].events)
    assert looks > 50
    # Reading all pages each time would take several times as many calls.
    assert drill.aws.calls.count(HISTORY) < looks + events / 5 + 2
    assert drill.aws.calls.count(("s3", "GetObject")) == 1


def test_a_moment_without_aws_does_not_end_the_view(drill: Drill) -> None:
    scripted(drill)
    drill.aws.record(journal(), "run-1")
    usual = drill.aws.answers[HISTORY]
    drill.aws.refuse(*HISTORY, ApiError("ThrottlingException"))
    drill.aws.service.after(20, lambda: drill.aws.answers.update({HISTORY: usual}))
    out = drill("follow").out
    assert out.count("AWS throttles states:GetExecutionHistory") == 4
    assert "trying again" in out
    assert "passed" in out


def test_without_aws_for_long_it_says_that_the_drill_goes_on(drill: Drill) -> None:
    scripted(drill)
    drill.aws.refuse(*HISTORY, ApiError("ServiceUnavailable"))
    error = drill("follow", status=1).err
    assert "AWS failed at states:GetExecutionHistory" in error
    assert "the drill continues, and ends its fault by itself" in error
    assert drill.aws.calls.count(HISTORY) == follow.MAX_FAILURES


def test_functions_that_failed_and_records_that_cannot_be_read_are_shown_once(drill: Drill) -> None:
    run = drill.aws.begin("shutdown", "run-1")
    run.enter("Preflight", NOW + 1)
    run.fail(NOW + 3, "Lambda.TooManyRequestsException", "Rate exceeded")
    run.leave("Preflight", NOW + 9, {"go": False, "message": "an alarm is on"})
    run.end("SUCCEEDED", NOW + 20)
    drill.aws.put("runs/shutdown/run-1/phases/1.json", "[]")
    drill.aws.record({**journals.aborted_run(), "experiment": "shutdown"}, "run-1")
    out = drill("follow", status=1).out
    assert out.count("Preflight: Lambda.TooManyRequestsException: Rate exceeded") == 1
    assert out.count("runs/shutdown/run-1/phases/1.json: record: found []; must be an object") == 1


@cases(
    ("words", "followed"),
    {
        "the one that runs": ((), "db-blackhole"),
        "the latest of the named one": (("shutdown",), "shutdown"),
    },
)
def test_without_a_run_the_one_under_way_or_the_latest_is_shown(
    words: tuple[str, ...], followed: str, drill: Drill
) -> None:
    for name, at in (("run-1", NOW - 900), ("run-2", NOW - 600)):
        drill.aws.begin("shutdown", name, at).end("SUCCEEDED", NOW - 500)
    drill.aws.begin("db-blackhole", "run-3").end("SUCCEEDED", NOW + 10)
    drill.aws.record(journal(), "run-2")
    drill.aws.record({**journal(), "experiment": "db-blackhole"}, "run-3")
    printed = drill("follow", *words)
    run = "run-3" if followed == "db-blackhole" else "run-2"
    assert f"{followed} of bookstore in production, run {run}" in printed.out


@cases(
    ("words", "expected"),
    {
        "no run": ((), "none of the drills has run in the last 90 days"),
        "none": (("shutdown",), "drill shutdown has not run in the last 90 days"),
        "a run of nothing": (("--run", "run-1"), "name the drill too"),
        "unknown run": (("shutdown", "--run", "no"), "shutdown: has no run no"),
    },
)
def test_where_there_is_nothing_to_follow_a_line_says_so(
    words: tuple[str, ...], expected: str, drill: Drill
) -> None:
    error = drill("follow", *words, status=1).err
    assert expected in error
    assert len(error.splitlines()) == 1


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 110 columns."""

    class OnTerminal(SafeConsole):
        def __init__(self) -> None:
            super().__init__(width=110)
            self._force_terminal = self.is_interactive = True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(dispatch, "SafeConsole", OnTerminal)


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_a_picture_renews_itself_and_the_verdict_follows(drill: Drill) -> None:
    scripted(drill)
    drill.aws.service.after(310, lambda: drill.aws.record(journal(), "run-1"))
    seen = [(NOW + 32, "client", plans.RECORD, "no answer")]
    drill.aws.put("runs/shutdown/run-1/phases/1.json", phase_record("Observe", NOW + 31, seen))
    drill.aws.put("runs/shutdown/run-1/phases/2.json", "{")
    drill.aws.runs[0].fail(NOW + 290, "States.Timeout", "slow [red]function")
    usual = drill.aws.answers[HISTORY]
    drill.aws.service.after(40, lambda: drill.aws.refuse(*HISTORY, ApiError("ThrottlingException")))
    drill.aws.service.after(50, lambda: drill.aws.answers.update({HISTORY: usual}))
    out = drill("follow").out
    assert "running, 35 s since 19:30:00Z" in out
    assert "4 s..." in out  # how long Observe is under way
    assert "AWS throttles states:GetExecutionHistory" in out
    frame = out[out.rindex("shutdown of bookstore in production") :]
    assert "succeeded, 5 min since 19:30:00Z" in frame
    assert "Last changes" in frame
    assert "1 failed: States.Timeout: slow [red]function" in frame
    assert "can't be read: s3://" in frame
    assert "Ctrl-C" not in frame
    assert "All 5 expectations met." in frame


@pytest.mark.usefixtures("terminal")
def test_a_picture_without_anything_seen_shows_the_phases_alone(drill: Drill) -> None:
    run = drill.aws.begin("shutdown", "run-1")
    run.phase("Preflight", NOW - 9, NOW - 8, go=False, message="an alarm is on")
    run.end("SUCCEEDED", NOW)
    drill.aws.record({**journals.aborted_run(), "experiment": "shutdown"}, "run-1")
    out = drill("follow", status=1).out
    assert "an alarm is on" in out
    assert "Last changes" not in out
    assert "Steady state" not in out  # it will never come


@pytest.mark.usefixtures("terminal")
def test_before_the_first_look_the_picture_says_what_is_wrong(drill: Drill) -> None:
    scripted(drill)
    drill.aws.refuse(*HISTORY, ApiError("ThrottlingException"))
    out = drill("follow", status=1).out
    assert out.index("loading...") < out.index("trying again")
