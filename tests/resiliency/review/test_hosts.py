"""What an association runs on hosts, in a review."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.resiliency.review.stacks import (
    association,
    changed,
    resource,
    reviewed,
    texts,
)

ORDER = "one after the other, in an order that Systems Manager chooses, until one fails"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"MaxConcurrency": "50%", "MaxErrors": "2"},
            "on site-blue and site-green: 50% at a time, in an order that Systems Manager chooses, "
            "until more than 2 have failed; changed: MaxConcurrency 1 → 50%, MaxErrors 0 → 2",
        ),
        (
            {"Targets": [{"Key": "tag:Name", "Values": ["site-green"]}]},
            f"on site-green: {ORDER}; no longer among its hosts: site-blue, where what is "
            "installed stays as it is",
        ),
        (
            {"Parameters": {"Action": ["Uninstall"], "Configuration": ["not base64!"]}},
            f"on site-blue and site-green: {ORDER}; changed: Action Install → Uninstall, "
            "namespace Site → absent, db-connectivity port 1 → absent, Configuration absent → not "
            "base64!",
        ),
        ({"Name": "other"}, f"on site-blue and site-green: {ORDER}; changed: the document"),
        ({"Targets": None}, f"on hosts that its template does not name: {ORDER}; no longer among "
         "its hosts: site-blue and site-green, where what is installed stays as it is"),
    ],
)  # fmt: skip
def test_an_association_runs_its_document_on_hosts(
    changes: Mapping[str, Any], expected: str
) -> None:
    after = changed(association(), "Association", **changes)
    assert texts(reviewed(association(), after), "hosts") == [
        f"warning Association probe runs its document at once {expected}"
    ]


def test_a_removed_association_leaves_what_it_installed() -> None:
    assert texts(reviewed(association(), {}), "hosts") == [
        "warning Association probe is removed: what it installed stays on site-blue and site-green "
        "as it is, and is no longer repaired"
    ]


def test_another_document_is_explained_by_the_association_that_runs_it() -> None:
    def of(text: str) -> dict[str, Any]:
        content = {"Content": {"description": text}, "UpdateMethod": "NewVersion"}
        return {**association(MaxErrors=text), "Document": resource("SSM::Document", **content)}

    found = reviewed(of("1"), of("2"))
    assert [each.resources for each in found.findings if each.topic.value == "hosts"] == [
        ("Association", "Document")
    ]
    assert texts(found, "rest") == []


def test_metadata_of_an_association_runs_nothing() -> None:
    after = {"Association": {**association()["Association"], "Metadata": {"a": 1}}}
    assert texts(reviewed(association(), after), "hosts") == []
