"""Writes JUnit XML, which servers for continuous integration show as test results."""

import xml.etree.ElementTree as ET  # only written here, never read
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A test case; it passed unless a text says why not."""

    name: str
    failure: str = ""
    error: str = ""
    skipped: str = ""


def document(suite: str, cases: Sequence[Case], seconds: float) -> bytes:
    """Return one test suite as XML in UTF-8.

    Example:
        >>> print(document("gate", [Case("a"), Case("b", failure="late")], 1.5).decode())
        <?xml version='1.0' encoding='utf-8'?>
        <testsuites>
          <testsuite name="gate" tests="2" failures="1" errors="0" skipped="0" time="1.500">
            <testcase classname="gate" name="a" time="0" />
            <testcase classname="gate" name="b" time="0">
              <failure message="late">late</failure>
            </testcase>
          </testsuite>
        </testsuites>
    """
    root = ET.Element("testsuites")
    element = ET.SubElement(
        root,
        "testsuite",
        name=suite,
        tests=str(len(cases)),
        failures=str(sum(bool(each.failure) for each in cases)),
        errors=str(sum(bool(each.error) for each in cases)),
        skipped=str(sum(bool(each.skipped) for each in cases)),
        time=f"{seconds:.3f}",
    )
    for each in cases:
        case = ET.SubElement(element, "testcase", classname=suite, name=each.name, time="0")
        for kind in ("failure", "error", "skipped"):
            text = _printable(getattr(each, kind))
            if text:
                ET.SubElement(case, kind, message=text.splitlines()[0]).text = text
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _printable(text: str) -> str:
    """Replace characters that XML 1.0 has no way to write."""
    return "".join(each if each.isprintable() or each == "\n" else "?" for each in text)
