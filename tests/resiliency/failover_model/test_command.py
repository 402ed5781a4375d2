"""The command `resiliency timing`."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.resiliency.conftest import Printed, Resiliency
from tests.resiliency.failover_model.support import hand_written
from tests.support import Template


@pytest.fixture
def template(failover_template: Template, tmp_path: Path) -> Path:
    file = tmp_path / "failover.template.json"
    file.write_text(json.dumps(failover_template), encoding="utf-8")
    return file


@pytest.fixture
def timing(template: Path, resiliency: Resiliency) -> Resiliency:
    """The command for few outages of the example's template."""

    def run(*words: str | Path, status: int = 0) -> Printed:
        return resiliency("timing", template, "--outages", "50", *words, status=status)

    return run


@pytest.mark.slow
def test_a_table_has_each_fault_of_a_template_and_what_its_number_rests_on(
    timing: Resiliency,
) -> None:
    printed = timing().out
    assert "host stopped" in printed
    assert "never" in printed
    assert (
        "assumed host stopped: extra_periods, status_metric_delay, health_check_uptake, "
        "dns_propagation, client_cache" in printed
    )


def test_json_holds_the_same_for_programs_and_the_seed_decides(timing: Resiliency) -> None:
    def printed(seed: str) -> Any:
        return json.loads(timing("--json", "--seed", seed).out)

    assert printed("1") == printed("1")
    assert printed("1") != printed("2")


def test_what_is_no_template_is_reported_in_one_line(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    file = tmp_path / "file.json"
    file.write_text("{")
    error = resiliency("timing", file, status=1).err
    assert error.startswith(f"{file}: ")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_a_number_of_outages_is_one_or_more(count: str, timing: Resiliency) -> None:
    printed = f"argument --outages: {count!r} is not a whole number of 1 or more\n"
    assert timing("--outages", count, status=2).err.endswith(printed)


def test_two_designs_are_printed_side_by_side(
    template: Path, tmp_path: Path, timing: Resiliency
) -> None:
    after = tmp_path / "after.json"
    text = template.read_text(encoding="utf-8")
    after.write_text(text.replace('"TTL": "60"', '"TTL": "10"'), encoding="utf-8")
    printed = timing("--against", after).out
    assert "→" in printed
    assert "Assumptions, which no template contains" in printed
    first = json.loads(timing("--against", after, "--json").out)["compared"][0]
    assert (first["before"]["ttl_seconds"], first["after"]["ttl_seconds"]) == (60, 10)
    assert first["difference"]["worst"] < 0


def test_an_assumption_can_be_given(timing: Resiliency) -> None:
    def printed(*words: str) -> Any:
        return json.loads(timing("--json", *words).out)

    stubborn = printed("--assume", "client_cache=300", "--assume", "resolver_floor=0")
    assert stubborn["verdicts"][0]["parts"]["cache"]["worst"] > 200
    assert stubborn["assumptions"]["client_cache"]["assumed"] is False
    assert printed()["verdicts"][0]["parts"]["cache"]["worst"] <= 60


def test_a_chart_is_written_beside_what_is_printed(
    template: Path, tmp_path: Path, timing: Resiliency
) -> None:
    for number, more in enumerate(([], ["--against", str(template)], ["--objective", "300"])):
        file = tmp_path / f"{number}.svg"
        assert "host stopped" in timing("--chart", file, *more).out
        text = file.read_text(encoding="utf-8")
        assert ("before" in text, "300 s</text>" in text) == (number == 1, number == 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--assume ttl=3", "--assume ttl=3: 'ttl' is no assumption; known: "),
        (
            "--chart times.png",
            "times.png: a chart is an SVG file; give a name that ends in .svg",
        ),
        ("--against gone.json", "gone.json: is not there"),
        (
            "--objective 600 --against {template}",
            "--objective: applies to two designs only with --chart FILE or --strict; give one of "
            "them\n",
        ),
        ("--strict", "--strict: is about an objective; give --objective SECONDS too\n"),
        (
            "--parameter Stage",
            "--parameter Stage: is no parameter; give one like Stage=production\n",
        ),
        (
            "--parameter Stage=production",
            "--parameter Stage=production: no template has 'Stage'; there are: Ttl\n",
        ),
    ],
)
def test_what_can_not_be_done_or_would_have_no_effect_is_refused_in_one_line(
    words: str, message: str, template: Path, timing: Resiliency
) -> None:
    content = json.loads(template.read_text(encoding="utf-8"))
    content["Parameters"] = {"Ttl": {"Type": "Number", "Default": 60}}
    template.write_text(json.dumps(content), encoding="utf-8")
    printed = timing(*words.format(template=template).split(), status=1)
    assert printed.err.startswith(message)
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


def test_an_objective_is_held_against_each_fault(
    timing: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    rows = {
        cells[0].strip("│ "): cells[5].strip()
        for line in timing("--objective", "600").out.splitlines()
        if len(cells := line.strip("│").split("│")) == 7
    }
    assert rows["host stopped"] == "meets"
    assert rows["endpoint dead"] == "misses"
    assert rows["probe dead"] == ""
    monkeypatch.setenv("COLUMNS", "40")  # in a narrow terminal there are lines with whole words
    lines = timing("--objective", "600").out.splitlines()
    assert "endpoint dead: never (misses 600 s)" in lines
    (stopped,) = [line for line in lines if line.startswith("host stopped: median ")]
    assert stopped.endswith(" (meets 600 s)")


@pytest.mark.parametrize(("seconds", "met"), [(600, True), (100, False)])
def test_a_missed_objective_is_in_the_json_and_in_the_exit_status_on_request(
    seconds: int, met: bool, timing: Resiliency
) -> None:
    words = ["--objective", str(seconds), "--json"]
    document = json.loads(timing(*words).out)
    assert document["objective_seconds"] == seconds
    meets = {each["fault"]: each["meets_objective"] for each in document["verdicts"]}
    assert meets["host stopped"] is met
    assert meets["endpoint dead"] is False
    assert meets["probe dead"] is None
    # An endpoint that is dead never moves clients here, whatever the objective.
    timing(*words, "--strict", status=1)


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
    printed = resiliency("timing", file, "--outages", "10", status=1).out
    assert "shop.example.com A, TTL 30 s" in printed
    assert (
        f"refused books.example.com A: {file}: BooksFirst: TTL: 'soon' is no number known before "
        "the deployment" in " ".join(printed.split())
    )
    done = resiliency("timing", file, "--outages", "10", "--json", status=1)
    (refused,) = json.loads(done.out)["refused"]
    assert (refused["record"], refused["type"]) == ("books.example.com", "A")


def test_a_synthesis_that_is_missing_is_named(
    tmp_path: Path, resiliency: Resiliency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = resiliency("timing", status=1).err
    assert error == "cdk.out: is not there; run `npx cdk synth` first\n"
