"""The root file system of the containers: Debian with systemd, built once and kept."""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.e2e.machine import apt_settings
from tests.e2e.machine.processes import dying_with_us, run

CACHE: Final = Path(__file__).parents[3] / ".cache" / "machine"
AUTHORITIES: Final = Path("/usr/local/share/ca-certificates")
"""Certificate authorities that this machine trusts besides the usual ones."""

STAGE: Final = "stage"
"""An empty directory beside the tree, where each container mounts its own copy."""

TREE: Final = "tree"

_BUILD_SECONDS: Final = 900
_LEFT_OUT: Final = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
_CUSTOMIZE: Final = (
    # The journal survives a reboot.
    'mkdir -p "$1/var/log/journal"',
    # Nothing else fetches packages while a test does.
    'systemctl --root="$1" mask apt-daily.timer apt-daily-upgrade.timer',
    # Addresses are given by the test.
    'systemctl --root="$1" disable systemd-networkd.service systemd-networkd.socket '
    "systemd-networkd-wait-online.service",
)


@dataclass(frozen=True)
class Recipe:
    """The content of a root file system.

    Attributes:
        suite: The release of Debian, by its code name.
        packages: Packages besides apt and the essential ones.
    """

    suite: str = "bookworm"
    packages: tuple[str, ...] = (
        "ca-certificates",
        "dbus",
        "iproute2",
        "nftables",
        "procps",
        "python3",
        "python3-boto3",
        "systemd",
        "systemd-sysv",
    )

    def without(self, *packages: str) -> "Recipe":
        """Leave out packages."""
        return Recipe(self.suite, tuple(one for one in self.packages if one not in packages))

    def adding(self, *packages: str) -> "Recipe":
        """Add packages."""
        return Recipe(self.suite, tuple(sorted({*self.packages, *packages})))


DEBIAN: Final = Recipe()
"""An instance with all packages that the agent needs."""

DEBIAN_WITHOUT_BOTO3: Final = DEBIAN.without("python3-boto3")
"""An instance without the agent's library, which must be downloaded: give it the host's network."""


def prepared(recipe: Recipe = DEBIAN, *, cache: Path = CACHE) -> Path:
    """Return the folder of the root file system, which is built at the first call.

    Takes about a minute and the package repositories the first time; later no time at all. A
    build that is cut short leaves nothing that would be taken for a finished one.

    Args:
        recipe: What it is made of. Other packages, sources or authorities make another one.
        cache: Where they are kept.

    Returns:
        A folder that holds the tree and the stage; see TREE and STAGE.
    """
    finished = cache / _digest(recipe)
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    with _alone(cache / f"{finished.name}.lock"):
        if not finished.exists():
            _build(recipe, finished)
    return finished


def _build(recipe: Recipe, finished: Path) -> None:
    building = finished.with_suffix(".building")
    if building.exists():
        shutil.rmtree(building)
    (building / STAGE).mkdir(parents=True)
    sources = apt_settings.sources(recipe.suite)
    run(
        # What a build that is killed has mounted ends with it: else the next one fails.
        dying_with_us(
            *("unshare", "--mount", "--propagation", "private", *_command(recipe)),
            recipe.suite,
            building / TREE,
            *sources,
        ),
        timeout_seconds=_BUILD_SECONDS,
    )
    building.rename(finished)


def _command(recipe: Recipe) -> list[str]:
    hooks = list(_CUSTOMIZE)
    if _authorities():
        hooks.append(f'copy-in "{AUTHORITIES}" "{AUTHORITIES.parent}"')
        hooks.append('chroot "$1" update-ca-certificates')
    return [
        "mmdebstrap",
        "--mode=root",
        "--format=directory",
        "--variant=apt",
        f"--include={','.join(recipe.packages)}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT),
        "--dpkgopt=force-unsafe-io",  # a build that is cut short is thrown away
        *(f"--aptopt={option}" for option in apt_settings.options()),
        *(f"--customize-hook={hook}" for hook in hooks),
    ]


def _authorities() -> list[Path]:
    return sorted(AUTHORITIES.glob("*.crt"))


def _digest(recipe: Recipe) -> str:
    """Changes with anything that goes into the tree, except newer packages of the same names."""
    made_of = [
        _command(recipe),
        recipe.suite,
        [
            Path(source).read_text(encoding="utf-8") if source.startswith("/") else source
            for source in apt_settings.sources(recipe.suite)
        ],
        [path.read_text(encoding="utf-8") for path in _authorities()],
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Lock the build: other processes wait for it."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
