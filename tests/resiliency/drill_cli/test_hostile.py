"""Control characters in plans, journals and answers are shown, and never take effect."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resiliency.drill_cli.safe_console import SafeConsole, one_line, parse_json, visible
from staged_resiliency.drills.runtime.plan import Window
from tests import journals
from tests.fake_aws import plans
from tests.fake_aws.command import NOW, phase_record
from tests.resiliency.drill_cli.conftest import Drill

HOSTILE = (
    "[bold red]x[/bold red] [/nothing] \x1b]0;title\x07\x1b[2J\r\n:boom: \u202egnp.exe \ud800 "
    "`$(id)` </script>"
)
"""Markup, control characters, a forged line, an emoji's name, a mark that reorders, a surrogate."""


def journal() -> dict[str, Any]:
    """A journal with the text wherever there is a text."""
    made = journals.run_of(replace(journals.LATE, experiment="shutdown", kind="drill"))
    expected = {
        "service",
        "host",
        "dependency",
        "message",
        "subject",
        "value",
        "detail",
        "outcome",
    }

    def poisoned(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poisoned(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [poisoned(each) for each in value]
        return HOSTILE if key in expected and value is not None else value

    found: dict[str, Any] = poisoned(made)
    return found


def check(out: str) -> None:
    """Nothing got through but what can be printed."""
    assert not [each for each in out if ord(each) < 32 and each != "\n"]
    assert not {"\x7f", "\u202e", "\ud800"} & set(out)
    assert "\U0001f4a5" not in out


@pytest.mark.parametrize("words", [("list",), ("report",), ("follow",)], ids=str)
def test_a_hostile_journal_is_shown_as_it_is(words: tuple[str, ...], drill: Drill) -> None:
    drill.aws.record(journal(), "run-1")
    run = drill.aws.begin("shutdown", "run-1")
    run.phase("Inject", NOW - 9, NOW - 8, message=HOSTILE, experiment="$(id) [red]")
    run.fail(NOW - 7, HOSTILE, HOSTILE)
    run.end("SUCCEEDED", NOW)
    seen = [(NOW - 9, "client", HOSTILE, HOSTILE)]
    drill.aws.put("runs/shutdown/run-1/phases/[red]\x1b[2J.json", phase_record("Inject", NOW, seen))
    drill.aws.put("runs/shutdown/run-1/phases/2-[red].json", json.dumps({HOSTILE: HOSTILE}))
    printed = drill(*words, status=0 if words[0] in ("list", "report") else 1)
    check(printed.out + printed.err)
    if words[0] != "list":
        assert "[bold red]x[/bold red]" in printed.out.replace("\n", "")


def test_a_hostile_plan_is_shown_as_it_is_and_its_commands_are_quoted(drill: Drill) -> None:
    hostile = replace(
        plans.SHUTDOWN,
        drill="hostile",
        runbook=HOSTILE,
        region="us-west-2; rm -rf /",
        active=replace(plans.SHUTDOWN.active, instance_id="i-0 && reboot"),
        guard_alarms=(HOSTILE,),
    )
    drill.aws.deploy(hostile)
    drill("list")
    out = drill("preview", "hostile").out
    check(out)
    assert "--instance-ids 'i-0 && reboot' --region 'us-west-2; rm -rf /'" in out
    assert "[bold red]x[/bold red]" in out.replace("\n", "")


@pytest.mark.parametrize(
    "window",
    [
        Window(("TUE",), 9, 17, "Mars/[red]Olympus\x1b"),
        Window(("TUE",), 9, 17, "../../etc/passwd"),
    ],
)
def test_an_invalid_window_is_one_line(window: Window, drill: Drill) -> None:
    drill.aws.deploy(replace(plans.SHUTDOWN, drill="odd", window=window))
    error = drill("preview", "odd", status=1).err
    check(error)
    assert error.startswith("odd: its plan can't be used: ")
    assert len(error.splitlines()) == 1


def test_a_moment_that_no_calendar_has_is_shown_as_dashes(drill: Drill) -> None:
    drill.aws.begin("shutdown", "run-1").end("SUCCEEDED", NOW)
    drill.aws.record(journal(), "run-1")
    seen = [(1e300, "client", plans.RECORD, "odd"), (-1e15, "dns", plans.RECORD, "odd")]
    drill.aws.put("runs/shutdown/run-1/phases/1.json", phase_record("Inject", NOW, seen))
    assert drill("follow", status=1).out.count("--:--:--Z") == 2


@pytest.mark.slow
@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_visible_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable() or not line
    assert "\n" not in line
    assert visible(line) == line


@pytest.mark.slow
@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_printed(text: str) -> None:
    console = SafeConsole(record=True, width=80)
    console.file = open("/dev/null", "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with console.file:
        console.say(text)
    check(console.export_text())


def test_a_long_text_is_cut() -> None:
    assert len(visible("x" * 5000)) == 2000


def test_a_document_is_cleaned_in_its_keys_too() -> None:
    assert parse_json('{"a\\u001b": ["b\\nc", 1, null, true]}') == {
        "a\\x1b": ["b c", 1, None, True]
    }
