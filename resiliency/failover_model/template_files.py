"""Reads templates from files and folders: from `cdk synth`, and JSON or YAML of any origin."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from resiliency.cloud_assembly import read_assembly
from resiliency.errors import reason_of
from resiliency.failover_model.expressions import TemplateError
from staged_resiliency.experiment.json_codec import JsonObject

DEFAULT_FOLDER: Final = Path("cdk.out")
"""The default output folder of `cdk synth`."""


def read_templates(paths: Sequence[Path]) -> Mapping[str, JsonObject]:
    """Read the templates of one design, keyed by stack name or, for single files, by file name.

    The paths are folders that `cdk synth` wrote, and templates as JSON or YAML.

    Raises:
        UserError: A folder holds no readable cloud assembly.
        TemplateError: A file can't be read, or is no template.
    """
    found: dict[str, JsonObject] = {}
    for path in paths:
        if path.is_dir():
            found.update({stack.name: stack.template for stack in read_assembly(path)})
        else:
            found[str(path)] = _template(path)
    return found


def _template(file: Path) -> JsonObject:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "; run `npx cdk synth` first" if file == DEFAULT_FOLDER else ""
        raise TemplateError(f"{file}: is not there{hint}") from None
    except (OSError, ValueError) as error:
        raise TemplateError(f"{file}: can't be read ({reason_of(error)})") from None
    return parse_template(text, str(file))


def parse_template(text: str, where: str) -> JsonObject:
    """Parse a template as JSON or YAML; ``where`` names it in messages.

    Raises:
        TemplateError: The text is neither, or is no template.
    """
    try:
        # JSON by its own parser: YAML's takes most JSON too, but seconds for a large template.
        content = json.loads(text) if text.lstrip().startswith("{") else _yaml(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise TemplateError(f"{where}: is neither JSON nor YAML ({reason_of(error)})") from None
    if not isinstance(content, dict):
        raise TemplateError(f"{where}: is no template: it is not an object")
    return content


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as ``!Ref Name``."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there is no other kind
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _equals_sign(_: _Loader, node: yaml.Node) -> str:
    return str(node.value)


_Loader.add_multi_constructor("!", _short_form)
# A bare = is a text to CloudFormation; PyYAML knows its type, but has no constructor for it.
_Loader.add_constructor("tag:yaml.org,2002:value", _equals_sign)


def _yaml(text: str) -> Any:
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
