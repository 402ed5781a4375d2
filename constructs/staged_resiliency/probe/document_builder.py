"""Builds the Command document by which Systems Manager installs, keeps and removes the probe.

``make document`` writes it to document.json, which is deployed. It depends on the files beside
this module and on nothing else, so that the same files are the same version. The scripts are in it
line by line, for those who review a change of it. The agent's sources are larger than a document
may be, so they are in it as an archive, with a list of hashes that shows which of them changed.
"""

import base64
import bz2
import json
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from staged_resiliency.probe.document import ARCHIVE_CHARACTERS, INSTALL, script_lines
from staged_resiliency.probe.minify import minified

PACKAGE: Final = "resiliency_probe"
"""The package's name on an instance, where ``staged_resiliency`` is not installed."""

# In the syntax that RE2 and Java share, and anchored, as allowedPattern matches anywhere.
SERVICE_PATTERN: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
CONFIGURATION_PATTERN: Final = "^[A-Za-z0-9+/]*={0,2}$"
PLATFORMS_PATTERN: Final = "^[a-z0-9._,-]*$"

_AGENT: Final = Path(__file__).parent / "agent"
# Writes no bytecode, also when run by hand: a run of the document removes files that it did not
# install.
_LAUNCHER: Final = f"""import runpy
import sys

sys.dont_write_bytecode = True
runpy.run_module("{PACKAGE}", run_name="__main__")
"""
_ARCHIVE_CHARACTERS_A_LINE: Final = 960

# Each step's script and its timeout in seconds. The steps after one that timed out still run, so
# the timeouts are far longer than any step should take.
_STEPS: Final = {
    "Platform": ("platform.sh", 60),
    "Python": ("python.sh", 2400),
    "Agent": ("agent.sh", 1200),
    "Verdict": ("verdict.sh", 60),
}


def agent_files() -> Mapping[str, str]:
    """Return the agent's files, minified, by their path in the directory that is installed.

    ``python3 -I -B DIRECTORY`` runs the agent.
    """
    return _files(_AGENT)


def agent_digest() -> str:
    """Return the agent's version: twelve hexadecimal digits of a digest over its files.

    It is the digest of the output of ``sha256sum``, so that a script on an instance can verify the
    installed files.
    """
    sums = sorted(
        f"{sha256(content.encode()).hexdigest()}  ./{path}\n"
        for path, content in agent_files().items()
    )
    return sha256("".join(sums).encode()).hexdigest()[:12]


@cache
def _files(agent: Path) -> Mapping[str, str]:
    sources = {path.relative_to(agent).as_posix(): path for path in sorted(agent.rglob("*.py"))}
    package = {
        f"{PACKAGE}/{path}": minified(source.read_text(encoding="utf-8"))
        for path, source in sources.items()
    }
    return MappingProxyType({"__main__.py": _LAUNCHER, **package})


def build_document() -> Mapping[str, object]:
    """Build the document's content, the same for every service.

    Its parameters are ``Action`` (``Install`` or ``Uninstall``), ``Service`` (the name of the
    service file), ``Configuration`` (base64 of the agent's JSON; not needed to uninstall) and
    ``Platforms`` (those that a team adds to the supported ones).
    Every parameter is inserted where no shell interprets it, and each step validates it again.

    ``timeoutSeconds`` and ``onFailure`` are inside each step's ``inputs``, since the Systems
    Manager agent ignores both elsewhere.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html

    >>> list(build_document()["parameters"])
    ['Action', 'Service', 'Configuration', 'Platforms']
    """
    return {
        "schemaVersion": "2.2",
        "description": f"Resiliency probe, agent {agent_digest()}: installs it as a service of "
        "systemd, repairs it when it was changed, and removes it completely.",
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
                "description": "Base64 of the agent's configuration in JSON, compressed by "
                "bzip2 where it is long.",
                "allowedPattern": CONFIGURATION_PATTERN,
                "default": "",
            },
            "Platforms": {
                "type": "String",
                "description": "Further platforms, as ID-VERSION_ID of /etc/os-release, such as "
                "almalinux-9,sles-15.6.",
                "allowedPattern": PLATFORMS_PATTERN,
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
                    "runCommand": script_lines(file, _GENERATED),
                },
            }
            for name, (file, seconds) in _STEPS.items()
        ],
    }


def _versions() -> list[str]:
    pins = sha256((INSTALL / "requirements.txt").read_bytes()).hexdigest()[:12]
    return [f"agent={agent_digest()}", f"pins={pins}"]


def _contents() -> list[str]:
    """List the archive's files with their hashes, so that a review shows which ones changed."""
    return [
        f"# {sha256(content.encode()).hexdigest()[:8]} {path.removeprefix(f'{PACKAGE}/')}"
        for path, content in agent_files().items()
        if path.startswith(PACKAGE)
    ]


def _archive() -> list[str]:
    """Return the agent's files as base85 of bzip2 of JSON.

    bzip2 has one implementation, so that every machine builds the same archive, and it compresses
    sources better than gzip or xz do.
    """
    files = json.dumps(dict(agent_files()), ensure_ascii=False, separators=(",", ":"))
    text = base64.b85encode(bz2.compress(files.encode())).decode().translate(ARCHIVE_CHARACTERS)
    width = _ARCHIVE_CHARACTERS_A_LINE
    return [text[start : start + width] for start in range(0, len(text), width)]


# Generated lines, by the name that scripts include them with.
_GENERATED: Final[Mapping[str, Callable[[], list[str]]]] = {
    "versions": _versions,
    "contents": _contents,
    "archive": _archive,
}


if __name__ == "__main__":
    print(json.dumps(build_document(), indent=1))
