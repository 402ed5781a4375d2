"""An objective is held against the failover-time model, and so is what would meet it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
import yaml

from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.simulation import failover_times
from resiliency.service_file import ServiceFileError, load, objective, objective_changes
from resiliency.service_file.drill_safety import safety_problems
from resiliency.service_file.model.service import Environment, Service
from resiliency.service_file.objective import ObjectiveViolation, objective_warnings, violations_of
from resiliency.service_file.objective_changes import Change, best_changes, changes_text
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.timing_graph import deciding_graph
from resiliency.service_file.yaml_source import Document
from tests.cases import cases
from tests.resiliency.conftest import Resiliency
from tests.support import EXAMPLE_CORE, EXAMPLE_FILE, ROOT, Data, example

STATUS = "bookstore-api-blue-StatusCheckFailed"


def service_with(
    seconds: int, *faults: str, edit: Callable[[Data], object] | None = None
) -> Service:
    def changed(environment: Data) -> None:
        environment["objective"] = {"recovery_time_seconds": seconds}
        if faults:
            environment["objective"]["faults"] = list(faults)
        if edit is not None:
            edit(environment)

    return example(changed)


def misses(service: Service) -> dict[str, ObjectiveViolation]:
    (environment,) = service.environments.values()
    return {str(miss.verdict.fault): miss for miss in violations_of(service, environment)}


# Of a search that ends the same with fewer outages; where numbers are asserted, all are simulated.
few_outages = pytest.mark.usefixtures("_few_outages")


@pytest.fixture
def _few_outages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (objective, objective_changes):
        monkeypatch.setattr(module, "OUTAGES_PER_FAULT", 200)


def settings(miss: ObjectiveViolation) -> list[str]:
    return [change.setting for change in miss.changes]


def p95_by_hand(edit: Callable[[Data], object], fault: Fault) -> float:
    """What `resiliency timing` says of a file that somebody edited as was suggested."""
    service = example(edit)
    (environment,) = service.environments.values()
    verdicts = failover_times(deciding_graph(service, environment), only=[fault])
    return verdicts[0].p95


def known(**spans: object) -> Callable[[Data], object]:
    """Edits what the file knows in place of assumptions."""
    return lambda environment: environment.update(assumptions=spans)


@pytest.mark.slow
def test_a_known_number_of_periods_takes_the_place_of_the_assumed_ones() -> None:
    assumed = misses(service_with(420, "host"))["host stopped"]
    assert "(assumed, as AWS" in assumed.message
    assert misses(service_with(420, "host", edit=known(extra_periods=2))) == {}
    most = misses(service_with(420, "host", edit=known(extra_periods=[5, 5])))["host stopped"]
    assert most.verdict.p95 > assumed.verdict.p95
    assert "(assumed, as AWS" not in most.message


@few_outages
def test_suggestions_hold_for_the_longest_known_range() -> None:
    def two_minutes(environment: Data) -> None:
        environment["status_alarm"] = {"evaluation_periods": 2}
        known(extra_periods=[2, 2])(environment)

    found = misses(service_with(380, "host", edit=two_minutes))["host stopped"]
    assert settings(found) == ["status_alarm.evaluation_periods 1 in place of 2"]


def test_without_an_objective_nothing_is_missed() -> None:
    service = example()
    (environment,) = service.environments.values()
    assert violations_of(service, environment) == ()
    assert list(objective_warnings(service, environment)) == []


def test_an_objective_between_p95_and_worst_is_met() -> None:
    assert misses(service_with(490, "host")) == {}


@pytest.mark.slow
def test_what_a_suggestion_gives_is_what_the_model_says_of_the_file_edited_so() -> None:
    (miss,) = misses(service_with(320, "host")).values()
    by_hand = p95_by_hand(
        lambda env: env.update(failover_on=["status", "endpoint"]), Fault(FaultKind.HOST_STOPPED)
    )
    assert miss.gives == by_hand <= 320
    found = misses(service_with(300))["endpoint dead"]
    by_hand = p95_by_hand(
        lambda env: env.update(failover_on=["status", "endpoint"]), Fault(FaultKind.ENDPOINT_DEAD)
    )
    assert settings(found) == ["'endpoint' added to failover_on"]
    assert found.gives == by_hand <= 300


@few_outages
@pytest.mark.slow
def test_one_suggestion_mends_all_faults_for_which_there_is_any() -> None:
    found = misses(service_with(300))
    assert list(found) == ["host stopped", "host impaired", "endpoint dead", "endpoint hangs"]
    suggested = {tuple(settings(miss)) for miss in found.values()}
    assert suggested == {("'endpoint' added to failover_on",)}  # cheaper than 'peer'
    assert all(miss.gives <= miss.seconds for miss in found.values())


@few_outages
def test_a_fault_that_nothing_shows_is_missed_whatever_the_objective() -> None:
    miss = misses(service_with(86_400))["endpoint dead"]
    assert (str(miss.verdict.fault), miss.verdict.p95) == ("endpoint dead", inf)
    assert miss.message.startswith(
        f"endpoint dead: clients are never moved, as no deciding signal ({STATUS}) shows it; "
        "the objective is 86400 s; 'endpoint' added to failover_on would give "
    )


@few_outages
def test_several_changes_are_combined_where_one_is_not_enough() -> None:
    miss = misses(service_with(110, "endpoint"))["endpoint dead"]
    assert settings(miss) == [
        "endpoint.ttl_seconds 10 in place of 60",
        "'endpoint' added to failover_on",
        "endpoint.check.interval_seconds 10 in place of 30",
    ]
    assert miss.gives <= miss.seconds


def test_signals_that_are_added_are_reported_together() -> None:
    changes = [
        Change(("failover_on",), "db", "'db' added to failover_on"),
        Change(("endpoint", "ttl_seconds"), 10, "endpoint.ttl_seconds 10 in place of 60"),
        Change(("failover_on",), "peer", "'peer' added to failover_on"),
    ]
    assert changes_text(changes) == (
        "'db', 'peer' added to failover_on, endpoint.ttl_seconds 10 in place of 60"
    )


@few_outages
def test_where_nothing_meets_it_the_best_is_reported() -> None:
    miss = misses(service_with(20, "endpoint"))["endpoint dead"]
    assert miss.gives > miss.seconds
    assert "; no setting meets it; at best, endpoint.ttl_seconds 10" in miss.message
    assert f" would give {miss.gives:.0f} s" in miss.message


@few_outages
@pytest.mark.slow
def test_a_dependency_that_decides_is() -> None:
    found = misses(service_with(200, edit=lambda env: env.update(failover_on=["status", "db"])))
    assert "dependency blackholed: db" in found
    assert "dependency blackholed: cdn" not in found
    assert "probe dead" not in found  # which hurts nobody


@few_outages
def test_a_dependency_that_the_objective_names_is_with_what_would_make_it_decide() -> None:
    (miss,) = misses(service_with(300, "db")).values()
    assert str(miss.verdict.fault) == "dependency blackholed: db"
    assert settings(miss) == ["'db' added to failover_on"]
    assert miss.gives <= miss.seconds


@cases("seconds", {"met": 250, "missed": 20})
def test_the_search_grows_with_dependencies_not_with_their_combinations(seconds: int) -> None:
    """Each dependency needs its own signal, so there is nothing to combine."""
    named = [f"d{number}" for number in range(10)]

    def many(environment: Data) -> None:
        for name in named:
            environment["dependencies"][name] = {"label": name, "host": f"{name}.example.org"}
            environment["dependencies"][name]["port"] = 5432

    service = service_with(seconds, "host", *named, edit=many)
    (environment,) = service.environments.values()
    faults = [Fault(FaultKind.HOST_STOPPED)]
    faults += [Fault(FaultKind.DEPENDENCY_BLACKHOLED, name) for name in named]
    runs = 0

    def times(changed: Environment, fault: Fault, outages: int) -> float:
        nonlocal runs
        runs += 1
        decides = fault.dependency is None or fault.dependency in changed.failover_on
        return 200.0 if decides and "peer" in changed.failover_on else inf

    found = best_changes(service, environment, faults, seconds, times)
    for fault in faults:
        values = [change.value for change in found[fault]]
        if seconds == 250:
            assert values == [*named, "peer"]
        else:
            assert values == [*([] if fault.dependency is None else [fault.dependency]), "peer"]
    assert runs < 300


@few_outages
def test_too_many_combinations_are_not_tried_but_changes_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objective_changes, "_MOST_COMBINATIONS", 1)
    miss = misses(service_with(300, "endpoint"))["endpoint dead"]
    assert settings(miss) == ["'endpoint' added to failover_on"]
    assert miss.gives <= miss.seconds


def alone(environment: Data) -> None:
    """Neither peers nor Route 53's checkers can be asked."""
    environment["hosts"]["blue"]["address"] = "10.0.0.1"
    environment["hosts"]["green"]["address"] = "10.0.0.2"
    environment["probe"] = {"peer": False}


def slow_status(environment: Data) -> None:
    alone(environment)
    environment["status_alarm"] = {"period_seconds": 120, "evaluation_periods": 2}


def slow_endpoint(environment: Data) -> None:
    environment["failover_on"] = ["endpoint"]
    environment["endpoint"]["check"] = {"failure_threshold": 6}


def slow_peer(environment: Data) -> None:
    alone(environment)
    environment["failover_on"] = ["peer"]
    environment.update(probe={}, peer_alarm={"evaluation_periods": 4})


def slow_dependency(environment: Data) -> None:
    alone(environment)
    environment["failover_on"] = ["db"]
    environment["dependencies"]["db"]["alarm"] = {"evaluation_periods": 4}


@few_outages
@cases(
    ("slow", "seconds", "fault", "suggested"),
    {
        "status": (
            slow_status,
            520,
            "host",
            [
                "status_alarm.evaluation_periods 1 in place of 2",
                "status_alarm.period_seconds 60 in place of 120",
            ],
        ),
        "endpoint": (
            slow_endpoint,
            190,
            "endpoint",
            ["endpoint.check.failure_threshold 3 in place of 6"],
        ),
        "peer": (
            slow_peer,
            260,
            "endpoint",
            ["peer_alarm.evaluation_periods 2 in place of 4"],
        ),
        "dependency": (
            slow_dependency,
            260,
            "db",
            ["dependencies.db.alarm.evaluation_periods 2 in place of 4"],
        ),
    },
)
def test_settings_slower_than_usual_are_suggested_back(
    slow: Callable[[Data], None], seconds: int, fault: str, suggested: list[str]
) -> None:
    found = misses(service_with(seconds, fault, edit=slow)).values()
    assert [settings(miss) for miss in found] == [suggested] * len(found)
    assert found


@few_outages
def test_what_would_make_the_file_unsound_is_not_suggested() -> None:
    miss = misses(service_with(300, "endpoint", edit=alone))["endpoint dead"]
    assert miss.changes == []
    assert miss.message.endswith("; no setting of this file makes it noticeably shorter")


@few_outages
def test_load_balancers_have_no_ttl_to_shorten() -> None:
    def behind(environment: Data) -> None:
        for color in ("blue", "green"):
            del environment["hosts"][color]["address"]
            environment["hosts"][color]["alias"] = {
                "dns_name": f"{color}.elb.amazonaws.com",
                "hosted_zone_id": "Z1H1FL5HABSF5",
            }

    found = misses(service_with(100, "host", edit=behind))
    assert not any("ttl" in each for miss in found.values() for each in settings(miss))
    left_out = "; EvaluateTargetHealth is left out, which may move clients sooner"
    assert all(miss.message.endswith(left_out) for miss in found.values())


@few_outages
@pytest.mark.slow
def test_each_miss_is_a_warning_with_an_id_of_its_own() -> None:
    service = service_with(300, "host", "db")
    (environment,) = service.environments.values()
    warnings = list(objective_warnings(service, environment))
    assert [warning.id for warning in warnings] == [
        "staged-resiliency:objective-host-stopped",
        "staged-resiliency:objective-host-impaired",
        "staged-resiliency:objective-dependency-blackholed-db",
    ]
    assert {warning.path for warning in warnings} == {"objective.recovery_time_seconds"}


def test_some_outages_that_never_end_count() -> None:
    service = example()
    (environment,) = service.environments.values()
    graph = deciding_graph(service, environment)
    (verdict,) = failover_times(graph, outages=100, only=[Fault(FaultKind.HOST_STOPPED)])
    assert verdict.total is not None
    assert verdict.p95 == verdict.total.p95
    assert replace(verdict, moved=96).p95 == verdict.total.worst
    assert replace(verdict, moved=94).p95 == inf


def file_with(folder: Path, objective: str) -> Path:
    file = folder / "bookstore.yaml"
    file.write_text(
        EXAMPLE_CORE.replace(
            "    active: blue\n", f"    active: blue\n    objective: {objective}\n"
        ),
        encoding="utf-8",
    )
    return file


@pytest.mark.slow
def test_an_enforced_objective_that_is_missed_is_a_problem_of_the_file(tmp_path: Path) -> None:
    file = file_with(tmp_path, "{ recovery_time_seconds: 320, enforce: true, faults: [host] }")
    with pytest.raises(ServiceFileError) as raised:
        load(file)
    assert str(raised.value) == (
        f"{file}:13: environments.production.objective.recovery_time_seconds: host stopped: 95 of "
        "100 clients whose resolvers honor the TTL reach the standby within 483 s (assumed, as AWS "
        "does not publish when it acts on missing data); the objective is 320 s; 'endpoint' added "
        "to failover_on would give 193 s"
    )


def test_an_enforced_objective_that_is_met_is_no_problem(tmp_path: Path) -> None:
    file = file_with(tmp_path, "{ recovery_time_seconds: 600, enforce: true, faults: [host] }")
    (service,) = load(file)
    assert list(objective_warnings(service, service.environments["production"])) == []


@few_outages
def test_the_command_prints_misses_as_warnings(tmp_path: Path, resiliency: Resiliency) -> None:
    file = file_with(tmp_path, "{ recovery_time_seconds: 320, faults: [host] }")
    assert (
        "  warning: environments.production.objective.recovery_time_seconds: host stopped: 95 of "
        "100 clients" in resiliency("check", file).out
    )


@pytest.mark.slow
def test_without_an_objective_the_model_is_not_even_loaded(tmp_path: Path) -> None:
    file = tmp_path / "bookstore.yaml"
    file.write_text(EXAMPLE_CORE, encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from resiliency.service_file import load; "
        f"load(Path({str(file)!r})); sys.exit('resiliency.failover_model.simulation' in "
        "sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@few_outages
def test_a_suggestion_makes_drills_longer_that_it_makes_too_short() -> None:
    (miss,) = misses(service_with(300, "db")).values()
    assert settings(miss) == ["'db' added to failover_on"]

    def drilled(environment: Data) -> None:
        document = yaml.safe_load(EXAMPLE_FILE.read_text(encoding="utf-8"))
        environment["drills"] = document["environments"]["production"]["drills"]
        environment["drills"]["objective_seconds"] = 480

    service = service_with(300, "db", edit=drilled)
    (miss,) = misses(service).values()
    assert settings(miss) == [
        "'db' added to failover_on",
        "drills.db-blackhole.duration_minutes 8 in place of 5",
    ]
    assert miss.gives <= miss.seconds
    (environment,) = service.environments.values()
    changed = environment
    for change in miss.changes:
        changed = change.apply(changed)
    whole = service.model_copy(update={"environments": {"production": changed}})
    partial = PartialDocument.of(Document("", data={}), (), frozenset())
    assert list(safety_problems(whole, partial)) == []
    too_short = miss.changes[0].apply(environment)
    whole = service.model_copy(update={"environments": {"production": too_short}})
    assert list(safety_problems(whole, partial)) != []


@few_outages
def test_of_as_many_changes_the_cheapest_is_suggested() -> None:
    def secure(environment: Data) -> None:
        environment["endpoint"]["check"] = {"protocol": "https"}  # costs two dollars more

    (plain, _) = misses(service_with(300, "endpoint")).values()
    assert settings(plain) == ["'endpoint' added to failover_on"]
    (secured, _) = misses(service_with(300, "endpoint", edit=secure)).values()
    assert settings(secured) == ["'peer' added to failover_on"]


def test_what_chance_alone_may_give_is_not_suggested() -> None:
    def times(changed: Environment, fault: Fault, outages: int) -> float:
        return 301.0 if changed.endpoint.ttl_seconds == 60 else 299.0

    service = service_with(300, "host")
    (environment,) = service.environments.values()
    stopped = Fault(FaultKind.HOST_STOPPED)
    assert best_changes(service, environment, [stopped], 300, times) == {stopped: []}


@few_outages
def test_a_suggestion_holds_for_the_longest_range_that_cloudwatch_may_read() -> None:
    # A TTL of 10 s would do on average: 458 s at the usual chances, and 488 s at the longest.
    (miss,) = misses(service_with(470, "host")).values()
    assert settings(miss) == ["'endpoint' added to failover_on"]
