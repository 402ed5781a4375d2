"""The example whose drills Gremlin runs, from its file to the plans that the functions read."""

import json
from collections.abc import Mapping

import pytest

from resiliency.service_file import load
from staged_resiliency.drills.runtime.plan import Plan
from tests.stacks.deployed_drills import EXPERIMENT, MACHINE, deployed
from tests.support import ROOT, resources_of, synthesize

ATTACKS = {
    "shutdown": ("shutdown", "-d 1"),
    "db-lost": ("blackhole", "-l 360 -h ^api.gremlin.com,db.orders.example -p ^53"),
    "db-slow": ("latency", "-l 360 -h ^api.gremlin.com,db.orders.example -p ^53 -m 200"),
}


@pytest.mark.slow
def test_each_drill_of_the_example_has_its_attack() -> None:
    (orders,) = load(ROOT / "examples" / "services" / "orders.yaml")
    template = synthesize([orders])["orders-production-drills"]
    assert not resources_of(template, EXPERIMENT)
    found: dict[str, tuple[str, str]] = {}
    for resource in resources_of(template, MACHINE).values():
        text = deployed(resource["Properties"], template, tuple(ATTACKS))["DefinitionString"]
        document: Mapping[str, object] = json.loads(text)["States"]["Plan"]["Result"]["plan"]
        plan = Plan.from_json(document)
        assert plan.gremlin is not None
        found[plan.drill] = (plan.gremlin.kind, " ".join(plan.gremlin.args))
        assert plan.gremlin.tags == {"service": "orders"}
        assert (plan.experiment_template_id, plan.guard_alarms != ()) == ("", True)
    assert found == ATTACKS
