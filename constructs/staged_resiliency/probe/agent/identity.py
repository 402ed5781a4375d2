"""Who this host is: its name, which is a dimension of its metrics, and its region."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple

from . import values
from .config import Config
from .failure import shown
from .metadata import Metadata, MetadataError

MEMORY = "identity.json"
_TAG_SECONDS = 30.0


class Identity(NamedTuple):
    """A host's name and region."""

    host: str
    region: str


class IdentityError(Exception):
    """The host's name or region can't be known yet."""


def identify(
    config: Config,
    metadata: Metadata,
    described_name: Callable[[str, str, Metadata], str] | None = None,
) -> Identity:
    """Who this host is, from the configuration, else from the instance.

    Args:
        config: May name host and region.
        metadata: Asked for what it does not name.
        described_name: Asks EC2 for the Name tag, where the metadata do not show tags.

    Raises:
        IdentityError: Not all of it can be known now.
    """
    try:
        region = config.region or metadata.region()
        host = config.host or metadata.name_tag()
        if not host:
            ask = described_name or ask_ec2
            host = ask(metadata.instance_id(), region, metadata)
        values.region(region)
        values.host(host)
    except (MetadataError, ValueError) as error:
        raise IdentityError(shown(error, 300)) from None
    return Identity(host, region)


def remember(folder: Path | None, identity: Identity, metadata: Metadata) -> None:
    """Keep who this instance is, for a start at which EC2 can't be asked."""
    if folder is None:
        return
    with contextlib.suppress(OSError, MetadataError):
        aside = folder / f"{MEMORY}.new"
        aside.write_text(json.dumps([metadata.instance_id(), *identity]), encoding="utf-8")
        aside.replace(folder / MEMORY)


def remembered(folder: Path | None, metadata: Metadata) -> Identity | None:
    """Who this instance was when it was known last; None for another one, or when it never was."""
    if folder is None:
        return None
    try:
        instance_id, host, region = json.loads((folder / MEMORY).read_text(encoding="utf-8"))
        values.host(host)
        values.region(region)
        return Identity(host, region) if instance_id == metadata.instance_id() else None
    except (OSError, ValueError, TypeError, AttributeError, MetadataError):
        return None


def ask_ec2(
    instance_id: str, region: str, metadata: Metadata, seconds: float = _TAG_SECONDS
) -> str:
    """The Name tag, by DescribeTags.

    A process of its own asks: EC2's model takes some 100 MB of memory, which its end gives back.
    """
    script = Path(__file__).with_name("ec2_tags.py")
    given = {"instance_id": instance_id, "region": region, **metadata.credentials()}
    try:
        asked = subprocess.run(  # noqa: S603 - this program's own file; input goes by stdin
            [sys.executable, "-I", "-B", str(script)],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise IdentityError(f"DescribeTags: {type(error).__name__}") from None
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise IdentityError(shown(f"DescribeTags: {last}", 300))
    return str(json.loads(asked.stdout))
