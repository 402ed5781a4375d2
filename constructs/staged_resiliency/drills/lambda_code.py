"""The code that the drills' Lambda functions run, as one archive."""

import atexit
import importlib.util
import shutil
import tempfile
import zipfile
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
    code, archive = stage(folder / "code"), folder / "code.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as into:
        for file in sorted(path for path in code.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(code).as_posix(), date_time=_NO_DATE)
            entry.create_system, entry.external_attr = _UNIX, _READABLE << 16
            into.writestr(entry, file.read_bytes())
    return archive


def stage(folder: Path) -> Path:
    """Copy what the functions need, and nothing else, below an empty or new folder; return it.

    The same sources give the same bytes. Handlers are imported as
    ``staged_resiliency.drills.runtime.handlers``. Time zones are those of PyPI's ``tzdata``, since
    Lambda's runtimes don't promise to have any: Python takes them where the system has none.

    Raises:
        FileExistsError: Something is in it already.
        ModuleNotFoundError: ``tzdata`` is not installed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: must be empty; give another folder")
    sources = [path for name in _FOLDERS for path in sorted((_PACKAGE / name).glob("*.py"))]
    for source in sources:
        target = folder / "staged_resiliency" / source.relative_to(_PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for name in ("", "drills"):
        # The library's own may load the CDK.
        (folder / "staged_resiliency" / name / "__init__.py").write_text("")
    _stage_time_zones(folder / _TIME_ZONES)
    return folder


def _stage_time_zones(folder: Path) -> None:
    spec = importlib.util.find_spec(_TIME_ZONES)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"{_TIME_ZONES}: not installed; install it beside this package (pip install tzdata)"
        )
    shutil.copytree(
        Path(spec.origin).parent, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
