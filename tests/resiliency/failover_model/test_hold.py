"""The commands that hold clients on the standby are valid, and do that by the model."""

import re
import shlex

import pytest
from botocore import xform_name

from resiliency.failover_model.simulation import failover_times
from resiliency.failover_model.template_reader import read_graph
from tests.resiliency.rehearsal.support import Templates, edited, set_health_check
from tests.staged_resiliency.api_model import problems_of, service_model
from tests.support import ROOT, Data

_LINES = re.findall(
    r"^aws route53 update-health-check (.*?)(?:\s+#.*)?$",
    (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def _request(line: str) -> Data:
    """The request that the AWS CLI makes of a command's options."""
    shape = service_model("route53").operation_model("UpdateHealthCheck").input_shape
    members = {f"--{xform_name(name, '-')}": name for name in shape.members}
    request: Data = {}
    words = iter(shlex.split(line))
    for word in words:
        option = "--" + word.removeprefix("--no-") if word.startswith("--no-") else word
        name = members[option]
        flag = shape.members[name].type_name == "boolean"
        request[name] = word == option if flag else next(words)
    return request


def test_a_hold_and_its_end_are_valid_requests() -> None:
    hold, end = map(_request, _LINES)
    assert hold == {"HealthCheckId": "ID", "Disabled": True, "Inverted": True}
    assert end == {"HealthCheckId": "ID", "Disabled": False, "Inverted": False}
    assert [problems_of("route53", "UpdateHealthCheck", each) for each in (hold, end)] == [[], []]


@pytest.mark.parametrize(("line", "held"), [(0, True), (1, False)])
def test_clients_are_on_the_standby_as_long_as_they_are_held(
    example_templates: Templates, line: int, held: bool
) -> None:
    settings = _request(_LINES[line])
    del settings["HealthCheckId"]
    graph = read_graph(edited(example_templates, set_health_check(**settings)))
    for verdict in failover_times(graph, outages=1):
        assert (verdict.never == "the secondary answers even while all is well") is held
