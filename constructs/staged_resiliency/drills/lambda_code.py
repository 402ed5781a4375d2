"""The code that a drill's Lambda functions run, gathered into one folder."""

import importlib.util
import shutil
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_FOLDERS: Final = ("drills/runtime", "experiment")


_TIME_ZONES: Final = "tzdata"


def stage(folder: Path) -> Path:
    """Copy what the functions need, and nothing else, below an empty or new folder.

    The same sources give the same bytes. Handlers are imported as
    ``staged_resiliency.drills.runtime.handlers``. Time zones are those of PyPI's ``tzdata``, since
    Lambda's runtimes don't promise to have any: Python takes them where the system has none.

    Args:
        folder: Made if it is not there.

    Returns:
        The folder.

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
        # Those of the library load the CDK's constructs, or may one day.
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
