"""The edits of a service file: what each changes, and what `resiliency review` says of it.

The same table is explained in docs/reviewing-change-sets.md.
"""

from tests.stacks.edits.drills import DRILL_ROWS as DRILL_ROWS
from tests.stacks.edits.hosts import HOST_ROWS
from tests.stacks.edits.measures import MEASURE_ROWS
from tests.stacks.edits.row import Row as Row
from tests.stacks.edits.service import SERVICE_ROWS

ROWS = [*HOST_ROWS, *MEASURE_ROWS, *SERVICE_ROWS]
