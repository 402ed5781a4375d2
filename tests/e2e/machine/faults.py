"""Ports that fall silent, as when a route or a firewall swallows packets."""

from tests.e2e.machine.container import Container

_TABLE = "inet test-faults"


def drop(container: Container, port: int) -> None:
    """From now on, nothing that the container sends to this TCP or UDP port arrives."""
    rules = f"""
        add table {_TABLE}
        add chain {_TABLE} sent {{ type filter hook output priority 0; }}
        add rule {_TABLE} sent meta l4proto {{ tcp, udp }} th dport {port} drop
    """
    container.run(["nft", "--file", "-"], input=rules)


def heal(container: Container) -> None:
    """All ports of the container speak again. A reboot heals too."""
    # Made first, so that there is one to delete.
    container.run(["nft", "--file", "-"], input=f"add table {_TABLE}\ndelete table {_TABLE}\n")
