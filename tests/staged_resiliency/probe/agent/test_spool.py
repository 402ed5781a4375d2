"""What could not be published outlives the process, in order, within a bound, whatever the disk."""

import json
import resource
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from staged_resiliency.probe.agent.spool import Spool, decode, encode
from tests.cases import cases
from tests.properties import fewer_examples
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, ones

TEXTS = st.text(max_size=20)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DATA = st.lists(
    st.builds(
        Datum,
        st.builds(Series, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)),
        st.integers(-(2**40), 2**40),
        st.integers(1, 10**9),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3).map(tuple),
    ),
    max_size=5,
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(TEXTS, inner, max_size=3),
)


def spool_in(folder: Path | None, lines: list[str] | None = None, max_data: int = 1000) -> Spool:
    """A spool that logs to the lines."""
    return Spool(folder, max_data, "Bookstore", (lines if lines is not None else []).append)


def everything(data: Sequence[Datum]) -> bool:
    return True


def kept_in(spool: Spool) -> Sequence[Datum]:
    return spool.oldest(everything)[1]


@contextmanager
def full_disk() -> Iterator[None]:
    """Nothing can be written to any file by this process, whoever runs it."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@fewer_examples(2)
@given(TEXTS, DATA)
def test_what_is_written_is_read_as_it_was(namespace: str, data: list[Datum]) -> None:
    content = encode(namespace, data)
    assert decode(content) == (namespace, data)
    assert content.isascii()
    assert content.isprintable()


@fewer_examples(2)
@given(ANYTHING.map(json.dumps) | st.text())
def test_anything_else_is_no_file_of_the_spool(content: str) -> None:
    try:
        namespace, data = decode(content)
    except ValueError:
        return
    assert isinstance(namespace, str)
    assert all(isinstance(datum, Datum) for datum in data)


@fewer_examples(2)
@given(st.data(), st.sampled_from([0, 1, 2, 3, 4, 5, 6]), ANYTHING)
def test_a_row_with_a_wrong_value_is_refused_or_read(
    draw: st.DataObject, place: int, wrong: object
) -> None:
    (row,) = json.loads(encode("Bookstore", ones(MIDNIGHT, 1)))[1]
    row[place] = wrong
    try:
        _, (datum,) = decode(json.dumps(["Bookstore", [row]]))
    except ValueError:
        return
    assert encode("Bookstore", [datum])


@cases(
    "content",
    {
        "nothing": "",
        "half of it": '["Bookstore",[[',
        "zeros, as after a power cut": "\x00" * 100,
        "nested without end": "[" * 100_000,
        "a number where rows should be": '["Bookstore",5]',
        "a namespace that is a number": '[7,[["m",[],0,1,1,1,1]]]',
        "a dimension's odd name": '["Bookstore",[["m",[[1,"b"]],0,1,1,1,1]]]',
        "a minute without end": '["Bookstore",[["m",[],1e999,1,1,1,1]]]',
        "a value too few": '["Bookstore",[["m",[],0,1,1,1]]]',
    },
)
def test_a_file_that_is_damaged_is_refused_in_one_way(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(content)


def test_data_are_kept_in_their_order_over_restarts(tmp_path: Path) -> None:
    lines: list[str] = []
    minutes = [MIDNIGHT + 60 * number for number in (0, 1, 2, 1, *range(3, 15))]
    first = spool_in(tmp_path, lines)
    for minute in minutes[:3]:
        first.append(ones(minute, 2))
    second = spool_in(tmp_path, lines)
    for minute in minutes[3:]:
        second.append(ones(minute, 2))
    third = spool_in(tmp_path, lines)
    assert len(third) == 32
    assert kept_in(third) == [datum for minute in minutes for datum in ones(minute, 2)]
    assert lines == []


def test_nothing_is_left_on_disk_of_what_was_published(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    spool.append(ones(MIDNIGHT, 2))
    entries, _ = spool.oldest(everything)
    spool.remove(entries)
    spool.remove(entries)  # once more means nothing
    assert len(spool) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_go_when_there_are_too_many_and_are_counted(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, max_data=10)
    for number in range(6):
        spool.append(ones(MIDNIGHT + 60 * number, 3))
    assert len(spool) == 9
    assert spool.dropped == 9
    assert {datum.minute for datum in kept_in(spool)} == {MIDNIGHT + 60 * n for n in (3, 4, 5)}
    assert len(list(tmp_path.iterdir())) == 3


def test_what_is_just_kept_stays_even_if_it_alone_is_too_much() -> None:
    spool = spool_in(None, max_data=2)
    spool.append(ones(MIDNIGHT, 1))
    spool.append(ones(MIDNIGHT, 5))
    assert (len(spool), spool.dropped) == (5, 1)


def test_only_what_is_taken_joins_the_oldest() -> None:
    spool = spool_in(None)
    for number in range(3):
        spool.append(ones(MIDNIGHT + 60 * number, 2))
    taken: list[int] = []

    def takes(data: Sequence[Datum]) -> bool:
        taken.append(len(data))
        return sum(taken) <= 5

    entries, data = spool.oldest(takes)
    assert [entry.size for entry in entries] == [2, 2]
    assert {datum.minute for datum in data} == {MIDNIGHT, MIDNIGHT + 60}
    entries, _ = spool.oldest(lambda data: False)
    assert len(entries) == 1  # however little there is room for: else it would stay forever


def test_an_entry_that_shall_be_alone_shares_no_request() -> None:
    spool = spool_in(None)
    for alone in (False, True, True, False, False):
        spool.append(ones(MIDNIGHT, 1), alone=alone)
    sizes = []
    while len(spool):
        entries, _ = spool.oldest(everything)
        sizes.append(len(entries))
        spool.remove(entries)
    assert sizes == [1, 1, 1, 2]


def test_files_of_another_namespace_are_dropped_and_counted(tmp_path: Path) -> None:
    lines: list[str] = []
    Spool(tmp_path, 1000, "Library", lines.append).append(ones(MIDNIGHT, 3))
    spool = spool_in(tmp_path, lines)
    spool.append(ones(MIDNIGHT + 60, 1))
    assert kept_in(spool) == ones(MIDNIGHT + 60, 1)
    assert spool.dropped == 3
    assert lines == [
        "00000000000000000001-3.json of the spool is of another configuration and is dropped"
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["00000000000000000002-1.json"]


@cases(
    ("content", "reason"),
    {
        "empty": (b"", "can't be read"),
        "half of it": (b"[[[", "can't be read"),
        "not ASCII": (b"\xff\xfe", "can't be read"),
        "fewer data": (b'["Bookstore",[]]', "is of another configuration"),
    },
)
def test_a_damaged_file_is_dropped_and_the_others_are_read(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    lines: list[str] = []
    before = spool_in(tmp_path, lines)
    for number in range(3):
        before.append(ones(MIDNIGHT + 60 * number, 2))
    damaged = tmp_path / "00000000000000000002-2.json"
    damaged.write_bytes(content)
    spool = spool_in(tmp_path, lines)
    assert {datum.minute for datum in kept_in(spool)} == {MIDNIGHT, MIDNIGHT + 120}
    assert spool.dropped == 2
    assert len(spool) == 4
    assert len(lines) == 1
    assert reason in lines[0]
    assert lines[0].isprintable()
    assert not damaged.exists()


def test_half_written_files_are_removed_and_foreign_ones_left_alone(tmp_path: Path) -> None:
    foreign = ("notes.txt", "1-5.json", "٣-1.json", "0001.json", "-.json", "lost+found", "keep.new")
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / "00000000000000000009-3.new").write_text('["Booksto')
    lines: list[str] = []
    spool = spool_in(tmp_path, lines)
    assert len(spool) == 0
    spool.append(ones(MIDNIGHT, 1))
    assert {file.name for file in tmp_path.iterdir()} == {*foreign, "00000000000000000001-1.json"}
    assert lines == []


def test_a_folder_in_place_of_a_half_written_file_hides_none_of_the_others(tmp_path: Path) -> None:
    spool_in(tmp_path).append(ones(MIDNIGHT, 2))
    (tmp_path / "00000000000000000000-3.new").mkdir()
    assert kept_in(spool_in(tmp_path)) == ones(MIDNIGHT, 2)


def test_a_folder_in_place_of_a_file_is_dropped(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "00000000000000000001-3.json").mkdir()
    spool = spool_in(tmp_path, lines)
    spool.append(ones(MIDNIGHT, 1))
    assert kept_in(spool) == ones(MIDNIGHT, 1)
    assert lines[0].startswith("00000000000000000001-3.json of the spool can't be read")


def test_a_full_disk_is_logged_once_and_data_stay_in_memory_within_the_bound(
    tmp_path: Path,
) -> None:
    lines: list[str] = []
    spool = spool_in(tmp_path, lines, max_data=6)
    spool.append(ones(MIDNIGHT, 2))
    with full_disk():
        for number in range(1, 5):
            spool.append(ones(MIDNIGHT + 60 * number, 2))
    assert lines == ["the spool can't be written (File too large); data are kept in memory"]
    assert (len(spool), spool.dropped) == (6, 4)
    assert list(tmp_path.iterdir()) == []
    spool.append(ones(MIDNIGHT + 300, 2))
    spool.append(ones(MIDNIGHT + 360, 2))
    assert lines[1:] == ["the spool can be written again"]
    assert [datum.minute - MIDNIGHT for datum in kept_in(spool)] == [240, 240, 300, 300, 360, 360]
    assert len(list(tmp_path.iterdir())) == 2
    with full_disk():
        spool.append(ones(MIDNIGHT, 1))
    assert len(lines) == 3  # logged again, since it worked in between


def test_a_folder_that_is_a_file_is_logged_once(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = tmp_path / "state"
    folder.write_text("a file")
    spool = spool_in(folder, lines)
    spool.append(ones(MIDNIGHT, 2))
    assert kept_in(spool) == ones(MIDNIGHT, 2)
    assert lines == ["the spool can't be written (Not a directory); data are kept in memory"]


def test_a_folder_that_went_away_and_came_back(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = tmp_path / "state"
    folder.mkdir()
    spool = spool_in(folder, lines)
    spool.append(ones(MIDNIGHT, 2))
    shutil.rmtree(folder)
    spool.append(ones(MIDNIGHT + 60, 1))
    folder.mkdir()
    spool.append(ones(MIDNIGHT + 120, 1))
    assert [datum.minute - MIDNIGHT for datum in kept_in(spool)] == [60, 120]
    assert spool.dropped == 2
    assert lines[:2] == [
        "the spool can't be written (No such file or directory); data are kept in memory",
        "the spool can be written again",
    ]
    assert lines[2].startswith("00000000000000000001-2.json of the spool can't be read")


def test_a_file_that_is_gone_when_its_data_are_published_is_no_matter(tmp_path: Path) -> None:
    lines: list[str] = []
    spool = spool_in(tmp_path, lines)
    spool.append(ones(MIDNIGHT, 2))
    entries, _ = spool.oldest(everything)
    (tmp_path / "00000000000000000001-2.json").unlink()
    spool.remove(entries)
    assert len(spool) == 0
    assert len(lines) == 1


@dataclass
class Kept:
    """An entry of the model."""

    data: list[Datum]
    alone: bool
    on_disk: bool


class SpoolMachine(RuleBasedStateMachine):
    """The spool does what a list would do, over restarts and whatever the disk does."""

    max_data = 8

    def __init__(self) -> None:
        super().__init__()
        self.model: list[Kept] = []
        self.not_removed: list[Kept] = []
        self.dropped = 0
        self.count = 0
        self.disk = True

    @initialize()
    def begin(self) -> None:
        self.top = Path(tempfile.mkdtemp())
        self.folder = self.top / "state"
        self.folder.mkdir()
        self.spool = spool_in(self.folder, max_data=self.max_data)

    @rule(size=st.integers(1, 5), alone=st.booleans())
    def append(self, size: int, alone: bool) -> None:
        self.count += 1
        data = ones(MIDNIGHT + 60 * self.count, size)
        self.spool.append(data, alone=alone)
        self.model.append(Kept(data, alone, self.disk))
        while sum(len(each.data) for each in self.model) > self.max_data and len(self.model) > 1:
            gone = self.model.pop(0)
            self.dropped += len(gone.data)
            if gone.on_disk and not self.disk:
                self.not_removed.append(gone)

    @precondition(lambda self: self.disk)
    @rule(room=st.integers(0, 9), publish=st.booleans())
    def take_the_oldest(self, room: int, publish: bool) -> None:
        expected: list[Kept] = []
        for each in self.model:
            fits = sum(len(one.data) for one in [*expected, each]) <= room
            if expected and (not fits or each.alone or expected[0].alone):
                break
            expected.append(each)
        left = [room]

        def takes(data: Sequence[Datum]) -> bool:
            left[0] -= len(data)
            return left[0] >= 0

        entries, data = self.spool.oldest(takes)
        assert data == [datum for each in expected for datum in each.data]
        if publish:
            self.spool.remove(entries)
            self.model = self.model[len(expected) :]

    @rule()
    def break_or_mend_the_disk(self) -> None:
        aside = self.top / "aside"
        if self.disk:
            self.folder.rename(aside)
        else:
            aside.rename(self.folder)
        self.disk = not self.disk

    @precondition(lambda self: self.disk)
    @rule()
    def restart(self) -> None:
        """A restart loses the memory, and with it which entries must be sent alone."""
        self.spool = spool_in(self.folder, max_data=self.max_data)
        on_disk = self.not_removed + [each for each in self.model if each.on_disk]
        self.model = [replace(each, alone=False) for each in on_disk]
        self.not_removed = []
        self.dropped = 0

    @invariant()
    def holds_as_many(self) -> None:
        if hasattr(self, "spool"):
            assert len(self.spool) == sum(len(each.data) for each in self.model)
            assert self.spool.dropped == self.dropped

    def teardown(self) -> None:
        if hasattr(self, "top"):
            shutil.rmtree(self.top)


@pytest.mark.hypothesis
def test_the_spool_does_what_a_list_would_do() -> None:
    run_state_machine_as_test(
        SpoolMachine, settings=settings(fewer_examples(3), stateful_step_count=20)
    )


def test_a_file_without_data_is_not_of_the_spool(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-0.json").write_text('["Bookstore",[]]')
    spool = spool_in(tmp_path)
    spool.append(ones(MIDNIGHT, 1))
    entries, _ = spool.oldest(everything)
    assert [entry.size for entry in entries] == [1]
