"""Rules about the objective."""

from collections.abc import Callable, Iterator
from typing import Final

from staged_resiliency import checks
from staged_resiliency.service.draft import Draft
from staged_resiliency.service.objective_model import ENDPOINT, HOST
from staged_resiliency.service.problems import Problem


def _faults_exist(env: Draft) -> Iterator[Problem]:
    known = isinstance(env.within("dependencies").raw, dict) or not env.has("dependencies")
    available = list(dict.fromkeys([HOST, ENDPOINT, *env.names("dependencies")]))
    seen: set[str] = set()
    for index, fault in enumerate(env.items("objective", "faults")):
        if not isinstance(fault, str):
            continue
        place = ("objective", "faults", index)
        if fault not in available and known:
            near = checks.nearest(fault, available)
            hint = f"did you mean {near}?" if near else f"allowed: {', '.join(available)}"
            yield env.problem(
                f"{checks.shown(fault)} is neither host nor endpoint nor a dependency; {hint}",
                *place,
            )
        elif fault in seen:
            yield env.problem(f"{checks.shown(fault)} stands twice; once is enough", *place)
        seen.add(fault)


RULES: Final[tuple[Callable[[Draft], Iterator[Problem]], ...]] = (_faults_exist,)
