"""Every bad configuration of the tables is answered with the lines that stand there, no more."""

import json
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.config import ConfigError, load, parse
from staged_resiliency.probe.agent.main import main
from tests.resiliency.service_file.bad_input.cases import Case
from tests.staged_resiliency.probe.agent.bad_configurations.cases import SOUND, all_cases

CASES = all_cases()
FILE = Path("probe.json")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_tables_hold_the_cases_they_should() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 145
    assert len(names) == len(set(names))


def test_what_the_cases_edit_is_sound() -> None:
    config = parse(SOUND.encode())
    assert (len(config.targets), len(config.peers)) == (4, 2)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_problem_is_told_and_nothing_else(case: Case) -> None:
    FILE.write_bytes(case.content.encode())
    with pytest.raises(ConfigError) as raised:
        load(FILE)
    assert raised.value.problems == case.problems
    assert case.problems, "the case expects nothing"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command_tells_them_and_ends_with_2(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    FILE.write_bytes(case.content.encode())
    status = main(["--configuration", str(FILE), "--check-config"])
    told = capsys.readouterr()
    assert told.err.split("\n") == [*case.problems, ""]
    assert told.out == ""
    assert status == 2


def targets(count: int, interval: int) -> bytes:
    """A sound configuration but for its size."""
    each = [{"metric": f"m{n}", "check": "tcp", "host": "a", "port": 1} for n in range(count)]
    top = {"service": "a", "namespace": "A", "interval_seconds": interval, "timeout_seconds": 0.5}
    return json.dumps({**top, "targets": each}).encode()


@pytest.mark.parametrize(
    ("count", "interval", "way"),
    [
        pytest.param(1001, 1, ", or an interval of 2 s or more", id="twice the interval"),
        pytest.param(6001, 6, ", or an interval of 10 s or more", id="next that divides a minute"),
        pytest.param(60_001, 60, "", id="no interval is enough"),
    ],
)
def test_more_samples_than_a_host_should_take_are_refused_with_the_formula(
    count: int, interval: int, way: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(targets(count, interval))
    assert raised.value.problems == [
        f"targets: {count} targets and peers / {interval} s = {count / interval:g} samples a "
        f"second; at most 1000: give fewer{way}"
    ]


def test_as_many_samples_as_a_host_should_take_are_taken() -> None:
    assert len(parse(targets(6000, 6)).targets) == 6000


def test_ten_thousand_problems_are_told_within_seconds() -> None:
    wrong = json.dumps({f"key-{number}": number for number in range(10_000)})
    with pytest.raises(ConfigError) as raised:
        parse(wrong.encode())
    assert len(raised.value.problems) == 10_000 + len(("service", "namespace", "targets"))
