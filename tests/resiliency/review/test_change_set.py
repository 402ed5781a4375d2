"""A change set is reviewed like the two folders that it leads from and to."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from resiliency.cloud_assembly import SynthesizedStack
from resiliency.errors import UserError
from resiliency.review.change_set import read_change_set, stacks_before, with_actions
from resiliency.review.changes import Action, changes_between
from resiliency.review.findings import Sides
from resiliency.review.review import Review, review
from tests.resiliency.review.describe_change_set import described
from tests.resiliency.review.stacks import NOW, OUTAGES, alarm, resource, stack, texts
from tests.support import Data, example, synthesized


def review_of(folder: Path, after: list[SynthesizedStack], *documents: object) -> Review:
    """The review of change sets, with the templates after them alone."""
    files = [folder / f"{number}.json" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document))
    change_sets = list(map(read_change_set, files))
    sides = stacks_before(after, change_sets)
    changes = with_actions(changes_between(*sides), sides[1], change_sets)
    return review(Sides(*sides, changes, NOW), outages=OUTAGES)


def _both_ids(env: Data) -> None:
    env["hosts"]["green"]["instance_id"] = "i-0123456789abcdef0"


def _swapped(env: Data) -> None:
    _both_ids(env)
    env["active"] = "green"


def _renamed(env: Data) -> None:
    env["hosts"]["blue"]["name"] = "bookstore-api-azure"


def _db_decides(env: Data) -> None:
    env["failover_on"] = ["status", "db"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "then"), [(_both_ids, _swapped), (None, _renamed), (_db_decides, None)]
)
def test_change_sets_are_reviewed_like_two_folders(
    first: Callable[[Data], None] | None, then: Callable[[Data], None] | None, tmp_path: Path
) -> None:
    before, after = (list(synthesized([example(each)])) for each in (first, then))
    documents = [
        described(next(one for one in before if one.name == each.name), each)
        for each in after
        if any(change.stack is each for change in changes_between(before, after))
    ]
    of_folders = review(Sides(before, after, changes_between(before, after), NOW), outages=OUTAGES)
    found = review_of(tmp_path, after, *documents)
    serious = [
        [each for each in one.findings if each.topic.value != "rest"] for one in (found, of_folders)
    ]
    assert serious[0] == serious[1]
    assert serious[0]
    actions = [
        {(c.stack.name, c.logical_id): c.action for c in o.changes} for o in (found, of_folders)
    ]
    assert actions[0] == actions[1]


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
    for each, expected in ((change, ["note modify Topic pager (Tags)"]), (unchanged, [])):
        document["Changes"] = [{"Type": "Resource", "ResourceChange": each}]
        assert texts(review_of(tmp_path, [after], document), "rest") == expected


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
