"""Which account and region a service's drills are in, and the way there."""

from dataclasses import dataclass
from pathlib import Path

from resiliency.errors import UserError
from resiliency.service_file import Service, load
from resiliency.service_file.loader import DEFAULT_PATH
from staged_resiliency.shared.validation import nearest, shown


@dataclass(frozen=True, slots=True)
class Location:
    """Where a service's environment is.

    Attributes:
        service: Short name of the service.
        environment: Short name of the environment.
        region: Its region; None for that of the credentials' configuration.
        account: Its account; None where no service file tells it.
        told_by: The service files that tell it; empty where none does.
    """

    service: str
    environment: str
    region: str | None
    account: str | None
    told_by: str = ""


def place_of(
    service: str, environment: str, *, services: Path | None = None, region: str | None = None
) -> Location:
    """Where an environment is: as its service file says, if there is one.

    Args:
        service: Short name of the service.
        environment: Short name of the environment.
        services: A service file, or a folder of them; ``services`` unless given, where it is there.
        region: AWS region, needed only where no service file tells it.

    Raises:
        UserError: The service file has no such service or environment, or another region.
        ServiceFileError: A service file is wrong, or the one that was named is not there.
    """
    if services is None and not DEFAULT_PATH.exists():
        return Location(service, environment, region, None)
    path = services or DEFAULT_PATH
    loaded = {each.service: each for each in load(path)}
    found = loaded.get(service)
    if found is None:
        if region is not None and services is None:
            return Location(service, environment, region, None)
        raise UserError(
            f"{path}: has no service {shown(service)}; {_hint(service, loaded)}, or --region for a "
            "service whose file is elsewhere"
        )
    return _in_file(path, found, environment, region)


def _in_file(path: Path, service: Service, environment: str, region: str | None) -> Location:
    found = service.environments.get(environment)
    if found is None:
        raise UserError(
            f"{path}: {service.service} has no environment {shown(environment)}; "
            f"{_hint(environment, service.environments)}"
        )
    if region is not None and region != found.region:
        raise UserError(
            f"--region {region}: {path} says that {service.service} is in {found.region} in "
            f"{environment}; leave --region out"
        )
    return Location(service.service, environment, found.region, found.account, str(path))


def _hint(word: str, known: "dict[str, Service] | object") -> str:
    names = [str(each) for each in known] if isinstance(known, dict) else []
    near = nearest(word, names)
    return f"did you mean {near}?" if near else f"give {' or '.join(names)}"
