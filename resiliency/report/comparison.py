"""What was predicted beside what was measured, as a small picture for a row of a table."""

from collections.abc import Sequence
from typing import Final

from resiliency.report.axis import Scale, Span
from resiliency.report.svg_shapes import Line, Mark, Picture, Rect, Shape
from staged_resiliency.experiment.journal import Journal

_WIDTH: Final = 200.0
_HEIGHT: Final = 22.0
_EDGE: Final = 7.0


def common_span(journals: Sequence[Journal]) -> Span:
    """From 0 to the longest of what was predicted, measured or asked for, so that rows compare."""
    numbers = [1.0]
    for each in journals:
        numbers += each.predicted_seconds.values()
        numbers += [each.numbers.failover_seconds or 0.0, each.objective_seconds or 0.0]
    return Span(0, max(numbers))


def comparison(journal: Journal, span: Span) -> Picture | None:
    """The prediction as a band, the measurement as a diamond, the objective as a line.

    Args:
        journal: The run.
        span: What ``common_span`` gave for all rows.

    Returns:
        The picture; None where there is nothing to show.
    """
    scale = Scale(span, _EDGE, _WIDTH - _EDGE)
    predicted, measured = journal.predicted_seconds, journal.numbers.failover_seconds
    middle = _HEIGHT / 2
    if measured is None and not predicted:
        return None
    shapes: list[Shape] = []
    if "best" in predicted and "worst" in predicted:
        best, worst = scale.at(predicted["best"]), scale.at(predicted["worst"])
        shapes.append(Rect(best, middle - 5, max(worst - best, 2), 10, "band"))
        for key in ("median", "p95"):
            if key in predicted:
                x = scale.at(predicted[key])
                shapes.append(Line(x, middle - 5, x, middle + 5, f"predicted {key}"))
    if journal.objective_seconds is not None:
        x = scale.at(journal.objective_seconds)
        shapes.append(Line(x, 1, x, _HEIGHT - 1, "moment objective"))
    if measured is not None:
        shapes.append(Mark(scale.at(measured), middle, "diamond", "measured"))
    track = Line(scale.left, middle, scale.right, middle, "grid")
    return Picture(_WIDTH, _HEIGHT, "", "", [track, *shapes])
