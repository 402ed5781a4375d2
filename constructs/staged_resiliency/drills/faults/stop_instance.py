"""The fault that stops an instance."""

from dataclasses import dataclass

from staged_resiliency.drills.alarm_effects import AlarmEffect, AlarmKind, WatchedAlarm
from staged_resiliency.drills.faults.fault import (
    Action,
    HostFault,
    PairOfHosts,
    Place,
    Statement,
    instance_arns,
    start_hosts,
)
from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.shared import time_limits


@dataclass(frozen=True, slots=True)
class StopInstance(HostFault):
    """Stops an EC2 instance and starts it again after a fixed time, with AWS FIS.

    Attributes:
        host_name: The host: its Name tag.
        instance: The instance, or its id. It needs an Elastic IP: a stopped instance loses any
            other public address.
        duration_minutes: How long it is stopped, 1 to 720.

    Raises:
        InvalidInputError: A value that FIS would refuse.

    Example:
        >>> StopInstance("shop-blue", "i-0123456789abcdef0", duration_minutes=10).seconds
        600

    See https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
    """

    kind = FaultKind.STOP_INSTANCE
    role_id = "StopInstanceRole"
    start_seconds = time_limits.INSTANCE_START_SECONDS

    def action(self, place: Place) -> Action:
        """The action that stops the instance, and starts it after the fault's duration."""
        return Action(
            "aws:ec2:stop-instances",
            f"Stops {self.host_name}, and starts it again.",
            {"startInstancesAfterDuration": f"PT{self.duration_minutes}M"},
        )

    def statements(self, pair: PairOfHosts) -> list[Statement]:
        """The permissions to stop either host and to start it."""
        return [
            {
                "Sid": "StopTheHosts",
                "Effect": "Allow",
                "Action": "ec2:StopInstances",
                "Resource": instance_arns(pair.instances, pair.place),
            },
            *start_hosts(pair.names, pair.instances, pair.volume_keys, pair.place),
        ]

    def effect_on(self, alarm: WatchedAlarm) -> AlarmEffect:
        """The effect on the metric of an alarm: the host sends and answers nothing."""
        mine = alarm.host == self.host_name
        if alarm.watches is AlarmKind.OTHER:
            return AlarmEffect.NONE  # nobody knows who publishes it
        if alarm.watches is AlarmKind.PEER:
            # Who asks is the other host: it sees the failure, or is the one that stopped.
            return AlarmEffect.FAILS if mine else AlarmEffect.SILENT
        return AlarmEffect.SILENT if mine else AlarmEffect.NONE
