"""The code of the drills' functions in one file, as Lambda takes it."""

import atexit
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Final

from staged_resiliency.drills.lambda_code import stage

_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_READABLE: Final = 0o100644


@cache
def code_archive() -> Path:
    """The functions' code in one file, made once for all stacks of an application.

    An archive, since time zones are hundreds of files, which the CDK would copy and read for each
    stack. Nothing in it is compressed or dated: the same sources give the same bytes everywhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="drills-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    code, archive = stage(folder / "code"), folder / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as into:
        for file in sorted(path for path in code.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(code).as_posix(), date_time=_NO_DATE)
            entry.create_system, entry.external_attr = _UNIX, _READABLE << 16
            into.writestr(entry, file.read_bytes())
    return archive
