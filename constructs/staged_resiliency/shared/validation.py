"""Validates single values, such as a name or a day, and helps others to do so.

IDs and ARNs are in ``aws_ids``, addresses and URLs in ``network_names``, settings of metrics and
alarms in ``alarm_settings``. Each function is named after the value it validates. It returns the
value in its canonical form or raises ``ValueError`` with what was found, what is allowed and, where
it helps, an example. The service file and the constructs use the same functions, so both give the
same message.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from staged_resiliency.shared import limits

MAX_SLUG_CHARACTERS: Final = 40
SLUG: Final = rf"^(?=.{{1,{MAX_SLUG_CHARACTERS}}}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$"


def shown(value: object) -> str:
    """Quote a value for a message: short, printable, on one line."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed word that a misspelt one most resembles, or None."""
    folded = {candidate.casefold(): candidate for candidate in allowed}
    wanted = word.casefold()
    found = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    if not found and len(wanted) > 2:  # "ttl" for ttl_seconds
        found = [candidate for candidate in folded if wanted in candidate]
    return folded[found[0]] if len(found) == 1 else None


def matching(
    value: str, pattern: str, what: str, example: str, flags: re.RegexFlag = re.ASCII
) -> str:
    """Validate a text by a pattern; ``what`` and ``example`` end the message."""
    if re.fullmatch(pattern, value, flags) is None:
        raise ValueError(f"{shown(value)} is not {what}; give one like {example}")
    return value


def by_pattern(
    pattern: str, what: str, example: str, flags: re.RegexFlag = re.ASCII
) -> Callable[[str], str]:
    """Make a function that validates a text by a pattern, with the message of ``matching``."""

    def validate(value: str) -> str:
        return matching(value, pattern, what, example, flags)

    return validate


def at_most(value: str, most: int, what: str) -> str:
    """Validate the length of a text, which ``what`` names in the message."""
    if len(value) > most:
        raise ValueError(f"{what} {shown(value)} has {len(value)} characters; at most {most} fit")
    return value


def in_range(least: int, most: int, otherwise: str = "out of range") -> Callable[[int], int]:
    """Make a function that validates a number; ``otherwise`` describes a number out of range."""

    def validate(value: int) -> int:
        if not least <= value <= most:
            raise ValueError(f"{value} is {otherwise}; allowed: {least} to {most}")
        return value

    return validate


slug = by_pattern(
    SLUG,
    "a name (lower-case letters, digits and single hyphens, a letter first, at most 40)",
    "bookstore",
)


phone_number = by_pattern(
    r"\+[1-9]\d{7,14}",
    "a phone number (a plus sign, the country code and digits alone)",
    "+15555550100",
)


gremlin_team = by_pattern(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "the ID of a Gremlin team",
    "9676868b-60d2-5ebe-aa66-c1de8162ff9d",
    re.ASCII | re.IGNORECASE,
)


gremlin_name = by_pattern(
    r"[\w.:/=+@-]([\w .:/=+@-]{0,253}[\w.:/=+@-])?",
    "an identifier or tag of a Gremlin client (letters, digits, spaces and _ . : / = + @ -)",
    "bookstore-api-blue",
)


def days(value: str) -> str:
    """Validate a date, or the first and the last one with a slash between."""
    try:
        first, *last = [date.fromisoformat(each) for each in value.split("/", 1)]
    except ValueError:
        raise ValueError(
            f"{shown(value)} is no date; give one like 2026-12-24, or 2026-12-20/2027-01-04"
        ) from None
    if last and last[0] < first:
        raise ValueError(f"{shown(value)} ends before it begins; give the earlier date first")
    return value


notice_minutes = in_range(0, limits.MAX_NOTICE_MINUTES)


version_field = by_pattern(r"[!-~]{1,64}", "a key of a JSON object", "environment")


def one_line(value: str) -> str:
    """Validate a line of printable text for people to read."""
    if not value.strip() or not value.isprintable():
        raise ValueError(f"{shown(value)} is not a line of text; give one like Bookstore API")
    return value
