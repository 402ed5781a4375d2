"""The folder that a rehearsal leaves behind: whole, or as it was before."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from staged_resiliency.experiment.journal import JsonObject

PAGE: Final = "index.html"


class FolderError(Exception):
    """A folder that a rehearsal may not write; the message says why."""


def require_writable(folder: Path) -> None:
    """Refuse a folder that holds something else than a rehearsal's report.

    Raises:
        FolderError: It does, or is none.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderError(f"{folder}: is no folder; name another one: --out FOLDER")
    for file in folder.iterdir():
        if file.name != PAGE and file.suffix != ".json":
            raise FolderError(
                f"{folder}: holds {file.name}, which is no part of a rehearsal's report; "
                "name another folder: --out FOLDER"
            )


def write_report(folder: Path, journals: Sequence[JsonObject], page: str | None) -> Sequence[Path]:
    """Replace a folder's content by the journals of a rehearsal and their page, all at once.

    Args:
        folder: The folder; made where it is not there.
        journals: The journals; each becomes a file by its experiment's name.
        page: The page, None for none.

    Returns:
        The files.

    Raises:
        FolderError: The folder can't be written.
    """
    content: Mapping[str, str] = {
        **{
            f"{each['experiment']}.json": json.dumps(each, indent=2, ensure_ascii=False) + "\n"
            for each in journals
        },
        **({PAGE: page} if page is not None else {}),
    }
    aside = folder.with_name(f".{folder.name}.new")
    former = folder.with_name(f".{folder.name}.old")
    try:
        for each in (aside, former):
            shutil.rmtree(each, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, text in content.items():
            (aside / name).write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(former)
        aside.rename(folder)
        shutil.rmtree(former, ignore_errors=True)
    except OSError as error:
        raise FolderError(f"{folder}: can't be written ({error.strerror})") from None
    return [folder / name for name in content]
