"""The days and hours in which a drill may begin."""

from collections.abc import Sequence
from dataclasses import dataclass

from staged_resiliency.drills.runtime.plan import Window
from staged_resiliency.drills.schedule import DAYS
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import require_one_of


@dataclass(frozen=True, slots=True)
class DrillWindow:
    """The days and hours in which a drill may begin, in the time zone of its schedule.

    Attributes:
        days: Days of the week, Monday to Friday unless given.
        from_hour: The hour at which the window opens; 9 unless given.
        to_hour: The hour at which it closes; 17 unless given.

    Raises:
        InvalidInputError: The window never opens.
    """

    days: Sequence[str] = ("MON", "TUE", "WED", "THU", "FRI")
    from_hour: int = 9
    to_hour: int = 17

    def __post_init__(self) -> None:
        """Check that the window opens."""
        for day in self.days:
            require_one_of("DrillWindow", "days", day, DAYS)
        if not self.days or not 0 <= self.from_hour < self.to_hour <= 24:
            raise InvalidInputError(
                f"DrillWindow: {', '.join(self.days) or 'no day'} from {self.from_hour} to "
                f"{self.to_hour} never opens; give days, and hours from 0 to 24 in their order"
            )

    def planned(self, zone: str) -> Window:
        """The window as a drill's plan contains it."""
        return Window(tuple(self.days), self.from_hour, self.to_hour, zone)
