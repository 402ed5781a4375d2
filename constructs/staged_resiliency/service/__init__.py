"""The service file: its model, how it is read, and what is said when it is wrong.

Nothing here imports the CDK, so a file can be checked in a tenth of a second.
"""

from staged_resiliency.service.files import load
from staged_resiliency.service.model import Environment, Host, Service
from staged_resiliency.service.problems import Problem, ServiceFileError

__all__ = ["Environment", "Host", "Problem", "Service", "ServiceFileError", "load"]
