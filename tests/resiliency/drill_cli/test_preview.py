"""`resiliency drill preview`."""

from dataclasses import replace

import pytest

from resiliency.drill_cli import dispatch
from staged_resiliency.experiment.expectations import AlarmFires
from tests.resiliency.drill_cli import plans
from tests.resiliency.drill_cli.account import Account, Parameters
from tests.resiliency.drill_cli.conftest import Command

_ALARM = (AlarmFires(plans.DATABASE, 240),)


def test_everything_a_shutdown_rests_on_is_told(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drill("preview", "shutdown") == 0
    out = " ".join(capsys.readouterr().out.split())
    for told in (
        "stops bookstore-api-blue (active) for 10 min",
        f"{plans.INSTANCE}: running",
        f"aws:ec2:stop-instances on arn:aws:ec2:us-west-2:123456789012:instance/{plans.INSTANCE}",
        "Serving now bookstore-api-blue (at 54.213.54.171)",
        "Objective 6 min",
        "TUE 09:00 to 17:00 America/Los_Angeles",
        "about 1.00 US dollars",
        f"clients of {plans.RECORD} reach bookstore-api-green, within 360 s of the fault",
        "The failover-time model says 160 to 380 s, 95 % of outages up to 335 s.",
        f"OK {plans.STATUS} must fire",
        f"OK {plans.GUARD} guard: stops the drill",
        f"OK {plans.DATABASE} may fire",
        f"OK {plans.GREEN}-db-connectivity-failed must stay quiet",
        "aws fis stop-experiment --id EXPERIMENT_ID --region us-west-2",
        f"aws ec2 start-instances --instance-ids {plans.INSTANCE} --region us-west-2",
        "Nothing that can be seen from here speaks against a run now.",
    ):
        assert told in out, told


def test_a_leashed_blackhole_tells_its_port_its_agent_and_its_leash(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drill("preview", "db-blackhole") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "drops what bookstore-api-blue (active) sends to port 5432 (db) for 5 min" in out
    assert "yes: injects nothing" in out
    assert "SSM agent Online" in out
    assert "Nothing: the drill is leashed." in out
    assert "start-instances" not in out


def test_a_shutdown_of_the_standby_leaves_clients_where_they_are(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    made.deploy(replace(plans.STANDBY, window=None, fault_seconds=5400))
    drill("preview", "standby-shutdown")
    out = capsys.readouterr().out
    assert "stops bookstore-api-green (standby) for 1 h 30 min" in out
    assert "They stay on bookstore-api-blue and are served all the time." in out
    assert "at any time" in out


def test_a_blackhole_that_moves_nobody_says_what_fails_meanwhile(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    made.deploy(replace(plans.BLACKHOLE, drill="unleashed", enabled=True))
    made.deploy(replace(plans.BLACKHOLE, drill="unasked", enabled=True, hypothesis=_ALARM))
    drill("preview", "unleashed")
    out = " ".join(capsys.readouterr().out.split())
    assert "They stay on bookstore-api-blue; what needs db fails there meanwhile." in out
    assert "cancels the fault; the host lets the port go after 5 min at the latest" in out
    drill("preview", "unasked")
    assert "Nothing is expected of them." in capsys.readouterr().out


def reasons(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Why the drill would not begin."""
    head, found, rest = capsys.readouterr().out.partition("It would not begin now:\n")
    assert found, head
    return [line.strip() for line in rest.splitlines()]


def test_whatever_speaks_against_a_run_is_told_and_nothing_else(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    made.alarms[plans.DATABASE] = "ALARM"
    made.alarms[plans.GUARD] = "missing"
    made.clock.sleep(8 * 3600)
    other = made.begin("db-blackhole", "run-1").arn
    assert drill("preview", "shutdown") == 0
    assert reasons(capsys) == [
        "outside the allowed window (TUE 09:00 to 17:00 America/Los_Angeles)",
        f"alarm {plans.DATABASE} is already in ALARM",
        f"alarm {plans.GUARD} does not exist",
        f"drill db-blackhole runs: {other}",
    ]


def test_a_template_that_is_gone_speaks_against_a_run(
    made: Account, drill: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.resiliency.drill_cli.account import ApiError

    made.refuse("fis", "GetExperimentTemplate", ApiError("ResourceNotFoundException"))
    drill("preview", "shutdown")
    assert reasons(capsys) == [f"FIS has no template {plans.TEMPLATES[0]}; deploy the drills again"]


@pytest.mark.parametrize(
    ("targets", "aim"),
    [
        pytest.param({}, "nothing", id="nothing"),
        pytest.param(
            {"resourceTags": {"role": "web"}}, "all with the tag role=web", id="all with a tag"
        ),
        pytest.param(
            {"resourceArns": ["arn:aws:ec2:us-west-2:123456789012:instance/i-0"]},
            "arn:aws:ec2:us-west-2:123456789012:instance/i-0",
            id="another host",
        ),
    ],
)
def test_a_template_that_is_not_aimed_at_the_host_alone_or_not_guarded_speaks_against_a_run(
    targets: dict[str, object],
    aim: str,
    made: Account,
    drill: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def template(_: Parameters) -> dict[str, object]:
        return {
            "experimentTemplate": {
                "targets": {"Host": {"resourceType": "aws:ec2:instance", **targets}},
                "actions": {"Fault": {"actionId": "aws:ec2:stop-instances"}},
                "stopConditions": [{"source": "none"}],
            }
        }

    made.answers["fis", "GetExperimentTemplate"] = template
    drill("preview", "shutdown")
    assert reasons(capsys) == [
        f"the FIS template is aimed at {aim}, not at bookstore-api-blue alone",
        "no alarm stops the FIS template: deploy the drills again",
    ]


def test_a_name_that_does_not_resolve_is_told(
    made: Account,
    drill: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import functools

    from resiliency.drill_cli.local_context import seen_from_here

    monkeypatch.setattr(
        dispatch, "seen_from_here", functools.partial(seen_from_here, resolve=lambda name: ())
    )
    drill("preview", "shutdown")
    out = capsys.readouterr().out
    assert f"no answer ({plans.RECORD} can't be resolved)" in out
    assert "the standby bookstore-api-green does not answer" in out
