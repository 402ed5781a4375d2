"""Rules about the objective."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.errors import Problem
from resiliency.service_file.objective_model import ENDPOINT, HOST
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import validation


def _faults_exist(env: PartialDocument) -> Iterator[Problem]:
    known = isinstance(env.within("dependencies").raw, dict) or not env.has("dependencies")
    available = list(dict.fromkeys([HOST, ENDPOINT, *env.names("dependencies")]))
    seen: set[str] = set()
    for index, fault in enumerate(env.items("objective", "faults")):
        if not isinstance(fault, str):
            continue
        place = ("objective", "faults", index)
        if fault not in available and known:
            near = validation.nearest(fault, available)
            hint = f"did you mean {near}?" if near else f"allowed: {', '.join(available)}"
            yield env.problem(
                f"{validation.shown(fault)} is neither host nor endpoint nor a dependency; {hint}",
                *place,
            )
        elif fault in seen:
            yield env.problem(f"{validation.shown(fault)} stands twice; once is enough", *place)
        seen.add(fault)


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (_faults_exist,)
