"""`resiliency gate --rehearse`."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from resiliency.commands import rehearse as rehearse_options
from resiliency.rehearsal import prediction, rehearse
from tests.fake_aws import plans
from tests.resiliency.conftest import Resiliency
from tests.resiliency.rehearsal.support import Templates, written
from tests.resiliency.rehearsal.test_rehearse import RUNNER


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 1])
def test_a_rehearsal_of_templates_needs_no_account(
    status: int,
    example_templates: Templates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    resiliency: Resiliency,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(rehearse.rehearse.__kwdefaults__ or {}, "runner", RUNNER)
    monkeypatch.setitem(prediction.predict_failovers.__kwdefaults__ or {}, "outages", 20)
    # The runner that starts nothing: with the seed 1 a scenario fails.
    given = rehearse_options.defaults()
    given.seed, given.scenario = status, ["host-stops", "endpoint-hangs"]
    monkeypatch.setattr(rehearse_options, "defaults", lambda: given)
    words = ["--rehearse", *written(example_templates, tmp_path), "--json", "--junit", "junit.xml"]
    printed = resiliency("gate", "bookstore", "production", *words, status=status)
    found = {each["name"]: each["status"] for each in json.loads(printed.out)["checks"]}
    assert found == {
        f"rehearsal of {plans.RECORD}: host-stops": "failed" if status else "passed",
        f"rehearsal of {plans.RECORD}: endpoint-hangs": "failed" if status else "not covered",
    }
    (suite,) = ET.parse("junit.xml").getroot()
    assert suite.attrib["skipped"] == ("0" if status else "1")
    done = resiliency("gate", "bookstore", "staging", *words, status=2)
    assert "no pair of hosts of bookstore in staging; found: bookstore-production\n" in (done.err)
