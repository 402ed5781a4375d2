"""docs/drill-command.md shows what the command really prints."""

import pytest

from tests.fake_aws.command import CommandAccount
from tests.resiliency.conftest import Resiliency
from tests.resiliency.drill_cli.showing import outputs
from tests.support import ROOT

pytestmark = pytest.mark.no_cover


def test_every_output_in_the_document_is_the_commands_own(
    made: CommandAccount, drill: Resiliency
) -> None:
    document = (ROOT / "docs" / "drill-command.md").read_text(encoding="utf-8")
    for what, output in outputs(made, drill).items():
        assert f"```\n{output}\n```" in document, what
