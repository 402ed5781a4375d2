"""Other Pythons that this machine has."""

import os
import shutil
import subprocess
from pathlib import Path


def interpreter(version: str) -> Path | None:
    """An interpreter on the PATH, or one that pyenv keeps."""
    on_path = shutil.which(f"python{version}")
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(kept.glob(f"{version}.*/bin/python"))
    return next((python for python in candidates if _runs(python)), None)


def _runs(python: Path) -> bool:
    command: list[str | Path] = [python, "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
