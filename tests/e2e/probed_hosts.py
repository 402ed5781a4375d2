"""Hosts with the probe on them, and the cloud that it speaks to.

The document, the parameters and the names are those of the synthesized templates. Only what can't
be here is put in: CloudWatch's endpoint, and addresses for the dependencies' names.
"""

import base64
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from tests.e2e.machine.closing import Closing
from tests.e2e.machine.cloudwatch import CloudWatch
from tests.e2e.machine.container import Container
from tests.e2e.machine.metadata_service import Instance, MetadataService
from tests.e2e.machine.network import GATEWAY, METADATA, PrivateNetwork
from tests.e2e.machine.processes import run
from tests.e2e.machine.put_metric_data import Metric, Point
from tests.e2e.machine.step_order import Invocation, Status
from tests.e2e.machine.systems_manager import run_document
from tests.e2e.machine.targets import TcpTarget
from tests.support import ROOT, Data, Template, only

NAMESPACE: Final = "Bookstore"
UNIT: Final = "resiliency-probe-bookstore.service"
HOME: Final = "/opt/resiliency-probe/bookstore"
CONFIGURATION: Final = "/etc/resiliency-probe/bookstore.json"
STATE: Final = "/var/lib/private/resiliency-probe-bookstore"
BLUE: Final = "bookstore-api-blue"
GREEN: Final = "bookstore-api-green"
DB: Final = "db-connectivity"
DEPENDENCIES: Final = {
    "db.bookstore.pingpublications.com": 5432,
    "cdn.bookstore.pingpublications.com": 80,
}

Edit = Callable[[Data], object]


class Cloud(Closing):
    """A network with CloudWatch, the metadata service and the dependencies.

    Attributes:
        network: Where hosts are.
        cloudwatch: Takes the metrics.
        metadata: Tells instances who they are.
    """

    def __init__(self) -> None:
        """Start the network and its services."""
        self._open = ExitStack()
        self.network = self._open.enter_context(PrivateNetwork())
        listen = self.network.listen
        self.cloudwatch = self._open.enter_context(CloudWatch(lambda: listen(GATEWAY, 8080)))
        self.metadata = self._open.enter_context(MetadataService(listen(METADATA, 80), {}))
        for port in DEPENDENCIES.values():
            self._open.enter_context(TcpTarget(listen(GATEWAY, port)))

    def close(self) -> None:
        """Stop the network and its services."""
        self._open.close()


class Host(Container):
    """An instance with its Name tag, on which Systems Manager can run the document.

    Attributes:
        tag: Its Name tag, which may be another one's too; its host name is its own.
    """

    _numbers = itertools.count(1)

    def __init__(self, cloud: Cloud, tag: str, template: Template, **more: Any) -> None:
        """Boot the host; ``more`` are arguments of ``Container``."""
        super().__init__(f"host-{next(self._numbers)}", network=cloud.network, **more)
        self.tag = tag
        self._cloud = cloud
        association = only(template, "AWS::SSM::Association")
        self.document: Data = only(template, "AWS::SSM::Document")["Content"]
        self.parameters: Data = association["Parameters"]
        cloud.metadata.instances[self.address] = Instance(tags={"Name": tag})
        known = "".join(f"{GATEWAY} {host}\n" for host in DEPENDENCIES)
        self.write("/etc/hosts", f"127.0.0.1 localhost {self.name}\n{known}")

    @property
    def configuration(self) -> Data:
        """The agent's configuration, as the template has it, with this CloudWatch's endpoint."""
        (encoded,) = self.parameters["Configuration"]
        decoded: Data = json.loads(base64.b64decode(encoded))
        return {**decoded, "endpoint_url": f"http://{GATEWAY}:8080"}

    def systems_manager(
        self, edit: Edit | None = None, *, document: Data | None = None, **parameters: str
    ) -> Invocation:
        """Run the document, as its association does.

        Args:
            edit: Edits the configuration first.
            document: Another version of the document.
            parameters: Parameters in place of the association's.
        """
        configuration = self.configuration
        if edit is not None:
            edit(configuration)
        encoded = base64.b64encode(json.dumps(configuration).encode()).decode()
        given = {**self.parameters, "Configuration": [encoded]}
        given |= {name: [value] for name, value in parameters.items()}
        return run_document(self, document or self.document, given)

    def install(self, edit: Edit | None = None) -> Invocation:
        """Run the document, and require success."""
        invocation = self.systems_manager(edit)
        assert invocation.status is Status.SUCCESS, invocation
        return invocation

    @property
    def pid(self) -> int:
        """The agent's process id; 0 while it does not run."""
        return int(self.property(UNIT, "MainPID"))

    def metric(self, name: str, **dimensions: str) -> Mapping[datetime, Point]:
        """The statistics of one of this host's metrics, by minute."""
        return self._cloud.cloudwatch.points(
            NAMESPACE, Metric.of(name, **{"Host": self.tag, **dimensions})
        )


def other_version(folder: Path, edit: Callable[[Path], object]) -> Data:
    """The document of another version of the agent.

    Args:
        folder: Where a copy of the library is made.
        edit: Edits the agent's sources in it, in the folder that it is given.
    """
    run(["cp", "--recursive", str(ROOT / "constructs" / "staged_resiliency"), str(folder)])
    edit(folder / "staged_resiliency" / "probe" / "agent")
    script = (
        "import json; from staged_resiliency.probe.document_builder import build_document; "
        "print(json.dumps(build_document()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(folder)},
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    document: Data = json.loads(done.stdout)
    return document


def no_peers(configuration: Data) -> None:
    """Leave out the checks of the other host."""
    del configuration["peers"]


def quick_without_peers(configuration: Data) -> None:
    """Shorten the times, where a test is not about them."""
    configuration.update(interval_seconds=2, timeout_seconds=1)
    no_peers(configuration)
