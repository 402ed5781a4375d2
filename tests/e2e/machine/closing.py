"""What is closed at the end of a ``with`` block."""

from abc import ABC, abstractmethod
from typing import TypeVar

_Made = TypeVar("_Made", bound="Closing")


class Closing(ABC):
    """Base of what a test starts: a context manager that calls ``close``."""

    @abstractmethod
    def close(self) -> None:
        """End what was started."""

    def __enter__(self: _Made) -> _Made:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
