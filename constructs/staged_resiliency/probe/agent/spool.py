"""Keeps data that could not be published yet, on disk, so that a restart loses none."""

from __future__ import annotations

import contextlib
import json
import re
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Callable, NamedTuple

from .journal import printable
from .metric_statistics import Datum, Series

_SUFFIX, _ASIDE = ".json", ".new"
_NAME = re.compile(r"(?P<number>[0-9]{20})-(?P<size>[1-9][0-9]{0,8})(?P<suffix>\.json|\.new)")


class Entry(NamedTuple):
    """Data that were appended together."""

    number: int  # greater than that of all older entries, whatever the clock does
    size: int  # how many data
    data: Sequence[Datum] | None = None  # while they could not be written; else in the file
    alone: bool = False  # no other entry may be in the same request


class Spool:
    """Keeps up to ``max_data`` data until they are published, oldest first.

    Entries are files, written aside and renamed, so there is never half a file. When the disk
    refuses them, or without a folder, they stay in memory, within the same limit. Files of another
    namespace are dropped. Logs a line when the disk fails, works again, or a file is dropped.
    """

    def __init__(
        self, folder: Path | None, max_data: int, namespace: str, log: Callable[[str], None]
    ) -> None:
        self.max_data = max_data
        self.dropped = 0  # how many data
        self._folder = folder
        self._namespace = namespace
        self._log = log
        self._disk_works = True
        self._entries: deque[Entry] = deque(self._found())
        self._count = sum(entry.size for entry in self._entries)
        self.next = self._entries[-1].number + 1 if self._entries else 1  # the next entry's number

    def __len__(self) -> int:
        return self._count

    def append(self, data: Sequence[Datum], *, alone: bool = False) -> None:
        """Keep data; drop the oldest when there are too many."""
        entry = Entry(self.next, len(data), alone=alone)
        self.next += 1
        if not self._write(entry, data):
            entry = entry._replace(data=tuple(data))
        self._entries.append(entry)
        self._count += entry.size
        while len(self) > self.max_data and len(self._entries) > 1:
            self._drop(self._entries[0])

    def oldest(
        self,
        fits: Callable[[Sequence[Datum]], bool],
        is_held_back: Callable[[Entry, Sequence[Datum]], bool] = lambda entry, data: False,
    ) -> tuple[Sequence[Entry], Sequence[Datum]]:
        """Return the oldest entries that need not wait and fit into a request, and their data.

        ``fits`` returns whether an entry's data fit into the request; the first go in any case.
        """
        entries: list[Entry] = []
        data: list[Datum] = []
        for entry in list(self._entries):
            found = self._read(entry)
            if found is None:
                self._drop(entry)
                continue
            if is_held_back(entry, found):
                continue
            if not fits(found) and entries:
                break
            if entries and (entry.alone or entries[0].alone):
                break
            entries.append(entry)
            data.extend(found)
        return entries, data

    def write_pending(self) -> None:
        """Write the entries that are in memory only, if the disk works now."""
        for index, entry in enumerate(self._entries):
            if entry.data is not None:
                written = entry._replace(data=None)
                if not self._write(written, entry.data):
                    return
                self._entries[index] = written

    def remove(self, entries: Iterable[Entry]) -> None:
        """Remove entries, of which some may have been dropped already."""
        for entry in entries:
            if entry in self._entries:
                self._entries.remove(entry)
                self._count -= entry.size
                self._unlink(entry)

    def _drop(self, entry: Entry) -> None:
        self.dropped += entry.size
        self.remove([entry])

    def _found(self) -> list[Entry]:
        if self._folder is None:
            return []
        found = []
        try:
            files = sorted(self._folder.iterdir())
        except OSError as error:
            self._report_disk(error)
            return []
        for file in files:
            named = _NAME.fullmatch(file.name)
            if named is not None and named["suffix"] == _SUFFIX:
                found.append(Entry(int(named["number"]), int(named["size"])))
            elif named is not None:  # half written when the last run ended
                with contextlib.suppress(OSError):
                    file.unlink()
        return found

    def _write(self, entry: Entry, data: Sequence[Datum]) -> bool:
        if self._folder is None:
            return False
        path = self._folder / _file_name(entry)
        aside = path.with_suffix(_ASIDE)
        try:
            aside.write_text(encode(self._namespace, data), encoding="ascii")
            aside.replace(path)
        except OSError as error:
            self._report_disk(error)
            with contextlib.suppress(OSError):
                aside.unlink()
            return False
        self._report_disk(None)
        return True

    def _read(self, entry: Entry) -> Sequence[Datum] | None:
        if entry.data is not None or self._folder is None:
            return entry.data
        path = self._folder / _file_name(entry)
        try:
            namespace, data = decode(path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            self._log(f"{path.name} of the spool can't be read and is dropped: {printable(error)}")
            return None
        if namespace != self._namespace or len(data) != entry.size:
            self._log(f"{path.name} of the spool is of another configuration and is dropped")
            return None
        return data

    def _unlink(self, entry: Entry) -> None:
        if entry.data is None and self._folder is not None:
            try:
                (self._folder / _file_name(entry)).unlink()
            except OSError as error:
                self._report_disk(error)

    def _report_disk(self, error: OSError | None) -> None:
        """Log once that the disk fails, and once that it works again."""
        if error is not None and self._disk_works:
            self._log(f"the spool can't be written ({error.strerror}); data are kept in memory")
        if error is None and not self._disk_works:
            self._log("the spool can be written again")
        self._disk_works = error is None


def _file_name(entry: Entry) -> str:
    return f"{entry.number:020}-{entry.size}{_SUFFIX}"


def encode(namespace: str, data: Iterable[Datum]) -> str:
    """Encode data as the content of a file."""
    rows = [[*datum.series, *datum[1:]] for datum in data]
    return json.dumps([namespace, rows], separators=(",", ":"))


def decode(content: str) -> tuple[str, list[Datum]]:
    """Decode the content of a spool file; raise ValueError if it has another format."""
    try:
        namespace, rows = json.loads(content)
        data = [
            Datum(
                Series(_text(metric), tuple((_text(name), _text(value)) for name, value in pairs)),
                int(minute),
                int(count),
                float(total),
                float(lowest),
                float(highest),
                tuple((float(value), float(times)) for value, times in values),
            )
            for metric, pairs, minute, count, total, lowest, highest, values in rows
        ]
        return _text(namespace), data
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a file of the spool ({error})") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a file of the spool")
    return value
