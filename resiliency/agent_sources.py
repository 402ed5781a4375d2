"""Write the agent's sources that a template or a deployed document would install."""

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from resiliency.errors import UserError, reason_of
from staged_resiliency.probe.document import command_document, unpacked


def write_sources(folder: Path, file: Path | None = None) -> Mapping[str, str]:
    """Write the agent's sources to a folder, to read them or to compare two versions.

    Args:
        folder: A new or an empty folder.
        file: A synthesized template, a document's content, or the output of
            ``aws ssm get-document``; this library's own document unless given.

    Returns:
        The written files, by path below the folder.

    Raises:
        UserError: The file has no document of the probe, or the folder is not empty.
    """
    sources = _sources(command_document() if file is None else _document(file), file)
    try:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder}: is not empty; give a new folder")
        for path, content in sources.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: can't be written ({error.strerror})") from None
    return sources


def _document(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("Content"), str):
            content = json.loads(content["Content"])
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: can't be read as JSON ({reason_of(error)})") from None
    if isinstance(content, dict):
        resources = content.get("Resources")
        for resource in resources.values() if isinstance(resources, dict) else [content]:
            if isinstance(resource, dict) and resource.get("Type") == "AWS::SSM::Document":
                resource = resource.get("Properties", {}).get("Content")
            if isinstance(resource, dict) and "mainSteps" in resource:
                return resource
    raise UserError(
        f"{file}: has no Command document; give a template of a probe stack, or the output of "
        "`aws ssm get-document`"
    )


def _sources(document: Mapping[str, Any], file: Path | None) -> Mapping[str, str]:
    try:
        sources = unpacked(document)
        sound = all(_is_below(path) and isinstance(text, str) for path, text in sources.items())
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, EOFError, OSError):
        sound, sources = False, {}
    if not sound:
        raise UserError(f"{file}: its Command document is not the probe's")
    return sources


def _is_below(path: str) -> bool:
    """Whether a path in an untrusted archive stays below the folder it is unpacked to."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts
