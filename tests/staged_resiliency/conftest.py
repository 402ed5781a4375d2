"""An application and a stack for the tests of constructs before synthesis."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack

from tests.staged_resiliency.support import HERE
from tests.support import app_as_by_the_cli


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An application that writes to a folder of the test."""
    return app_as_by_the_cli(str(tmp_path))


@pytest.fixture
def stack(app: App) -> Stack:
    """A stack in a known account and region."""
    return Stack(app, "Test", env=HERE)
