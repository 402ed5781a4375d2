"""A first service file with comments, from a few answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from resiliency.errors import UsageError
from resiliency.service_file.errors import Path
from resiliency.service_file.file_writer import service_file
from resiliency.service_file.loader import examine
from resiliency.service_file.yaml_source import Document, parse
from staged_resiliency.shared import aws_ids, network_names, validation


@dataclass(frozen=True)
class Question:
    """A question, which an option answers too.

    Attributes:
        key: Name of the option.
        text: The question.
        example: An answer.
        check: Returns the answer in its usual form; raises ValueError for a wrong one.
    """

    key: str
    text: str
    example: str
    check: Callable[[str], str]


def _host(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 3:
        raise ValueError(f"{text!r} is not of the form NAME,INSTANCE-ID,ADDRESS")
    checks = (aws_ids.host_name, aws_ids.instance_id, network_names.ip_address)
    return ",".join(check(part) for check, part in zip(checks, parts, strict=True))


QUESTIONS: Final = (
    Question("service", "Short name of the service", "bookstore", validation.slug),
    Question("account", "AWS account id", "532151327118", aws_ids.account_id),
    Question("region", "AWS region of the hosts", "us-west-2", aws_ids.region),
    Question("record", "DNS name that clients use", "shop.example.com", network_names.domain_name),
    Question("zone-id", "Id of its hosted zone", "Z2EHK3FAEUNRMI", aws_ids.hosted_zone_id),
    Question(
        "blue",
        "Blue host, which serves now: Name tag, instance id, address",
        "shop-blue,i-0ab55a49288f1da24,54.213.54.171",
        _host,
    ),
    Question(
        "green",
        "Green host, the standby: Name tag, instance id, address",
        "shop-green,i-0123456789abcdef0,52.11.79.9",
        _host,
    ),
    Question("email", "E-mail address to notify", "ops@example.com", network_names.email_address),
)

_MORE: Final = """\
    # Systems that the hosts must reach. A probe on the hosts checks them: docs/probe.md.
    # dependencies:
    #   db: { label: Database, host: db.example.com, port: 5432 }
    # How soon clients must be served again when the active host fails: docs/failover-time.md.
    # objective: { recovery_time_seconds: 600, faults: [host] }
    # Experiments that break a host on purpose, as dry runs until enabled: docs/drills.md.
    # drills:
    #   shutdown:
    #     fault: stop_instance
    #     host: active
    #     duration_minutes: 15
    #     schedule: "cron(0 10 ? * TUE#1 *)"
    #   enabled: false
"""


def new_file(answers: Mapping[str, str], *, environment: str, zone_name: str | None) -> str:
    """Return the text of a service file that passes `resiliency check`.

    Args:
        answers: The answer of each question.
        environment: Short name of the environment.
        zone_name: Name of the hosted zone; the record's parent domain unless given.

    Raises:
        UsageError: The answers do not fit together.
    """
    at: Path = ("environments", environment)
    zone = zone_name or answers["record"].partition(".")[2]
    keys = ("name", "instance_id", "address")
    data: dict[str, Any] = {
        "service": answers["service"],
        "environments": {
            environment: {
                "account": answers["account"],
                "region": answers["region"],
                "notifications": {
                    "topic_name": f"{answers['service']}-alarms",
                    "subscriptions": [answers["email"]],
                },
                "hosted_zone": {"name": zone, "id": answers["zone-id"]},
                "endpoint": {"record": answers["record"]},
                "active": "blue",
                "failover_on": ["status"],
                "hosts": {
                    color: dict(zip(keys, answers[color].split(","), strict=True))
                    for color in ("blue", "green")
                },
            }
        },
    }
    comments: dict[Path, str] = {
        ("service",): "part of the names of stacks and records",
        (*at, "notifications"): "SNS topics that are created",
        (*at, "endpoint"): "the failover records; also: port, version_path, check",
        (*at, "active"): "the host that serves; write green and deploy to swap",
        (*at, "failover_on"): "signals that decide; also: endpoint, peer, a dependency",
    }
    text = service_file(data, comments) + _MORE
    document = Document("the new file")
    parse(text, document)
    problems = examine(document).problems
    if problems:
        raise UsageError(*(f"{each.path}: {each.message}" for each in problems))
    return text
