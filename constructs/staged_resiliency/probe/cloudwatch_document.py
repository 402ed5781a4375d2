"""The Command document that installs the CloudWatch agent and configures it.

One document, since State Manager does not run associations in an order. It calls the agent's own
program for what Systems Manager's AmazonCloudWatch-ManageAgent does, so that the agent restarts
only when its configuration is not the given one, and no configuration of others is touched.
"""

from collections.abc import Mapping
from typing import Any, Final

from staged_resiliency.probe.document import script_lines
from staged_resiliency.probe.probe_agent import State

PARAMETER_PREFIX: Final = "AmazonCloudWatch-"
"""How AWS's own policies for the agent expect the names of parameters to begin."""

_ON_LINUX: Final = {"StringEquals": ["platformType", "Linux"]}


def parameter_name(name: str) -> str:
    """Return the name of the parameter with the configuration of an agent."""
    return f"{PARAMETER_PREFIX}{name}"


def document_content(state: State) -> Mapping[str, Any]:
    """Return the document's content, the same for every service.

    >>> [step["name"] for step in document_content("present")["mainSteps"]]
    ['Install', 'Configure']
    """
    parameters = {
        "Parameter": {
            "type": "String",
            "description": "Name of the parameter with the configuration.",
            "allowedPattern": rf"^{PARAMETER_PREFIX}[A-Za-z0-9_.-]+$",
        }
    }
    if state == "absent":
        return {
            "schemaVersion": "2.2",
            "description": "Removes a configuration from the CloudWatch agent.",
            "parameters": parameters,
            "mainSteps": [_shell("Remove", "cloudwatch_remove.sh")],
        }
    digest = {
        "type": "String",
        "description": "SHA-256 of the configuration.",
        "allowedPattern": "^[0-9a-f]{64}$",
    }
    install = {
        "action": "aws:configurePackage",
        "name": "Install",
        "precondition": _ON_LINUX,
        "inputs": {"name": "AmazonCloudWatchAgent", "action": "Install", "onFailure": "exit"},
    }
    return {
        "schemaVersion": "2.2",
        "description": "Installs the CloudWatch agent and adds a configuration to it.",
        "parameters": {**parameters, "Digest": digest},
        "mainSteps": [install, _shell("Configure", "cloudwatch_configure.sh")],
    }


def _shell(name: str, script: str) -> Mapping[str, Any]:
    return {
        "action": "aws:runShellScript",
        "name": name,
        "precondition": _ON_LINUX,
        "inputs": {
            "timeoutSeconds": "600",
            "onFailure": "exit",
            "runCommand": script_lines(script),
        },
    }
