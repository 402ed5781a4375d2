"""What `cdk synth` wrote is read as stacks, or refused with the way to mend it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.errors import UserError
from tests.cases import cases

STACK = "aws:cloudformation:stack"


def write(folder: Path, artifacts: Mapping[str, object], **files: object) -> Path:
    """A cloud assembly with artifacts and further JSON files; ``a__b`` is the file a.b.json."""
    (folder / "manifest.json").write_text(json.dumps({"version": "53", "artifacts": artifacts}))
    for name, content in files.items():
        (folder / f"{name.replace('__', '.')}.json").write_text(json.dumps(content))
    return folder


def stack(name: str, *dependencies: str, **more: object) -> dict[str, object]:
    return {
        "type": STACK,
        "environment": "aws://532151327118/us-west-2",
        "properties": {"templateFile": f"{name}.template.json", "stackName": name},
        "dependencies": list(dependencies),
        **more,
    }


def test_a_stack_is_read_with_all_that_is_reported_of_it(tmp_path: Path) -> None:
    template = {"Resources": {"Key": {"Type": "AWS::KMS::Key", "Properties": {"Enabled": True}}}}
    folder = write(
        tmp_path,
        {"topics.assets": {"type": "cdk:asset-manifest"}, "topics": stack("topics")},
        topics__template=template,
    )
    assert read_assembly(folder) == [
        SynthesizedStack(
            name="topics",
            account="532151327118",
            region="us-west-2",
            template=template,
            depends_on=[],
            warnings=[],
        )
    ]


def test_stacks_come_in_the_order_of_deployment(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "site": stack("site", "site.assets", "topics", "zone"),
            "site.assets": {"type": "cdk:asset-manifest"},
            "topics": stack("topics", "zone"),
            "zone": stack("zone"),
        },
        site__template={},
        topics__template={},
        zone__template={},
    )
    stacks = read_assembly(folder)
    assert [(each.name, each.depends_on) for each in stacks] == [
        ("zone", []),
        ("topics", ["zone"]),
        ("site", ["topics", "zone"]),
    ]


def test_a_stack_waits_for_stacks_by_their_own_names(tmp_path: Path) -> None:
    properties = {"templateFile": "topics.template.json", "stackName": "prod-topics"}
    folder = write(
        tmp_path,
        {"Topics": {**stack("topics"), "properties": properties}, "site": stack("site", "Topics")},
        topics__template={},
        site__template={},
    )
    assert [each.depends_on for each in read_assembly(folder)] == [[], ["prod-topics"]]


def test_a_stack_without_a_name_has_that_of_its_artifact(tmp_path: Path) -> None:
    artifact = {**stack("x"), "properties": {"templateFile": "x.template.json"}}
    (found,) = read_assembly(write(tmp_path, {"site": artifact}, x__template={}))
    assert found.name == "site"


def warning(text: str) -> Mapping[str, object]:
    return {"type": "aws:cdk:warning", "data": text}


def test_warnings_are_read_from_the_manifest_and_from_the_file_beside_it(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "site": stack(
                "site",
                metadata={"/site": [warning("in the manifest"), {"type": "aws:cdk:info"}]},
                additionalMetadataFile="site.metadata.json",
            )
        },
        site__template={},
        site__metadata={"/site/x": [warning("beside it [ack: staged-resiliency:long-ttl]")]},
    )
    (found,) = read_assembly(folder)
    assert found.warnings == ["in the manifest", "beside it"]


def test_properties_of_a_type_are_found(tmp_path: Path) -> None:
    resources = {
        "A": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "a"}},
        "B": {"Type": "AWS::KMS::Key"},
        "C": {"Type": "AWS::SNS::Topic"},
    }
    (found,) = read_assembly(
        write(tmp_path, {"site": stack("site")}, site__template={"Resources": resources})
    )
    assert found.properties_of("AWS::SNS::Topic") == [{"TopicName": "a"}, {}]


def refused(folder: Path, message: str) -> None:
    with pytest.raises(UserError) as raised:
        read_assembly(folder)
    assert str(raised.value) == message


def test_a_folder_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    folder, file = tmp_path / "none", tmp_path / "cdk.out"
    refused(folder, f"{folder}/manifest.json: does not exist; run `npx cdk synth` first")
    file.touch()
    refused(
        file, f"{file}/manifest.json: can't be read (Not a directory); run `npx cdk synth` first"
    )


@cases(
    ("manifest", "message"),
    {
        "cut off": (
            b'{"artifacts": {',
            "can't be read (Expecting property name enclosed in double quotes: line 1 column 16 "
            "(char 15)); run `npx cdk synth` first",
        ),
        "no object": (b"[]", "is not a JSON object; run `npx cdk synth` first"),
        "no text": (
            b"\xff",
            "can't be read ('utf-8' codec can't decode byte 0xff in position 0: invalid start "
            "byte); run `npx cdk synth` first",
        ),
    },
)
def test_a_manifest_that_is_no_json_is_refused(
    tmp_path: Path, manifest: bytes, message: str
) -> None:
    (tmp_path / "manifest.json").write_bytes(manifest)
    refused(tmp_path, f"{tmp_path}/manifest.json: {message}")


OTHER_FORM = "/manifest.json: is not of the form that `cdk synth` writes; synthesize again"


@cases(
    ("artifacts", "message"),
    {
        "no stack": ({"Tree": {"type": "cdk:tree"}}, ": has no stack; run `npx cdk synth` first"),
        "no template": (
            {"site": stack("other")},
            "/other.template.json: does not exist; synthesize again",
        ),
        "list of artifacts": ([], OTHER_FORM),
        "list for an artifact": ({"site": []}, OTHER_FORM),
        "environment": ({"site": {"type": STACK, "environment": "here"}}, OTHER_FORM),
        "stack that waits for itself": ({"site": stack("site", "site")}, OTHER_FORM),
        "metadata": ({"site": stack("site", metadata=[1])}, OTHER_FORM),
    },
)
def test_a_manifest_of_another_form_is_refused(
    tmp_path: Path, artifacts: Mapping[str, object], message: str
) -> None:
    refused(write(tmp_path, artifacts, site__template={}), f"{tmp_path}{message}")
