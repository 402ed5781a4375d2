"""A text becomes plain data by YAML 1.2's rules, with the line of every key and item."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resiliency.service_file import yaml_source
from resiliency.service_file.loader import examine
from resiliency.service_file.yaml_source import Document, Scalar, parse, read
from tests.cases import cases
from tests.support import EXAMPLE_FILE

EXAMPLE = EXAMPLE_FILE.read_text(encoding="utf-8")


def parsed(text: str) -> Document:
    document = Document("test.yaml")
    parse(text, document)
    return document


def sound(text: str) -> Document:
    document = parsed(text)
    assert document.problems == []
    return document


def value_of(written: str) -> object:
    return sound(f"key: {written}\n").data["key"]


@cases(
    ("written", "value"),
    {
        "no": ("no", "no"),
        "yes": ("yes", "yes"),
        "on": ("on", "on"),
        "off": ("off", "off"),
        "y": ("y", "y"),
        "true": ("true", True),
        "True": ("True", True),
        "FALSE": ("FALSE", False),
        "truth in mixed letters": ("tRUE", "tRUE"),
        "nothing": ("", None),
        "tilde": ("~", None),
        "null": ("null", None),
        "Null": ("Null", None),
        "None": ("None", "None"),
        "number": ("80", 80),
        "negative number": ("-80", -80),
        "number with a plus": ("+80", 80),
        "leading zeros are decimal": ("012", 12),
        "octal digits": ("0o17", 15),
        "hexadecimal digits": ("0x1F", 31),
        "binary digits are a text": ("0b11", "0b11"),
        "underscores are a text": ("1_000", "1_000"),
        "time of day is a text": ("12:30", "12:30"),
        "date is a text": ("2026-11-23", "2026-11-23"),
        "address is a text": ("52.11.79.9", "52.11.79.9"),
        "fraction": ("0.5", 0.5),
        "fraction without a zero": (".5", 0.5),
        "fraction without digits": ("5.", 5.0),
        "exponent": ("1e3", 1000.0),
        "negative fraction with an exponent": ("-1.5E-3", -0.0015),
        "infinity": (".inf", math.inf),
        "negative infinity": ("-.INF", -math.inf),
        "thirty digits": ("9" * 30, int("9" * 30)),
        "thirty-one digits are a text": ("9" * 31, "9" * 31),
        "number in double quotes": ('"80"', "80"),
        "truth in single quotes": ("'true'", "true"),
        "empty quotes": ('""', ""),
        "block of text": ("|\n  80\n", "80\n"),
    },
)
def test_scalars_follow_yaml_1_2(written: str, value: Scalar) -> None:
    found = value_of(written)
    assert (type(found), found) == (type(value), value)


def test_nan_is_a_number_that_the_model_can_refuse() -> None:
    found = value_of(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("key", ["80", "012", "true", "no", "~", "12:30", "1e3"])
def test_a_key_is_the_text_that_is_written(key: str) -> None:
    assert sound(f"{key}: value\n").data == {key: "value"}


def test_each_key_and_item_has_its_line() -> None:
    document = sound("# remark\na:\n  b: 1\n  c:\n  - 2\n\n  - d: 3\n    e: |\n      text\n")
    assert document.lines == {
        ("a",): 2,
        ("a", "b"): 3,
        ("a", "c"): 4,
        ("a", "c", 0): 5,
        ("a", "c", 1): 7,
        ("a", "c", 1, "d"): 7,
        ("a", "c", 1, "e"): 8,
    }


@cases(
    ("path", "line"),
    {
        "there": (("a", "b"), 3),
        "absent key of a mapping": (("a", "x"), 2),
        "far below what is there": (("a", "x", 0, "y"), 2),
        "absent key at the top": (("x",), 1),
        "the file": ((), 1),
    },
)
def test_an_absent_value_has_the_line_of_what_is_above_it(
    path: tuple[str | int, ...], line: int
) -> None:
    assert sound("\na:\n  b: 1\n").line_of(path) == line


def test_a_key_that_is_given_twice_keeps_its_first_value_and_line() -> None:
    document = parsed("a: {b: 1}\na: {b: 2, c: 3}\n")
    assert document.data == {"a": {"b": 1}}
    assert document.lines == {("a",): 1, ("a", "b"): 1}


def test_a_key_that_is_given_three_times_is_reported_twice() -> None:
    assert [str(problem) for problem in parsed("a: 1\na: 2\na: 3\n").problems] == [
        "test.yaml:2: a: is given twice, first in line 1; keep one of them",
        "test.yaml:3: a: is given twice, first in line 1; keep one of them",
    ]


def test_the_deepest_nesting_that_is_taken() -> None:
    inner = "[" * (yaml_source.MAX_DEPTH - 1) + "1" + "]" * (yaml_source.MAX_DEPTH - 1)
    sound(f"a: {inner}\n")
    assert [
        problem.message.partition(",")[0] for problem in parsed(f"a: [{inner}]\n").problems
    ] == ["is nested deeper than 20 levels"]


def test_a_refused_file_gives_no_data() -> None:
    assert parsed("a: 1\nb: !tag 2\n").data == {}


@cases(
    ("start", "end"),
    {
        "byte order mark": ("\ufeff", "\n"),
        "Windows line ends": ("", "\r\n"),
        "marks of a document": ("---\n", "\n...\n"),
        "version": ("%YAML 1.2\n---\n", "\n"),
        "no line end": ("", ""),
    },
)
def test_a_file_may_come_from_any_editor(tmp_path: Path, start: str, end: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_bytes(f"{start}service: bücherladen # é{end}".encode())
    document = read(file)
    assert (document.problems, document.data) == ([], {"service": "bücherladen"})


def test_windows_line_ends_count_once() -> None:
    assert sound("a: 1\r\nb: 2\r\n").lines == {("a",): 1, ("b",): 2}


def test_the_parser_without_its_c_library_reads_the_example_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast = sound(EXAMPLE)
    monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
    slow = sound(EXAMPLE)
    assert (slow.data, slow.lines) == (fast.data, fast.lines)


# Characters that mean something in YAML, and any others.
SNIPPETS = st.text(
    st.one_of(
        st.sampled_from("{}[]:,-?&*!|>'\"%@`# \t\r\n\ufeff\x85\u2028\\01eo.<~"), st.characters()
    )
)


@given(SNIPPETS)
def test_any_text_gives_either_data_or_problems(text: str) -> None:
    document = parsed(text)
    assert document.data or document.problems


@given(SNIPPETS)
def test_any_text_gives_either_data_or_problems_without_the_c_library(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)
        document = parsed(text)
    assert document.data or document.problems


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 40), SNIPPETS)
def test_the_example_with_any_damage_gives_a_service_or_problems(
    start: int, length: int, damage: str
) -> None:
    examined = examine(parsed(EXAMPLE[:start] + damage + EXAMPLE[start + length :]))
    assert examined.service or examined.problems


@given(st.binary())
def test_any_bytes_give_either_data_or_problems(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "bytes.yaml"
    file.write_bytes(content)
    document = read(file)
    assert document.data or document.problems
