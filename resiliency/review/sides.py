"""Reads the stacks of one side of a review from a folder or a template."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.errors import UsageError, UserError
from resiliency.failover_model.expressions import Templates
from resiliency.failover_model.template_files import read_templates

_SUFFIXES: Final = (".json", ".yaml", ".yml", ".template")


def read_stacks(path: Path) -> Sequence[SynthesizedStack]:
    """Read the stacks of a folder that `cdk synth` wrote, of another folder, or of one template.

    Without a cloud assembly, a stack has the name of its file, and its environment is not known.

    Raises:
        UsageError: There is no such folder or file, or no template in it.
        UserError: A template can't be read.
    """
    if not path.exists():
        raise UsageError(f"{path}: does not exist; give a folder that `npx cdk synth` wrote")
    if (path / "manifest.json").exists():
        return [require_template(each) for each in read_assembly(path)]
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
    if not files:
        raise UsageError(f"{path}: holds no templates; give a folder that `npx cdk synth` wrote")
    stacks = [
        SynthesizedStack(
            name=file.name.partition(".")[0],
            account="",
            region="",
            template_file=file,
            template=read_templates([file])[str(file)],
            depends_on=(),
            warnings=(),
        )
        for file in files
    ]
    return list(map(require_template, stacks))


def require_template(stack: SynthesizedStack) -> SynthesizedStack:
    """Return a stack whose template has the form of one; raise UserError otherwise."""
    Templates({stack.name: stack.template})
    for logical_id, resource in stack.resources.items():
        if not isinstance(resource.get("Properties", {}), Mapping):
            raise UserError(f"{stack.name}: {logical_id}: Properties: is no object")
    return stack


def templates_of(stacks: Sequence[SynthesizedStack]) -> Mapping[str, Mapping[str, object]]:
    """Return the templates of stacks that have resources, by the stack's name."""
    return {each.name: each.template for each in stacks if each.resources}
