"""The report: journals of rehearsals and drills as one self-contained HTML page.

Everything except ``write_page`` and ``read_journal`` is functions on data: journals are read, drawn
as shapes, and rendered by a template, which words numbers and verdicts by ``wording``.
"""

from resiliency.report.journal_reader import JournalError, read_journal
from resiliency.report.page import page, write_page

__all__ = ["JournalError", "page", "read_journal", "write_page"]
