"""The configuration file: read as a whole, and every problem told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from . import values
from .check_config import check_of
from .checks import Check
from .json_section import Object, Section

# More samples a second would need more than about a tenth of a core.
MAX_SAMPLES_PER_SECOND = 1000
MAX_BYTES = 4_000_000
_MOST_DIGITS = 20
JOURNAL = ("samples", "changes")


class Target(NamedTuple):
    """What is measured, and under which metric.

    Attributes:
        metric: Name of the metric.
        check: How it is asked.
    """

    metric: str
    check: Check


@dataclass(frozen=True)
class Config:
    """A sound configuration.

    Attributes:
        service: Short name of the service.
        namespace: CloudWatch namespace of all metrics.
        targets: What this host must reach.
        peers: How each host of the service is asked by the others, by its name.
        interval_seconds: Seconds between two samples of a target.
        timeout_seconds: Deadline of a sample.
        journal: ``samples``: a line for each; ``changes``: one when a target's state changes.
        host: Name of this host; its Name tag unless given.
        region: AWS region; the instance's unless given.
        endpoint_url: CloudWatch endpoint; the region's unless given.
    """

    service: str
    namespace: str
    targets: tuple[Target, ...]
    peers: Mapping[str, Check] = field(default_factory=dict)
    interval_seconds: int = 10
    timeout_seconds: float = 5
    journal: str = "samples"
    host: str = ""
    region: str = ""
    endpoint_url: str = ""


class ConfigError(Exception):
    """A configuration that can't be used.

    Attributes:
        problems: A line for each: where, what was found, what is allowed.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(file: Path) -> Config:
    """The configuration in a file.

    Raises:
        ConfigError: Everything that is wrong with it, each line beginning with the file.
    """
    try:
        with file.open("rb") as opened:
            return parse(opened.read(MAX_BYTES + 1))
    except OSError as error:
        problems = [f"can't be read: {error.strerror}; give a file that this user may read"]
    except ConfigError as error:
        problems = error.problems
    raise ConfigError([f"{values.plain(str(file))}: {problem}" for problem in problems])


def parse(data: bytes) -> Config:
    """The configuration in the content of a file; raises ``ConfigError``."""
    problems: list[str] = []
    config = _config(Section(_content(data), "", problems))
    if problems:
        raise ConfigError(problems)
    return config


def _content(data: bytes) -> object:
    """What JSON says."""
    if len(data) > MAX_BYTES:
        raise ConfigError([f"has more than {MAX_BYTES} bytes, the most that is read"])
    if not data.strip():
        raise ConfigError(["is empty; it must hold a JSON object {...}"])
    try:
        text = data.decode("utf-8")
        if text.startswith("\ufeff"):
            raise ConfigError(["begins with a byte order mark; save it as UTF-8 without one"])
        return json.loads(text, object_pairs_hook=Object, parse_int=_whole_number)
    except RecursionError:
        raise ConfigError(["is nested too deeply to be read"]) from None
    except UnicodeDecodeError as error:
        told = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; save it as UTF-8"
        raise ConfigError([told]) from None
    except json.JSONDecodeError as error:
        what = values.plain(error.msg).removesuffix(" at")
        told = f"is not JSON: {what} at line {error.lineno}, column {error.colno}"
        raise ConfigError([told]) from None


def _whole_number(digits: str) -> float:
    """Python refuses to read endless digits; no number here needs them."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _config(top: Section) -> Config:
    service = top.text("service", values.slug, required=True)
    namespace = top.text("namespace", values.namespace, required=True)
    interval = top.number("interval_seconds", 10, values.interval)
    timeout = top.number("timeout_seconds", 5, values.timeout)
    if timeout >= interval and not top.wrong("interval_seconds", "timeout_seconds"):
        top.problem(
            "timeout_seconds",
            f"timeout_seconds ({timeout:g}) >= interval_seconds ({interval:g}): a sample could "
            "still run when the next one is due; give a timeout below the interval",
        )
    before = len(top.problems)
    targets, peers = _targets(top), _peers(top)
    if len(top.problems) == before and not top.wrong("interval_seconds"):
        _limit(top, len(targets) + max(0, len(peers) - 1), int(interval))
    config = Config(
        service=service,
        namespace=namespace,
        targets=tuple(targets),
        peers=peers,
        interval_seconds=int(interval),
        timeout_seconds=timeout,
        journal=top.choice("journal", JOURNAL, "samples"),
        host=top.text("host", values.host),
        region=top.text("region", values.region),
        endpoint_url=top.text("endpoint_url", values.url),
    )
    top.nothing_else()
    return config


def _limit(top: Section, count: int, interval: int) -> None:
    """Tell of an amount of work that makes no sense."""
    if not count:
        top.problem("targets", "is empty, and there are no peers: give something to measure")
    if count / interval > MAX_SAMPLES_PER_SECOND:
        fitting = [each for each in values.INTERVALS if count / each <= MAX_SAMPLES_PER_SECOND]
        way = f", or an interval of {fitting[0]} s or more" if fitting else ""
        top.problem(
            "targets",
            f"{count} targets and peers / {interval} s = {count / interval:g} samples a second; "
            f"at most {MAX_SAMPLES_PER_SECOND}: give fewer{way}",
        )


def _targets(top: Section) -> list[Target]:
    found: list[Target] = []
    first: dict[str, str] = {}
    for section in top.sections("targets"):
        metric = section.text("metric", values.metric, required=True)
        if metric in first:
            section.problem("metric", f"'{metric}' is the metric of {first[metric]}; give another")
        if metric:
            first.setdefault(metric, section.path)
        check = check_of(section)
        if check is not None:
            section.nothing_else()
            found.append(Target(metric, check))
    return found


def _peers(top: Section) -> dict[str, Check]:
    found: dict[str, Check] = {}
    given = top.section("peers")
    if given is None:
        return found
    for name in given.names():
        section = given.section(name)
        try:
            values.host(name)
        except ValueError as error:
            given.problem(name, str(error))
        if section is None:
            continue
        check = check_of(section)
        if check is not None:
            section.nothing_else()
            found[name] = check
    if len(given.names()) == 1:
        top.problem("peers", "names one host; a host is asked by others: give two or more")
    return found
