"""The code that the drills' Lambda functions run, as one archive."""

import atexit
import importlib.util
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_FOLDERS: Final = ("drills/runtime", "experiment")
_TIME_ZONES: Final = "tzdata"

_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_READABLE: Final = 0o100644


@cache
def code_archive() -> Path:
    """Write the functions' code to one file, once for all stacks of an application.

    An archive, since time zones are hundreds of files, which the CDK would copy and read for each
    stack. Nothing in it is compressed or dated: the same sources give the same bytes everywhere.
    """
    folder = Path(tempfile.mkdtemp(prefix="drills-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    archive = folder / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as into:
        for name, content in code_files().items():
            entry = zipfile.ZipInfo(name, date_time=_NO_DATE)
            entry.create_system, entry.external_attr = _UNIX, _READABLE << 16
            into.writestr(entry, content)
    return archive


def code_files() -> Mapping[str, bytes]:
    """Return what the functions need, and nothing else: the content of each file, by its path.

    Handlers are imported as ``staged_resiliency.drills.runtime.handlers``. Time zones are those of
    PyPI's ``tzdata``, since Lambda's runtimes don't promise to have any: Python takes them where
    the system has none.

    Raises:
        ModuleNotFoundError: ``tzdata`` is not installed.
    """
    spec = importlib.util.find_spec(_TIME_ZONES)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"{_TIME_ZONES}: not installed; install it beside this package (pip install tzdata)"
        )
    zones = Path(spec.origin).parent
    sources = [path for name in _FOLDERS for path in (_PACKAGE / name).glob("*.py")]
    found = {path.relative_to(_PACKAGE.parent): path for path in sources} | {
        path.relative_to(zones.parent): path
        for path in zones.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    contents = {path: found[path].read_bytes() for path in found} | {
        # The library's own may load the CDK.
        Path("staged_resiliency/__init__.py"): b"",
        Path("staged_resiliency/drills/__init__.py"): b"",
    }
    return {path.as_posix(): contents[path] for path in sorted(contents)}
