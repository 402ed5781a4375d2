"""The service file: its model, its loader, its rules and their messages.

Nothing here imports the CDK, so a file is checked in a tenth of a second.
"""

from resiliency.service_file.errors import Problem, ServiceFileError
from resiliency.service_file.loader import load
from resiliency.service_file.model.hosts import Host
from resiliency.service_file.model.service import Environment, Service

__all__ = ["Environment", "Host", "Problem", "Service", "ServiceFileError", "load"]
