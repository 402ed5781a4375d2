"""Writes the folder of a rehearsal's report: as a whole, or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from resiliency.errors import UserError
from staged_resiliency.experiment.json_codec import JsonObject

PAGE: Final = "index.html"


def require_writable(folder: Path) -> None:
    """Raise UserError if a folder can't be written, or contains more than a report."""
    try:
        place = folder.resolve()
        if place == Path.cwd():
            # It is replaced as a whole, and a shell would stay in the former one.
            raise UserError(f"{folder}: is the current folder; name one within it: --out FOLDER")
        if place.exists():
            _require_report(folder)
        made = [each for each in (place.parent, *place.parent.parents) if not each.exists()]
        aside = _free(place, "new")
        aside.mkdir(parents=True)
        for each in (aside, *made):
            each.rmdir()
    except (OSError, RuntimeError) as error:
        raise _unwritable(folder, error) from None


def _require_report(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder; name another one: --out FOLDER")
    for file in folder.iterdir():
        if file.name != PAGE and file.suffix != ".json":
            raise UserError(
                f"{folder}: holds {file.name}, which is no part of a rehearsal's report; "
                "name another folder: --out FOLDER"
            )


def _free(place: Path, purpose: str) -> Path:
    """Return an unused path next to a folder, of this process alone; leftovers are removed."""
    if not place.name:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))  # the root folder
    neighbour = place.with_name(f".{place.name}.{os.getpid()}.{purpose}")
    if neighbour.is_symlink() or neighbour.is_file():
        neighbour.unlink()
    else:
        shutil.rmtree(neighbour, ignore_errors=True)
    return neighbour


def _unwritable(folder: Path, error: Exception) -> UserError:
    why = error.strerror if isinstance(error, OSError) else error
    return UserError(f"{folder}: can't be written ({why})")


def write_report(folder: Path, journals: Sequence[JsonObject], page: str) -> Sequence[Path]:
    """Replace a folder's content by a rehearsal's journals and their page, all at once.

    Each journal becomes a file by its experiment's name, after its record's where there are several
    pairs. The files are returned. Raises UserError if the folder can't be written.
    """
    several = len({each["record"] for each in journals}) > 1

    def file_name(journal: JsonObject) -> str:
        pair = f"{journal['record']}-" if several else ""
        return f"{pair}{journal['experiment']}.json"

    content: Mapping[str, str] = {
        **{
            file_name(each): json.dumps(each, indent=2, ensure_ascii=False) + "\n"
            for each in journals
        },
        PAGE: page,
    }
    try:
        # A link stays; its target is replaced.
        place = folder.resolve()
        aside, former = _free(place, "new"), _free(place, "old")
        aside.mkdir(parents=True)
        for name, text in content.items():
            (aside / name).write_text(text, encoding="utf-8")
        if place.exists():
            place.rename(former)
        aside.rename(place)
        shutil.rmtree(former, ignore_errors=True)
    except (OSError, RuntimeError) as error:
        raise _unwritable(folder, error) from None
    return [folder / name for name in content]
