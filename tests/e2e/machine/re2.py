r"""Patterns as Go's regexp package reads them, with Python's.

Systems Manager looks for ``allowedPattern`` anywhere in a value (RE2 syntax,
https://github.com/google/re2/wiki/Syntax). Two differences matter: ``$`` does not overlook a last
line feed, and ``\d``, ``\w`` and ``\s`` are ASCII.
"""

import re
from typing import Final

_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_NOT_RE2: Final = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P[=>])|\\[1-9]|[*+?}]\+")


def found(pattern: str, text: str) -> bool:
    """Whether there is a match anywhere in a text.

    Raises:
        ValueError: The pattern is not of RE2, such as one that looks ahead or back.
    """
    if _NOT_RE2.search(pattern):
        raise ValueError(f"RE2 has no such pattern: {pattern}")
    same = "".join(r"\Z" if token == "$" else token for token in _TOKEN.findall(pattern))
    return re.search(same, text, re.ASCII) is not None
