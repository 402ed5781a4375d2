"""Synthesize the CDK application of a folder for one service file."""

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.errors import UsageError, UserError


def synthesized(folder: Path, service: Path) -> Sequence[SynthesizedStack]:
    """Return the stacks that the CDK application in a folder makes of a service file.

    Raises:
        UsageError: The folder has no application.
        UserError: It can't be synthesized.
    """
    try:
        settings = json.loads((folder / "cdk.json").read_text(encoding="utf-8"))
        command = shlex.split(settings["app"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{folder / 'cdk.json'}: names no CDK application; run this in the application's folder"
        ) from None
    context = {
        **settings.get("context", {}),
        "services": str(service.resolve()),
        "aws:cdk:disable-path-metadata": not settings.get("pathMetadata", True),
    }
    with tempfile.TemporaryDirectory() as out:
        given = {**os.environ, "CDK_OUTDIR": out, "CDK_CONTEXT_JSON": json.dumps(context)}
        try:
            done = subprocess.run(  # noqa: S603 (the application that cdk.json names)
                command, cwd=folder, env=given, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise UserError(f"{command[0]}: can't be run: {error.strerror}") from None
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise UserError(f"{shlex.join(command)}: fails: {last}")
        return read_assembly(Path(out))
