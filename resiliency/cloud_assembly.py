"""Read the stacks of the cloud assembly that `cdk synth` wrote, as plain data.

Format: https://docs.aws.amazon.com/cdk/v2/guide/deploy.html and the manifest schema in
aws-cdk's cloud-assembly-schema.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final, cast

from resiliency.errors import UserError, reason_of
from staged_resiliency.experiment.json_codec import JsonObject

_STACK: Final = "aws:cloudformation:stack"
_WARNING: Final = "aws:cdk:warning"


@dataclass(frozen=True, slots=True)
class SynthesizedStack:
    """One stack of a cloud assembly; account and region are those of its environment.

    Attributes:
        depends_on: Names of the stacks that are deployed before it.
        warnings: The warnings of its synthesis.
    """

    name: str
    account: str
    region: str
    template: JsonObject
    depends_on: Sequence[str] = ()
    warnings: Sequence[str] = ()

    @property
    def resources(self) -> Mapping[str, JsonObject]:
        """The resources by logical id."""
        return cast(Mapping[str, JsonObject], self.template.get("Resources", {}))

    def properties_of(self, resource_type: str) -> Sequence[JsonObject]:
        """Return the properties of each resource of a type."""
        return [
            resource.get("Properties", {})
            for resource in self.resources.values()
            if resource.get("Type") == resource_type
        ]


def read_assembly(folder: Path) -> Sequence[SynthesizedStack]:
    """Return the stacks that `cdk synth` wrote to a folder, in the order of their deployment.

    Raises:
        UserError: The folder has no readable cloud assembly.
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
        raise UserError(f"{folder}: has no stack; run `npx cdk synth` first")
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
    """Return the artifact ids of the stacks that a stack depends on."""
    return [
        name
        for name in artifact.get("dependencies", ())
        if artifacts.get(name, {}).get("type") == _STACK
    ]


def _stack(
    folder: Path, artifact_id: str, artifact: JsonObject, artifacts: Mapping[str, JsonObject]
) -> SynthesizedStack:
    properties = cast(JsonObject, artifact.get("properties", {}))
    _, _, account, region = str(artifact.get("environment", "aws:///")).split("/")[:4]
    return SynthesizedStack(
        name=_name(artifact_id, artifact),
        account=account,
        region=region,
        template=_json(folder / str(properties.get("templateFile")), "synthesize again"),
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
        raise UserError(f"{file}: does not exist; {hint}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: can't be read ({reason_of(error)}); {hint}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file}: is not a JSON object; {hint}")
    return content
