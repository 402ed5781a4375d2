"""A change set is reviewed like the two folders that it leads from and to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.errors import UserError
from resiliency.review.change_set import read_change_set, stacks_before, with_actions
from resiliency.review.changes import Action, changes_between, counterpart
from resiliency.review.findings import Finding
from resiliency.review.review import Review, review
from resiliency.review.sides import Sides
from tests.resiliency.review.describe_change_set import described
from tests.resiliency.review.stacks import (
    NOW,
    alarm,
    changed,
    pair,
    resource,
    stack,
    texts,
    without,
)
from tests.stacks.edits import DRILL_ROWS, ROWS, Row
from tests.support import example_data, service_of, synthesized


def review_of(folder: Path, after: list[SynthesizedStack], *documents: object) -> Review:
    """The review of change sets, with the templates after them alone."""
    files = [folder / f"{number}.json" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document))
    change_sets = list(map(read_change_set, files))
    sides = stacks_before(after, change_sets)
    changes = with_actions(changes_between(*sides), sides[1], change_sets)
    return review(Sides(*sides, changes, NOW), outages=1)


@pytest.mark.slow
@pytest.mark.parametrize("row", [*ROWS, *DRILL_ROWS], ids=lambda row: row.name)
def test_change_sets_are_reviewed_like_two_folders(row: Row, tmp_path: Path) -> None:
    data = example_data(whole=row in DRILL_ROWS)
    before, after = (list(synthesized([service_of(each)])) for each in row.sides(data))
    changes = changes_between(before, after)
    documents = [
        described(former, each)
        for each in after
        if (former := counterpart(each, before)) and any(each is one.stack for one in changes)
    ]
    both = [each for each in after if counterpart(each, before)]
    kept = [each for each in before if counterpart(each, after)]
    found = review_of(tmp_path, both, *documents)
    wanted = review(Sides(kept, both, changes_between(kept, both), NOW), outages=1)
    assert _findings(found) == _findings(wanted)
    assert {(c.logical_id, c.action) for c in found.changes} == {
        (c.logical_id, c.action) for c in wanted.changes
    }


def _findings(found: Review) -> list[Finding]:
    """The findings without the order of the changes.

    A change set does not show which health check a record had that it neither adds, removes nor
    refers to: then the review says so.
    """
    unknown = any("can't be followed before" in each.text for each in found.findings)
    assert not unknown or any("AAAA has no answer" in each.text for each in found.findings)
    return [
        each
        for each in found.findings
        if each.topic.value not in ("rest", "time") and "can't be followed before" not in each.text
    ]


def test_references_are_those_of_the_templates(tmp_path: Path) -> None:
    def policy(*actions: str) -> Any:
        bucket = {"Fn::GetAtt": ["Bucket", "Arn"]}
        statements = [{"Effect": "Allow", "Action": each, "Resource": bucket} for each in actions]
        return {
            "Policy": resource("IAM::ManagedPolicy", PolicyDocument={"Statement": statements}),
            "Bucket": resource("S3::Bucket"),
        }

    after = stack(policy("s3:GetObject", "s3:PutObject"))
    found = review_of(tmp_path, [after], described(stack(policy("s3:GetObject")), after))
    assert texts(found, "permissions") == [
        "warning ManagedPolicy Policy: allows s3:PutObject on ${Bucket.Arn}"
    ]


def test_a_health_check_that_goes_is_that_of_the_pair_before(tmp_path: Path) -> None:
    new = without(pair(check="New"), "Check") | {"New": pair()["Check"]}
    for before, after in ((pair(), new), (new, pair())):
        sides = stack(before), stack(after)
        found = review_of(tmp_path, [sides[1]], described(*sides))
        assert texts(found, "clients") == []
        assert all(each.before and each.after for each in found.compared)
    # A record that changes shows by its other side which health check stays.
    moved = changed(pair(), "Primary", ResourceRecords=["192.0.2.9", "192.0.2.8"])
    found = review_of(tmp_path, [stack(moved)], described(stack(pair()), stack(moved)))
    (finding,) = texts(found, "clients")
    assert "are sent to 192.0.2.9 and 192.0.2.8 in place of 192.0.2.1" in finding


def test_the_change_sets_of_tests_have_the_shape_of_the_api() -> None:
    before, after = (stack({"A": alarm(name), "B": alarm("b")}) for name in ("one", "two"))
    document = described(before, after)
    model = botocore.session.get_session().get_service_model("cloudformation")
    shape = model.operation_model("DescribeChangeSet").output_shape
    document["CreationTime"] = NOW
    assert ParamValidator().validate(document, shape).generate_report() == ""
    assert list(_unknown(shape, document)) == []


def _unknown(shape: Any, value: Any) -> Iterator[str]:
    """Keys and values that the API's model does not have."""
    if shape.type_name == "structure":
        for key, each in value.items():
            if key not in shape.members:
                yield key
            else:
                yield from _unknown(shape.members[key], each)
    elif shape.type_name == "list":
        for each in value:
            yield from _unknown(shape.member, each)
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield value


def test_cloudformation_says_itself_what_is_replaced(tmp_path: Path) -> None:
    before, after = (stack({"A": alarm("a", Threshold=each)}) for each in (1, 2))
    document = described(before, after)
    (change,) = document["Changes"]
    for said, action in (
        ("True", Action.REPLACE),
        ("Conditional", Action.MAY_REPLACE),
        ("False", Action.MODIFY),
    ):
        change["ResourceChange"]["Replacement"] = said
        (found,) = review_of(tmp_path, [after], document).changes
        assert (found.action, found.properties) == (action, ("Threshold",))


def test_imported_resources_are_not_created(tmp_path: Path) -> None:
    after = stack({"A": alarm("a")})
    document = described(stack({}), after)
    document["Changes"][0]["ResourceChange"]["Action"] = "Import"
    found = review_of(tmp_path, [after], document)
    assert texts(found, "rest") == ["note import Alarm a"]
    assert texts(found, "messages") == []


def test_a_change_without_a_changed_value_is_listed(tmp_path: Path) -> None:
    after = stack({"A": resource("SNS::Topic", TopicName="pager")})
    document = described(after, after)
    assert document["Changes"] == []
    context = json.dumps({"Properties": {"TopicName": "pager"}})
    target = {"Attribute": "Tags", "RequiresRecreation": "Never", "Path": "/Properties/Tags"}
    change = {
        "Action": "Modify",
        "LogicalResourceId": "A",
        "PhysicalResourceId": "arn:aws:sns:us-west-2:532151327118:pager",
        "ResourceType": "AWS::SNS::Topic",
        "Replacement": "False",
        "Scope": ["Tags"],
        "Details": [{"Target": target, "Evaluation": "Static"}],
        "BeforeContext": context,
        "AfterContext": context,
    }
    unchanged = {**change, "Action": "SyncWithActual"}
    nested = {**change, "Action": "Dynamic"}
    for each, expected in (
        (change, ["note modify Topic pager (Tags)"]),
        (unchanged, []),
        (nested, []),
    ):
        document["Changes"] = [{"Type": "Resource", "ResourceChange": each}]
        found = review_of(tmp_path, [after], document)
        assert texts(found, "rest") == expected
        assert bool(texts(found, "names")) is (each is nested)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is not what `aws cloudformation describe-change-set --include-property-values`"),
        ({"Changes": [{}]}, "is not what `aws"),
        (
            {"Changes": [], "StackName": "other", "StackId": "arn:aws:cloudformation:r:a:stack/o"},
            "is of the stack other, which the templates do not have (site); give the folder",
        ),
        (
            {**described(stack({}), stack({})), "NextToken": "more"},
            "has only the first changes; print all pages",
        ),
        (
            described(stack({"A": alarm("a")}), stack({"A": alarm("b"), "B": alarm("c")})),
            "B: Add, which does not fit the template of site",
        ),
    ],
)
def test_what_is_no_change_set_of_the_templates_is_refused(
    document: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refused:
        review_of(tmp_path, [stack({"A": alarm("b")})], document)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (None, "A: has no BeforeContext; print the change set with --include-property-values"),
        ("{", "A: BeforeContext: is not JSON"),
        ("[]", "A: BeforeContext: is not a JSON object"),
    ],
)
def test_a_change_set_needs_the_values_before(
    context: str | None, message: str, tmp_path: Path
) -> None:
    after = stack({"A": alarm("a", Threshold=2)})
    document = described(stack({"A": alarm("a")}), after)
    change = document["Changes"][0]["ResourceChange"]
    del change["BeforeContext"]
    change |= {} if context is None else {"BeforeContext": context}
    with pytest.raises(UserError, match=message):
        review_of(tmp_path, [after], document)


def test_a_change_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be read"):
        read_change_set(tmp_path / "none.json")
