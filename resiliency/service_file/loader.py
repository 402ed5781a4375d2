"""Finds, reads and checks service files; the one way in for everybody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from resiliency.service_file import (
    cross_file_rules,
    drill_safety,
    probe_rules,
    rules,
    topic_rules,
    validation_messages,
    yaml_source,
)
from resiliency.service_file.errors import Path as Key
from resiliency.service_file.errors import Problem, ServiceFileError
from resiliency.service_file.model import Service
from resiliency.service_file.partial_document import PartialDocument

DEFAULT_PATH: Final = Path("services")
SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Examined:
    """One file: the service if it is sound, and what is wrong with it if not."""

    draft: PartialDocument
    service: Service | None
    problems: Sequence[Problem]


def load(path: Path = DEFAULT_PATH) -> list[Service]:
    """Read every service below a folder, or the one in a file, in the order of file names.

    Args:
        path: A folder with ``*.yaml`` files, or one file.

    Returns:
        The services.

    Raises:
        ServiceFileError: Something is wrong; the error holds every problem of every file.

    Example:
        >>> [service.service for service in load(Path("services"))]
        ['bookstore']
    """
    examined = [examine(yaml_source.read(file)) for file in _files(path)]
    problems = [problem for each in examined for problem in each.problems]
    drafts = [each.draft for each in examined]
    problems += [*cross_file_rules.problems_of(drafts), *topic_rules.problems_of(drafts)]
    if problems:
        raise ServiceFileError(problems)
    return [each.service for each in examined if each.service is not None]


def examine(document: yaml_source.Document) -> Examined:
    """Check one parsed file: each value by itself, then the values together."""
    problems = list(document.problems)
    service: Service | None = None
    misspelt: frozenset[Key] = frozenset()
    if document.data:
        try:
            service = Service.model_validate(document.data)
        except ValidationError as error:
            problems += validation_messages.problems_of(error, document)
            misspelt = frozenset(validation_messages.misspelt_keys(error, document).values())
    draft = PartialDocument.of(document, (problem.where for problem in problems), misspelt)
    problems += rules.problems_of(draft)
    if service is not None and not problems:
        problems += probe_rules.fit_problems(service, draft)
        problems += drill_safety.sense_problems(service, draft)
    if service is not None and not problems and _has_objectives(service):
        # The model of failover's time is loaded by those alone who ask for it.
        from resiliency.service_file.objective import objective_problems

        problems += objective_problems(service, draft)
    return Examined(draft, service, problems)


def _has_objectives(service: Service) -> bool:
    return any(each.objective is not None for each in service.environments.values())


def _files(path: Path) -> Iterable[Path]:
    try:
        if path.is_file():
            return [path]
        # Links that lead nowhere stay in: a service must not vanish without a word.
        found = sorted(f for f in path.iterdir() if f.suffix in SUFFIXES and not f.is_dir())
    except FileNotFoundError:
        raise _unusable(path, "is not there; give a service file or a folder of them") from None
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror}") from None
    if not found:
        raise _unusable(path, "holds no service file; add one like bookstore.yaml")
    return found


def _unusable(path: Path, message: str) -> ServiceFileError:
    return ServiceFileError([Problem(str(path), None, (), message)])
