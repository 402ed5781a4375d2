"""A network of several containers, with a cloud on it, apart from this machine's own network.

The bridge, its addresses and all that listens there stand in a network namespace of their own. So
the same addresses can be used by two test runs at once, the metadata address of a machine that is
itself an instance is left alone, and nothing remains afterwards.
"""

import socket
from dataclasses import dataclass
from typing import Final

from tests.e2e.machine.closing import Closing
from tests.e2e.machine.namespaces import Kind, Namespace
from tests.e2e.machine.processes import run

BRIDGE: Final = "cloud0"
GATEWAY: Final = "10.197.0.1"
"""The address of the fake services, and of the containers' name server if a test runs one."""

GATEWAY_IPV6: Final = "fd00:197::1"
METADATA: Final = "169.254.169.254"
"""Where instances look for their metadata (EC2 User Guide, instancedata-data-retrieval)."""

_BRIDGE_MAC: Final = "02:00:00:00:00:01"
_FIRST_HOST: Final = 11
_LAST_HOST: Final = 250


UNIT: Final = "test-network.service"
"""The container's unit that sets its addresses."""

_UNIT: Final = """\
[Unit]
Description=Addresses of the test network
DefaultDependencies=no
Wants=network.target network-online.target
Before=network.target network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set host0 up
ExecStart=ip address add {ipv4}/24 dev host0
ExecStart=ip address add {ipv6}/64 dev host0 nodad
ExecStart=ip route add {metadata}/32 dev host0
ExecStart=ip route add default via {gateway}
[Install]
WantedBy=sysinit.target
"""


@dataclass(frozen=True)
class Addresses:
    """A container's address on its network."""

    ipv4: str
    ipv6: str


def unit(addresses: Addresses) -> str:
    """The content of UNIT."""
    return _UNIT.format(
        ipv4=addresses.ipv4, ipv6=addresses.ipv6, metadata=METADATA, gateway=GATEWAY
    )


class PrivateNetwork(Closing):
    """A bridge for containers. Its cloud side carries GATEWAY and METADATA."""

    def __init__(self) -> None:
        """Create the network, until ``close`` or the end of this process."""
        self.namespace = Namespace(Kind.NETWORK)
        self._next = _FIRST_HOST
        for words in (
            "link set lo up",
            # An address of its own: else it takes one of a container's, and another when that ends.
            f"link add {BRIDGE} address {_BRIDGE_MAC} type bridge",
            f"address add {GATEWAY}/24 dev {BRIDGE}",
            f"address add {GATEWAY_IPV6}/64 dev {BRIDGE} nodad",
            f"address add {METADATA}/32 dev {BRIDGE}",
            f"link set {BRIDGE} up",
        ):
            run([*self.namespace.entering(), "ip", *words.split()])

    def new_addresses(self) -> "Addresses":
        """Addresses that no other container of this network has."""
        if self._next > _LAST_HOST:
            raise ValueError("this network has no more addresses")
        number, self._next = self._next, self._next + 1
        return Addresses(f"10.197.0.{number}", f"fd00:197::{number:x}")

    def listen(self, address: str, port: int) -> socket.socket:
        """A TCP socket that listens on the cloud side; 0 picks a port.

        The thread that serves it may live anywhere.
        """

        def make() -> socket.socket:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=family, backlog=128)

        return self.namespace.inside(make)

    def datagrams(self, address: str, port: int) -> socket.socket:
        """Bind a UDP socket on the cloud side, for example for a name server."""

        def make() -> socket.socket:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            made = socket.socket(family, socket.SOCK_DGRAM)
            made.bind((address, port))
            return made

        return self.namespace.inside(make)

    def close(self) -> None:
        """Remove the network; its containers should be closed first."""
        self.namespace.close()
