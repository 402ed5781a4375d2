"""The code that a drill's Lambda functions run, gathered into one folder."""

import shutil
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_FILES: Final = (
    "drills/metric_names.py",
    "drills/phase_names.py",
    "drills/plan.py",
    "drills/strict_json.py",
)
_FOLDERS: Final = ("drills/runtime", "experiment")


def stage(folder: Path) -> Path:
    """Copy what the functions need, and nothing else, below an empty or new folder.

    The same sources give the same bytes. Handlers are imported as
    ``staged_resiliency.drills.runtime.handlers``.

    Args:
        folder: Made if it is not there.

    Returns:
        The folder.

    Raises:
        FileExistsError: Something is in it already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder}: must be empty; give another folder")
    sources = [_PACKAGE / name for name in _FILES]
    for name in _FOLDERS:
        sources += sorted((_PACKAGE / name).glob("*.py"))
    for source in sources:
        target = folder / "staged_resiliency" / source.relative_to(_PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for name in ("", "drills"):
        # Those of the library load the CDK's constructs, or may one day.
        (folder / "staged_resiliency" / name / "__init__.py").write_text("")
    return folder
