"""Steps of a Command document: which run, with what, and what comes of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.machine.command_document import DocumentError, Given, resolved
from tests.e2e.machine.re2 import found
from tests.e2e.machine.step_order import Invocation, Outcome, Status, run_steps

ON_LINUX = {"StringEquals": ["platformType", "Linux"]}
ON_WINDOWS = {"StringEquals": ["Windows", "platformType"]}


def step(name: str = "only", *commands: str, **others: Any) -> dict[str, Any]:
    """A step; ``inputs`` holds more of these, other names stand on the step itself."""
    inputs = {"runCommand": list(commands), **others.pop("inputs", {})}
    return {"action": "aws:runShellScript", "name": name, "inputs": inputs, **others}


def document(*steps: Mapping[str, Any], **parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemaVersion": "2.2", "parameters": parameters, "mainSteps": list(steps)}


def script(command: str, given: Given | None = None, **parameters: Mapping[str, Any]) -> str:
    """What a command becomes."""
    (only,) = resolved(document(step("only", command), **parameters), given)
    return only.script.removesuffix("\n")


def ended(*steps: Mapping[str, Any], **statuses: int) -> Invocation:
    """What comes of steps whose scripts end with these exit statuses, by name; 0 otherwise."""
    return run_steps(
        resolved(document(*steps)), lambda each: Outcome(statuses.get(each.name, 0), "", "")
    )


def refusal(content: Mapping[str, Any], given: Given | None = None) -> str:
    with pytest.raises(DocumentError) as error:
        resolved(content, given)
    return str(error.value)


def test_state_manager_shows_only_what_a_step_failed_with_and_its_beginning() -> None:
    failing = step("Agent", inputs={"onFailure": "exit"})

    def run(error: str) -> Invocation:
        return run_steps(
            resolved(document(step("First"), failing, step("Last"))),
            lambda each: Outcome(int(each.name == "Agent"), "printed", error),
        )

    assert run("the reason").association_summary.startswith(
        "3 out of 3 plugins processed, 1 success, 1 failed, 0 timedout, 1 skipped. \n"
        "The operation Agent failed because the reason\nStep was found"
    )
    long = run("x" * 1000).association_summary
    assert len(long) == 510
    assert long.endswith("x--output truncated--")
    well = run_steps(resolved(document(step("Only"))), lambda each: Outcome(0, "printed", ""))
    assert well.association_summary == (
        "1 out of 1 plugin processed, 1 success, 0 failed, 0 timedout, 0 skipped. "
    )


# Parameters


def test_a_parameter_is_pasted_as_plain_text() -> None:
    text = {"type": "String"}
    assert script("echo {{ Text }}{{Text}}", {"Text": "'; id"}, Text=text) == "echo '; id'; id"


def test_a_pasted_value_is_not_looked_at_again() -> None:
    both = {"type": "String"}
    given = {"One": "{{ Two }}", "Two": "2"}
    assert script("{{ One }} {{ Two }}", given, One=both, Two=both) == "{{ Two }} 2"


def test_a_default_stands_in_for_what_is_not_given() -> None:
    assert script("echo {{ Text }}", Text={"type": "String", "default": "well"}) == "echo well"


def test_an_association_gives_each_value_as_a_list() -> None:
    assert script("echo {{ Text }}", {"Text": ["well"]}, Text={"type": "String"}) == "echo well"


def test_two_dollars_become_one() -> None:
    assert script("{{ Text }}", {"Text": "a$$b"}, Text={"type": "String"}) == "a$$b"
    assert script("= {{ Text }}", {"Text": "a$$b"}, Text={"type": "String"}) == "= a$b"


def test_a_list_can_be_all_the_commands() -> None:
    only = step("only", inputs={"runCommand": "{{ Lines }}"})
    (found_step,) = resolved(
        document(only, Lines={"type": "StringList"}), {"Lines": ["true", "false"]}
    )
    assert found_step.script == "true\nfalse\n"


def test_a_list_among_other_text_is_json() -> None:
    given = {"Lines": ["a", 'b"']}
    assert script("x {{ Lines }}", given, Lines={"type": "StringList"}) == 'x ["a","b\\""]'


def test_commands_are_lines_of_one_script() -> None:
    (only,) = resolved(document(step("only", "set -eu", "false", "true")))
    assert only.script == "set -eu\nfalse\ntrue\n"


def test_a_new_agent_hands_a_parameter_over_in_the_environment() -> None:
    handed = {"type": "String", "interpolationType": "ENV_VAR"}
    content = document(step("only", 'echo "$SSM_Text" {{ Text }}'), Text=handed)
    (only,) = resolved(content, {"Text": "'; id"})
    assert only.environment == {"SSM_Text": "'; id"}
    assert only.script == 'echo "$SSM_Text" {{ Text }}\n'


def test_an_old_agent_pastes_it_all_the_same() -> None:
    handed = {"type": "String", "interpolationType": "ENV_VAR"}
    content = document(step("only", 'echo "$SSM_Text" {{ Text }}'), Text=handed)
    (only,) = resolved(content, {"Text": "well"}, env_vars=False)
    assert only.environment == {}
    assert only.script == 'echo "$SSM_Text" well\n'


TEXT = {"type": "String"}
REFUSED: Mapping[str, tuple[Mapping[str, Any], Given, str]] = {
    "not declared": ({}, {"Text": "x"}, "parameters ['Text'] are not declared"),
    "not given": ({"Text": TEXT}, {}, "parameter Text has no default and is not given"),
    "not among the values": (
        {"Text": {**TEXT, "allowedValues": ["Install", "Uninstall"]}},
        {"Text": "install"},
        "parameter Text: 'install' is not among ['Install', 'Uninstall']",
    ),
    "not of the pattern": (
        {"Text": {**TEXT, "allowedPattern": "^[a-z]+$"}},
        {"Text": "abc\n"},
        "parameter Text: 'abc\\n' does not match ^[a-z]+$",
    ),
    "one of a list is not of the pattern": (
        {"Text": {"type": "StringList", "allowedPattern": "^[a-z]$"}},
        {"Text": ["a", "1"]},
        "parameter Text: '1' does not match ^[a-z]$",
    ),
    "a default is not of the pattern": (
        {"Text": {**TEXT, "default": "", "allowedPattern": "^[a-z]+$"}},
        {},
        "parameter Text: '' does not match ^[a-z]+$",
    ),
    "too long": (
        {"Text": {**TEXT, "maxChars": 3}},
        {"Text": "abcd"},
        "parameter Text: 4 characters; allowed: 0 to 3",
    ),
    "a list for one": (
        {"Text": TEXT},
        {"Text": ["a", "b"]},
        "parameter Text: ['a', 'b'] for type String, which is not run here",
    ),
    "another type": (
        {"Text": {"type": "Integer", "default": 1}},
        {},
        "parameter Text: 1 for type Integer, which is not run here",
    ),
    "a name with a hyphen": (
        {"the-text": TEXT},
        {"the-text": "x"},
        "parameter 'the-text': only letters and digits",
    ),
    "too much of it": (
        {"Text": TEXT},
        {"Text": "x" * 65_536},
        "65717 bytes with parameters; allowed: 65536",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_systems_manager_refuses_a_parameter(case: str) -> None:
    parameters, given, message = REFUSED[case]
    assert refusal(document(step("only", "true"), **parameters), given) == message


def test_a_pattern_is_looked_for_anywhere() -> None:
    assert found("[a-z]", "; rm -rf /")
    assert not found("^[a-z]$", "; rm -rf /")


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        ("^[$]$", "$", True),
        (r"^\$$", "$", True),
        (r"^[]$]+$", "]$", True),
        (r"^\d$", "\N{ARABIC-INDIC DIGIT ONE}", False),
        ("^(?:a|b)$", "b", True),
        ("(?i)^a$", "A", True),
    ],
)
def test_patterns_are_read_as_go_reads_them(pattern: str, text: str, matches: bool) -> None:
    assert found(pattern, text) is matches


@pytest.mark.parametrize("pattern", ["(?=a)", "(?!a)", "(?<=a)", r"(a)\1", "a++", "(?>a)"])
def test_patterns_that_go_does_not_have_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="RE2 has no such pattern"):
        found(pattern, "a")


# The document


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {**document(step()), "schemaVersion": "1.2"},
            "schemaVersion: '1.2'; only 2.2 is run here",
        ),
        (document(), "mainSteps: []; steps are needed, each with a name of its own"),
        (
            document(step("a"), step("a")),
            "mainSteps: ['a', 'a']; steps are needed, each with a name of its own",
        ),
        (document(step("a b")), "step 'a b': only letters, digits, - and _"),
        (document(step("a", "{{ Nobody }}")), "{{ Nobody }}: no such parameter"),
        (document(step("a", "{{ ssm:secret }}")), "{{ ssm:secret }}: no such parameter"),
        (
            document(step("a", inputs={"runCommand": "true"})),
            "step a: runCommand is no list",
        ),
        (
            document(step("a", inputs={"onFailure": "successAndExit"})),
            "step a: onFailure: 'successAndExit' is not run here; only exit",
        ),
    ],
)
def test_a_document_that_is_not_run(content: Mapping[str, Any], message: str) -> None:
    assert refusal(content) == message


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("60", 60), (60, 60), ("60.9", 60), (None, 3600), ("soon", 3600), (4, 3600), (172_801, 3600)],
)
def test_a_timeout_that_the_agent_does_not_take_is_an_hour(given: object, seconds: int) -> None:
    (only,) = resolved(document(step("a", inputs={"timeoutSeconds": given})))
    assert only.timeout_seconds == seconds


def test_a_timeout_beside_the_inputs_is_not_seen() -> None:
    (only,) = resolved(document(step("a", timeoutSeconds=60)))
    assert only.timeout_seconds == 3600


# Order and verdict


def test_a_failed_step_does_not_stop_the_next() -> None:
    done = ended(step("a"), step("b"), step("c"), b=1)
    assert [each.status for each in done.steps] == [Status.SUCCESS, Status.FAILED, Status.SUCCESS]
    assert done.status is Status.FAILED


def test_a_failed_step_that_says_so_in_its_inputs_stops_the_next() -> None:
    done = ended(step("a", inputs={"onFailure": "exit"}), step("b"), a=1)
    assert [each.status for each in done.steps] == [Status.FAILED, Status.SKIPPED]
    assert done.step("a").stdout.endswith("Further document steps will be skipped.")
    assert done.status is Status.FAILED


def test_beside_the_inputs_nobody_hears_it() -> None:
    done = ended(step("a", onFailure="exit"), step("b"), a=1)
    assert done.step("b").status is Status.SUCCESS


def test_a_step_that_took_too_long_stops_nothing() -> None:
    done = ended(step("a", inputs={"onFailure": "exit"}), step("b"), a=137)
    assert [each.status for each in done.steps] == [Status.TIMED_OUT, Status.SUCCESS]
    assert done.status is Status.TIMED_OUT


def test_a_failure_outweighs_a_timeout() -> None:
    assert ended(step("a"), step("b"), a=137, b=1).status is Status.FAILED


def test_a_success_can_be_the_end_too() -> None:
    done = ended(step("a", inputs={"onSuccess": "exit"}), step("b"))
    assert done.step("b").status is Status.SKIPPED
    assert done.status is Status.SUCCESS


@pytest.mark.parametrize(
    ("status", "verdict"), [(168, Status.SUCCESS), (169, Status.FAILED)], ids=str
)
def test_two_exit_statuses_end_the_document(status: int, verdict: Status) -> None:
    done = ended(step("a"), step("b"), a=status)
    assert [each.status for each in done.steps] == [verdict, Status.SKIPPED]
    assert done.status is verdict


@pytest.mark.parametrize("yes", [True, "true"])
def test_the_last_step_can_run_in_any_case(yes: object) -> None:
    failing = step("a", inputs={"onFailure": "exit"})
    final = step("c", inputs={"finallyStep": yes})
    done = ended(failing, step("b"), final, a=1)
    assert [each.status for each in done.steps] == [Status.FAILED, Status.SKIPPED, Status.SUCCESS]
    assert done.status is Status.FAILED


def test_only_the_last_step_can() -> None:
    final = step("b", inputs={"finallyStep": True})
    done = ended(step("a", inputs={"onFailure": "exit"}), final, step("c"), a=1)
    assert [each.status for each in done.steps] == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]


def test_a_step_for_another_platform_is_skipped_and_that_is_success() -> None:
    done = ended(step("a", precondition=ON_WINDOWS), step("b", precondition=ON_LINUX))
    assert [each.status for each in done.steps] == [Status.SKIPPED, Status.SUCCESS]
    assert done.status is Status.SUCCESS


def test_another_plugin_for_another_platform_is_skipped() -> None:
    other = step("a", precondition=ON_WINDOWS) | {"action": "aws:runPowerShellScript"}
    assert ended(other).status is Status.SUCCESS


def test_a_precondition_can_compare_a_parameter() -> None:
    def statuses(action: str) -> list[Status]:
        wanted = ("Install", "Uninstall")
        steps = [
            step(each, precondition={"StringEquals": ["{{ Action }}", each]}) for each in wanted
        ]
        planned = resolved(document(*steps, Action={"type": "String"}), {"Action": action})
        return [each.status for each in run_steps(planned, lambda _: Outcome(0, "", "")).steps]

    assert statuses("Install") == [Status.SUCCESS, Status.SKIPPED]
    assert statuses("Uninstall") == [Status.SKIPPED, Status.SUCCESS]


@pytest.mark.parametrize(
    "precondition",
    [
        {"StringNotEquals": ["platformType", "Linux"]},
        {"StringEquals": ["platformType"]},
        {"StringEquals": ["platformType", "platformType"]},
        {"StringEquals": ["a", "b"]},
    ],
    ids=str,
)
def test_a_precondition_that_the_agent_does_not_take_is_refused(
    precondition: Mapping[str, object],
) -> None:
    with pytest.raises(DocumentError, match="step a: "):
        ended(step("a", precondition=precondition))


def test_another_action_is_refused() -> None:
    with pytest.raises(DocumentError, match="aws:downloadContent is not run here"):
        ended(step("a") | {"action": "aws:downloadContent"})


def test_a_reboot_is_refused() -> None:
    with pytest.raises(DocumentError, match="asks for a reboot"):
        ended(step("a"), a=194)


# Output


def printed(stdout: str, stderr: str) -> Invocation:
    return run_steps(resolved(document(step("a"))), lambda _: Outcome(0, stdout, stderr))


def test_short_output_is_kept_as_it_is() -> None:
    result = printed("out", "error").step("a")
    assert (result.stdout, result.stderr) == ("out", "error")
    assert result.summary == "out\n----------ERROR-------\nerror"


def test_of_long_output_the_beginning_is_kept() -> None:
    result = printed("x" * 24_000, "y" * 30_000).step("a")
    assert result.stdout == "x" * 23_980 + "--output truncated--"
    assert result.stderr == "y" * 23_980 + "--output truncated--"


@pytest.mark.parametrize(
    ("out", "error"), [(3_000, 0), (3_000, 10), (10, 3_000), (3_000, 3_000), (2_490, 1)], ids=str
)
def test_the_summary_is_short(out: int, error: int) -> None:
    summary = printed("x" * out, "y" * error).step("a").summary
    assert 2_490 <= len(summary.encode()) <= 2_500
    assert "truncated" in summary


def test_a_cut_leaves_whole_characters() -> None:
    result = printed("\N{SNOWMAN}" * 10_000, "").step("a")
    assert result.stdout.removesuffix("--output truncated--").strip("\N{SNOWMAN}") == ""
