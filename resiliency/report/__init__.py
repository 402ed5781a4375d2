"""Journals of rehearsals and drills as one self-contained HTML page.

Everything but ``write_page`` and ``read_journal`` is functions on data: the journals are checked,
laid out as numbers and shapes, and written by templates that decide nothing.
"""

from resiliency.report.journal_reader import JournalError, read_journal
from resiliency.report.page import page, write_page

__all__ = ["JournalError", "page", "read_journal", "write_page"]
