"""Reads journals from files, and reports an invalid journal in one line."""

import json
from pathlib import Path

from resiliency.errors import UserError
from staged_resiliency.experiment.journal import Journal, journal_from_json
from staged_resiliency.experiment.json_codec import DataError, JsonObject


class JournalError(UserError):
    """A journal can't be read; the message names it, what was found, and what is allowed."""


def read_journal(path: Path) -> JsonObject:
    """Read the journal in a file; JournalError if this release can't read it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JournalError(f"{path}: is not there") from None
    except OSError as error:
        raise JournalError(f"{path}: can't be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise JournalError(f"{path}: is not JSON in UTF-8 ({error})") from None
    parse_journal(content, str(path))
    document: JsonObject = content
    return document


def parse_journal(document: object, where: str) -> Journal:
    """Check a journal that ``json.loads`` returned; ``where`` names it in a JournalError."""
    try:
        return journal_from_json(document, where)
    except DataError as error:
        raise JournalError(str(error)) from None
