"""What the CloudWatch agent measures on the hosts."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from resiliency.service_file.model.alarms import AlarmMetric, InDrills, OwnAlarm
from resiliency.service_file.model.values import Section, Slug
from staged_resiliency.probe import cloudwatch_configuration
from staged_resiliency.shared import names


def _percent(value: float) -> float:
    if not 0 < value <= 100:
        raise ValueError(
            f"{value:g} is not a percentage that can be reached; allowed: above 0, at most 100"
        )
    return value


Percent = Annotated[
    float,
    AfterValidator(_percent),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]

MountPath = Annotated[str, AfterValidator(cloudwatch_configuration.mount_path)]


class CountedProcesses(Section):
    """Processes, by name or by command, and the least number of them that a host must run."""

    name: Annotated[str, AfterValidator(cloudwatch_configuration.executable_name)] | None = Field(
        default=None,
        description="File name of their executable, where links are followed.",
        examples=["java"],
    )
    command: Annotated[str, AfterValidator(cloudwatch_configuration.command_text)] | None = Field(
        default=None,
        description="Text in their command lines, in place of name.",
        examples=["gunicorn shop.wsgi"],
    )
    at_least: Annotated[int, Field(ge=1)] = Field(
        default=1, description="The alarm fires when fewer run."
    )

    @property
    def counted(self) -> cloudwatch_configuration.Processes:
        """The processes as the agent counts them."""
        if self.name is not None:
            return cloudwatch_configuration.ProcessesByName(self.name)
        return cloudwatch_configuration.ProcessesByCommand(self.command or "")


class CloudWatchAgent(Section):
    """The CloudWatch agent on the hosts, and an alarm for each host on all that it measures.

    An entry of ``alarms`` with the name of one of these alarms takes its place.
    """

    memory_percent: Percent | None = Field(
        default=None,
        description="Used memory in percent from which the alarm 'memory' fires, after 5 minutes.",
        examples=[90],
    )
    disk_percent: dict[MountPath, Percent] = Field(
        default={},
        description="Used space in percent from which an alarm fires, for each path at which a "
        "file system is mounted: 'disk-root' for /, 'disk-var-lib' for /var/lib.",
        examples=[{"/": 85}],
    )
    processes: dict[Slug, CountedProcesses] = Field(
        default={},
        description="Processes that must run, by short name; the alarm 'process-<name>' fires "
        "after 2 minutes.",
        examples=[{"web": {"name": "java"}}],
    )
    in_drills: InDrills = Field(
        default="quiet", description="How drills treat these alarms, as those under alarms."
    )
    state: Literal["present", "absent"] = Field(
        default="present",
        description="Whether the agent has this configuration. 'absent' removes it from the agent "
        "of each host, and the alarms; deploy 'absent' before you delete the stack.",
    )

    @property
    def configuration(self) -> cloudwatch_configuration.CloudWatchAgentConfiguration:
        """What the agent measures."""
        return cloudwatch_configuration.CloudWatchAgentConfiguration(
            memory=self.memory_percent is not None,
            disks=list(self.disk_percent),
            processes=list(dict.fromkeys(each.counted for each in self.processes.values())),
        )

    @property
    def alarms(self) -> Mapping[str, OwnAlarm]:
        """The alarms on all that it measures, by name."""
        found = {}
        if self.memory_percent is not None:
            found["memory"] = self._used(
                "Memory", cloudwatch_configuration.MEMORY, self.memory_percent
            )
        for path, percent in self.disk_percent.items():
            metric = cloudwatch_configuration.disk_metric(path)
            found[names.disk_alarm(path)] = self._used(f"Disk {path}", metric, percent)
        for name, processes in self.processes.items():
            fewest = processes.at_least
            several = f"Fewer than {fewest} processes {name} run"
            found[names.process_alarm(name)] = OwnAlarm(
                label=f"No process {name} runs" if fewest == 1 else several,
                metric=_agent_metric(processes.counted.metric),
                statistic="Minimum",
                below=fewest,
                in_drills=self.in_drills,
            )
        return found

    def _used(
        self, what: str, metric: cloudwatch_configuration.HostMetric, percent: float
    ) -> OwnAlarm:
        return OwnAlarm(
            label=f"{what} is {percent:g} % used",
            metric=_agent_metric(metric),
            at_least=percent,
            evaluation_periods=5,
            in_drills=self.in_drills,
        )


def _agent_metric(metric: cloudwatch_configuration.HostMetric) -> AlarmMetric:
    return AlarmMetric(
        namespace=cloudwatch_configuration.NAMESPACE,
        name=metric.name,
        dimensions=dict(metric.dimensions("{instance_id}")),
    )
