"""cdk-nag, cfn-lint and the permissions, on everything that the example deploys."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack, Validations, aws_sns
from cdk_nag import AwsSolutionsChecks

from resiliency.service_file import Service, load
from stacks.application import add_stacks
from tests.support import (
    ROOT,
    Data,
    Template,
    app_as_by_the_cli,
    example,
    resources_of,
    synth,
    synthesize,
)

# Findings are acknowledged beside the construct, and in the tests below. Each further one needs a
# reason that a reviewer would accept.

KEY = "arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _everything(env: Data) -> None:
    """Switches on what the example leaves out."""
    env["failover_on"] = ["status", "endpoint", "peer", "db"]
    env["probe"] = {"roles": ["bookstore-api"], "journal": "changes"}
    env["dependencies"] |= {
        "ldap": {
            "label": "Directory",
            "host": "ldap.example.com",
            "port": 636,
            "check": {"protocol": "tls", "days_to_expiry": 14},
        },
        "search": {
            "label": "Search",
            "host": "search.example.com",
            "check": {
                "protocol": "https",
                "path": "/?q=a&b='c'",
                "text": 'it\'s "${up}" {{ now }}',
            },
        },
        "names": {"label": "DNS", "host": "db.example.com", "check": {"protocol": "dns"}},
    }
    env["endpoint"]["check"] = {"protocol": "https", "interval_seconds": 10, "search_text": "api"}
    env["hosts"]["blue"]["ipv6_address"] = "2600:1f14::8"
    env["hosts"]["green"]["ipv6_address"] = "2600:1f14::9"
    env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"
    env["cloudwatch_agent"] = {
        "memory_percent": 90,
        "disk_percent": {"/": 85},
        "processes": {"web": {"name": "java"}, "worker": {"command": "celery worker"}},
    }
    env["drills"] |= {
        "enabled": True,
        "runbook": "https://wiki.example.com/drills",
        "volume_keys": [KEY],
        "evidence": {"kms_key": KEY, "lock_days": 365, "fis_report": True},
        "change_calendars": ["arn:aws:ssm:us-west-2:532151327118:document/freeze"],
        "blackout_dates": ["2026-12-20/2027-01-04"],
        "notify_before_minutes": 30,
        "standby-search": {
            "fault": "blackhole",
            "dependency": "search",
            "host": "standby",
            "duration_minutes": 12,
            "schedule": "cron(0 10 ? * TUE#4 *)",
        },
    }
    env["dependencies"]["store"] = {"label": "S", "host": "store.example.com", "port": 3306}
    for number, key in enumerate(("db_instance", "db_cluster"), start=2):
        env["drills"][key.replace("_", "-")] = {
            "fault": "rds_failover",
            "dependency": "store",
            key: "shop",
            "schedule": f"cron(0 10 ? * WED#{number} *)",
        }
    env["drills"]["db-blackhole"]["duration_minutes"] = 12
    env["drills"]["cdn-blackhole"]["scope"] = "port"
    env["drills"]["db-slow"] = {
        "fault": "degrade",
        "dependency": "db",
        "host": "active",
        "delay_milliseconds": 200,
        "response_milliseconds": 800,
        "duration_minutes": 5,
        "schedule": "cron(0 10 ? * WED#1 *)",
    }
    env["notifications"] |= {
        "recovery": True,
        "subscriptions": [
            "ops@example.com",
            "https://alerts.example.com/sns",
            "arn:aws:sqs:us-west-2:532151327118:alerts",
            "arn:aws:lambda:us-west-2:532151327118:function:alerts",
            "+15555550100",
        ],
        "more_topics": [
            "arn:aws:sns:us-west-2:111111111111:operations",
            "arn:aws:sns:us-east-1:111111111111:operations",
        ],
        "tags": {"team": "ops"},
    }


def _alias(env: Data) -> None:
    for color in ("blue", "green"):
        del env["hosts"][color]["address"]
        env["hosts"][color]["alias"] = {
            "dns_name": f"{color}-1.us-west-2.elb.amazonaws.com",
            "hosted_zone_id": "Z1H1FL5HABSF5",
            "ipv6": True,
        }
    env["failover_on"] = ["status", "endpoint"]
    env["notifications"] = {
        "topic_arn": "arn:aws:sns:us-west-2:532151327118:Pager",
        "subscriptions": ["ops@example.com"],
    }


def _gremlin(env: Data) -> None:
    secret = "arn:aws:secretsmanager:us-west-2:532151327118:secret:gremlin-AbC123"
    team = "9676868b-60d2-5ebe-aa66-c1de8162ff9d"
    gremlin = {"team_id": team, "secret_arn": secret, "kms_key": KEY}
    env["drills"]["engine"] = {"gremlin": gremlin}


FORMS: Mapping[str, Service] = {
    "example": example(whole=True),
    "everything": example(_everything, whole=True),
    "alias": example(_alias),
    "gremlin": example(_gremlin, whole=True),
    "dependencies": load(ROOT / "examples" / "services" / "shop.yaml")[0],
}


_SLOWLY = dict.fromkeys(("dependencies", "everything", "gremlin"), pytest.mark.slow)
FORMS_MARKED = [pytest.param(form, marks=_SLOWLY.get(form, ())) for form in FORMS]


@pytest.fixture(scope="module", params=FORMS_MARKED)
def templates(request: pytest.FixtureRequest) -> Mapping[str, Template]:
    return synthesize([FORMS[request.param]])


@pytest.mark.parametrize("form", FORMS_MARKED)
def test_cdk_nag_finds_nothing(form: str) -> None:
    app = app_as_by_the_cli()
    add_stacks(app, [FORMS[form]])
    violations = AwsSolutionsChecks(app).validate_scope(app).violations
    assert [violation.rule_name for violation in violations] == []


def test_cdk_nag_would_find_an_open_topic() -> None:
    app = app_as_by_the_cli()
    aws_sns.CfnTopic(Stack(app, "Open"), "Topic")
    violations = AwsSolutionsChecks(app).validate_scope(app).violations
    assert any("SNS3" in violation.rule_name for violation in violations)


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in FORMS if form != "example"])
def test_cfn_lint_finds_nothing(form: str, cfn_lint: Callable[[Template], list[str]]) -> None:
    """The example's own templates are linted by ``make templates``."""
    examples = synthesize([FORMS["example"]]).values()
    for name, template in synthesize([FORMS[form]]).items():
        if template not in examples:
            assert cfn_lint(template) == [], name


@pytest.mark.slow
def test_cfn_lint_would_find_a_wrong_alarm(
    failover_template: Template, cfn_lint: Callable[[Template], list[str]]
) -> None:
    broken = json.loads(json.dumps(failover_template))
    broken["Resources"]["FailoverBlueStatusAlarmC8C73F4A"]["Properties"]["Statistic"] = "Mean"
    (finding,) = cfn_lint(broken)
    assert "'Mean' is not one of" in finding


@pytest.fixture(scope="module")
def acknowledged() -> Mapping[str, Mapping[str, set[str]]]:
    """The findings of cdk-nag that are acknowledged: stack, finding, reasons."""
    app = app_as_by_the_cli()
    add_stacks(app, [FORMS["example"]])
    found: dict[str, dict[str, set[str]]] = {}
    for node in app.node.find_all():
        for entry in node.node.metadata:
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                stack = found.setdefault(node.node.path.partition("/")[0], {})
                for finding, reason in _acknowledgements(entry.data):
                    rule = finding.removeprefix("Annotation::")
                    stack.setdefault(rule, set()).add(reason)
    return found


def _acknowledgements(data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, Mapping):
        if {"id", "reason"} <= set(data):
            yield data["id"], data["reason"]
        elif data and all(isinstance(each, str) for each in data.values()):
            yield from data.items()
        else:
            for each in data.values():
                yield from _acknowledgements(each)
    elif isinstance(data, list):
        for each in data:
            yield from _acknowledgements(each)


def test_the_one_rule_that_the_probe_acknowledges(
    acknowledged: Mapping[str, Mapping[str, set[str]]],
) -> None:
    ((finding, (reason,)),) = acknowledged["bookstore-production-probe"].items()
    assert finding == "AwsSolutions-IAM5[Resource::*]"
    assert "support no resource-level permissions" in reason


def test_what_the_drills_acknowledge_has_a_reason_of_its_own(
    acknowledged: Mapping[str, Mapping[str, set[str]]],
) -> None:
    place, journals = "us-west-2:532151327118", "<DrillsJournals9A9F810E.Arn>"
    folders = {
        f"AwsSolutions-IAM5[Resource::{journals}/{folder}/*]"
        for folder in ("begun", "ended", "journals", "live", "occurrences", "runs")
    }
    found = acknowledged["bookstore-production-drills"]
    assert set(found) == folders | {
        "AwsSolutions-S1",
        "AwsSolutions-SF2",
        "AwsSolutions-SQS3",
        "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
        "AwsSolutions-IAM5[Resource::*]",
        f"AwsSolutions-IAM5[Resource::{journals}/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:cloudformation:{place}:stack/"
        "bookstore-production-failover/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:ec2:{place}:instance/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:fis:{place}:experiment-template/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:fis:{place}:experiment/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:kms:{place}:key/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:ssm:{place}:parameter/staged-resiliency/drill-locks/*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:states:{place}:execution:"
        "bookstore-production-drill-*:*]",
        f"AwsSolutions-IAM5[Resource::arn:aws:states:{place}:stateMachine:"
        "bookstore-production-drill-*]",
    }
    reasons = [reason for finding, (reason,) in found.items() if finding not in folders]
    assert len(reasons) == len(set(reasons)) == 14


def test_only_the_probe_and_the_drills_acknowledge(
    acknowledged: Mapping[str, Mapping[str, set[str]]],
) -> None:
    assert set(acknowledged) == {"bookstore-production-probe", "bookstore-production-drills"}


def test_templates_are_far_below_the_size_that_can_be_deployed(
    templates: Mapping[str, Template],
) -> None:
    for name, template in templates.items():
        size = len(json.dumps(template))
        if name.endswith(("-probe", "-drills")):
            # Carries the agent, or the input of each run. The CLI uploads every template, for which
            # 1 MB is the limit.
            assert size < 250_000
        else:
            assert size < 51_200


def test_the_cloud_assembly_names_no_file_of_the_machine(tmp_path: Path) -> None:
    app = app_as_by_the_cli(str(tmp_path))
    add_stacks(app, [FORMS["example"]])
    synth(app)
    for file in tmp_path.glob("*.json"):
        assert str(Path(__file__).parent.parent.parent) not in file.read_text(encoding="utf-8")


_ROLES = {
    "Client": "client",
    "Observe": "observe",
    "Inject": "inject",
    "End": "end",
    "Machine": "machines",
    "Scheduler": "schedules",
    "StopInstance": "stop",
    "Blackhole": "blackhole",
    "BlackholePort": "port",
    "Degrade": "degrade",
    "RdsFailover": "database",
}


def _role_of(logical_id: str) -> str:
    """The name of a role of the drills in the document."""
    return _ROLES[logical_id.removeprefix("Drills").partition("Role")[0]]


def _permissions_of(resource: Data) -> set[str]:
    """The actions that the policies of a resource allow."""
    policies = resource["Properties"].get("Policies", [resource["Properties"]])
    allowed: set[str] = set()
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            allowed.update([actions] if isinstance(actions, str) else actions)
    return allowed


def _permissions_in(section: str) -> Mapping[str, set[str]]:
    """The actions in a table of docs/security.md, by the roles in italics in its first column."""
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\|(.*)\|$", section, re.MULTILINE):
        cells = row.split(" | ")
        for role in re.findall(r"\*(\w+)\*", cells[0]):
            actions = re.findall(r"`([a-z0-9]+:[A-Z][A-Za-z*]+)`", cells[1])
            found.setdefault(role, set()).update(actions)
    return found


@pytest.mark.slow
def test_the_page_on_security_has_every_permission_of_every_role() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    drills = page.partition("## Drills")[2].partition("## People")[0]
    with_fis, _, with_gremlin = drills.partition("### With Gremlin")
    documented, added = _permissions_in(with_fis), _permissions_in(with_gremlin)
    by_engine: dict[bool, dict[str, set[str]]] = {False: {}, True: {}}
    for form, service in FORMS.items():
        may = by_engine[form == "gremlin"]
        for stack, template in synthesize([service]).items():
            if stack.endswith("-drills"):
                for logical_id, resource in resources_of(template, "AWS::IAM::Role").items():
                    may.setdefault(_role_of(logical_id), set()).update(_permissions_of(resource))
                for resource in resources_of(template, "AWS::IAM::Policy").values():
                    for each in resource["Properties"]["Roles"]:
                        may[_role_of(each["Ref"])] |= _permissions_of(resource)
            elif stack.endswith("-probe"):
                _has_permissions(template, page.partition("## The probe")[2])
            elif stack.endswith("-cloudwatch-agent"):
                _has_permissions(template, page.partition("## The CloudWatch agent")[2])
    assert documented == by_engine[False]
    for role, allowed in by_engine[True].items():
        more = added.get(role, set())
        assert more <= allowed <= documented[role] | more, role


def _has_permissions(template: Template, page: str) -> None:
    section = page.partition("\n## ")[0]
    policy = resources_of(template, "AWS::IAM::ManagedPolicy").values()
    for action in set().union(*map(_permissions_of, policy)):
        assert f"`{action}`" in section
