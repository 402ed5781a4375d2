"""The command line."""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import metadata, values
from .attempt import Tools
from .config import Config, ConfigError, load
from .identity import IdentityError, ask_ec2, identify
from .journal import Journal
from .loop import Loop
from .run_once import is_failing, results_of_one_round, table
from .systemd import ServiceManager

FAILING, UNUSABLE = 1, 2
ONCE_SECONDS = 10.0  # for which somebody waits for EC2 to tell this host's name
# Lookups run in threads; this is ample for the C library's resolver, and not 8 MB each.
THREAD_STACK_BYTES = 512 * 1024


def main(arguments: Sequence[str]) -> int:
    """Run the agent, or what the arguments ask for; returns the exit status.

    0; 1 when ``--once`` found a target or another peer failing; 2 for a configuration that can't
    be used.
    """
    given = _parser().parse_args(arguments)
    try:
        config = load(given.configuration)
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return UNUSABLE
    if given.check_config:
        told = f"{len(config.targets)} targets and {len(config.peers)} peers"
        print(f"{given.configuration}: sound: {told} every {config.interval_seconds} s")
        return 0
    threading.stack_size(THREAD_STACK_BYTES)
    with contextlib.suppress(ValueError, OSError):  # a socket for each sample under way
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if given.once:
        return _once(config, metadata.Metadata(given.metadata_url))
    successor: Config | None = config
    while successor is not None:
        successor = _serve(given, successor)
    return 0


def _once(config: Config, of_host: metadata.Metadata) -> int:
    """Ask once; who this host is matters where there are peers."""
    host, note = config.host, ""
    if config.peers and not host:
        try:
            host = identify(config, of_host, partial(ask_ec2, seconds=ONCE_SECONDS)).host
        except IdentityError as error:
            note = f"this host's name is not known, so a peer may be itself; none counts: {error}"
    if config.peers and host and host not in config.peers:
        note = f"this host, {host}, is none of the peers, and asks none of them"
    results = results_of_one_round(config, Tools(Loop()), host)
    print(table(results))
    if note:
        print(note)
    return FAILING if is_failing(results, host) else 0


def _serve(given: argparse.Namespace, config: Config) -> Config | None:
    """Run the agent until it ends; the configuration to start anew with, if any."""
    from .agent import Agent  # with botocore, which nothing else here needs

    loop = Loop()
    agent = Agent(
        file=given.configuration,
        config=config,
        state=given.state,
        tools=Tools(loop),
        metadata=metadata.Metadata(given.metadata_url),
        journal=Journal(every_sample=config.journal == "samples"),
        manager=ServiceManager(),
    )
    signal.signal(signal.SIGHUP, lambda *_: loop.soon(agent.reload))
    signal.signal(signal.SIGTERM, lambda *_: loop.soon(agent.end))
    signal.signal(signal.SIGINT, lambda *_: loop.soon(agent.end))
    # Whichever thread a signal reaches, it wakes the loop, in which Python then handles it.
    signal.set_wakeup_fd(loop.bell, warn_on_full_buffer=False)
    agent.run()
    signal.set_wakeup_fd(-1)
    loop.close()
    return agent.successor


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resiliency-probe",
        description="Measures what this host reaches and publishes it to CloudWatch.",
    )
    parser.add_argument("--configuration", type=Path, required=True, metavar="FILE")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--once", action="store_true", help="ask every target once, print a table")
    what.add_argument("--check-config", action="store_true", help="tell what is wrong with FILE")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("STATE_DIRECTORY"),
        help="where data wait that can't be published; $STATE_DIRECTORY, else memory alone",
    )
    parser.add_argument(
        "--metadata-url",
        type=_url,
        default=metadata.DEFAULT_URL,
        metavar="URL",
        help="the instance metadata service",
    )
    return parser


def _url(text: str) -> str:
    try:
        values.url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
