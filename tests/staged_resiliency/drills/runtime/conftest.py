"""The account in which single functions run."""

from collections.abc import Iterator

import pytest

from tests.fake_aws.account import Account, account


@pytest.fixture
def made() -> Iterator[Account]:
    """An account with the shutdown drill."""
    with account() as found:
        yield found
