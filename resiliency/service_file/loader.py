"""Find, read and check service files; everything else gets its services from here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from resiliency.service_file import (
    cloudwatch_rules,
    cross_file_rules,
    defaults,
    drill_safety,
    probe_rules,
    rules,
    validation_messages,
    yaml_source,
)
from resiliency.service_file.errors import Path as Key
from resiliency.service_file.errors import Problem, ServiceFileError
from resiliency.service_file.model.service import Service, ServiceFile
from resiliency.service_file.partial_document import PartialDocument

DEFAULT_PATH: Final = Path("services")
SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Examined:
    """One checked file: the service if it is sound, else its problems."""

    partial: PartialDocument
    service: Service | None
    problems: Sequence[Problem]


def load(path: Path = DEFAULT_PATH) -> list[Service]:
    """Read every service file of a folder and its subfolders, in order of their names, or one file.

    Raises:
        ServiceFileError: A file can't be used; the error holds every problem of every file.

    Example:
        >>> [service.service for service in load(Path("services"))]
        ['bookstore']
    """
    examined = [examine(yaml_source.read(file)) for file in _files(path)]
    problems = [problem for each in examined for problem in each.problems]
    partials = [each.partial for each in examined]
    problems += cross_file_rules.problems_of(partials)
    if not problems:
        sound = [(each.service, each.partial) for each in examined if each.service is not None]
        problems += drill_safety.shared_instance_problems(sound)
    for partial in partials:
        problems = list(defaults.as_written(problems, partial.document))
    if problems:
        raise ServiceFileError(problems)
    return [each.service for each in examined if each.service is not None]


def examine(document: yaml_source.Document) -> Examined:
    """Check one parsed file: first each value by itself, then the values together.

    Problems with defaults are at the environments that have them.
    """
    defaults.merge(document)
    problems = [*document.problems, *_default_problems(document)]
    service: Service | None = None
    misspelt: frozenset[Key] = frozenset()
    if document.data:
        try:
            own = {key: value for key, value in document.data.items() if key != defaults.KEY}
            service = Service.model_validate(own)
        except ValidationError as error:
            problems += validation_messages.problems_of(error, document)
            misspelt = frozenset(validation_messages.misspelt_keys(error, document).values())
    partial = PartialDocument.of(document, (problem.where for problem in problems), misspelt)
    problems += rules.problems_of(partial)
    if service is not None and not problems:
        problems += probe_rules.fit_problems(service, partial)
        problems += cloudwatch_rules.fit_problems(service, partial)
        problems += drill_safety.safety_problems(service, partial)
    if (
        service is not None
        and not problems
        and any(each.objective is not None for each in service.environments.values())
    ):
        # Loading the failover-time model takes longer than checking a file.
        from resiliency.service_file.objective import objective_problems

        problems += objective_problems(service, partial)
    return Examined(partial, service, problems)


def _default_problems(document: yaml_source.Document) -> Iterable[Problem]:
    """Return the problems of the defaults by themselves; what is missing may be elsewhere."""
    if defaults.KEY not in document.data:
        return []
    try:
        ServiceFile.model_validate({defaults.KEY: document.data[defaults.KEY]})
    except ValidationError as error:
        return list(validation_messages.problems_of(error, document, complete=False))
    raise AssertionError("a file without a service is sound")


def _files(path: Path) -> Iterable[Path]:
    try:
        if path.is_file():
            return [path]
        found = sorted(_below(path))
    except FileNotFoundError:
        raise _unusable(path, "does not exist; give a service file or a folder of them") from None
    except OSError as error:
        raise _unusable(Path(error.filename or path), f"can't be read: {error.strerror}") from None
    if not found:
        raise _unusable(path, "has no service file; add one like bookstore.yaml")
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Yield the service files of a folder and its subfolders; none may be skipped silently."""
    for each in folder.iterdir():
        if each.is_dir():
            if each.is_symlink():
                raise _unusable(
                    each, "is a link to a folder, which is not followed; move the folder here"
                )
            yield from _below(each)
        elif each.suffix in SUFFIXES:  # a broken link too, which is reported when read
            yield each


def _unusable(path: Path, message: str) -> ServiceFileError:
    return ServiceFileError([Problem(str(path), None, (), message)])
