"""What the CloudWatch agent measures on hosts: its configuration, and its metrics' dimensions.

An alarm needs all dimensions of a metric, so the configuration leaves none of them to the host:
``append_dimensions`` puts the instance's ID in place of the host's name, and a disk is reported by
its path alone, without the type of its file system. How the agent names metrics and dimensions is
in its sources: https://github.com/aws/amazon-cloudwatch-agent
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Final

from staged_resiliency.shared import limits, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal

NAMESPACE: Final = "CWAgent"
"""The namespace of all metrics: the agent's default, which it keeps beside other configurations."""

INTERVAL_SECONDS: Final = 60
_INSTANCE: Final = "InstanceId"
_PATH: Final = "path"


@dataclass(frozen=True, slots=True)
class HostMetric:
    """A metric that the agent publishes for each host.

    Attributes:
        name: Its name.
        others: Its dimensions beside ``InstanceId``.
    """

    name: str
    others: Mapping[str, str] = field(default_factory=dict)

    def dimensions(self, instance_id: str) -> Mapping[str, str]:
        """Return all dimensions of the metric of an instance."""
        return {_INSTANCE: instance_id, **self.others}


MEMORY: Final = HostMetric("mem_used_percent")
"""Used memory in percent."""


def disk_metric(path: str) -> HostMetric:
    """Return the metric of the used space of a mounted file system, in percent."""
    return HostMetric("disk_used_percent", {_PATH: path})


class Processes(ABC):
    """Processes that the agent counts; use one of the kinds below."""

    @property
    @abstractmethod
    def selector(self) -> tuple[str, str]:
        """The key of the agent's plugin procstat that selects processes, and its pattern."""

    @property
    def metric(self) -> HostMetric:
        """The metric of their number, which is 0 where none runs."""
        key, pattern = self.selector
        return HostMetric("procstat_lookup_pid_count", {key: pattern, "pid_finder": "native"})


@dataclass(frozen=True, slots=True)
class ProcessesByName(Processes):
    """Processes by the file name of their executable, where links are followed.

    Attributes:
        name: The file name, such as ``java``. Interpreters of Python are refused, as they run
            more than one program of a host: give ``ProcessesByCommand``.

    Raises:
        InvalidInputError: An invalid name.

    Example:
        >>> ProcessesByName("java").metric.name
        'procstat_lookup_pid_count'
    """

    name: str

    def __post_init__(self) -> None:
        _check("ProcessesByName", "name", self.name, executable_name)

    @property
    def selector(self) -> tuple[str, str]:
        """The pattern, which the agent searches in the path of each process's executable.

        Linux marks the path of a file that an update replaced while the process runs.
        """
        return "exe", rf"(^|/){re.escape(self.name)}( \(deleted\))?$"


@dataclass(frozen=True, slots=True)
class ProcessesByCommand(Processes):
    r"""Processes by a text in their command lines.

    Attributes:
        text: The text, such as ``gunicorn shop.wsgi``.

    Raises:
        InvalidInputError: An invalid text.

    Example:
        >>> ProcessesByCommand("shop.wsgi").metric.others
        {'pattern': 'shop\\.wsgi', 'pid_finder': 'native'}
    """

    text: str

    def __post_init__(self) -> None:
        _check("ProcessesByCommand", "text", self.text, command_text)

    @property
    def selector(self) -> tuple[str, str]:
        """The text as a pattern, which the agent searches in command lines."""
        return "pattern", re.escape(self.text)


@dataclass(frozen=True, slots=True)
class CloudWatchAgentConfiguration:
    """What the CloudWatch agent measures, once a minute; the same for all hosts of a service.

    Attributes:
        memory: Whether used memory is measured; not unless given.
        disks: Paths at which file systems are mounted, whose used space is measured.
        processes: Processes that are counted.

    Raises:
        InvalidInputError: Nothing to measure, a value twice, an invalid path, or more than fits
            into a parameter.

    Example:
        >>> configuration = CloudWatchAgentConfiguration(memory=True, disks=["/"])
        >>> [metric.name for metric in configuration.metrics]
        ['mem_used_percent', 'disk_used_percent']
    """

    owner: ClassVar[str] = "CloudWatchAgentConfiguration"
    memory: bool = False
    disks: Sequence[str] = ()
    processes: Sequence[Processes] = ()

    def __post_init__(self) -> None:
        for path in self.disks:
            _check(self.owner, "disks", path, mount_path)
        for name, values in (("disks", self.disks), ("processes", self.processes)):
            if len(set(values)) < len(values):
                raise InvalidInputError(f"{self.owner}: {name}: has a value twice; give each once")
        if not self.metrics:
            raise InvalidInputError(
                f"{self.owner}: has no memory, disks or processes: there is nothing to measure"
            )
        size = len(self.rendered())
        if size > limits.MAX_PARAMETER_CHARACTERS:
            raise InvalidInputError(
                f"{self.owner}: makes a parameter of {size} characters; Systems Manager takes "
                f"{limits.MAX_PARAMETER_CHARACTERS}, so give fewer disks and processes"
            )

    @property
    def metrics(self) -> Sequence[HostMetric]:
        """The metrics of each host."""
        return [
            *([MEMORY] if self.memory else []),
            *map(disk_metric, self.disks),
            *(each.metric for each in self.processes),
        ]

    def rendered(self) -> str:
        """Return the agent's configuration in JSON.

        Namespace and dimensions are those of the whole agent. They are written out, so that the
        agent refuses to merge a configuration that has others, instead of changing either.
        """
        collected: dict[str, object] = {}
        if self.memory:
            collected["mem"] = _plugin("used_percent")
        if self.disks:
            collected["disk"] = {
                **_plugin("used_percent"),
                "resources": list(self.disks),
                # Published by its path alone, and not by device and type of file system too.
                "drop_original_metrics": ["disk_used_percent"],
            }
        if self.processes:
            collected["procstat"] = [
                {key: pattern, **_plugin("pid_count")}
                for key, pattern in (each.selector for each in self.processes)
            ]
        metrics: dict[str, object] = {
            "namespace": NAMESPACE,
            "append_dimensions": {_INSTANCE: "${aws:InstanceId}"},
            **({"aggregation_dimensions": [[_INSTANCE, _PATH]]} if self.disks else {}),
            "metrics_collected": collected,
        }
        return json.dumps({"metrics": metrics}, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """The SHA-256 of the configuration, which shows whether a host has this one."""
        return sha256(self.rendered().encode()).hexdigest()


def _check(owner: str, name: str, value: str, check: Callable[[str], str]) -> None:
    if isinstance(value, str) and not is_literal(value):
        raise InvalidInputError(
            f"{owner}: {name}: is a token, which only the deployment knows; give a plain text"
        )
    checked(owner, name, value, check)


def _plugin(measurement: str) -> Mapping[str, object]:
    return {"measurement": [measurement], "metrics_collection_interval": INTERVAL_SECONDS}


def executable_name(value: str) -> str:
    """Validate the file name of an executable, except of one that runs many programs."""
    if value.startswith("python"):
        raise ValueError(
            f"{validation.shown(value)} also runs the probe and system programs; select the "
            "process by its command line, such as command: shop.wsgi"
        )
    return validation.matching(
        value,
        r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}",
        "the file name of an executable (letters, digits and . _ + -, at most 64)",
        "java",
    )


command_text = validation.by_pattern(
    r"(?! )[A-Za-z0-9 ._/:=@,+-]{3,100}(?<! )",
    "a text of a command line (letters, digits, spaces and . _ / : = @ , + -, 3 to 100)",
    "gunicorn shop.wsgi",
)


mount_path = validation.by_pattern(
    r"/|(?=.{1,64}$)(/[A-Za-z0-9._-]+)+",
    "the path of a mounted file system (letters, digits and . _ - between slashes, at most 64)",
    "/var/lib/shop",
)
