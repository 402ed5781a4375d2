"""Take the pictures of the pages of a rehearsal and of a drill: `make picture`, with Chromium.

The pages are made of journals that the tests use: of a scripted rehearsal, and of a drill that ran
in the simulated account. So they are the same each time, and a test compares them with the
pictures.
"""

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import boto3

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.reporting import Recorded, list_journals, read_journals
from resiliency.report import write_page
from staged_resiliency.experiment.json_codec import JsonObject
from tests.e2e.chromium import Browser, chromium
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.journals import BEGAN_AT, rehearsals

FOLDER: Final = Path(__file__).parent
WIDTH: Final = 1100
_SHOWN: Final = {"rehearsal": 800, "drill": 880}
"""The height of what is shown of each page, from its top."""


def drill_journal() -> JsonObject:
    """Run the drill `shutdown` in the simulated account, and return its journal."""
    plan = plans.SHUTDOWN
    with account(plan) as made:
        made.finish(made.start(made.machine(plan)))
        aws = Aws(boto3.session.Session(region_name=plan.region))
        recorded = read_journals(aws, plan, list_journals(aws, plan))
        return next(each.content for each in recorded if isinstance(each, Recorded))


def pictures(browser: Browser) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each picture, as WebP."""
    pages = {
        "rehearsal": ("Rehearsal", rehearsals()),
        "drill": ("Drills of bookstore in production", [drill_journal()]),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, (title, journals) in pages.items():
            page = Path(folder) / f"{name}.html"
            write_page(page, journals, title=title, made_at=BEGAN_AT)
            browser.open(page, width=WIDTH)
            shot = browser.ask(
                "Page.captureScreenshot",
                {
                    "format": "webp",
                    "quality": 80,
                    "clip": {"x": 0, "y": 0, "width": WIDTH, "height": _SHOWN[name], "scale": 1},
                },
            )
            yield f"{name}.webp", base64.b64decode(shot["data"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as started:
        for file, picture in pictures(started):
            (FOLDER / file).write_bytes(picture)
