"""Gremlin as the engine of drills: attacks, refusals, and what is deployed."""

import json
from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from staged_resiliency import (
    BlackholeDependency,
    BlackholePort,
    DegradeDependency,
    DrillGroup,
    FailOverDbInstance,
    Fault,
    GremlinEngine,
    InvalidInputError,
    StopInstance,
)
from tests.iam_findings import findings_above_low
from tests.staged_resiliency.drills.test_drill import BLUE, a_drill, a_group
from tests.staged_resiliency.support import HERE, nag_findings

INSTANCE = "i-0123456789abcdef0"
TEAM = "9676868b-60d2-5ebe-aa66-c1de8162ff9d"
SECRET = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:gremlin-AbC123"
KEY = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ENGINE = GremlinEngine(TEAM, SECRET)

ATTACKS: tuple[tuple[Fault, str, str], ...] = (
    (StopInstance(BLUE, INSTANCE, 10), "shutdown", "-d 1"),
    (
        BlackholeDependency(BLUE, INSTANCE, 5, "db.example.com"),
        "blackhole",
        "-l 300 -h ^api.gremlin.com,db.example.com -p ^53",
    ),
    (
        BlackholeDependency(BLUE, INSTANCE, 5, "192.0.2.7"),
        "blackhole",
        "-l 300 -i 192.0.2.7 -h ^api.gremlin.com -p ^53",
    ),
    (
        BlackholePort(BLUE, INSTANCE, 720, 443),
        "blackhole",
        "-l 43200 -h ^api.gremlin.com -p ^53,443 -P TCP",
    ),
    (
        DegradeDependency(BLUE, INSTANCE, 5, "db.example.com", delay_milliseconds=300),
        "latency",
        "-l 300 -h ^api.gremlin.com,db.example.com -p ^53 -m 300",
    ),
    (
        DegradeDependency(BLUE, INSTANCE, 5, "db.example.com", loss_percent=10),
        "packet_loss",
        "-l 300 -h ^api.gremlin.com,db.example.com -p ^53 -r 10",
    ),
)


@pytest.mark.parametrize(("fault", "kind", "args"), ATTACKS, ids=[row[2] for row in ATTACKS])
def test_each_fault_has_its_attack_with_its_length(fault: Fault, kind: str, args: str) -> None:
    attack = ENGINE.attack(fault)
    assert (attack.kind, " ".join(attack.args)) == (kind, args)
    assert (attack.team_id, attack.secret_arn) == (TEAM, SECRET)
    assert kind == "shutdown" or attack.args[:2] == ("-l", str(fault.duration_minutes * 60))


REFUSED: tuple[tuple[Callable[[], object], str], ...] = (
    (lambda: GremlinEngine("shop", SECRET), "team_id: 'shop' is not the ID of a Gremlin team"),
    (
        lambda: GremlinEngine(TEAM, "dGhlIGtleQ=="),
        "secret_arn: the value is not the ARN of a secret; give one like arn:aws:secretsmanager:",
    ),
    (lambda: GremlinEngine(TEAM, SECRET[:-7]), "with the six characters that Secrets Manager adds"),
    (lambda: GremlinEngine(TEAM, SECRET, "alias/gremlin"), "kms_key: 'alias/gremlin' is not"),
    (lambda: GremlinEngine(TEAM, SECRET, clients={BLUE: ""}), "clients: '' is not an identifier"),
    (lambda: GremlinEngine(TEAM, SECRET, tags={"": "a"}), "tags: '' is not an identifier or tag"),
    (
        lambda: GremlinEngine(TEAM, SECRET, clients={BLUE: "a"}, tags={"b": "c"}),
        "tags: a client that is given by its identifier needs no tags",
    ),
    (
        lambda: GremlinEngine(TEAM, SECRET, clients={"orders": "a"}).require_hosts([BLUE, "b"]),
        "clients: 'orders'",
    ),
    (
        lambda: GremlinEngine(TEAM, SECRET, clients={BLUE: "a"}).require_hosts([BLUE, "b"]),
        "clients: give each host a client of its own: shop-blue, b",
    ),
    (
        lambda: GremlinEngine(TEAM, SECRET, clients={BLUE: "a", "b": "a"}).require_hosts(
            [BLUE, "b"]
        ),
        "clients: give each host a client of its own",
    ),
    (
        lambda: ENGINE.attack(
            DegradeDependency(
                BLUE, INSTANCE, 5, "db.example.com", delay_milliseconds=9, jitter_milliseconds=1
            )
        ),
        "jitter_milliseconds: Gremlin delays each packet by the same time; leave it out",
    ),
    (
        lambda: ENGINE.attack(FailOverDbInstance("shop-db", "db.example.com")),
        "GremlinEngine: Gremlin has no attack for FailOverDbInstance; leave the engine out",
    ),
    (lambda: group(engine="gremlin"), "engine: 'gremlin' is of type str; give a GremlinEngine"),
    (lambda: group(fis_report=True), "fis_report: AWS FIS writes no report where Gremlin"),
    (
        lambda: group(engine=GremlinEngine(TEAM, SECRET.replace("eu-west-1", "us-east-1"))),
        "DrillGroup: engine: arn:aws:secretsmanager:us-east-1:111111111111:secret:gremlin-AbC123 "
        "is in us-east-1; give one of eu-west-1",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[row[1] for row in REFUSED])
def test_what_can_not_work_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        make()
    assert message in str(raised.value)


def group(**settings: object) -> DrillGroup:
    """The drills of a service, with Gremlin unless another engine is given."""
    return a_group(Stack(env=HERE), **{"engine": GremlinEngine(TEAM, SECRET, KEY), **settings})


@pytest.mark.slow
def test_a_drill_with_gremlin_has_no_experiment_and_reads_one_secret() -> None:
    made = group()
    stack = Stack.of(made)
    drill = a_drill(stack, made)
    assert drill.experiment is None
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::FIS::ExperimentTemplate", 0)
    text = json.dumps(template.to_json())
    roles = template.find_resources("AWS::IAM::Role")
    may: dict[str, list[dict[str, object]]] = {}
    for role in roles.values():
        (policy,) = role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            may.setdefault(statement["Sid"], []).append(statement)
        assert "fis.amazonaws.com" not in json.dumps(role["Properties"]["AssumeRolePolicyDocument"])
    assert nag_findings(stack) == []
    for sid in ("OnGremlinSecret", "DecryptTheKeyOfGremlin", "OnAny"):
        policy = {"Version": "2012-10-17", "Statement": may[sid][:1]}
        assert findings_above_low(policy) == [], sid
    assert [each["Resource"] for each in may["OnGremlinSecret"]] == [[SECRET]] * 3
    assert [each["Action"] for each in may["OnGremlinSecret"]] == [
        ["secretsmanager:GetSecretValue"]
    ] * 3
    assert [each["Resource"] for each in may["DecryptTheKeyOfGremlin"]] == [KEY] * 3
    for each in may["DecryptTheKeyOfGremlin"]:
        assert each["Action"] == "kms:Decrypt"
        assert each["Condition"] == {
            "StringEquals": {
                "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
                "kms:EncryptionContext:SecretARN": SECRET,
            }
        }
    assert "fis:StartExperiment" not in text
    assert "iam:CreateServiceLinkedRole" not in text
    assert text.count('"fis:StopExperiment"') == 1, "runs that began with AWS FIS are still ended"
