"""The two sides of a review: the stacks before and after a change, from folders or templates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from resiliency.cloud_assembly import SynthesizedStack, read_assembly
from resiliency.errors import UsageError, UserError
from resiliency.failover_model.expressions import TemplateError, Templates
from resiliency.failover_model.graph import FailoverGraph, RefusedPair
from resiliency.failover_model.template_files import read_templates
from resiliency.failover_model.template_reader import read_graph
from resiliency.review.changes import Change, counterpart

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
    return [
        require_template(
            SynthesizedStack(file.name.partition(".")[0], "", "", read_templates([file])[str(file)])
        )
        for file in files
    ]


def require_template(stack: SynthesizedStack) -> SynthesizedStack:
    """Return a stack; raise UserError if its template does not have a template's form."""
    Templates({stack.name: stack.template})
    for logical_id, resource in stack.resources.items():
        if not isinstance(resource.get("Type"), str):
            raise UserError(f"{stack.name}: {logical_id}: Type: is no text; a resource has a type")
        if not isinstance(resource.get("Properties", {}), Mapping):
            raise UserError(f"{stack.name}: {logical_id}: Properties: is no object")
    return stack


@dataclass(frozen=True)
class Sides:
    """The stacks before and after a change, with the changes between them.

    Attributes:
        running: State machines with a run in progress, by stack and logical id; None where the
            account was not asked.
    """

    before: Sequence[SynthesizedStack]
    after: Sequence[SynthesizedStack]
    changes: Sequence[Change]
    now: datetime
    running: Mapping[tuple[str, str], str] | None = None

    @cached_property
    def left(self) -> Sequence[SynthesizedStack]:
        """The stacks that exist only before the change: they stay deployed."""
        return [each for each in self.before if counterpart(each, self.after) is None]

    @cached_property
    def templates(self) -> tuple[Templates, Templates]:
        """The templates before and after the change."""
        return Templates(templates_of(self.before)), Templates(templates_of(self.after))

    @cached_property
    def graphs(self) -> tuple[FailoverGraph, FailoverGraph]:
        """What decides the failover before and after, and the pairs that can't be followed."""
        return _graph(self.before), _graph(self.after)

    def of(self, *types: str) -> Sequence[Change]:
        """Return the changes of resources of some types."""
        return [each for each in self.changes if each.kind in types]


def _graph(stacks: Sequence[SynthesizedStack]) -> FailoverGraph:
    try:
        return read_graph(templates_of(stacks))
    except TemplateError as error:
        pairs = any('"Failover":' in json.dumps(each.resources) for each in stacks)
        return FailoverGraph((), (), (), [RefusedPair("", "", str(error))] if pairs else [])


def templates_of(stacks: Sequence[SynthesizedStack]) -> Mapping[str, Mapping[str, object]]:
    """Return the templates of stacks, keyed by stack name; those without resources are left out."""
    return {each.name: each.template for each in stacks if each.resources}
