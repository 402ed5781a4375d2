"""Prints a review as text, and renders it as Markdown for a comment on a pull request."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from resiliency.drill_cli.safe_console import SafeConsole, one_line
from resiliency.review.findings import TITLES, Finding, Level, Topic
from resiliency.review.review import Review

_STYLES: Final = {Level.DANGER: "bold red", Level.WARNING: "yellow", Level.NOTE: ""}
_WIDEST: Final = 100
_INDENT: Final = " " * 12
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


def summary_of(review: Review) -> str:
    """Count the findings of a review, and its changes, in a sentence."""
    counts = Counter(each.level for each in review.findings)
    actions = Counter(each.action.value for each in review.changes)
    found = [f"{counts[each]} {each.value}{'s' * (counts[each] > 1)}" for each in Level]
    found = [each for each in found if not each.startswith("0 ")]
    changes = ", ".join(f"{count} {action}" for action, count in actions.items())
    return f"{', '.join(found) or 'no findings'}; resources: {changes or 'no changes'}"


def print_review(review: Review, console: SafeConsole) -> None:
    """Print the findings by topic and stack, each wrapped to the width of the terminal."""
    width = min(console.width, _WIDEST)
    for topic, found in _by_topic(review.findings):
        console.say("\n".join(textwrap.wrap(TITLES[topic], width)), style="bold")
        for stack in dict.fromkeys(each.stack for each in found):
            if stack:
                console.say(f"  {one_line(stack)}")
            for each in found:
                if each.stack == stack:
                    _print_finding(each, console, width)
        console.say()
    console.say("\n".join(textwrap.wrap(summary_of(review), width)))


def _print_finding(finding: Finding, console: SafeConsole, width: int) -> None:
    level = f"    {finding.level.value:<8}"
    head, *rest = _wrapped(f"{level}{one_line(finding.text)}", width)
    console.print(
        Text().append(level, _STYLES[finding.level]).append(head[len(level) :]), soft_wrap=True
    )
    advice = f"{_INDENT}→ {one_line(finding.advice)}" if finding.advice else ""
    for line in [*rest, *_wrapped(advice, width)]:
        console.say(line)


def markdown_of(review: Review) -> str:
    """Render a review as Markdown, with the dangers marked."""
    lines = ["## What this change does", "", summary_of(review), ""]
    for topic, found in _by_topic(review.findings):
        lines += [f"### {TITLES[topic]}", ""]
        for each in found:
            where = f" **{_escaped(each.stack)}:**" if each.stack else ""
            advice = f"  \n  → {_escaped(each.advice)}" if each.advice else ""
            lines.append(f"- **{each.level.value}**{where} {_escaped(each.text)}{advice}")
        lines.append("")
    return "\n".join(lines)


def _by_topic(findings: Sequence[Finding]) -> Iterator[tuple[Topic, Sequence[Finding]]]:
    for topic in Topic:
        if found := [each for each in findings if each.topic is topic]:
            yield topic, found


def _wrapped(text: str, width: int) -> Sequence[str]:
    """Wrap a finding with an indent, without breaking the names in it."""
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("@", "@\u200b")
