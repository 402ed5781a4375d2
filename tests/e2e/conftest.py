"""The order of the files, and hosts with the example's probe."""

from collections.abc import Iterator

import pytest

from tests.e2e.machine import requirements
from tests.e2e.probed_hosts import Cloud, Host
from tests.support import Template, example, synthesize

LONGEST_FIRST = (
    "test_probe_on_hosts.py",
    "test_rehearsal.py",
    "test_drills_in_rehearsal.py",
    "test_statsd_on_hosts.py",
    "test_probe_document_on_hosts.py",
    "test_wheel.py",
    "test_oldest_cdk.py",
    "test_pipelines.py",
    "test_servers.py",
    "test_machine.py",
    "test_other_pythons.py",
)
"""Files of more than a minute: a worker that has ended takes the next one, so all end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="module")
def template() -> Template:
    """The stack of the example's probe, with a check of the other host."""
    reason = requirements.missing()
    if reason:
        pytest.skip(reason)
    return synthesize([example(lambda env: env.update(probe={"peer": True}))])[
        "bookstore-production-probe"
    ]


@pytest.fixture(scope="module")
def cloud(template: Template) -> Iterator[Cloud]:
    """The cloud of the hosts of a file."""
    with Cloud() as made:
        yield made


@pytest.fixture
def host(cloud: Cloud, template: Template, request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of a test's own, without a probe, under a name of its own."""
    with Host(cloud, request.node.name, template) as made:
        yield made
