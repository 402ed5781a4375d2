"""Every invalid configuration of the tables is refused, in a line that names the key."""

import json
from pathlib import Path

import pytest

from staged_resiliency.probe.agent.config import ConfigError, parse
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
def test_an_invalid_configuration_is_refused_with_status_2(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    FILE.write_bytes(case.content.encode())
    status = main(["--configuration", str(FILE), "--check-config"])
    printed = capsys.readouterr()
    assert printed.err.split("\n") == [*case.problems, ""]
    assert len(case.problems) == 1
    assert printed.out == ""
    assert status == 2


def targets(count: int, interval: int) -> bytes:
    """A configuration with this many targets."""
    each = [{"metric": f"m{n}", "check": "tcp", "host": "a", "port": 1} for n in range(count)]
    top = {"service": "a", "namespace": "A", "interval_seconds": interval, "timeout_seconds": 0.5}
    return json.dumps({**top, "targets": each}).encode()


@pytest.mark.parametrize(
    ("count", "interval"),
    [(1001, 1), (2001, 2)],
)
def test_more_samples_than_a_host_should_take_are_refused_with_the_formula(
    count: int, interval: int
) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(targets(count, interval))
    assert str(raised.value) == (
        f"targets: {count} targets and peers make {count / interval:g} samples a "
        "second; at most 1000 are allowed"
    )


def test_as_many_samples_as_a_host_should_take_are_taken() -> None:
    assert len(parse(targets(2000, 2)).targets) == 2000
