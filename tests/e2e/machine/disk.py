"""The files of a container: a read-only root file system, and changes in memory."""

import uuid
from pathlib import Path
from typing import Final

from tests.e2e.machine import processes, rootfs
from tests.e2e.machine.namespaces import Kind, Namespace

_MOUNT: Final = """
set -eu
mount --make-rprivate /
mount -t tmpfs -o size=1024m,mode=0755 machine "$STAGE"
mkdir "$STAGE/upper" "$STAGE/work" "$STAGE/root"
mount -t overlay -o "lowerdir=$TREE,upperdir=$STAGE/upper,workdir=$STAGE/work" machine "$STAGE/root"
# What systemd-nspawn notes about its containers is kept from this machine too.
mkdir -p /run/systemd/nspawn
mount -t tmpfs machine /run/systemd/nspawn
"""


class Disk:
    """Files that survive a reboot, until ``close`` or the end of this process.

    Attributes:
        namespace: Where they are mounted, and nowhere else.
        root: Where they are, seen from the namespace.
    """

    def __init__(self, folder: Path) -> None:
        """Mount a root file system and its stage, as ``rootfs.prepared`` gives them."""
        stage = folder / rootfs.STAGE
        self.root = stage / "root"
        self.namespace = Namespace(Kind.MOUNT)
        try:
            processes.run(
                [*self.namespace.entering(), "sh", "-c", _MOUNT],
                env={
                    "PATH": processes.PATH,
                    "STAGE": str(stage),
                    "TREE": str(folder / rootfs.TREE),
                },
            )
            self.write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        except BaseException:
            self.close()
            raise

    def write(self, path: str, text: str) -> None:
        """Write a file while the container does not run."""
        # A link, such as /etc/resolv.conf can be, would lead out of the container.
        script = 'rm -f "$1" && cat >"$1"'
        words = ["sh", "-c", script, "sh", str(self.root / path)]
        processes.run([*self.namespace.entering(), *words], input=text)

    def enable(self, unit: str) -> None:
        """Enable a unit."""
        words = ["systemctl", f"--root={self.root}", "--quiet", "enable", unit]
        processes.run([*self.namespace.entering(), *words])

    def close(self) -> None:
        """Unmount and delete the files."""
        self.namespace.close()
