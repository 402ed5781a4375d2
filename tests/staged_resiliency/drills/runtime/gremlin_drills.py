"""Drills whose faults Gremlin injects, in an account with a stand-in for its API."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from staged_resiliency.drills.runtime.fault_settings import GremlinAttack
from staged_resiliency.drills.runtime.plan import Plan
from tests.fake_aws import plans
from tests.fake_aws.account import Account, account
from tests.fake_aws.simulation import Script
from tests.fake_gremlin import KEY, SECRET, TEAM, FakeGremlin, GremlinService, serving

NAMES = "^api.gremlin.com,db.bookstore.pingpublications.com"
ATTACKS = {
    "shutdown": ("shutdown", ("-d", "1")),
    "db-blackhole": ("blackhole", ("-l", "300", "-h", NAMES, "-p", "^53")),
    "db-slow": ("latency", ("-l", "300", "-h", NAMES, "-p", "^53", "-m", "300")),
}


def with_gremlin(plan: Plan, **changes: Any) -> Plan:
    """The plan of the same drill, whose fault Gremlin injects, with fields changed."""
    kind, args = ATTACKS[plan.drill]
    attack = GremlinAttack(TEAM, SECRET, kind, args, {}, {"service": "bookstore"})
    return replace(plan, gremlin=attack, experiment_template_id="", **changes)


SHUTDOWN = with_gremlin(plans.SHUTDOWN, sample_seconds=25, call_seconds=900)
BLACKHOLE = with_gremlin(plans.BLACKHOLE, sample_seconds=25, call_seconds=200)


@dataclass
class Set:
    """An account and its Gremlin."""

    made: Account
    gremlin: FakeGremlin
    service: GremlinService

    @property
    def created(self) -> int:
        """How often an attack was requested."""
        return self.gremlin.requests.count(("POST", "/attacks/new"))

    @property
    def starts(self) -> int:
        """How often the instance was started."""
        return self.made.calls.count(("ec2", "StartInstances"))


@contextmanager
def gremlin_account(plan: Plan, script: Script | None = None, **changes: Any) -> Iterator[Set]:
    """An account whose functions call a stand-in for Gremlin's API."""
    service = GremlinService(plan, script or Script(), **changes)
    with serving(service) as gremlin, account(plan, service=service) as made:
        made.context = replace(made.context, gremlin_url=gremlin.url, secrets={})
        made.answers["secretsmanager", "GetSecretValue"] = _secret
        yield Set(made, gremlin, service)


def _secret(given: Mapping[str, Any]) -> Mapping[str, Any]:
    assert given == {"SecretId": SECRET}
    return {"ARN": SECRET, "Name": "gremlin", "SecretString": f"{KEY}\n"}
