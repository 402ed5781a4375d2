"""The tables of bad configurations of the agent, as edits of sound.json."""

from pathlib import Path
from typing import Final

from tests.resiliency.service_file.bad_input import cases
from tests.resiliency.service_file.bad_input.cases import Case

_HERE: Final = Path(__file__).parent
SOUND: Final = (_HERE / "sound.json").read_text(encoding="utf-8")


def all_cases() -> list[Case]:
    """The cases of every table."""
    return cases.all_cases(_HERE / "tables", SOUND)
