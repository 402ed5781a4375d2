"""The command `resiliency timing`."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from staged_resiliency.cli import main
from tests.support import Template


@pytest.fixture
def template(failover_template: Template, tmp_path: Path) -> Path:
    file = tmp_path / "failover.template.json"
    file.write_text(json.dumps(failover_template), encoding="utf-8")
    return file


def test_a_table_tells_each_fault_of_a_template(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["timing", str(template), "--outages", "50"]) == 0
    told = capsys.readouterr().out
    assert "host stopped" in told
    assert "never" in told
    assert "assumed" in told


def test_json_holds_the_same_for_programs_and_the_seed_decides(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> Mapping[str, object]:
        assert main(["timing", str(template), "--json", "--outages", "50", *words]) == 0
        answer: Mapping[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert told("--seed", "1") == told("--seed", "1")
    assert told("--seed", "1") != told("--seed", "2")


def test_what_is_no_template_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    file.write_text("{")
    assert main(["timing", str(file)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{file}: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_number_of_outages_is_one_or_more(
    count: str, template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["timing", str(template), "--outages", count])
    assert end.value.code == 2
    assert "--outages" in capsys.readouterr().err
