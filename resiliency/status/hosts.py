"""Checks the agents of each host: installed as deployed, and the probe publishing."""

from collections.abc import Mapping
from typing import Final

from resiliency.account import readers
from resiliency.drill_cli.aws import MANAGED, Aws, Operation
from resiliency.report.wording import seconds
from resiliency.status.deployed import Deployed
from resiliency.status.metrics import WINDOW_SECONDS, latest
from resiliency.status.sections import Section
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.experiment.json_codec import JsonObject
from staged_resiliency.shared import names

ASSOCIATION: Final[Operation] = ("ssm", "DescribeAssociation")
ASSOCIATIONS_OF: Final[Operation] = ("ssm", "DescribeInstanceAssociationsStatus")

SILENT_SECONDS: Final = 180.0
"""How old the last heartbeat of a probe may be; it publishes one a minute."""


def agents(deployed: Deployed, context: Context, section: Section) -> None:
    """Check that the agents of each host are installed as deployed, and the probe publishing."""
    key = (deployed.location.service, deployed.location.environment)
    kinds = {
        names.probe_stack(*key): "probe",
        names.cloudwatch_agent_stack(*key): "CloudWatch agent",
    }
    associations = {
        kinds[stack.name]: each
        for stack in deployed.stacks
        if stack.name in kinds
        for each in stack.ids("AWS::SSM::Association")[:1]
    }
    if "probe" not in associations:
        section.row("", "no probe", "no dependency and no peer is measured")
    if not associations:
        return
    home = deployed.account.home
    current = {
        kind: str(
            home(*ASSOCIATION, AssociationId=each)["AssociationDescription"].get(
                "AssociationVersion", ""
            )
        )
        for kind, each in associations.items()
    }
    pairs = [pair for pair in deployed.pairs if pair.dependency is None]
    hosts = dict.fromkeys(host.name for pair in pairs for host in pair.hosts)
    beats = _heartbeats(deployed, context)
    by_name: dict[str, list[JsonObject]] = {name: [] for name in hosts}
    for each in readers.instances(home, "tag:Name", hosts):
        by_name.setdefault(str(readers.name_tag(each)), []).append(each)
    for name, found in by_name.items():
        if "probe" in associations:
            _silence(name, beats.get(name), context.clock(), section)
        if len(found) != 1:
            kind = " and the ".join(associations)
            section.row("unknown", name, f"{len(found)} instances have this Name tag")
            section.find(
                f"{len(found)} instances have the Name tag {name}; the {kind} "
                f"{'goes' if len(associations) == 1 else 'go'} to all of them",
                "give the Name tag to the one host",
            )
            continue
        instance = str(found[0]["InstanceId"])
        ping = _ping(home, (name, instance), section)
        for kind, association in associations.items():
            _installed(home, kind, association, current[kind], (name, instance), ping, section)


def _ping(home: Aws, host: tuple[str, str], section: Section) -> str:
    """Return how Systems Manager's agent on a host answers, and report it unless it does."""
    name, instance = host
    managed = home.all(
        MANAGED,
        "InstanceInformationList",
        Filters=[{"Key": "InstanceIds", "Values": [instance]}],
    )
    ping = str(managed[0].get("PingStatus")) if managed else "unknown to Systems Manager"
    if ping != "Online":
        section.find(
            f"Systems Manager's agent on {name} ({instance}) is {ping}, so the probe is not "
            "repaired there, and a blackhole can't run",
            "start the SSM agent, and check the instance's role and network",
        )
    return ping


def _installed(
    home: Aws,
    kind: str,
    association: str,
    current: str,
    host: tuple[str, str],
    ping: str,
    section: Section,
) -> None:
    name, instance = host
    statuses = [
        each
        for each in home.all(ASSOCIATIONS_OF, "InstanceAssociationStatusInfos", InstanceId=instance)
        if each.get("AssociationId") == association
    ]
    status = str(statuses[0].get("Status")) if statuses else "never ran"
    version = str(statuses[0].get("AssociationVersion", "")) if statuses else ""
    of_agent = "" if kind == "probe" else f"{kind}, "
    section.row(
        status, name, f"{of_agent}{instance}, agent of Systems Manager {ping}, version {version}"
    )
    if status != "Success":
        found = statuses[0] if statuses else {}
        reason = found.get("ExecutionSummary") or found.get("ErrorCode") or "no reason given"
        section.find(
            f"the {kind}'s association on {name} ({instance}): {status}"
            f"{f', {reason}' if statuses else ''}",
            f"aws ssm describe-association-executions --association-id {association} shows why",
        )
    elif current and version != current:
        section.find(
            f"{name} ({instance}) has version {version} of the {kind}'s association, {current} is "
            "deployed",
            f"wait for its daily run, or: aws ssm start-associations-once --association-ids "
            f"{association}",
        )


def _silence(name: str, beat: float | None, now: float, section: Section) -> None:
    age = None if beat is None else now - beat
    said = "no sample" if age is None else f"last sample {seconds(age)} ago"
    section.row("silent" if age is None or age > SILENT_SECONDS else "publishes", name, said)
    if age is None or age > SILENT_SECONDS:
        shown = f"over {WINDOW_SECONDS / 60:.0f} minutes" if age is None else seconds(age)
        section.find(
            f"the probe of {name} has been silent for {shown}",
            "on the host: systemctl status, and docs/probe.md",
        )


def _heartbeats(deployed: Deployed, context: Context) -> Mapping[str, float]:
    """When the probe of each host last published."""
    metrics = {
        host: {
            "Namespace": alarm.metric.namespace,
            "MetricName": alarm.metric.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in alarm.metric.dimensions],
        }
        for alarm in deployed.graph.alarms
        if alarm.metric.name == names.HEARTBEAT_METRIC
        and (host := alarm.metric.dimension("Host")) is not None
    }
    found = latest(deployed.account.home, metrics, "Sum", context)
    return {host: at for host, (at, _) in found.items()}
