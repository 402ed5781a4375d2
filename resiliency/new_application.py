"""A CDK application that deploys service files by the wheel, without a copy of this repository."""

import json
import re
import zipfile
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from resiliency.errors import UsageError, UserError, reason_of

NAME: Final = "cdk-staged-resiliency"

PIPELINES: Final[Mapping[str, tuple[str, str]]] = {
    "github": ("github-actions.yml", ".github/workflows/failover.yml"),
    "gitlab": ("gitlab-ci.yml", ".gitlab-ci.yml"),
    "jenkins": ("Jenkinsfile", "Jenkinsfile"),
    "codepipeline": ("codepipeline.yaml", "codepipeline.yaml"),
}
"""The pipelines in examples/pipelines/, and the file of each in an application."""

EXAMPLE: Final = "bookstore"

_SCHEMA: Final = Path(__file__).parent / "service_file" / "service.schema.json"
_SCHEMA_LINE: Final = "# yaml-language-server: $schema=../service.schema.json\n"

_APP: Final = '''\
"""The CDK application: service files in, stacks out."""

from staged_resiliency_app.synthesis import synthesize

synthesize()
'''

_VARIABLES: Final = re.compile(r"\$\{[A-Z0-9_]+\}(:\$\{[A-Z0-9_]+\})?")

_IGNORED: Final = """\
/.venv/
/node_modules/
/cdk.out/
/out/
"""

_REQUIREMENTS: Final = "# This package, and the versions that it is tested with."

MAKEFILE: Final = """\
# Python 3.10 or newer and make are needed; everything else is installed below this folder.
SERVICES ?= services
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: demo synth

demo: synth  ## Say what would be deployed, and rehearse failures of every pair of hosts
	resiliency summary cdk.out
	resiliency rehearse cdk.out

synth: .venv/.installed  ## Check the service files, and write the templates to cdk.out
	resiliency check $(SERVICES)
	npx cdk synth --quiet -c services=$(SERVICES)

.venv/.installed: requirements.txt package-lock.json
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r $<
	npm ci --no-audit --no-fund --silent
	touch $@
"""

_README: Final = """\
# Failover of our services

Each file in `services/` describes a service on a pair of EC2 instances. This CDK application makes
alarms, health checks, failover records, the probe and drills of it, by {package} {version}.

```
make demo     # check services/, write the templates, print what would be deployed and its cost, and
              # rehearse failures of every pair of hosts
make synth    # only check, and write the templates to cdk.out
```

The first run installs everything below this folder. After it, `. .venv/bin/activate` gives the
commands `resiliency` and `npx cdk`. With credentials for the account:

```
npx cdk bootstrap aws://ACCOUNT/REGION aws://ACCOUNT/us-east-1   # once per account and region
npx cdk diff
npx cdk deploy SERVICE-ENVIRONMENT-failover SERVICE-ENVIRONMENT-failover-alarm
```

| file | holds |
|---|---|
| `services/` | a file for each service; by `service.schema.json` editors complete and check them |
| `app.py`, `cdk.json` | the application, and the settings of the CDK |
| `requirements.txt`, `package.json` | the versions that {package} {version} is tested with |
| `{pipeline}` | a pipeline that reviews, rehearses, tests and deploys; its head says what to set |

## The pipeline

It deploys to staging, starts the drill `shutdown` there, and deploys to production only where
`resiliency gate` passes. So the service needs the environments `staging` and `production`, with
drills; the example has `production` alone. The roles that deploy may assume `cdk-*`, the roles of
the CDK's bootstrap. The page "Delivery pipelines" of the package's documentation has the policies
of all roles.

## Update

To update, let the new wheel write another application (`resiliency init --app NEW`), compare the
two folders, and review what would change: `resiliency review cdk.out NEW/cdk.out`.
"""


def new_application(
    service: tuple[str, str] | None, *, wheel: str | None, pipeline: str
) -> Mapping[str, bytes]:
    """Return the files of an application that can be synthesized without further edits.

    Args:
        service: Name and text of its service file; those of the example unless given.
        wheel: File or URL of this package; where it was installed from unless given.
        pipeline: Which of ``PIPELINES`` it has.

    Raises:
        UsageError: The file is not this package's wheel, or no wheel is given.
        UserError: The wheel can't be read.
    """
    requirement, copies = _requirement(wheel)
    source, target = PIPELINES[pipeline]
    name, text = service or (EXAMPLE, _of_repository(f"services/{EXAMPLE}.yaml"))
    settings = json.loads(_of_repository("cdk.json"))
    settings["watch"]["include"] = ["app.py", "services/**"]
    pins = [
        line
        for line in _of_repository("requirements.in").splitlines()
        if not line.startswith(("#", "hatchling"))  # which builds the package
    ]
    texts = {
        "app.py": _APP,
        "cdk.json": json.dumps(settings, indent=2) + "\n",
        "package.json": _of_repository("package.json"),
        "package-lock.json": _of_repository("package-lock.json"),
        "requirements.txt": "\n".join([_REQUIREMENTS, requirement, *pins, ""]),
        "service.schema.json": _SCHEMA.read_text("utf-8"),
        f"services/{name}.yaml": _SCHEMA_LINE + text.partition("\n")[2],
        target: _of_repository(f"examples/pipelines/{source}")
        .replace(EXAMPLE, name)
        .replace("docs/pipelines.md", "README.md"),
        "Makefile": MAKEFILE,
        "README.md": _README.format(
            package=NAME, version=distribution(NAME).version, pipeline=target
        ),
        ".gitignore": _IGNORED,
    }
    return {**{file: text.encode() for file, text in texts.items()}, **copies}


def _of_repository(path: str) -> str:
    """Return a file of the repository, which the wheel has in a folder of its own."""
    package = Path(__file__).parent
    in_wheel = package / "repository"
    return ((in_wheel if in_wheel.is_dir() else package.parent) / path).read_text("utf-8")


def _requirement(wheel: str | None) -> tuple[str, Mapping[str, bytes]]:
    """Return the line for pip that installs this package, and the wheel if it is a file.

    pip notes in direct_url.json where a package comes from, unless from an index:
    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    installed = distribution(NAME)
    if wheel is None:
        noted = installed.read_text("direct_url.json")
        if noted is None:
            return f"{NAME}=={installed.version}", {}
        origin = json.loads(noted)
        if "archive_info" not in origin:
            raise UsageError(
                "init: this package was not installed from a wheel; make one (`make wheel`) and "
                "give its file or URL as --wheel"
            )
        url = urlsplit(origin["url"])
        wheel = url2pathname(url.path) if url.scheme == "file" else origin["url"]
    if wheel.startswith(("https://", "http://")):
        login, at, _ = urlsplit(wheel).netloc.rpartition("@")
        if at and not _VARIABLES.fullmatch(login):
            raise UsageError(
                "init: --wheel has a user name or a password, which requirements.txt would show to "
                "everybody; give variables such as ${TOKEN}, which pip reads from the environment"
            )
        return f"{NAME} @ {wheel}", {}
    file = Path(wheel)
    try:
        content = file.read_bytes()
        names = zipfile.ZipFile(file).namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: can't be read as a wheel ({reason_of(error)})") from None
    expected = f"{NAME.replace('-', '_')}-{installed.version}.dist-info/METADATA"
    if expected not in names:
        raise UsageError(f"{file}: is not the wheel of {NAME} {installed.version}")
    return f"./{file.name}", {file.name: content}
