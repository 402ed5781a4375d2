"""A drill that really ran, in moto's interpreter with the functions called for real, as seen here."""

import pytest

from staged_resiliency.drill_command.screen import Screen
from staged_resiliency.drill_command.aws import Aws
from staged_resiliency.drill_command.follow import follow
from staged_resiliency.drill_command.journals import Recorded, listed, read_all
from staged_resiliency.drill_command.stack import DeployedDrill
from staged_resiliency.drill_command.watching import Watched
from tests.drill_command.account import Clock
