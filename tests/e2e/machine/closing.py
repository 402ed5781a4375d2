"""What is closed at the end of a ``with`` block."""

from typing import TypeVar

_Made = TypeVar("_Made", bound="Closing")


class Closing:
    """Base of what a test starts: a context manager that calls ``close``."""

    def close(self) -> None:
        """End what was started."""
        raise NotImplementedError

    def __enter__(self: _Made) -> _Made:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
