"""A simulated service and FIS, with a clock of their own: instance, alarms, DNS, clients.

A ``Script`` says what happens after a fault, and when. Everything else of AWS is moto's.
"""

import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from staged_resiliency.drills.runtime import client_view
from staged_resiliency.drills.runtime.context import Context
from staged_resiliency.drills.runtime.fault_settings import FaultKind
from staged_resiliency.drills.runtime.hosts import Endpoint
from staged_resiliency.drills.runtime.keys import INSTANCE_TAG
from staged_resiliency.drills.runtime.network import UnansweredError
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.experiment.json_codec import JsonObject
from tests.fake_aws import plans

START = datetime(2026, 11, 3, 18, 0, tzinfo=timezone.utc).timestamp()
"""A Tuesday, ten o'clock in Los Angeles."""

Response = dict[str, Any]

_MAX_SLEEP_SECONDS = 4 * 86_400
COMMAND = "11111111-2222-3333-4444-555555555555"
EBS_KEY = "arn:aws:kms:us-west-2:123456789012:key/ebs"


class ApiError(Exception):
    """An error that AWS answers with."""

    def __init__(self, code: str, message: str = "scripted") -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Script:
    """What happens, in seconds after the fault or its end; None for never."""

    detect: float | None = 200
    clients_move: float | None = 270
    recover: float | None = 90
    clients_return: float | None = 120
    initiating: float = 20
    initiating_forever: bool = False
    guard_stops_after: float | None = None
    fails_after: float | None = None
    stop_takes: float | None = 30
    fis_starts_instance: bool = True
    boot: float = 40
    alarms_on: tuple[str, ...] = ()
    alarms_missing: tuple[str, ...] = ()
    alarm_states: dict[str, str] = field(default_factory=dict)
    standby_answers: bool = True
    active_answers: bool = True
    dns: tuple[str, ...] | None = None
    agent: str = "Online"
    list_lags: float = 0
    packages_take: float = 0
    command_known: bool = True
    degraded_answers_take: float = 0.6
    failover_takes: float = 70
    fis_waits_for_database: bool = False
    needs_database: bool = False
    alarms_of_database: tuple[str, ...] = ()
    database: dict[str, Any] = field(default_factory=dict)
    database_known: bool = True
    instance: dict[str, Any] = field(default_factory=dict)
    volume_keys: tuple[str, ...] = ()
    calendars_closed: tuple[str, ...] = ()
    stack_status: str = "UPDATE_COMPLETE"
    system: str = "Amazon Linux"
    system_version: str = "2023"
    aim: str = f"arn:aws:ec2:us-west-2:123456789012:instance/{plans.INSTANCE}"


@dataclass
class StartedExperiment:
    """A FIS experiment."""

    id: str
    token: str
    template: str
    tags: dict[str, str]
    skip: bool
    at: float
    stopped_at: float | None = None


@dataclass
class SimulatedService:
    """The service, and FIS."""

    plan: Plan
    script: Script = field(default_factory=Script)
    now: float = START
    experiments: list[StartedExperiment] = field(default_factory=list)
    started_by_hand: float | None = None
    timers: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    published: list[Any] = field(default_factory=list)
    slept: float = 0

    def sleep(self, seconds: float) -> None:
        """Let time pass; what is due happens."""
        assert seconds > 0
        self.slept += seconds
        assert self.slept < _MAX_SLEEP_SECONDS, "somebody waits for ever"
        until = self.now + seconds
        while due := [each for each in self.timers if each[0] <= until]:
            first = min(due, key=lambda each: each[0])
            self.timers.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = max(self.now, until)

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        """Let something happen while somebody sleeps."""
        self.timers.append((self.now + seconds, what))

    # FIS.

    def status(self, each: StartedExperiment) -> str:
        script, began, now = self.script, each.at + self.script.initiating, self.now
        ends = self.natural_end(each)
        if each.stopped_at is not None:
            if script.stop_takes is None or now < each.stopped_at + script.stop_takes:
                return "stopping"
            return "stopped"
        if script.initiating_forever or now < began:
            return "initiating"
        if now < ends:
            return "running"
        if script.guard_stops_after is not None:
            return "stopped"
        return "failed" if script.fails_after is not None else "completed"

    def natural_end(self, each: StartedExperiment) -> float:
        """When an experiment ends unless it is stopped."""
        began = each.at + self.script.initiating
        if each.skip:
            return began + 5
        lasts = [float(self.plan.fault_seconds)]
        if self.plan.database is not None:
            lasts = [self.script.failover_takes if self.script.fis_waits_for_database else 3.0]
        lasts += [
            each
            for each in (self.script.guard_stops_after, self.script.fails_after)
            if each is not None
        ]
        return began + min(lasts)

    def acting_since(self, each: StartedExperiment) -> float | None:
        """When an experiment's action began; None before, and where it never does."""
        began = each.at + self.script.initiating
        if each.skip or self.script.initiating_forever or self.now < began:
            return None
        return None if each.stopped_at is not None and each.stopped_at <= began else began

    @property
    def fault_at(self) -> float | None:
        if self.script.initiating_forever:
            return None
        began = [
            each.at + self.script.initiating
            for each in self.experiments
            if not each.skip
            and (each.stopped_at is None or each.stopped_at > each.at + self.script.initiating)
        ]
        return began[0] if began and began[0] <= self.now else None

    @property
    def fault_ended_at(self) -> float | None:
        if self.fault_at is None:
            return None
        (each,) = [one for one in self.experiments if not one.skip]
        end = self.natural_end(each)
        if self.plan.fault is FaultKind.STOP_INSTANCE:
            if each.stopped_at is not None and each.stopped_at < end:
                if self.script.stop_takes is None:
                    return self._if_past(self._by_hand())
                end = each.stopped_at + self.script.stop_takes
            if not self.script.fis_starts_instance:
                return self._if_past(self._by_hand())
            return self._if_past(end + self.script.boot)
        if self.plan.database is not None:
            return self._if_past(each.at + self.script.initiating + self.script.failover_takes)
        # The host lets the port go by itself, whatever FIS says.
        lasts = self.script.packages_take + self.plan.fault_seconds
        return self._if_past(each.at + self.script.initiating + lasts)

    def _by_hand(self) -> float | None:
        return None if self.started_by_hand is None else self.started_by_hand + self.script.boot

    def _if_past(self, at: float | None) -> float | None:
        return at if at is not None and at <= self.now else None

    @property
    def broken(self) -> bool:
        """Whether the fault is in effect."""
        return self.fault_at is not None and self.fault_ended_at is None

    @property
    def running(self) -> Sequence[str]:
        """Experiments that go on."""
        active = ("pending", "initiating", "running", "stopping")
        return [each.id for each in self.experiments if self.status(each) in active]

    # What clients see.

    def _after(self, lag: float | None, back: float | None) -> bool:
        """Whether what follows the fault so late is there, and not yet gone."""
        fault, ended = self.fault_at, self.fault_ended_at
        if fault is None or lag is None or self.now < fault + lag:
            return False
        if ended is not None and ended <= fault + lag:
            return False  # the fault was over before it could show
        return back is None or ended is None or self.now < ended + back

    @property
    def on_standby(self) -> bool:
        """Whether DNS answers with the standby."""
        return self._after(self.script.clients_move, self.script.clients_return)

    def addresses(self) -> tuple[str, ...]:
        """What DNS answers."""
        if self.script.dns is not None:
            return self.script.dns
        return (plans.GREEN_ADDRESS if self.on_standby else plans.BLUE_ADDRESS,)

    def resolve(self, name: str) -> Sequence[str]:
        """What a resolver answers."""
        return self.addresses() if name == plans.RECORD else (name,)

    def ask(self, address: str, endpoint: Endpoint, host: str) -> str:
        """Who answers at an address."""
        if self.broken and self.script.needs_database:
            self.sleep(1)
            raise UnansweredError("500 Internal Server Error")
        if address == plans.GREEN_ADDRESS and self.script.standby_answers:
            return plans.GREEN
        if self.broken and self.plan.fault is FaultKind.DEGRADE:
            self.sleep(self.script.degraded_answers_take)
        dead = self.broken and self.plan.fault is FaultKind.STOP_INSTANCE
        if address == plans.BLUE_ADDRESS and self.script.active_answers and not dead:
            return plans.BLUE
        self.sleep(4)
        raise UnansweredError("no whole answer within 4 s")

    # AWS's APIs.

    def answer(self, operation: str, given: dict[str, Any]) -> Response:
        """The answer to a call; raises ApiError."""
        method: Callable[[dict[str, Any]], Response] = getattr(self, operation)
        return method(given)

    def StartExperiment(self, given: dict[str, Any]) -> Response:  # noqa: N802
        known = [each for each in self.experiments if each.token == given["clientToken"]]
        if not known:
            known = [
                StartedExperiment(
                    id=f"EXP{len(self.experiments):05d}",
                    token=given["clientToken"],
                    template=given["experimentTemplateId"],
                    tags=given["tags"],
                    skip=given["experimentOptions"]["actionsMode"] == "skip-all",
                    at=self.now,
                )
            ]
            self.experiments += known
        return {"experiment": self._experiment(known[0])}

    def GetExperiment(self, given: dict[str, Any]) -> Response:  # noqa: N802
        return {"experiment": self._experiment(self._by_id(given["id"]))}

    def StopExperiment(self, given: dict[str, Any]) -> Response:  # noqa: N802
        each = self._by_id(given["id"])
        if self.status(each) not in ("initiating", "running"):
            raise ApiError("ConflictException", "not running")
        each.stopped_at = self.now
        return {"experiment": self._experiment(each)}

    def ListExperiments(self, given: dict[str, Any]) -> Response:  # noqa: N802
        listed = [
            each
            for each in self.experiments
            if given.get("experimentTemplateId") in (None, each.template)
            and self.now >= each.at + self.script.list_lags
        ]
        return {
            "experiments": [
                {
                    "id": each.id,
                    "experimentTemplateId": each.template,
                    "state": {"status": self.status(each)},
                    "tags": each.tags,
                }
                for each in listed
            ]
        }

    def ListExperimentResolvedTargets(self, given: dict[str, Any]) -> Response:  # noqa: N802
        self._by_id(given["experimentId"])
        return {
            "resolvedTargets": [
                {
                    "resourceType": "aws:ec2:instance",
                    "targetName": "Host",
                    "targetInformation": {"arn": self.script.aim},
                }
            ]
        }

    def ListExperimentTemplates(self, given: dict[str, Any]) -> Response:  # noqa: N802
        tags = {INSTANCE_TAG: plans.INSTANCE}
        ids = (plans.TEMPLATE, plans.OTHER_TEMPLATE)
        return {"experimentTemplates": [{"id": each, "tags": tags} for each in ids]}

    def GetExperimentTemplate(self, given: dict[str, Any]) -> Response:  # noqa: N802
        action = {
            plans.OTHER_TEMPLATE: "aws:ssm:send-command",
            plans.DATABASE_TEMPLATE: "aws:rds:reboot-db-instances",
        }.get(given["id"], "aws:ec2:stop-instances")
        guard = f"arn:aws:cloudwatch:us-west-2:123456789012:alarm:{plans.GUARD_ALARM}"
        return {
            "experimentTemplate": {
                "id": given["id"],
                "targets": {
                    "Host": {
                        "resourceType": "aws:ec2:instance",
                        "resourceArns": [self.script.aim],
                    }
                },
                "actions": {"Fault": {"actionId": action}},
                "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": guard}],
            }
        }

    def TestDNSAnswer(self, given: dict[str, Any]) -> Response:  # noqa: N802
        found = list(self.addresses())
        return {
            "Nameserver": "ns-1.awsdns-01.org",
            "RecordName": given["RecordName"],
            "RecordType": given["RecordType"],
            "RecordData": found,
            "ResponseCode": "NOERROR" if found else "NXDOMAIN",
            "Protocol": "UDP",
        }

    def Invoke(self, given: dict[str, Any]) -> Response:  # noqa: N802
        """The function in the VPC; a call of AWS's APIs would hang there."""

        def no_aws(service: str, operation: str, **parameters: object) -> JsonObject:
            raise AssertionError(f"{service}:{operation} can't be reached from the VPC")

        assert given["FunctionName"] == plans.CLIENT_FUNCTION
        context = Context(
            aws=no_aws,
            resolve=self.resolve,
            ask=self.ask,
            clock=lambda: self.now,
            sleep=self.sleep,
            log=lambda event, **fields: None,
        )
        answer = client_view.client(json.loads(given["Payload"]), context)
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}

    def DescribeAlarms(self, given: dict[str, Any]) -> Response:  # noqa: N802
        return {
            "MetricAlarms": [
                self._alarm(name)
                for name in given["AlarmNames"]
                if name not in self.script.alarms_missing
            ],
            "CompositeAlarms": [],
        }

    def DescribeInstances(self, given: dict[str, Any]) -> Response:  # noqa: N802
        (instance,) = given["Filters"][0]["Values"]
        stopped = self.broken and self.plan.fault is FaultKind.STOP_INSTANCE
        (each,) = self.experiments if stopped else [None]
        by_fis = (
            each is not None
            and self.script.fis_starts_instance
            and self.status(each) not in ("initiating", "running", "stopping")
        )
        starting = stopped and (by_fis or self.started_by_hand is not None)
        state = "pending" if starting else "stopped" if stopped else "running"
        found = {"InstanceId": instance, "State": {"Name": state}, **self.script.instance}
        return {"Reservations": [{"Instances": [found]}]}

    def DescribeVolumes(self, given: dict[str, Any]) -> Response:  # noqa: N802
        return {"Volumes": [{"KmsKeyId": each} for each in self.script.volume_keys]}

    def DescribeKey(self, given: dict[str, Any]) -> Response:  # noqa: N802
        assert given["KeyId"] == "alias/aws/ebs"
        return {"KeyMetadata": {"KeyId": "ebs", "Arn": EBS_KEY}}

    def GetCalendarState(self, given: dict[str, Any]) -> Response:  # noqa: N802
        (name,) = given["CalendarNames"]
        return {"State": "CLOSED" if name in self.script.calendars_closed else "OPEN"}

    def DescribeStacks(self, given: dict[str, Any]) -> Response:  # noqa: N802
        made = {"CreationTime": _moment(START), "StackStatus": self.script.stack_status}
        return {"Stacks": [{"StackName": given["StackName"], **made}]}

    def ListCommandInvocations(self, given: dict[str, Any]) -> Response:  # noqa: N802
        unknown = not self.script.command_known or self.fault_at is None
        command = self.plan.command
        (document,) = given["Filters"]
        if unknown or command is None or document["value"] != command.document:
            return {"CommandInvocations": []}
        status = "InProgress" if self.fault_ended_at is None else "Success"
        return {"CommandInvocations": [{"CommandId": COMMAND, "Status": status}]}

    def DescribeDBInstances(self, given: dict[str, Any]) -> Response:  # noqa: N802
        if not self.script.database_known:
            raise ApiError("DBInstanceNotFound")
        found = {"DBInstanceStatus": self._database_status("rebooting"), "MultiAZ": True}
        identifier = {"DBInstanceIdentifier": given["DBInstanceIdentifier"]}
        return {"DBInstances": [{**identifier, **found, **self.script.database}]}

    def DescribeDBClusters(self, given: dict[str, Any]) -> Response:  # noqa: N802
        if not self.script.database_known:
            raise ApiError("DBClusterNotFoundFault")
        found: Response = {
            "Status": self._database_status("failing-over"),
            "DBClusterMembers": [
                {"DBInstanceIdentifier": "shop-1", "IsClusterWriter": True},
                {"DBInstanceIdentifier": "shop-2", "IsClusterWriter": False},
            ],
        }
        identifier = {"DBClusterIdentifier": given["DBClusterIdentifier"]}
        return {"DBClusters": [{**identifier, **found, **self.script.database}]}

    def _database_status(self, busy: str) -> str:
        began = self.fault_at
        shows = began is not None and self.now >= began + 5
        return busy if shows and self.broken else "available"

    def StartInstances(self, given: dict[str, Any]) -> Response:  # noqa: N802
        assert given["InstanceIds"] == [plans.INSTANCE]
        self.started_by_hand = self.now
        return {"StartingInstances": []}

    def DescribeInstanceInformation(self, given: dict[str, Any]) -> Response:  # noqa: N802
        return {
            "InstanceInformationList": [
                {
                    "InstanceId": plans.INSTANCE,
                    "PingStatus": self.script.agent,
                    "PlatformName": self.script.system,
                    "PlatformVersion": self.script.system_version,
                }
            ]
        }

    def _by_id(self, identity: str) -> StartedExperiment:
        for each in self.experiments:
            if each.id == identity:
                return each
        raise ApiError("ResourceNotFoundException")

    def _experiment(self, each: StartedExperiment) -> Response:
        status = self.status(each)
        action: Response = {"actionId": "aws:ec2:stop-instances", "state": {"status": status}}
        began = self.acting_since(each)
        if began is not None:
            action["startTime"] = _moment(began)
        document: Response = {
            "id": each.id,
            "experimentTemplateId": each.template,
            "state": {"status": status, "reason": "Scripted."},
            "actions": {"Fault": action},
            "tags": each.tags,
        }
        if status in ("completed", "stopped", "failed"):
            document["endTime"] = _moment(each.stopped_at or self.natural_end(each))
        return document

    def _alarm(self, name: str) -> Response:
        value, since = self.alarm_state(name)
        return {
            "AlarmName": name,
            "StateValue": value,
            "StateTransitionedTimestamp": _moment(since),
            "StateUpdatedTimestamp": _moment(since),
        }

    def alarm_state(self, name: str) -> tuple[str, float]:
        """The state of an alarm, and when it came to that."""
        if name in self.script.alarm_states:
            return self.script.alarm_states[name], self.now
        on = name in self.script.alarms_on
        since = START - 86_400.0
        if name in self.script.alarms_of_database and self.fault_at is not None:
            fired = self.fault_at + (self.script.detect or 0)
            well = max(fired, self.fault_at + self.script.failover_takes)
            well += self.script.recover if self.script.recover is not None else math.inf
            if self.now >= fired:
                on, since = (True, fired) if self.now < well else (False, well)
        if name in self.plan.expected_alarms and self.fault_at is not None:
            fault, ended, lag = self.fault_at, self.fault_ended_at, self.script.detect
            if self._after(lag, self.script.recover):
                on, since = True, fault + (lag or 0)
            elif ended is not None and self.script.recover is not None:
                since = min(self.now, ended + self.script.recover)
        return ("ALARM" if on else "OK"), since


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, timezone.utc)
