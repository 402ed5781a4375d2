"""The host's identity: its name, which is a dimension of its metrics, and its region."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, NamedTuple

from .config import HOST, REGION, Config, ConfigError, require
from .journal import printable
from .metadata import Metadata, MetadataError

FILE_NAME = "identity.json"
ASSET_TAG = Path("/sys/class/dmi/id/board_asset_tag")
_INSTANCE_ID = re.compile("i-[0-9a-f]{8,17}")
_TAG_SECONDS = 30.0


class Identity(NamedTuple):
    """A host's name and region."""

    host: str
    region: str


class IdentityError(Exception):
    """The host's name or region can't be determined now."""


def ask_ec2(
    instance_id: str, region: str, metadata: Metadata, seconds: float = _TAG_SECONDS
) -> str:
    """Ask EC2 for the Name tag, by DescribeTags.

    In a process of its own: botocore's model of EC2 takes some 100 MB of memory, which the end of
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


def identify(
    config: Config,
    metadata: Metadata,
    ask: Callable[[str, str, Metadata], str] = ask_ec2,
) -> Identity:
    """Determine this host's identity; raises ``IdentityError``.

    What the configuration does not name comes from the instance's metadata and, where that does not
    include tags, the Name tag from EC2.
    """
    try:
        region = config.region or metadata.region()
        host = config.host or metadata.name_tag()
        if not host:
            host = ask(metadata.instance_id(), region, metadata)
        require(region, REGION, "region")
        require(host, HOST, "host name")
    except (MetadataError, ConfigError, ValueError) as error:
        raise IdentityError(printable(error, 300)) from None
    return Identity(host, region)


def this_machine(asset_tag: Path = ASSET_TAG, environment: Mapping[str, str] = os.environ) -> str:
    """Return an identifier of this machine that needs no network; empty if there is none.

    On Nitro instances the firmware has the instance's id. Elsewhere it is the id of this boot,
    which the unit passes on: a copy of the disk on another instance has another one.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html
    """
    with contextlib.suppress(OSError, ValueError):
        tag = asset_tag.read_text(encoding="ascii").strip()
        if _INSTANCE_ID.fullmatch(tag):
            return tag
    return environment.get("BOOT_ID", "")


def save_identity(folder: Path | None, identity: Identity, machine: str) -> None:
    """Save the identity, for a start at which the metadata service or EC2 does not answer."""
    if folder is None or not machine:
        return
    with contextlib.suppress(OSError):
        aside = folder / f"{FILE_NAME}.new"
        aside.write_text(json.dumps([machine, *identity]), encoding="utf-8")
        aside.replace(folder / FILE_NAME)


def saved_identity(folder: Path | None, machine: str) -> Identity | None:
    """Return the identity that was saved last; None if never, or on another machine."""
    if folder is None or not machine:
        return None
    try:
        saved_on, host, region = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        is_valid = HOST.allows(host) and REGION.allows(region)
        return Identity(host, region) if is_valid and saved_on == machine else None
    except (OSError, ValueError, TypeError):
        return None
