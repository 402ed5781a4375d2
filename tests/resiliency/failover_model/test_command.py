"""The command `resiliency timing`."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from resiliency.cli import main
from tests.resiliency.conftest import Resiliency
from tests.resiliency.failover_model.support import hand_written
from tests.support import Template


@pytest.fixture
def template(failover_template: Template, tmp_path: Path) -> Path:
    file = tmp_path / "failover.template.json"
    file.write_text(json.dumps(failover_template), encoding="utf-8")
    return file


def test_a_table_has_each_fault_of_a_template(template: Path, resiliency: Resiliency) -> None:
    told = resiliency("timing", template, "--outages", "50").out
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


def test_what_is_no_template_is_reported_in_one_line(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    file = tmp_path / "file.json"
    file.write_text("{")
    error = resiliency("timing", file, status=1).err
    assert error.startswith(f"{file}: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_number_of_outages_is_one_or_more(
    count: str, template: Path, resiliency: Resiliency
) -> None:
    printed = resiliency("timing", template, "--outages", count, status=2)
    told = f"argument --outages: {count!r} is not a whole number of 1 or more\n"
    assert printed.err.endswith(told)


def test_two_designs_are_printed_side_by_side(
    template: Path, tmp_path: Path, resiliency: Resiliency
) -> None:
    after = tmp_path / "after.json"
    text = template.read_text(encoding="utf-8")
    after.write_text(text.replace('"TTL": "60"', '"TTL": "10"'), encoding="utf-8")
    words = ["timing", str(template), "--against", str(after), "--outages", "50"]
    told = resiliency(*words).out
    assert "→" in told
    assert "Assumptions, which no template contains" in told
    first = json.loads(resiliency(*words, "--json").out)["compared"][0]
    assert (first["before"]["ttl_seconds"], first["after"]["ttl_seconds"]) == (60, 10)
    assert first["difference"]["worst"] < 0


def test_an_assumption_can_be_given(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> Mapping[str, Any]:
        assert main(["timing", str(template), "--json", "--outages", "50", *words]) == 0
        answer: Mapping[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    stubborn = told("--assume", "client_cache=300", "--assume", "resolver_floor=0")
    assert stubborn["verdicts"][0]["parts"]["cache"]["worst"] > 200
    assert stubborn["assumptions"]["client_cache"]["assumed"] is False
    assert told()["verdicts"][0]["parts"]["cache"]["worst"] <= 60


def test_numbers_say_on_what_they_rest(template: Path, resiliency: Resiliency) -> None:
    done = resiliency("timing", template, "--outages", "50")
    assert (
        "assumed host stopped: extra_periods, status_metric_delay, health_check_uptake, "
        "dns_propagation, client_cache" in done.out
    )


def test_a_chart_is_written_beside_what_is_printed(
    template: Path, tmp_path: Path, resiliency: Resiliency
) -> None:
    for number, more in enumerate(([], ["--against", str(template)], ["--objective", "300"])):
        file = tmp_path / f"{number}.svg"
        words = ["timing", str(template), "--outages", "20", "--chart", str(file), *more]
        assert "host stopped" in resiliency(*words).out
        text = file.read_text(encoding="utf-8")
        assert ("before" in text, "300 s</text>" in text) == (number == 1, number == 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--assume", "ttl=3"],
            "--assume ttl=3: 'ttl' is no assumption; known: ",
        ),
        (
            ["--chart", "times.png"],
            "times.png: a chart is an SVG file; give a name that ends in .svg",
        ),
        (["--against", "gone.json"], "gone.json: is not there"),
    ],
)
def test_what_can_not_be_done_is_reported_in_one_line(
    words: list[str], message: str, template: Path, resiliency: Resiliency
) -> None:
    told = resiliency("timing", template, "--outages", "5", *words, status=1)
    assert told.err.startswith(message)
    assert len(told.err.splitlines()) == 1
    assert told.out == ""


def test_an_objective_is_held_against_each_fault(
    template: Path, resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    done = resiliency("timing", template, "--outages", "50", "--objective", "600")
    rows = {
        cells[0].strip("│ "): cells[5].strip()
        for line in done.out.splitlines()
        if len(cells := line.strip("│").split("│")) == 7
    }
    assert rows["host stopped"] == "meets"
    assert rows["endpoint dead"] == "misses"
    assert rows["probe dead"] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--objective", "600", "--against", "TEMPLATE"],
            "--objective: applies to two designs only with --chart FILE or --strict; give one of "
            "them\n",
        ),
        (["--strict"], "--strict: is about an objective; give --objective SECONDS too\n"),
        (
            ["--parameter", "Stage"],
            "--parameter Stage: is no parameter; give one like Stage=production\n",
        ),
        (
            ["--parameter", "Stage=production"],
            "--parameter Stage=production: no template has 'Stage'; there are: Ttl\n",
        ),
    ],
)
def test_options_that_would_have_no_effect_are_refused(
    words: list[str], message: str, template: Path, resiliency: Resiliency
) -> None:
    content = json.loads(template.read_text(encoding="utf-8"))
    content["Parameters"] = {"Ttl": {"Type": "Number", "Default": 60}}
    template.write_text(json.dumps(content), encoding="utf-8")
    given = [str(template) if word == "TEMPLATE" else word for word in words]
    done = resiliency("timing", template, *given, status=1)
    assert done.err == message


@pytest.mark.parametrize(("seconds", "status"), [(600, 0), (100, 1)])
def test_a_missed_objective_is_in_the_json_and_in_the_exit_status_on_request(
    seconds: int, status: int, template: Path, resiliency: Resiliency
) -> None:
    words = ["timing", str(template), "--outages", "50", "--objective", str(seconds), "--json"]
    document = json.loads(resiliency(*words).out)
    assert document["objective_seconds"] == seconds
    meets = {each["fault"]: each["meets_objective"] for each in document["verdicts"]}
    assert meets["host stopped"] is (status == 0)
    assert meets["endpoint dead"] is False
    assert meets["probe dead"] is None
    # An endpoint that is dead never moves clients here, whatever the objective.
    resiliency(*words, "--strict", status=1)


def test_an_objective_that_every_fault_meets_is_success(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    file = tmp_path / "endpoint.json"
    template = hand_written()
    template["Resources"]["First"]["Properties"]["HealthCheckId"] = {"Ref": "EndpointCheck"}
    config = template["Resources"]["EndpointCheck"]["Properties"]["HealthCheckConfig"]
    config["Type"] = "HTTP"
    file.write_text(json.dumps(template), encoding="utf-8")
    words = ["timing", str(file), "--outages", "50", "--strict", "--objective"]
    resiliency(*words, "300")
    assert "misses" in resiliency(*words, "10", status=1).out


def test_a_pair_without_a_number_is_reported_with_the_others(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    file = tmp_path / "two.json"
    template = hand_written()
    for name in ("First", "Second"):
        record = copy.deepcopy(template["Resources"][name])
        record["Properties"]["Name"] = "books.example.com"
        template["Resources"][f"Books{name}"] = record
    template["Resources"]["BooksFirst"]["Properties"]["TTL"] = "soon"
    file.write_text(json.dumps(template), encoding="utf-8")
    told = resiliency("timing", file, "--outages", "10", status=1).out
    assert "shop.example.com A, TTL 30 s" in told
    assert (
        f"refused books.example.com A: {file}: BooksFirst: TTL: 'soon' is no number known before "
        "the deployment" in " ".join(told.split())
    )
    done = resiliency("timing", file, "--outages", "10", "--json", status=1)
    (refused,) = json.loads(done.out)["refused"]
    assert (refused["record"], refused["type"]) == ("books.example.com", "A")


def test_on_a_narrow_terminal_there_are_lines_with_whole_words(
    template: Path, resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    done = resiliency("timing", template, "--outages", "50", "--objective", "600")
    lines = done.out.splitlines()
    assert "endpoint dead: never (misses 600 s)" in lines
    (stopped,) = [line for line in lines if line.startswith("host stopped: median ")]
    assert stopped.endswith(" (meets 600 s)")


def test_a_synthesis_that_is_missing_is_named(
    tmp_path: Path, resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        resiliency("timing", status=1).err == "cdk.out: is not there; run `npx cdk synth` first\n"
    )
