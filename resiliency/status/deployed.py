"""Reads what is deployed: the stacks of a service, their templates and resources."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resiliency.account.account import Account
from resiliency.account.readers import template_of_stack
from resiliency.drill_cli.aws import STACK, STACKS, Aws, NotFoundError
from resiliency.drill_cli.safe_console import one_line
from resiliency.drill_cli.stack import DeployedDrills, Location, find_stack, require_account
from resiliency.errors import UserError
from resiliency.failover_model.graph import FailoverGraph
from resiliency.failover_model.template_reader import read_graph
from resiliency.rehearsal.deployment import Deployment
from resiliency.rehearsal.deployment_reader import read_deployments
from resiliency.service_file import load
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.shared import names


@dataclass(frozen=True, slots=True)
class DeployedStack:
    """A deployed stack; its template is empty where it was not read.

    ``resources`` has type and physical ID of each resource.
    """

    name: str
    aws: Aws
    status: str
    resources: Sequence[tuple[str, str]]
    template: Mapping[str, Any]

    def ids(self, kind: str) -> Sequence[str]:
        """Return the physical IDs of the resources of a type."""
        return [id_ for each, id_ in self.resources if each == kind and id_]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is deployed of a service in an environment.

    Attributes:
        pairs: The pairs of hosts, one for each failover record and type of address.
        left_out: Why other pairs can't be followed.
        drills: None where there is no drills stack, or it is unreadable.
        drills_unreadable: Why the drills can't be read; empty where they can.
        endpoint: The request by which a host names itself.
    """

    location: Location
    account: Account
    stacks: Sequence[DeployedStack]
    graph: FailoverGraph
    pairs: Sequence[Deployment]
    left_out: Sequence[str]
    drills: DeployedDrills | None
    drills_unreadable: str
    endpoint: Endpoint

    def ids(self, kind: str) -> Iterator[tuple[Aws, str]]:
        """Yield the physical IDs of all resources of a type, each with its region."""
        for stack in self.stacks:
            for each in stack.ids(kind):
                yield stack.aws, each


def read_deployed(location: Location, account: Account) -> Deployed:
    """Read the stacks of a service in an environment.

    Raises:
        UserError: There is no failover stack, or it can't be read.
    """
    require_account(account.home, location)
    home, key = account.home, (location.service, location.environment)
    failover = _stack(home, names.failover_stack(*key), with_template=True)
    if failover is None:
        raise UserError(
            f"no stack {names.failover_stack(*key)} in account {account.id}, region {home.region}; "
            f"deploy it (`npx cdk deploy {names.failover_stack(*key)}`), or check --region and "
            "--profile"
        )
    others = [
        _stack(home, names.probe_stack(*key), with_template=True),
        _stack(home, names.cloudwatch_agent_stack(*key), with_template=False),
        _stack(home, names.drills_stack(*key), with_template=False),
        _stack(account.of_health_checks(), names.failover_alarm_stack(*key), with_template=False),
    ]
    stacks = [failover, *(each for each in others if each is not None)]
    templates = {each.name: each.template for each in stacks if each.template}
    pairs, left_out = read_deployments(templates)
    drills, unreadable = None, ""
    if any(each.name == names.drills_stack(*key) for each in stacks):
        try:
            drills = find_stack(home, location)
        except UserError as error:
            unreadable = str(error)
    return Deployed(
        location=location,
        account=account,
        stacks=stacks,
        graph=read_graph(templates),
        pairs=pairs,
        left_out=left_out,
        drills=drills,
        drills_unreadable=unreadable,
        endpoint=_endpoint(location, drills, pairs),
    )


def _stack(aws: Aws, name: str, *, with_template: bool) -> DeployedStack | None:
    try:
        (found,) = aws(*STACKS, StackName=name)["Stacks"]
        listed = aws.all(STACK, "StackResourceSummaries", StackName=name)
    except NotFoundError:
        return None
    return DeployedStack(
        name=name,
        aws=aws,
        status=one_line(found["StackStatus"]),
        resources=[(each["ResourceType"], each.get("PhysicalResourceId", "")) for each in listed],
        template=(with_template and template_of_stack(aws, name)) or {},
    )


def _endpoint(
    location: Location, drills: DeployedDrills | None, pairs: Sequence[Deployment]
) -> Endpoint:
    """The request by which a host names itself, of the drills or else of the service file."""
    if drills is not None:
        return drills.drills[0].plan.endpoint
    if location.source:
        services = {each.service: each for each in load(Path(location.source))}
        found = services[location.service].environments[location.environment].endpoint
        scheme = "https" if found.check.protocol == "https" else "http"
        return Endpoint(scheme, found.serving_port, found.version_path, found.version_field)
    return Endpoint("http", 80, pairs[0].path if pairs else "/version/")
