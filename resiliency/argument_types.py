"""Conversions of command line arguments."""

import argparse


def at_least_one(text: str) -> int:
    """Convert to a whole number of 1 or more.

    Raises:
        argparse.ArgumentTypeError: The text is not such a number.

    Example:
        >>> at_least_one("10")
        10
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return number
