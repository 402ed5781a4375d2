"""Journals of rehearsals and drills as one self-contained HTML page.

Everything but ``write_page`` and ``read_journal`` is functions on data: the journals are checked,
laid out as numbers and shapes, and written by templates that decide nothing.
"""

from staged_resiliency.report.page import page, write_page
from staged_resiliency.report.reading import JournalError, read_journal

__all__ = ["JournalError", "page", "read_journal", "write_page"]
