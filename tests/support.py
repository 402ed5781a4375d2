"""What tests share: the example service, edits of it, and templates as plain data."""

import copy
import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aws_cdk
from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.service_file.loader import examine
from resiliency.service_file.model.service import Service
from resiliency.service_file.yaml_source import Document, parse
from stacks.application import add_stacks, new_app

ROOT = Path(__file__).parent.parent
EXAMPLE_FILE = ROOT / "services" / "bookstore.yaml"

# Objective and drills are last in the example. Other subjects are tested without them, so that an
# edit or a mistake affects only its own subject; the fixtures of the example include them.
_EXAMPLE = EXAMPLE_FILE.read_text(encoding="utf-8")
EXAMPLE_CORE = _EXAMPLE.partition("    objective:")[0]
EXAMPLE_DRILLS = "".join(_EXAMPLE.partition("    drills:")[1:])

templates_folder: Path | None = None
"""Where templates are kept for the rest of the session; set by a fixture of all tests."""

Template = Mapping[str, Any]
Data = dict[str, Any]


def example_data(*, whole: bool = False) -> Data:
    """The content of services/bookstore.yaml, to be edited freely; whole only if asked for."""
    return copy.deepcopy(_parsed(_EXAMPLE if whole else EXAMPLE_CORE))


@functools.cache
def _parsed(text: str) -> Data:
    document = Document("bookstore.yaml")
    parse(text, document)
    data: Data = document.data
    return data


def production(data: Data) -> Data:
    """The example's one environment."""
    environment: Data = data["environments"]["production"]
    return environment


def service_of(data: Data) -> Service:
    """A sound service; a wrong one fails the test with its problems."""
    examined = examine(Document("test.yaml", data=data))
    assert not examined.problems, "\n".join(str(problem) for problem in examined.problems)
    assert examined.service is not None
    return examined.service


def example(edit: Callable[[Data], object] | None = None, *, whole: bool = False) -> Service:
    """The example service, edited; whole only if asked for."""
    data = example_data(whole=whole)
    if edit is not None:
        edit(production(data))
    return service_of(data)


def app_as_by_the_cli(outdir: str | None = None) -> App:
    """An application with the context that the CDK CLI would give it from cdk.json."""
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    of_the_cli = {
        "aws:cdk:disable-path-metadata": not settings["pathMetadata"],
        # The CLI reads the report and prints it; see ``synth``.
        "@aws-cdk/core:failSynthOnValidationErrors": False,
    }
    return new_app(outdir, context={**settings["context"], **of_the_cli})


def synth(app: App) -> CloudAssembly:
    """Synthesize an application; what the CDK's validation finds in a template fails the test.

    Warnings fail it too, except those that constructs give on purpose, which have their own tests,
    and those of parameters that nothing refers to (W2001), which only tests make.
    """
    assembly = app.synth()
    if os.environ.get("CDK_VALIDATION") == "false":  # in `make test`
        return assembly
    if not hasattr(aws_cdk, "Validations"):  # the oldest of tests/e2e/test_oldest_cdk.py
        return assembly
    report = json.loads((Path(assembly.directory) / "validation-report.json").read_bytes())
    found = [
        f"{violation['ruleName']} {violation['violatingConstructs']}: {violation['description']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        if not violation["ruleName"].startswith(("Annotation::", "W2001"))
    ]
    assert not found, "\n".join(found)
    return assembly


def synthesize(services: Iterable[Service]) -> Mapping[str, Template]:
    """The templates of an application, by stack name; see ``synthesized``."""
    return {stack.name: stack.template for stack in synthesized(services)}


def synthesized(services: Iterable[Service]) -> Sequence[SynthesizedStack]:
    """The stacks of an application.

    Each application is built once in a session of tests, by whichever worker needs it first. The
    templates are copies, which a test may edit.
    """
    assert templates_folder is not None, "tests build templates; their collection does not"
    services = list(services)
    digest = hashlib.sha256(repr(services).encode()).hexdigest()
    kept = templates_folder / f"templates-{digest}.json"
    if not kept.exists():
        written = kept.with_suffix(f".{os.getpid()}")
        fields = [asdict(each) for each in _built(services)]
        written.write_text(json.dumps(fields), encoding="utf-8")
        written.replace(kept)
    return [SynthesizedStack(**each) for each in json.loads(kept.read_text(encoding="utf-8"))]


def synthesize_anew(services: Iterable[Service]) -> Mapping[str, Template]:
    """The templates of an application, for a test that changes what builds them."""
    return {stack.name: stack.template for stack in _built(services)}


def _built(services: Iterable[Service]) -> Sequence[SynthesizedStack]:
    with tempfile.TemporaryDirectory() as folder:
        app = app_as_by_the_cli(folder)
        add_stacks(app, services)
        synth(app)
        return read_assembly(Path(folder))


def resources_of(template: Template, resource_type: str) -> Mapping[str, Data]:
    """The resources of a type, by logical id."""
    return {
        logical_id: resource
        for logical_id, resource in template.get("Resources", {}).items()
        if resource["Type"] == resource_type
    }


def records_of(template: Template) -> list[Data]:
    """The properties of the failover records, a primary before its secondary."""
    records = resources_of(template, "AWS::Route53::RecordSet").values()
    return [record["Properties"] for record in records]


def only(template: Template, resource_type: str) -> Data:
    """The properties of the one resource of a type."""
    found = resources_of(template, resource_type)
    assert len(found) == 1, f"{len(found)} resources of type {resource_type}"
    properties: Data = next(iter(found.values()))["Properties"]
    return properties
