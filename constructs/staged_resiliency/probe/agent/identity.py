"""The host's identity: its name, which is a dimension of its metrics, and its region."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple

from .config import HOST, REGION, Config, ConfigError, require
from .journal import printable
from .metadata import Metadata, MetadataError

FILE_NAME = "identity.json"
_TAG_SECONDS = 30.0


class Identity(NamedTuple):
    """A host's name and region."""

    host: str
    region: str


class IdentityError(Exception):
    """The host's name or region can't be determined now."""


def identify(
    config: Config,
    metadata: Metadata,
    described_name: Callable[[str, str, Metadata], str] | None = None,
) -> Identity:
    """Determine this host's identity, from the configuration or else from the instance.

    Args:
        config: May name host and region.
        metadata: Asked for what the configuration does not name.
        described_name: Asks EC2 for the Name tag, where metadata does not include tags.

    Raises:
        IdentityError: The name or the region can't be determined now.
    """
    try:
        region = config.region or metadata.region()
        host = config.host or metadata.name_tag()
        if not host:
            ask = described_name or ask_ec2
            host = ask(metadata.instance_id(), region, metadata)
        require(region, REGION, "region")
        require(host, HOST, "host name")
    except (MetadataError, ConfigError, ValueError) as error:
        raise IdentityError(printable(error, 300)) from None
    return Identity(host, region)


def save_identity(folder: Path | None, identity: Identity, metadata: Metadata) -> None:
    """Save the identity, for a start at which EC2 does not answer."""
    if folder is None:
        return
    with contextlib.suppress(OSError, MetadataError):
        aside = folder / f"{FILE_NAME}.new"
        aside.write_text(json.dumps([metadata.instance_id(), *identity]), encoding="utf-8")
        aside.replace(folder / FILE_NAME)


def saved_identity(folder: Path | None, metadata: Metadata) -> Identity | None:
    """Return the identity that was saved last; None if never, or on another instance."""
    if folder is None:
        return None
    try:
        instance_id, host, region = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        is_valid = HOST.allows(host) and REGION.allows(region)
        is_ours = is_valid and instance_id == metadata.instance_id()
        return Identity(host, region) if is_ours else None
    except (OSError, ValueError, TypeError, MetadataError):
        return None


def ask_ec2(
    instance_id: str, region: str, metadata: Metadata, seconds: float = _TAG_SECONDS
) -> str:
    """Ask EC2 for the Name tag, by DescribeTags.

    In a separate process: botocore's model of EC2 takes some 100 MB of memory, which the end of
    that process frees.
    """
    script = Path(__file__).with_name("ec2_tags.py")
    given = {"instance_id": instance_id, "region": region, **metadata.credentials()}
    try:
        process = subprocess.run(  # noqa: S603 - this program's own file; input goes by stdin
            [sys.executable, "-I", "-B", str(script)],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise IdentityError(f"DescribeTags: {type(error).__name__}") from None
    if process.returncode:
        last = (process.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise IdentityError(printable(f"DescribeTags: {last}", 300))
    return str(json.loads(process.stdout))
