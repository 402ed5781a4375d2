"""The parts of a status: what was found, and what is not well."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from resiliency.drill_cli.safe_console import one_line


@dataclass(frozen=True, slots=True)
class Row:
    """A row such as an alarm or a host; ``state`` is a word such as ``OK`` or ``healthy``."""

    state: str
    name: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not well, and how to mend it."""

    message: str
    mend: str


@dataclass(slots=True)
class Section:
    """A part of the status.

    Attributes:
        not_asked: Why something could not be asked, one line each.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)

    def row(self, state: str, name: str, text: str = "") -> None:
        """Add a row."""
        self.rows.append(Row(one_line(state), one_line(name), one_line(text)))

    def find(self, message: str, mend: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(one_line(message), mend))


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The status of a service in an environment, ``at`` seconds since the epoch."""

    service: str
    environment: str
    at: float
    sections: Sequence[Section]

    @property
    def findings(self) -> Sequence[tuple[str, Finding]]:
        """All findings, each with the title of its section."""
        return [(part.title, each) for part in self.sections for each in part.findings]

    @property
    def not_asked(self) -> Sequence[str]:
        """What could not be read from AWS, without duplicates."""
        return list(dict.fromkeys(each for part in self.sections for each in part.not_asked))
