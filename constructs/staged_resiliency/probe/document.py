"""The Command document with which Systems Manager installs, repairs and removes the probe.

``make document`` builds document.json, which is part of the library: building it at each synthesis
would take longer than the rest of the stack. A test fails when it is not current.
"""

import base64
import bz2
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

PARAMETER_BYTES: Final = 8_192
"""The part of ``limits.MAX_DOCUMENT_BYTES`` that the document leaves to a run's parameters."""

DOCUMENT_FILE: Final = Path(__file__).with_name("document.json")
ARCHIVE_CHARACTERS: Final = str.maketrans("{}<>&", ".,/:[")
"""Characters of base85 in the archive, and what they are instead: Systems Manager takes ``{{`` for
a parameter, and encoders of JSON may write the other three as six characters each."""

INSTALL: Final = Path(__file__).parent / "install"
"""The folder of the scripts that documents run."""

_ARCHIVE_ENDS: Final = "END_OF_SOURCES"
_BASE85: Final = {instead: character for character, instead in ARCHIVE_CHARACTERS.items()}


@cache
def command_document() -> Mapping[str, Any]:
    """Return the document's content, the same for every service; see ``document_builder``.

    >>> list(command_document()["parameters"])
    ['Action', 'Service', 'Configuration', 'Platforms']
    """
    content: Mapping[str, Any] = json.loads(DOCUMENT_FILE.read_text(encoding="utf-8"))
    return content


def unpacked(document: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the agent's files in a document, built or deployed, keyed by path.

    >>> unpacked(command_document())["__main__.py"].splitlines()[0]
    'import runpy'
    """
    lines = [line for step in document["mainSteps"] for line in step["inputs"]["runCommand"]]
    end = lines.index(_ARCHIVE_ENDS)
    start = next(row for row, line in enumerate(lines) if f"'{_ARCHIVE_ENDS}'" in line)
    packed = base64.b85decode("".join(lines[start + 1 : end]).translate(_BASE85))
    files: dict[str, str] = json.loads(bz2.decompress(packed))
    return files


def script_lines(
    name: str, generated: Mapping[str, Callable[[], Sequence[str]]] | None = None
) -> list[str]:
    """Return a script's lines without comments, with other files included.

    A line ``. ./NAME`` includes a script, and a line ``@NAME`` a file, or lines that are generated.
    """
    lines: list[str] = []
    for line in (INSTALL / name).read_text(encoding="utf-8").splitlines():
        included = re.fullmatch(r"\s*\. \./(\S+)|@(\S+)", line)
        if included and generated and included[2] in generated:
            lines += generated[included[2]]()
        elif included:
            lines += script_lines(included[1] or included[2], generated)
        elif line and not re.match(r"\s*#", line):
            lines.append(line)
    return lines
