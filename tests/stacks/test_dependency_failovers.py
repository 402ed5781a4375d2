"""Dependencies that fail over by themselves, from the service file to the templates."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from resiliency.cost_estimate import monthly_costs
from resiliency.failover_model.faults import Fault, FaultKind
from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from resiliency.service_file import Service
from resiliency.service_file.mapping import probe_configuration
from resiliency.service_file.timing_graph import deciding_graph
from staged_resiliency import HttpCheck
from tests.stacks.test_timing_graph import require_alike
from tests.support import (
    ROOT,
    Data,
    Template,
    example,
    records_of,
    resources_of,
    synthesize,
    synthesized,
)

Edit = Callable[[Data], object]
CDN = "cdn.bookstore.pingpublications.com"
PRIMARY = "d111111abcdef8.cloudfront.net"
SECONDARY = f"{CDN}.s3-website-us-west-2.amazonaws.com"
HEALTH_CHECK, ALARM = "AWS::Route53::HealthCheck", "AWS::CloudWatch::Alarm"


def fails_over(environment: Data, **more: object) -> None:
    """Let the example's CDN fail over."""
    targets = {"primary": {"dns_name": PRIMARY}, "secondary": {"dns_name": SECONDARY}}
    environment["dependencies"]["cdn"]["check"] = {"protocol": "http"}
    environment["dependencies"]["cdn"]["failover"] = {**targets, **more}


def by_hosts(environment: Data) -> None:
    fails_over(environment, decided_by="hosts")


def by_status_file(environment: Data) -> None:
    check = {"path": "/status.txt", "search_text": "ok", "interval_seconds": 10}
    fails_over(environment, check=check, ttl_seconds=30)


def as_alias(environment: Data) -> None:
    fails_over(
        environment,
        primary={"dns_name": PRIMARY, "hosted_zone_id": "Z2FDTNDATAQYW2"},
        secondary={
            "dns_name": "s3-website-us-west-2.amazonaws.com",
            "hosted_zone_id": "Z3BJ6K6RIION7M",
        },
    )


def by_connecting(environment: Data) -> None:
    fails_over(environment, check={"protocol": "tcp"})


@pytest.mark.parametrize(
    "edit",
    [
        by_hosts,
        by_status_file,
        pytest.param(as_alias, marks=pytest.mark.slow),
        pytest.param(by_connecting, marks=pytest.mark.slow),
    ],
)
def test_the_file_and_its_templates_say_the_same_of_the_failover(edit: Edit) -> None:
    service = example(edit)
    require_alike(service)
    own_name = [pair for pair in read_graph(synthesize([service])).pairs if pair.dependency]
    assert [(pair.name, pair.dependency) for pair in own_name] == [(CDN, "cdn")]


def failover_stack(service: Service) -> Template:
    return synthesize([service])["bookstore-production-failover"]


def own_records(template: Template) -> list[Data]:
    return [each for each in records_of(template) if each["Name"] == f"{CDN}."]


def test_a_status_file_of_the_primary_decides() -> None:
    template = failover_stack(example(by_status_file))
    primary, secondary = own_records(template)
    assert primary["ResourceRecords"] == [PRIMARY]
    assert secondary["ResourceRecords"] == [SECONDARY]
    assert "HealthCheckId" not in secondary
    assert {each["Type"] for each in (primary, secondary)} == {"CNAME"}
    assert {each["TTL"] for each in (primary, secondary)} == {"30"}
    check = resources_of(template, HEALTH_CHECK)[primary["HealthCheckId"]["Ref"]]
    assert check["Properties"] == {
        "HealthCheckConfig": {
            "Type": "HTTPS_STR_MATCH",
            "FullyQualifiedDomainName": PRIMARY,
            "Port": 443,
            "ResourcePath": "/status.txt",
            "SearchString": "ok",
            "EnableSNI": True,
            "RequestInterval": 10,
            "FailureThreshold": 3,
            "Inverted": False,
        },
        "HealthCheckTags": [{"Key": "Name", "Value": "bookstore-cdn-primary"}],
    }


def test_both_hosts_check_the_primary_by_its_own_name_and_either_keeps_it() -> None:
    service = example(by_hosts)
    environment = service.environments["production"]
    check = probe_configuration(service, environment).dependencies["cdn-primary"]
    assert isinstance(check, HttpCheck)
    assert (check.host, check.host_header) == (PRIMARY, CDN)
    template = failover_stack(service)
    checks = resources_of(template, HEALTH_CHECK)
    primary, _ = own_records(template)
    decides = checks[primary["HealthCheckId"]["Ref"]]["Properties"]["HealthCheckConfig"]
    assert decides["HealthThreshold"] == 1
    followed = [
        checks[child["Ref"]]["Properties"]["HealthCheckConfig"]["AlarmIdentifier"]["Name"]
        for child in decides["ChildHealthChecks"]
    ]
    assert followed == [
        f"bookstore-api-{color}-cdn-primary-connectivity-failed" for color in ("blue", "green")
    ]
    described = [
        alarm["Properties"]["AlarmDescription"]
        for alarm in resources_of(template, ALARM).values()
        if alarm["Properties"]["AlarmName"] == followed[0]
    ]
    assert described == ["CDN (primary) Connectivity failure for Bookstore API (Blue)."]


def test_people_are_notified_that_its_clients_are_on_the_secondary() -> None:
    template = synthesize([example(by_hosts)])["bookstore-production-failover-alarm"]
    alarms = [each["Properties"] for each in resources_of(template, ALARM).values()]
    (moved,) = (each for each in alarms if "cdn" in each["AlarmName"])
    assert moved["AlarmName"] == "bookstore-production-cdn-on-secondary"
    assert moved["AlarmDescription"] == (
        f"ALARM: clients of {CDN} are being sent to {SECONDARY}. OK: they are sent to {PRIMARY}."
    )
    assert moved["MetricName"] == "HealthCheckStatus"
    assert moved["AlarmActions"] == moved["OKActions"] != []
    ids = [each["Dimensions"][0]["Value"] for each in alarms]
    assert len({str(each) for each in ids}) == 2


@pytest.mark.slow
def test_nothing_else_of_the_service_changes() -> None:
    before, after = (synthesize([example(edit)]) for edit in (only_its_check, by_status_file))
    changed = {
        name: {
            logical_id: resource
            for logical_id, resource in template["Resources"].items()
            if before[name]["Resources"].get(logical_id) != resource
        }
        for name, template in after.items()
    }
    assert {
        name: sorted(each["Type"] for each in found.values())
        for name, found in changed.items()
        if found
    } == {
        "bookstore-production-failover": [
            HEALTH_CHECK,
            "AWS::Route53::RecordSet",
            "AWS::Route53::RecordSet",
        ],
        "bookstore-production-failover-alarm": [ALARM],
    }
    for name, template in before.items():
        assert template["Resources"].keys() <= after[name]["Resources"].keys()


def only_its_check(environment: Data) -> None:
    environment["dependencies"]["cdn"]["check"] = {"protocol": "http"}


@pytest.mark.parametrize(
    ("edit", "dollars"),
    [
        # A health check of an endpoint, HTTPS, text and 10 s, and the alarm on the failover.
        (by_status_file, 6.85),
        # Two alarms and metrics, three health checks, and the alarm on the failover.
        (by_hosts, 2.40),
    ],
)
def test_the_estimate_has_what_it_costs(edit: Edit, dollars: float) -> None:
    def cost(change: Edit) -> float:
        return float(sum(each.monthly for each in monthly_costs(synthesized([example(change)]))))

    assert cost(edit) - cost(only_its_check) == pytest.approx(dollars)


def test_the_model_says_how_long_the_clients_of_the_cdn_wait() -> None:
    graph = read_graph(synthesize([example(by_status_file)]))
    times = {
        each.fault.kind: each for each in failover_times(graph, outages=200) if each.pair.dependency
    }
    lost = times[FaultKind.PRIMARY_LOST].total
    assert lost is not None
    assert 20 < lost.median < lost.worst < 180
    assert times[FaultKind.SECONDARY_LOST].moved == 0


def test_hosts_have_no_fault_named_like_the_primary_of_a_dependency() -> None:
    graph = read_graph(synthesize([example(by_hosts)]))
    faults = {each.fault.dependency for each in failover_times(graph, outages=1)}
    assert faults == {None, "db", "cdn"}


@pytest.mark.slow
def test_the_dashboard_shows_its_health_check_and_its_alarm() -> None:
    template = synthesize([example(by_status_file, whole=True)])["bookstore-production-failover"]
    (dashboard,) = resources_of(template, "AWS::CloudWatch::Dashboard").values()
    body = str(dashboard["Properties"]["DashboardBody"])
    primary, _ = own_records(template)
    assert f'\\"label\\":\\"{CDN}\\"' in body or f'"label":"{CDN}"' in body
    assert primary["HealthCheckId"]["Ref"] in body
    assert "Clients are sent to the secondary of a dependency" in body
    assert "us-east-1:532151327118:alarm:bookstore-production-cdn-on-secondary" in body


@pytest.mark.slow
def test_the_guide_has_the_figures_of_the_model() -> None:
    text = (ROOT / "docs" / "dependency-failover.md").read_text(encoding="utf-8")
    checks: Mapping[str, tuple[int, Data]] = {
        "primary, 30 s x 3": (60, {}),
        "primary, 10 s x 3": (60, {"check": {"interval_seconds": 10}}),
        "primary, 10 s x 3 ": (10, {"check": {"interval_seconds": 10}, "ttl_seconds": 10}),
        "hosts": (60, {"decided_by": "hosts"}),
    }
    for name, (ttl, given) in checks.items():
        service = example(partial(fails_over, **given))
        graph = deciding_graph(service, service.environments["production"])
        (lost,) = failover_times(graph, only=[Fault(FaultKind.PRIMARY_LOST, "cdn")])
        assert lost.total is not None
        shown = (lost.total.median, lost.total.p95, lost.total.worst)
        row = f"| {name.strip()} | {ttl} s | {' / '.join(f'{each:.0f}' for each in shown)} |"
        assert row in text


@pytest.mark.slow
@pytest.mark.parametrize("edit", [by_hosts, by_status_file, as_alias])
def test_cfn_lint_finds_nothing(edit: Edit, cfn_lint: Callable[[Template], list[str]]) -> None:
    for name, template in synthesize([example(edit)]).items():
        assert cfn_lint(template) == [], name
