"""Files that the commands write are read as they were meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resiliency.service_file.file_writer import scalar, service_file
from resiliency.service_file.yaml_source import Document, parse
from tests.support import Data

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=30
)
VALUES = TEXTS | st.integers(-1000, 1000) | st.booleans() | st.floats(-9, 9)
DATA = st.dictionaries(
    TEXTS.filter(bool),
    VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(TEXTS.filter(bool), VALUES, min_size=1),
    min_size=1,
    max_size=4,
)


@given(DATA)
def test_a_file_is_read_as_it_was_written(data: Data) -> None:
    document = Document("written.yaml")
    parse(service_file(data, {}), document)
    assert document.problems == []
    assert document.data == data


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("shop", "shop"),
        ("Bookstore API", "Bookstore API"),
        ("54.213.54.171", "54.213.54.171"),
        ("532151327118", '"532151327118"'),
        ("no", '"no"'),
        ("arn:aws:sns:us-west-2:1:a", '"arn:aws:sns:us-west-2:1:a"'),
        ("a # b", '"a # b"'),
        (1.5, "1.5"),
        (True, "true"),
    ],
)
def test_a_text_is_quoted_unless_it_can_only_be_a_text(value: object, written: str) -> None:
    assert scalar(value) == written


def test_comments_stand_behind_their_values() -> None:
    data = {"a": {"b": 1}, "c": {"d": {"e": 2}}}
    text = service_file(data, {("a",): "of a", ("c", "d", "e"): "of e"})
    assert text.splitlines()[1:] == ["a: { b: 1 }  # of a", "c:", "  d:", "    e: 2  # of e"]
