"""Reads what `cdk synth` wrote: the stacks of a cloud assembly, as plain data.

Format: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html and the manifest schema in
aws-cdk's cloud-assembly-schema.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final, cast

from resiliency.errors import UserError

_STACK: Final = "aws:cloudformation:stack"
_WARNING: Final = "aws:cdk:warning"

JsonObject = Mapping[str, Any]
"""A JSON object of a file whose schema is not ours; values are looked at one by one."""


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """One stack of a cloud assembly.

    Attributes:
        name: Name of the stack.
        account: AWS account id it would be deployed to.
        region: Region it would be deployed to.
        template_file: The template.
        template: The template's content.
        depends_on: Names of the stacks that are deployed before it.
        warnings: What synthesis warned about.
    """

    name: str
    account: str
    region: str
    template_file: Path
    template: JsonObject
    depends_on: Sequence[str]
    warnings: Sequence[str]

    @property
    def resources(self) -> Mapping[str, JsonObject]:
        """The resources by logical id."""
        return cast(Mapping[str, JsonObject], self.template.get("Resources", {}))

    def properties_of(self, resource_type: str) -> Sequence[JsonObject]:
        """The properties of each resource of a type."""
        return [
            resource.get("Properties", {})
            for resource in self.resources.values()
            if resource.get("Type") == resource_type
        ]


def read_assembly(folder: Path) -> Sequence[SynthesizedStack]:
    """The stacks of a cloud assembly, in the order in which they would be deployed.

    Args:
        folder: The output folder of `cdk synth`, usually ``cdk.out``.

    Raises:
        UserError: The folder holds no readable cloud assembly.
    """
    file = folder / "manifest.json"
    manifest = _json(file, "run `npx cdk synth` first")
    try:
        stacks = _stacks(folder, manifest.get("artifacts", {}))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file}: is not of the form that `cdk synth` writes; synthesize again"
        ) from error
    if not stacks:
        raise UserError(f"{folder}: holds no stack; run `npx cdk synth` first")
    return stacks


def _stacks(folder: Path, artifacts: Mapping[str, JsonObject]) -> Sequence[SynthesizedStack]:
    stacks = {
        artifact_id: _stack(folder, artifact_id, artifact, artifacts)
        for artifact_id, artifact in artifacts.items()
        if artifact.get("type") == _STACK
    }
    order = TopologicalSorter({id_: _needed(artifacts[id_], artifacts) for id_ in stacks})
    return [stacks[artifact_id] for artifact_id in order.static_order()]


def _needed(artifact: JsonObject, artifacts: Mapping[str, JsonObject]) -> Sequence[str]:
    """The artifact ids of the stacks that a stack waits for."""
    return [
        name
        for name in artifact.get("dependencies", ())
        if artifacts.get(name, {}).get("type") == _STACK
    ]


def _stack(
    folder: Path, artifact_id: str, artifact: JsonObject, artifacts: Mapping[str, JsonObject]
) -> SynthesizedStack:
    properties = cast(JsonObject, artifact.get("properties", {}))
    template_file = folder / str(properties.get("templateFile"))
    _, _, account, region = str(artifact.get("environment", "aws:///")).split("/")[:4]
    return SynthesizedStack(
        name=_name(artifact_id, artifact),
        account=account,
        region=region,
        template_file=template_file,
        template=_json(template_file, "synthesize again"),
        depends_on=[_name(id_, artifacts[id_]) for id_ in _needed(artifact, artifacts)],
        warnings=_warnings(folder, artifact),
    )


def _name(artifact_id: str, artifact: JsonObject) -> str:
    return str(artifact.get("properties", {}).get("stackName", artifact_id))


def _warnings(folder: Path, artifact: JsonObject) -> Sequence[str]:
    metadata = dict(artifact.get("metadata", {}))
    if "additionalMetadataFile" in artifact:
        metadata |= _json(folder / artifact["additionalMetadataFile"], "synthesize again")
    return [
        str(entry["data"]).partition(" [ack: ")[0]
        for entries in metadata.values()
        for entry in entries
        if entry.get("type") == _WARNING
    ]


def _json(file: Path, hint: str) -> JsonObject:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file}: is not there; {hint}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: can't be read ({error}); {hint}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: is no JSON object; {hint}")
    return content
