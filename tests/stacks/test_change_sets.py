"""What each edit of the service file may change, and that it changes nothing else.

The same table is explained in docs/reviewing-change-sets.md.
"""

import io
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from resiliency.drill_cli.safe_console import SafeConsole
from resiliency.review.changes import changes_between
from resiliency.review.findings import Topic
from resiliency.review.output import print_review
from resiliency.review.review import review
from resiliency.review.sides import Sides
from resiliency.service_file import Service
from staged_resiliency.probe import probe_agent
from staged_resiliency.probe.document import command_document
from tests.stacks.change_set import changed, changes, create_only, lost_answers
from tests.stacks.edits import DRILL_ROWS, ROWS, Row
from tests.stacks.edits.row import ALARMS, ASSOCIATION
from tests.support import (
    ROOT,
    Data,
    example,
    example_data,
    production,
    resources_of,
    service_of,
    synthesize,
    synthesize_anew,
    synthesized,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
NOTES = {f"note {topic.value}" for topic in Topic}
REGIONS = ("us-east-1", "us-west-2")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_edit_changes_exactly(row: Row) -> None:
    _check(row, example_data())


def test_the_display_name_is_in_every_alarm_text() -> None:
    renamed = example_data() | {"display_name": "Books"}
    assert changes(synthesize([service_of(example_data())]), synthesize([service_of(renamed)])) == {
        f"modify {alarm}" for alarm in ALARMS
    }


def test_a_second_service_leaves_the_first_as_it_is() -> None:
    first, second = service_of(example_data()), _second_service()
    before, after = synthesize([first]), synthesize([first, second])
    assert all(line.startswith("add ") for line in changes(before, after))
    assert {stack: after[stack] for stack in before} == dict(before)


def test_the_first_service_can_go_without_moving_the_shared_topic() -> None:
    first, second = service_of(example_data()), _second_service()
    both, rest = synthesize([first, second]), synthesize([second])
    assert {line for line in changes(both, rest) if "topic" in line.lower()} == set()
    assert set(both) - set(rest) == {
        "bookstore-production-failover",
        "bookstore-production-failover-alarm",
        "bookstore-production-probe",
    }


def test_two_services_with_one_topic_make_it_once() -> None:
    templates = synthesize([service_of(example_data()), _second_service()])
    topics = [
        resource
        for template in templates.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SNS::Topic"
    ]
    assert len(topics) == 2  # one in each region where alarms are


def test_a_shared_topic_does_not_depend_on_which_files_are_loaded() -> None:
    def given(subscriber: str) -> Callable[[Data], object]:
        return lambda env: env["notifications"].update(subscriptions=[subscriber])

    data = _second_service(given("b@example.com"))
    first, second = example(given("a@example.com")), data
    alone = [synthesize([first]), synthesize([second])]
    together = synthesize([first, second])
    for templates in alone:
        for stack in templates:
            assert templates[stack] == together[stack]
    for stack in (f"notifications-532151327118-{r}-PingPublicationsSNS" for r in REGIONS):
        assert alone[0][stack] == alone[1][stack]


def test_the_schemas_know_what_replaces_an_alarm() -> None:
    # The table above means something only while the schemas say this.
    assert create_only("AWS::CloudWatch::Alarm") == ["/properties/AlarmName"]
    assert "/properties/HostedZoneId" in create_only("AWS::Route53::RecordSet")


def test_another_agent_is_another_document_to_which_the_association_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = synthesize([service_of(example_data())])
    document = {**command_document(), "description": "Another agent."}
    monkeypatch.setattr(probe_agent, "command_document", lambda: document)
    probe_agent._content.cache_clear()
    after = synthesize_anew([service_of(example_data())])
    probe_agent._content.cache_clear()
    # The association names the document, so CloudFormation updates it with the new one's name.
    assert changes(before, after) == {"replace document of the probe", f"modify {ASSOCIATION}"}
    associations = resources_of(after["bookstore-production-probe"], "AWS::SSM::Association")
    documents = resources_of(after["bookstore-production-probe"], "AWS::SSM::Document")
    assert [each["Properties"]["Name"] for each in associations.values()] == [
        {"Ref": logical_id} for logical_id in documents
    ]


def test_the_schemas_know_what_replaces_a_document_and_not_an_association() -> None:
    content = create_only("AWS::SSM::Document", "conditionalCreateOnlyProperties")
    assert "/properties/Content" in content
    assert create_only("AWS::SSM::Association") == ["/properties/InstanceId"]


def test_a_renamed_service_has_another_stack() -> None:
    # The old stack stays deployed and holds the record's name: see the guide.
    renamed = service_of(example_data() | {"service": "books"})
    before, after = synthesize([service_of(example_data())]), synthesize([renamed])
    assert "bookstore-production-failover" in set(before) - set(after)
    assert "books-production-failover" in set(after) - set(before)


@pytest.mark.slow
@pytest.mark.parametrize("row", DRILL_ROWS, ids=lambda row: row.name)
def test_an_edit_of_drills_changes_exactly(row: Row) -> None:
    _check(row, example_data(whole=True))


def _check(row: Row, data: Data) -> None:
    before, after = (synthesized([service_of(each)]) for each in row.sides(data))
    assert changed(before, after) == row.expected
    assert lost_answers(before, after) == row.loses
    sides = Sides(before, after, changes_between(before, after), NOW)
    found = review(sides, outages=100).findings
    serious = {f"{each.level.value} {each.topic.value}" for each in found} - NOTES
    assert serious == row.found


def test_drills_add_their_stack_and_a_dashboard_and_move_the_probes_daily_run_away() -> None:
    before, after = synthesize([example()]), synthesize([example(whole=True)])
    assert set(after) - set(before) == {"bookstore-production-drills"}
    same = {stack: template for stack, template in after.items() if stack in before}
    assert changes(before, same) == {
        "add dashboard bookstore-production",
        "modify association bookstore-production-probe",
    }


@pytest.mark.parametrize("row", [*ROWS, *DRILL_ROWS], ids=lambda row: row.name)
def test_each_edit_is_explained_to_reviewers(row: Row) -> None:
    text = (ROOT / "docs" / "reviewing-change-sets.md").read_text(encoding="utf-8")
    assert f"| {row.name} |" in text


def _second_service(edit: Callable[[Data], object] = lambda env: None) -> Service:
    data = example_data() | {"service": "library"}
    env = production(data)
    edit(env)
    env["endpoint"]["record"] = "library.pingpublications.com"
    for color in ("blue", "green"):
        env["hosts"][color]["name"] = f"library-{color}"
    return service_of(data)


def test_the_guide_shows_what_the_command_prints() -> None:
    (row,) = [each for each in ROWS if each.name.startswith("namespace changed")]
    before, after = (synthesized([service_of(each)]) for each in row.sides(example_data()))
    sides = Sides(before, after, changes_between(before, after), NOW)
    found = review(sides, outages=100)
    with io.StringIO() as file:
        print_review(found, SafeConsole(file, width=100))
        shown = file.getvalue()
    text = (ROOT / "docs" / "reviewing-change-sets.md").read_text(encoding="utf-8")
    assert f"$ resiliency review before after\n{shown}```" in text
