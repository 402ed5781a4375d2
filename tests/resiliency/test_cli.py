"""The command `resiliency`: what it prints, where, and with which exit status."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.commands import schema
from resiliency.errors import NOT_ASKED, UsageError, UserError
from resiliency.service_file.schema import json_schema
from tests.cases import cases
from tests.resiliency.conftest import Resiliency
from tests.support import EXAMPLE_FILE, ROOT, Template

EXAMPLE = EXAMPLE_FILE.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_service(*edits: tuple[str, str]) -> None:
    text = EXAMPLE
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    Path("services").mkdir()
    Path("services/bookstore.yaml").write_text(text, encoding="utf-8")


def write_assembly(template: Template | None = None) -> None:
    Path("cdk.out").mkdir()
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://532151327118/us-west-2",
        "properties": {"templateFile": "site.template.json"},
    }
    Path("cdk.out/manifest.json").write_text(json.dumps({"artifacts": {"site": artifact}}))
    template = template or {"Resources": {"Key": {"Type": "AWS::KMS::Key"}}}
    Path("cdk.out/site.template.json").write_text(json.dumps(template))


def test_check_of_the_example_prints_its_notes(resiliency: Resiliency) -> None:
    printed = resiliency("check", EXAMPLE_FILE)
    assert printed.out.splitlines() == [
        "bookstore: valid, 1 environment(s)",
        "  note: environments.production.hosts.green: has no instance_id, so no alarm reports "
        "failed EC2 status checks; give one to get a status alarm",
        "  note: environments.production.hosts.blue.address: 54.213.54.171 must be an Elastic IP, "
        "since an instance that a drill stops loses any other public address; runs are refused "
        "unless it is one",
        "  note: environments.production.probe.roles: is empty: the probe can publish only where "
        "the hosts' role has the policy in the probe stack's output PublishPolicyArn; give the "
        "role's name to have it attached",
        "  note: environments.production.notifications.subscriptions: is empty: unless topic "
        "PingPublicationsSNS has other subscribers, nobody receives the alarms; give an e-mail "
        "address, an https URL, a phone number or the ARN of a queue or a function",
    ]
    assert printed.err == ""


@pytest.mark.slow
def test_check_prints_warnings_and_still_succeeds(resiliency: Resiliency) -> None:
    write_service(("ttl_seconds: 60", "ttl_seconds: 300"))
    assert resiliency("check").out.splitlines()[1] == (
        "  warning: environments.production.endpoint.ttl_seconds: 300 s: clients may keep the "
        "failed host's address that long after a failover; give 60 or less"
    )


def test_check_reads_the_folder_services_unless_given_another(resiliency: Resiliency) -> None:
    write_service(("active: blue", "active: bleu"))
    assert resiliency("check", status=1).err == (
        "services/bookstore.yaml:12: environments.production.active: 'bleu' is not one of the "
        "values allowed here; did you mean blue?\n"
    )


def test_schema_prints_the_schema(resiliency: Resiliency) -> None:
    assert json.loads(resiliency("schema").out) == json_schema()


def test_summary_shows_the_folder_cdk_out_unless_given_another(resiliency: Resiliency) -> None:
    write_assembly()
    printed = resiliency("summary").out
    assert "What would be deployed" in printed
    assert "1 KMS::Key" in printed
    Path("cdk.out").rename("elsewhere")
    assert resiliency("summary", "elsewhere").out == printed


def test_summary_without_an_assembly_says_how_to_make_one(resiliency: Resiliency) -> None:
    printed = resiliency("summary", status=1)
    assert printed.err == "cdk.out/manifest.json: does not exist; run `npx cdk synth` first\n"
    assert printed.out == ""


@cases(
    ("arguments", "message"),
    {
        "no command": ([], "the following arguments are required: COMMAND"),
        "misspelt": (["chekc"], "argument COMMAND: invalid choice: 'chekc'"),
        "too many arguments": (["check", "a", "b"], "unrecognized arguments: b"),
    },
)
def test_a_wrong_command_line_is_refused_with_the_usage(
    arguments: list[str], message: str, resiliency: Resiliency
) -> None:
    error = resiliency(*arguments, status=2).err
    assert error.startswith("usage: resiliency")
    assert message in error


def test_help_names_every_command(resiliency: Resiliency) -> None:
    printed = resiliency("--help").out
    assert all(f"\n    {command} " in printed for command in ("check", "summary", "schema"))


COMMAND = Path(sys.executable).parent / "resiliency"
"""The installed command."""


def in_shell(script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of bash, in which ``$0`` is the installed command."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script, COMMAND],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | variables,
        encoding="utf-8",
        capture_output=True,
        check=False,
    )


def test_the_installed_command_exits_with_the_status() -> None:
    write_service(("active: blue", "active: bleu"))
    finished = in_shell('"$0" check')
    assert finished.returncode == 1
    assert finished.stderr.startswith("services/bookstore.yaml:12: ")
    assert len(finished.stderr.splitlines()) == 1
    assert finished.stdout == ""


def test_a_file_can_be_checked_without_the_cdk() -> None:
    code = (
        "import sys; from resiliency import cli; status = cli.main(sys.argv[1:]); "
        "sys.exit(status or int('aws_cdk' in sys.modules or 'rich' in sys.modules))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, "check", str(ROOT / "services")], check=False
    )
    assert finished.returncode == 0


def test_text_that_the_terminal_can_not_show_does_not_stop_the_check() -> None:
    write_service(("active: blue", "active: blü"))
    finished = in_shell('"$0" check', PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert finished.returncode == 1
    assert "'bl\\xfc' is not one of the values allowed here" in finished.stderr


def test_ctrl_c_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    def stopped(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "run", stopped)
    assert resiliency("schema", status=130).err == "stopped by SIGINT\n"


@cases(
    ("arguments", "modules", "needed", "extra"),
    {
        "check": ("check", ["pydantic", "yaml"], "pydantic, PyYAML", "cli"),
        "schema": ("schema", ["pydantic"], "pydantic", "cli"),
        "summary": ("summary", ["rich"], "rich", "cli"),
        "timing": ("timing", ["jinja2"], "Jinja2", "cli"),
        "rehearse": ("rehearse", ["rich", "dns", "moto"], "rich, dnspython, moto", "rehearsal"),
        "boto3": ("drill list bookstore production", ["boto3"], "boto3", "drill"),
        "status": ("status bookstore production", ["boto3"], "boto3", "drill"),
        "gate": ("gate bookstore production", ["boto3"], "boto3", "drill"),
        "gate too": ("gate bookstore production --rehearse", ["dns"], "dnspython", "rehearsal"),
        "botocore": ("drill list bookstore production", ["botocore"], "boto3", "drill"),
    },
)
def test_missing_packages_are_reported_with_the_extra_that_installs_them(
    arguments: str,
    modules: list[str],
    needed: str,
    extra: str,
    monkeypatch: pytest.MonkeyPatch,
    resiliency: Resiliency,
) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    answers = arguments.startswith(("gate", "status"))
    done = resiliency(*arguments.split(), status=NOT_ASKED if answers else 1)
    assert done.err == (
        f"resiliency {arguments.split()[0]}: needs {needed}; "
        f"run: pip install 'cdk-staged-resiliency[{extra}]'\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        "schema",
        f"check {ROOT}/services",
        "summary",
        "timing --outages 2",
        "timing --outages 2 --json",
    ],
)
def test_every_command_ends_well_where_its_output_can_not_be_written(
    arguments: str, failover_template: Template
) -> None:
    write_assembly(failover_template)
    # The reader has ended before anything is written, as `| head` may have.
    done = in_shell(f'exec 3> >(true); wait $!; "$0" {arguments} >&3')
    assert (done.returncode, done.stderr) == (141, "")
    done = in_shell(f'"$0" {arguments} > /dev/full')
    assert done.returncode == 1
    assert done.stderr == "standard output: can't be written (No space left on device)\n"
    done = in_shell(f'"$0" {arguments} >&-')
    assert (done.returncode, done.stderr) == (0, "")


def test_exits_and_errors_of_other_causes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (SystemExit(3), PermissionError(13, "Permission denied", "a-file")):

        def fails(_: object, error: BaseException = error) -> int:
            raise error

        monkeypatch.setattr(schema, "run", fails)
        with pytest.raises(type(error)):
            cli.main(["schema"])


@pytest.mark.parametrize("command", ["summary", "timing"])
def test_a_file_that_can_not_be_read_is_reported_without_its_error_number(
    command: str, resiliency: Resiliency
) -> None:
    Path("file").touch()
    error = resiliency(command, "file/cdk.out", status=1).err
    assert error.startswith("file/cdk.out")
    assert "can't be read (Not a directory)" in error


def test_summary_in_a_narrow_terminal_breaks_no_name(
    monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    write_assembly()
    assert resiliency("summary").out.splitlines()[:10] == [
        "What would be deployed",
        "site",
        "  Where: 532151327118, us-west-2",
        "  Resources: 1 in all, 1 KMS::Key",
        "Estimated monthly cost (US dollars, list prices; verify before relying on it)",
        "KMS keys ($1 more after each of the first two yearly rotations)",
        "  Count: 1",
        "  Each: 1.00",
        "  Month: 1.00",
        "Total",
    ]


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"resiliency {version('cdk-staged-resiliency')}\n"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("resiliency reh", ["rehearse"]),
        ("resiliency drill pr", ["preview"]),
        ("resiliency timing --obj", ["--objective"]),
    ],
)
def test_bash_completes_commands_and_options(line: str, offered: list[str]) -> None:
    done = in_shell(f"""
      eval "$({COMMAND.parent}/register-python-argcomplete resiliency)"
      PATH={COMMAND.parent}:$PATH
      COMP_LINE={line!r} COMP_POINT={len(line)} COMP_TYPE=9 COMP_WORDBREAKS=' '
      _python_argcomplete resiliency
      printf '%s\\n' "${{COMPREPLY[@]}}"
    """)
    assert done.stdout.split() == offered, done.stderr


@pytest.mark.slow
def test_a_rehearsal_whose_reader_ends_early_ends_without_a_word(
    failover_template: Template,
) -> None:
    write_assembly(failover_template)
    done = in_shell('"$0" rehearse --scenario both-stop --time-scale 120 | head -1')
    assert (done.returncode, done.stderr) == (141, "")
    assert done.stdout.startswith("Rehearsing bookstore.pingpublications.com")


@cases(
    ("error", "status"),
    {
        "usage": (UsageError("no such thing"), 2),
        "not asked": (UserError("no credentials"), 3),
    },
)
def test_a_command_that_answers_a_question_has_an_exit_status_for_each_kind_of_error(
    error: UserError, status: int, monkeypatch: pytest.MonkeyPatch, resiliency: Resiliency
) -> None:
    def fails(options: argparse.Namespace) -> int:
        options.status_not_asked = NOT_ASKED
        raise error

    monkeypatch.setattr(schema, "run", fails)
    assert resiliency("schema", status=status).err == f"{error}\n"


def _parsers(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subcommand in action.choices.values():
                yield from _parsers(subcommand)


COMMANDS = {each.prog: each for each in _parsers(cli.parser())}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_examples_that_can_be_run(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = COMMANDS[command].format_help()
    assert COMMANDS[command].description
    statuses = "exit status: 0 all is well, 1 findings, 2 usage, 3 could not be asked"
    if command.removeprefix("resiliency ") in ("adopt", "gate", "init", "review"):
        assert statuses in " ".join(shown.split())
    assert "exit status: 0" in shown
    assert max(map(len, shown.splitlines())) <= 80
    examples = re.findall(r"^  (resiliency .*)$", shown, re.MULTILINE)
    assert examples
    for example in examples:
        assert example.startswith(command)
        cli.parser().parse_args(shlex.split(example)[1:])


def test_every_argument_has_a_help() -> None:
    missing = [
        (command, action.dest)
        for command, of in COMMANDS.items()
        for action in of._actions
        if not action.help and not isinstance(action, argparse._SubParsersAction)
    ]
    assert missing == []


_COLOR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3|4|9|10)[0-7]")


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_prints_no_colour(
    no_color: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """See https://no-color.org; the other case shows that there would be colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    template = ROOT / "tests" / "resiliency" / "failover_model" / "templates" / "sam.yaml"
    cli.main(["timing", "--outages", "50", "--objective", "60", str(template)])
    assert bool(_COLOR.search(capsys.readouterr().out)) is not no_color
