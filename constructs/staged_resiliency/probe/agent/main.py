"""The agent's command line."""

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

from . import metadata
from .attempt import Tools
from .config import ENDPOINT, Config, ConfigError, load
from .identity import IdentityError, ask_ec2, identify, this_machine
from .journal import Journal
from .loop import Loop
from .run_once import is_failing, results_of_one_round, table
from .systemd import ServiceManager

FAILING, UNUSABLE = 1, 2
ONCE_SECONDS = 10.0  # for EC2 to return this host's name while somebody waits for the table
# Lookups run in threads; this is ample for the C library's resolver, instead of 8 MB each.
THREAD_STACK_BYTES = 512 * 1024


def main(arguments: Sequence[str]) -> int:
    """Run the agent, or another mode if the arguments name one; return the exit status.

    It is 0, 1 when ``--once`` found that a target or another peer fails, or 2 for a configuration
    that can't be used.
    """
    options = _parser().parse_args(arguments)
    try:
        config = load(options.configuration)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    if options.check_config:
        count = f"{len(config.targets)} targets and {len(config.peers)} peers"
        print(f"{options.configuration}: valid: {count} every {config.interval_seconds} s")
        return 0
    threading.stack_size(THREAD_STACK_BYTES)
    with contextlib.suppress(ValueError, OSError):  # a socket for each sample in progress
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if options.once:
        return _once(config, metadata.Metadata(options.metadata_url))
    next_config: Config | None = config
    while next_config is not None:
        next_config = _serve(options, next_config)
    return 0


def _once(config: Config, instance: metadata.Metadata) -> int:
    """Check once and print the table; a host does not check itself as a peer."""
    host, note = config.host, ""
    if config.peers and not host:
        try:
            host = identify(config, instance, partial(ask_ec2, seconds=ONCE_SECONDS)).host
        except IdentityError as error:
            note = f"peers do not count: one may be this host, whose name is unknown: {error}"
    if config.peers and host and host not in config.peers:
        note = f"this host, {host}, is not a peer, and checks no peers"
    results = results_of_one_round(config, Tools(Loop()), host)
    print(table(results))
    if note:
        print(note)
    return FAILING if is_failing(results, host) else 0


def _serve(options: argparse.Namespace, config: Config) -> Config | None:
    """Run the agent until it ends; return the configuration to restart with, if any."""
    from .agent import Agent  # with botocore, which nothing else here needs

    loop = Loop()
    agent = Agent(
        file=options.configuration,
        config=config,
        state=options.state,
        tools=Tools(loop),
        metadata=metadata.Metadata(options.metadata_url),
        journal=Journal(every_sample=config.journal == "samples"),
        manager=ServiceManager(),
        machine=this_machine(),
    )
    signal.signal(signal.SIGHUP, lambda *_: loop.call_soon(agent.reload))
    signal.signal(signal.SIGTERM, lambda *_: loop.call_soon(agent.end))
    signal.signal(signal.SIGINT, lambda *_: loop.call_soon(agent.end))
    # A signal that reaches another thread wakes the loop, in whose thread Python handles it.
    signal.set_wakeup_fd(loop.wakeup_fd, warn_on_full_buffer=False)
    agent.run()
    signal.set_wakeup_fd(-1)
    loop.close()
    return agent.next_config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resiliency-probe",
        description="Checks whether this host reaches its targets, and publishes to CloudWatch.",
    )
    parser.add_argument("--configuration", type=Path, required=True, metavar="FILE")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--once", action="store_true", help="check every target once, and print a table"
    )
    mode.add_argument(
        "--check-config", action="store_true", help="check FILE, and print what is wrong with it"
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("STATE_DIRECTORY"),
        help="keeps data that can't be published; $STATE_DIRECTORY, else memory only",
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
    if not ENDPOINT.allows(text):
        raise argparse.ArgumentTypeError(f"must be {ENDPOINT.description}, not {text!r}")
    return text
