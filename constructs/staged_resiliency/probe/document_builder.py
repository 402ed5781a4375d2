"""Makes the Command document by which Systems Manager installs, keeps and removes the probe.

``make document`` writes it to document.json, which is what is deployed. It is a function of the
files beside this module and of nothing else, so that the same files are the same version. The
scripts stand in it line by line, for those who review a change of it. The agent's sources are
more than a document takes: they stand in it as an archive, with a table of contents that shows
which of them changed.
"""

import base64
import bz2
import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from staged_resiliency.probe.agent_files import PACKAGE, agent_digest, agent_files

# Whole-value patterns, in the syntax that RE2 and Java share; allowedPattern anchors nothing.
SERVICE_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
CONFIGURATION_PATTERN: Final = "^[A-Za-z0-9+/]*={0,2}$"

_INSTALL: Final = Path(__file__).parent / "install"
_ARCHIVE_CHARACTERS_A_LINE: Final = 480

# Each step's script, and how long it may take, in seconds. A step that runs out of time does not
# stop the steps after it, so these are far more than any should need.
_STEPS: Final = {
    "Platform": ("platform.sh", 60),
    "Python": ("python.sh", 2400),
    "Agent": ("agent.sh", 1200),
    "Verdict": ("verdict.sh", 60),
}


def made_document() -> Mapping[str, object]:
    """The document's content, the same for every service.

    Its parameters are ``Action`` (``Install`` or ``Uninstall``), ``Service`` (the name of the
    service file) and ``Configuration`` (base64 of the agent's JSON; not needed to uninstall).
    Every parameter is pasted where no shell reads it and is looked at again by each step.

    Every step says inside its ``inputs`` how long it may take and that the document ends with it
    when it fails: outside of them, the agent of Systems Manager heeds neither.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html

    >>> list(made_document()["parameters"])
    ['Action', 'Service', 'Configuration']
    """
    return {
        "schemaVersion": "2.2",
        "description": f"Resiliency probe, agent {agent_digest()}: installs it as a service of "
        "systemd, keeps it as it should be, and removes it without a trace.",
        "parameters": {
            "Action": {
                "type": "String",
                "description": "Install, or Uninstall.",
                "allowedValues": ["Install", "Uninstall"],
                "default": "Install",
            },
            "Service": {
                "type": "String",
                "description": "The service that the probe belongs to.",
                "allowedPattern": SERVICE_PATTERN,
                "minChars": 1,
                "maxChars": 40,
            },
            "Configuration": {
                "type": "String",
                "description": "Base64 of the agent's configuration in JSON.",
                "allowedPattern": CONFIGURATION_PATTERN,
                "default": "",
            },
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": name,
                "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {
                    "timeoutSeconds": str(seconds),
                    "onFailure": "exit",
                    "runCommand": _script(file),
                },
            }
            for name, (file, seconds) in _STEPS.items()
        ],
    }


def _script(name: str) -> list[str]:
    """A script's lines of code, with those of the scripts and files it names in their place.

    A line ``. ./NAME`` stands for a script and a line ``@NAME`` for a file's content. Comments
    are for those who read the files; 64 KB is little.
    """
    lines: list[str] = []
    for line in _read(name):
        script, file = re.match(r"\s*\. \./(\S+)$", line), re.match(r"@(\S+)$", line)
        if script:
            lines += _script(script[1])
        elif file and file[1] in _MADE:
            lines += _MADE[file[1]]()
        elif file:
            lines += _code(_read(file[1]))
        else:
            lines += _code([line])
    return lines


def _code(lines: list[str]) -> list[str]:
    return [line for line in lines if line and not re.match(r"\s*#", line)]


def _read(name: str) -> list[str]:
    return (_INSTALL / name).read_text(encoding="utf-8").splitlines()


def _versions() -> list[str]:
    pins = sha256((_INSTALL / "requirements.txt").read_bytes()).hexdigest()[:12]
    return [f"agent={agent_digest()}", f"pins={pins}"]


def _contents() -> list[str]:
    """What the archive holds, so that a review of the document shows which files changed."""
    return [
        f"# {sha256(content.encode()).hexdigest()[:8]} {path.removeprefix(f'{PACKAGE}/')}"
        for path, content in agent_files().items()
        if path.startswith(PACKAGE)
    ]


def _archive() -> list[str]:
    """The agent's files as base64 of bzip2 of JSON, the same wherever it is made.

    bzip2 because it has one implementation, and makes less of sources than gzip or xz do.
    """
    files = json.dumps(dict(agent_files()), ensure_ascii=False, separators=(",", ":"))
    text = base64.b64encode(bz2.compress(files.encode())).decode()
    width = _ARCHIVE_CHARACTERS_A_LINE
    return [text[start : start + width] for start in range(0, len(text), width)]


# Lines that no file holds, by the name under which the scripts name them.
_MADE: Final[Mapping[str, Callable[[], list[str]]]] = {
    "versions": _versions,
    "contents": _contents,
    "archive": _archive,
}


if __name__ == "__main__":
    print(json.dumps(made_document(), indent=1))
