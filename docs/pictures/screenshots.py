"""Take the pictures of the pages of a rehearsal and of a drill: `make picture`, with Chromium.

The pages are made of journals that the tests use: of a scripted rehearsal, and of a drill that ran
in the simulated account. So they are the same each time, and a test finds out when pages that
were pictured have changed.
"""

import base64
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import boto3

from resiliency.drill_cli.aws import Aws
from resiliency.drill_cli.reporting import list_journals, read_journals
from resiliency.report import write_page
from staged_resiliency.experiment.json_codec import JsonObject
from tests.e2e.chromium import Browser, chromium
from tests.fake_aws import plans
from tests.fake_aws.account import account
from tests.journals import BEGAN_AT, rehearsals

FOLDER: Final = Path(__file__).parent
DIGESTS: Final = FOLDER / "pages.json"
"""What could be read on the pages when their pictures were taken."""

_WIDTH: Final = 1100
_SHOWN: Final = {"rehearsal": 800, "drill": 880}
"""The height of what is shown of each page, from its top."""


def drill_journal() -> JsonObject:
    """Run the drill `shutdown` in the simulated account, and return its journal."""
    plan = plans.SHUTDOWN
    with account(plan) as made:
        made.finish(made.start(made.machine(plan)))
        aws = Aws(boto3.session.Session(region_name=plan.region))
        recorded = read_journals(aws, plan, list_journals(aws, plan), [])
        return next(recorded).content


def pages() -> Mapping[str, str]:
    """Return the HTML of each page that is shown."""
    journals = {
        "rehearsal": ("Rehearsal", rehearsals()),
        "drill": ("Drills of bookstore in production", [drill_journal()]),
    }
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (title, of_page) in journals.items():
            file = Path(folder) / f"{name}.html"
            write_page(file, of_page, title=title, made_at=BEGAN_AT)
            made[name] = file.read_text(encoding="utf-8")
    return made


def digest(page: str) -> str:
    """Return a digest of what can be read on a page, without its style and its shapes."""
    text = re.sub(r"(?s)<(style|script|svg)\b.*?</\1>|<[^>]*>", " ", page)
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def _take(name: str, page: str, browser: Browser) -> bytes:
    """Take a picture of the top of a page, as WebP."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.html"
        file.write_text(page, encoding="utf-8")
        browser.open(file, width=_WIDTH)
        shown = {"x": 0, "y": 0, "width": _WIDTH, "height": _SHOWN[name], "scale": 1}
        shot = browser.ask(
            "Page.captureScreenshot", {"format": "webp", "quality": 80, "clip": shown}
        )
    return base64.b64decode(shot["data"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as started:
        taken = pages()
        for each, html in taken.items():
            (FOLDER / f"{each}.webp").write_bytes(_take(each, html, started))
    digests = {each: digest(html) for each, html in taken.items()}
    DIGESTS.write_text(json.dumps(digests, indent=2) + "\n", encoding="utf-8")
