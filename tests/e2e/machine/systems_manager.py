"""Runs a Command document in a container, as the Systems Manager agent would on an instance.

What the agent does, from its source (https://github.com/aws/amazon-ssm-agent, ``agent/plugins/
runscript`` and ``agent/executers``): each step's commands become a file that ``sh -c`` runs as
root, without a login, with nothing on its standard input, in /usr/bin. The step ends when its
output ends, or with its timeout, when its process group is killed.
"""

import os
import signal
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from tests.e2e.machine import processes
from tests.e2e.machine.command_document import Given, Step, resolved
from tests.e2e.machine.container import Container
from tests.e2e.machine.step_order import KILLED, Invocation, Outcome, run_steps

AGENT_FILES: Final = "/var/lib/amazon"
"""The agent's folder of scripts and output, which a document does not clean up."""

WORKING_DIRECTORY: Final = "/usr/bin"

_LAST_WORDS_SECONDS: Final = 1


def run_document(
    container: Container,
    document: Mapping[str, Any],
    parameters: Given | None = None,
    *,
    instance_id: str = "i-0123456789abcdef0",
    region: str = "us-west-2",
) -> Invocation:
    """Run a document's steps, and wait for them.

    Args:
        container: The instance.
        document: The document's content, of schema 2.2.
        parameters: Values of its parameters.
        instance_id: What the agent says the instance is.
        region: Where it says it is.

    Raises:
        DocumentError: Systems Manager would not run it, or it needs what is not done here.
    """
    folder = f"{AGENT_FILES}/ssm/{instance_id}/document/orchestration/{uuid.uuid4()}"
    environment = {
        "PATH": processes.PATH,
        "LANG": "C.UTF-8",
        "AWS_SSM_INSTANCE_ID": instance_id,
        "AWS_SSM_REGION_NAME": region,
        "AWS_SSM_PLATFORM_NAME": "Debian GNU/Linux",
        "AWS_SSM_PLATFORM_VERSION": "12",
    }

    def run(step: Step) -> Outcome:
        script = f"{folder}/{step.name}/_script.sh"
        container.write(script, step.script, mode="0700")
        return _ran(container, step, script, environment)

    return run_steps(resolved(document, parameters), run)


def _ran(container: Container, step: Step, script: str, environment: Mapping[str, str]) -> Outcome:
    process = subprocess.Popen(
        [
            *container.entering(),
            *("env", f"--chdir={WORKING_DIRECTORY}"),
            *("sh", "-c", script),
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A process group of its own, to be killed as a whole.
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=step.timeout_seconds)
        status = process.returncode
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        stdout, stderr = _last_words(process)
        status = KILLED
    return Outcome(status, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _last_words(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Return the output of a killed process, even if a child outside its group still prints."""
    try:
        return process.communicate(timeout=_LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired as late:
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        return late.stdout or b"", late.stderr or b""
