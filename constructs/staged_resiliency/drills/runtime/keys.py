"""Names on which the functions and their permissions agree: tags, folders, parameters."""

from typing import Final

RUN_TAG: Final = "staged-resiliency:run"
"""Tag of an experiment: ARN of the execution that started it."""

SERVICE_TAG: Final = "staged-resiliency:service"
ENVIRONMENT_TAG: Final = "staged-resiliency:environment"
DRILL_TAG: Final = "staged-resiliency:drill"
INSTANCE_TAG: Final = "staged-resiliency:instance"
"""Tags of an experiment; permissions are limited to experiments of the service and environment."""

BLACKHOLE_DOCUMENT: Final = "AWSFIS-Run-Network-Blackhole-Port"
PACKET_LOSS_DOCUMENT: Final = "AWSFIS-Run-Network-Packet-Loss-Sources"
LATENCY_DOCUMENT: Final = "AWSFIS-Run-Network-Latency-Sources"
"""Systems Manager's documents that drop packets to a port, and drop and delay packets to names and
addresses:
https://docs.aws.amazon.com/fis/latest/userguide/actions-ssm-agent.html"""

LOCKS: Final = "/staged-resiliency/drill-locks"
"""Path of the locks of instances in Parameter Store."""

BEGUN: Final = "begun/"
ENDED: Final = "ended/"
OWN_FOLDERS: Final = (BEGUN, ENDED, "journals/", "live/", "occurrences/", "runs/")
"""Folders of the journal bucket in which the functions create objects."""

APPROVALS: Final = "approvals/"
"""The folder in which people create objects."""

REPORTS: Final = "fis-reports/"
"""The folder in which FIS creates its own reports."""
