"""Thousands of targets: one listener that answers on every loopback address.

python -m benchmarks.probing.scale_targets    prints its port and runs until it is ended
"""

import socket
from typing import Final

_PER_NETWORK: Final = 250


def address(number: int) -> str:
    """The loopback address of a target."""
    rest, last = divmod(number, _PER_NETWORK)
    second, third = divmod(rest, _PER_NETWORK)
    return f"127.{second + 1}.{third}.{last + 1}"


def main() -> None:
    """Accept and close."""
    with socket.socket() as listener:
        # Every address of loopback and no other: nobody else can connect.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        listener.bind(("0.0.0.0", 0))
        listener.listen(socket.SOMAXCONN)
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            connection.close()


if __name__ == "__main__":
    main()
