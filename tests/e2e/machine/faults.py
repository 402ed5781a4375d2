"""Drops packets to a port, as a wrong route or a firewall does."""

from tests.e2e.machine.container import Container

_TABLE = "inet test-faults"


def drop(container: Container, port: int) -> None:
    """Drop all packets from the container to this TCP or UDP port."""
    rules = f"""
        add table {_TABLE}
        add chain {_TABLE} sent {{ type filter hook output priority 0; }}
        add rule {_TABLE} sent meta l4proto {{ tcp, udp }} th dport {port} drop
    """
    container.run(["nft", "--file", "-"], input=rules)


def heal(container: Container) -> None:
    """Stop dropping packets of the container; a reboot does the same."""
    # Made first, so that there is one to delete.
    container.run(["nft", "--file", "-"], input=f"add table {_TABLE}\ndelete table {_TABLE}\n")
