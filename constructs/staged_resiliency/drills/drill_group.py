"""What the drills of one service share: functions, roles, journals, cleanup and watchdog."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from staged_resiliency.drills import functions
from staged_resiliency.drills.database_faults import DatabaseFault
from staged_resiliency.drills.dead_letter_queue import DeadLetterQueue
from staged_resiliency.drills.end_calls import EndCalls
from staged_resiliency.drills.experiment import experiment_role, report_of
from staged_resiliency.drills.fault_alarm import FaultNotEndedAlarm
from staged_resiliency.drills.faults import DenyOrigin, FisFault
from staged_resiliency.drills.gremlin_engine import GremlinEngine
from staged_resiliency.drills.iam import place_of
from staged_resiliency.drills.journal_bucket import JournalBucket
from staged_resiliency.drills.lambda_code import code_archive
from staged_resiliency.drills.network import DrillNetwork
from staged_resiliency.drills.permissions import Scope, tags_of
from staged_resiliency.drills.roles import Roles
from staged_resiliency.drills.runtime.fault_settings import Origin
from staged_resiliency.drills.runtime.scheduled_tasks import DrillSchedules
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.notifications.topics import Topics, arns_of, require_topics_in
from staged_resiliency.shared import aws_ids, limits, names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import checked, is_literal, wrong_type
from staged_resiliency.shared.stacks import set_stack_of

LOG_DAYS: Final = 400
"""More than a year, to compare a month with the same one of the year before."""


class DrillGroup(Construct):
    """The shared infrastructure of one service's drills; each ``Drill`` is added to it.

    Creates three Lambda functions, each with a role: one observes, one injects faults, one ends
    them and records results; a log for all; roles for FIS, for the state machines and for the
    schedules of all drills; the bucket of journals (encrypted, versioned, TLS only, no object can
    be overwritten, kept when the stack is deleted); a daily schedule for the watchdog, which
    counts the days since each drill passed; an EventBridge rule and a schedule that call the
    cleanup, which ends the fault of a run that was aborted and records its verdict; a dead-letter
    queue with an alarm; and an alarm that is on while the fault of a run that ended may last.

    What ends a fault does not depend on which drills there are, nor on which host is active: the
    permissions name both hosts, and the roles that FIS assumes are kept when the stack is deleted.

    Args:
        scope: The parent.
        construct_id: Id below the parent.
        service: The service that the drills are run on.
        topic: Where verdicts and alarms are sent.
        enabled: Whether the drills inject their faults. Dry runs unless given: they resolve their
            targets and check the steady state, and break nothing.
        notify_passed: Also send a message for runs that passed, and for dry runs in which all was
            well; sent unless given.
        notify_recovery: Also send the return to OK of the alarms on drills; not sent unless given.
        runbook: What to do when a drill fails: a URL or a line; nothing unless given.
        volume_keys: ARNs of the customer-managed KMS keys of the hosts' volumes, none unless given.
            Without the permission to use them a stopped host would **not start again**.
        key: ARN of a customer-managed KMS key for journals, logs and queue; AWS's own keys unless
            given. Its policy must let CloudWatch Logs and EventBridge use it.
        journal_lock_days: For how many days S3 refuses to delete a journal, even to
            administrators (Object Lock in compliance mode); not locked unless given.
        fis_report: Whether FIS writes its own report of each experiment into the bucket, which
            costs extra; no unless given.
        dashboard_name: Name of the CloudWatch dashboard whose graphs that report shows; a report
            without graphs unless given.
        blackout: Days on which no drill may start: ``2026-12-24``, or
            ``2026-12-24/2027-01-02``; none unless given.
        change_calendars: ARNs of Systems Manager change calendars; no drill starts while one of
            them is closed.
        notify_before_minutes: How long before its fault a run sends a message that announces it,
            with the way to stop it; up to a day, no message unless given.
        network: Where clients of private hosts are. Adds a function that is attached to it and
            observes what they see. Hosts are asked over the internet unless given.
        engine: What injects the faults; AWS FIS unless given.

    Raises:
        InvalidInputError: A value that AWS would refuse, a topic, key, calendar or secret of
            another region, or a region without AWS FIS.

    Attributes:
        service: The service.
        enabled: Whether faults are injected.
        engine: The ``GremlinEngine``; None for AWS FIS.
        place: The partition, region and account.
        journals: The ``JournalBucket``.
        undelivered: The ``DeadLetterQueue``.
        fault_alarm: The ``FaultNotEndedAlarm``.
        functions: The ``CfnFunction`` of each function, by its name.
        function_arns: The ARN of each, by the same name.
        client_arn: The ARN of the function in the VPC; None without ``network``.
        log_arn: The ARN of the log group that functions, state machines and FIS write.
        schedule_group: The name of the group of all schedules.
        machine_role_arn: The role that Step Functions assumes to run the drills.
        starter_role_arn: The role that EventBridge Scheduler assumes to start them.
        tags: Tags of experiments and templates, by which permissions are limited.

    Example:
        >>> from aws_cdk import App, Stack
        >>> from staged_resiliency import DrillHost, DrillTarget
        >>> group = DrillGroup(
        ...     Stack(App(), "Shop"),
        ...     "Drills",
        ...     service=DrillTarget(
        ...         name="shop",
        ...         environment="production",
        ...         namespace="Shop",
        ...         active=DrillHost("shop-blue", "192.0.2.1", instance="i-0123456789abcdef0"),
        ...         standby=DrillHost("shop-green", "192.0.2.2"),
        ...         record_name="shop.example.com",
        ...         hosted_zone_id="Z2EHK3FAEUNRMI",
        ...         alarms=["shop-blue-StatusCheckFailed"],
        ...         objective_seconds=360,
        ...     ),
        ...     topic="arn:aws:sns:eu-west-1:111111111111:ops",
        ... )
        >>> group.enabled
        False
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service: DrillTarget,
        topic: Topics,
        enabled: bool = False,
        notify_passed: bool = True,
        notify_recovery: bool = False,
        runbook: str | None = None,
        volume_keys: Sequence[str] = (),
        key: str | None = None,
        journal_lock_days: int | None = None,
        fis_report: bool = False,
        dashboard_name: str | None = None,
        blackout: Sequence[str] = (),
        change_calendars: Sequence[str] = (),
        notify_before_minutes: int = 0,
        network: DrillNetwork | None = None,
        engine: GremlinEngine | None = None,
    ) -> None:
        if network is not None and not isinstance(network, DrillNetwork):
            raise wrong_type("DrillGroup", "network", network, "a DrillNetwork")
        keys_and_calendars = {
            "volume_keys": (volume_keys, aws_ids.kms_key_arn),
            "key": ([] if key is None else [key], aws_ids.kms_key_arn),
            "change_calendars": (change_calendars, aws_ids.change_calendar_arn),
        }
        for name, (arns, check) in keys_and_calendars.items():
            for each in arns:
                checked("DrillGroup", name, each, check)
        if engine is not None:
            if not isinstance(engine, GremlinEngine):
                raise wrong_type("DrillGroup", "engine", engine, "a GremlinEngine")
            engine.require_hosts([service.active.planned.name, service.standby.planned.name])
            if fis_report:
                raise InvalidInputError(
                    "DrillGroup: fis_report: AWS FIS writes no report where Gremlin injects the "
                    "faults; leave it out"
                )
            arns = [engine.secret_arn, *([] if engine.kms_key is None else [engine.kms_key])]
            keys_and_calendars["engine"] = (arns, validation.one_line)
        for each in blackout:
            checked("DrillGroup", "blackout", each, validation.days)
        checked(
            "DrillGroup",
            "notify_before_minutes",
            notify_before_minutes,
            validation.notice_minutes,
        )
        super().__init__(scope, construct_id)
        set_stack_of(self, scope)
        self.service: Final = service
        self.topic_arns: Final = arns_of(topic)
        self.notify_recovery: Final = notify_recovery
        self.enabled: Final = enabled
        self.engine: Final = engine
        self.notify_passed: Final = notify_passed
        self.runbook: Final = runbook
        self.volume_keys: Final = tuple(volume_keys)
        self.blackout: Final = tuple(blackout)
        self.change_calendars: Final = tuple(change_calendars)
        self.notify_before_minutes: Final = notify_before_minutes
        self.place: Final = place_of(self)
        if self.place.region in limits.REGIONS_WITHOUT_FIS:
            raise InvalidInputError(
                f"DrillGroup: {self.place.region} has no AWS FIS, so drills can't run there"
            )
        require_topics_in(self.place.region, self.topic_arns)
        for name, (arns, _) in keys_and_calendars.items():
            for each in filter(is_literal, arns):
                refusal = aws_ids.other_region(each, self.place.region)
                if refusal is not None and is_literal(self.place.region):
                    raise InvalidInputError(f"DrillGroup: {name}: {refusal}")
        self.tags: Final = tags_of(service.name, service.environment)
        self.journals: Final = JournalBucket(self, "Journals", key=key, lock_days=journal_lock_days)
        self._key: Final = key
        self._drills: Final[list[str]] = []
        hosts = [service.active.planned, service.standby.planned]
        self._scope: Final = Scope(
            place=self.place,
            bucket_arn=self.journals.bucket_arn,
            namespace=service.namespace,
            tags=self.tags,
            topic_arns=self.topic_arns,
            any_machine=names.drill_state_machine(service.name, service.environment, "*"),
            # In an order that an exchange of the active host does not change.
            hosts=sorted(each.name for each in hosts),
            instances=sorted(each.instance_id for each in hosts if each.instance_id is not None),
            volume_keys=self.volume_keys,
            calendars=self.change_calendars,
            stack=service.stack,
            bucket_key=key,
            dashboard_name=dashboard_name,
            gremlin_secret=None if engine is None else engine.secret_arn,
            gremlin_key=None if engine is None else engine.kms_key,
        )
        self.undelivered: Final = DeadLetterQueue(
            self,
            "Undelivered",
            service=service.name,
            environment=service.environment,
            display_name=service.title,
            topic=topic,
            notify_recovery=notify_recovery,
            key=key,
        )
        log = self._log()
        self.log_arn: Final = log.attr_arn
        self._roles: Final = Roles(
            self, self._scope, service=service.name, undelivered_arn=self.undelivered.queue_arn
        )
        code = self._code()
        self.client_arn: Final = (
            None
            if network is None
            else self._function(
                functions.CLIENT,
                self._roles.of_client(self.log_arn),
                code,
                log.ref,
                network,
            ).attr_arn
        )
        self.functions: Final[Mapping[str, lambda_.CfnFunction]] = {
            each.name: self._function(
                each, self._roles.of_function(each, self.log_arn, self.client_arn), code, log.ref
            )
            for each in functions.ALL
        }
        self.function_arns: Final[Mapping[str, str]] = {
            name: function.attr_arn for name, function in self.functions.items()
        }
        schedules = scheduler.CfnScheduleGroup(self, "Schedules")
        schedules.add_metadata("Description", "Schedules of drills and their watchdog.")
        self.schedule_group: Final = schedules.ref
        self.machine_role_arn: Final = self._roles.of_machines(self.function_arns.values())
        end_arn = self.function_arns[functions.END.name]
        self.scheduler_role_arn: Final = self._roles.of_schedules(schedules.attr_arn, end_arn)
        self._roles.acknowledge()
        end_calls = EndCalls(
            end=self.functions[functions.END.name],
            end_arn=end_arn,
            role_arn=self.scheduler_role_arn,
            undelivered=self.undelivered,
            where=self._scope,
        )
        end_calls.after_events(self)
        self._watchdog: Final = end_calls.regularly(
            self,
            self.schedule_group,
            DrillSchedules(
                service=service.name,
                environment=service.environment,
                drills=(),
                journal_bucket=self.journals.bucket_name,
                namespace=service.namespace,
                client_function=self.client_arn,
            ),
            self._drills,
        ).node
        self.fault_alarm: Final = FaultNotEndedAlarm(
            self, "FaultNotEnded", service, topic, notify_recovery=notify_recovery
        )
        self.report: Final = (
            report_of(self._scope, self.journals.bucket_name) if fis_report else None
        )
        self._experiment_roles: Final[dict[str, str]] = {}
        self._origins: Final[list[Origin]] = []

    def reserve(self, drill: str) -> None:
        """Reserve a drill's name; ``Drill`` calls this itself.

        Raises:
            InvalidInputError: Another drill has the name.
        """
        if drill in self._drills:
            raise InvalidInputError(
                f"Drill: name: {drill!r} is already the name of a drill of the service; give "
                "another one"
            )
        self._drills.append(drill)

    def experiment_role_arn(self, fault: FisFault) -> str:
        """Return the ARN of the role that FIS assumes for a fault; made for its first drill.

        Faults of a class share one, and failovers of a database, which the functions then may
        describe too.
        """
        role_id = fault.role_id
        if role_id not in self._experiment_roles:
            # The identifier of a database may be known only at deployment.
            number = len(self._experiment_roles) + 1
            construct_id = role_id if is_literal(role_id) else f"RdsFailoverRole{number}"
            arn = experiment_role(self, construct_id, fault, self._scope, self.report)
            self._experiment_roles[role_id] = arn
            if isinstance(fault, DatabaseFault):
                describe = fault.describe(self.place)
                self._roles.let_functions(f"{construct_id}Describe", describe)
        return self._experiment_roles[role_id]

    def origin(self, fault: DenyOrigin) -> Origin:
        """Return the origin that a drill denies, and permit the functions to deny it.

        Raises:
            InvalidInputError: The clients of the hosts are in a VPC.
        """
        if self.client_arn is not None:
            raise InvalidInputError(
                "Drill: fault: the clients of a distribution are observed over the internet, and "
                "DrillGroup has a network; leave the drill out"
            )
        origin = fault.origin(self.place)
        if origin not in self._origins:
            number = len(self._origins) + 1
            self._origins.append(origin)
            permissions = fault.permissions(self.place)
            for function in functions.ALL:
                construct_id = f"Origin{number}{function.construct_id}"
                self._roles.let(function, construct_id, permissions[function.name])
        return origin

    def count(self, machine: stepfunctions.CfnStateMachine) -> None:
        """Deploy a state machine before the watchdog's schedule; ``Drill`` calls this itself.

        The watchdog is called as soon as its schedule is made, and names machines that the
        schedule does not refer to.
        """
        self._watchdog.add_dependency(machine)

    def _log(self) -> logs.CfnLogGroup:
        """The log group of everything, deleted with the stack; the journals keep the results.

        Its name lets AWS deliver to it without a policy for each state machine, of which an
        account has ten: https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        """
        log = logs.CfnLogGroup(
            self,
            "Log",
            log_group_name=names.drill_log_group(self.service.name, self.service.environment),
            retention_in_days=LOG_DAYS,
            kms_key_id=self._key,
        )
        log.apply_removal_policy(RemovalPolicy.DESTROY)
        log.add_metadata("Description", "What functions, state machines and FIS did in drills.")
        return log

    def _code(self) -> lambda_.CfnFunction.CodeProperty:
        asset = assets.Asset(self, "Code", path=str(code_archive()))
        return lambda_.CfnFunction.CodeProperty(
            s3_bucket=asset.s3_bucket_name, s3_key=asset.s3_object_key
        )

    def _function(
        self,
        function: functions.Function,
        role_arn: str,
        code: lambda_.CfnFunction.CodeProperty,
        log_name: str,
        network: DrillNetwork | None = None,
    ) -> lambda_.CfnFunction:
        vpc = None
        if network is not None:
            vpc = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=list(network.subnet_ids),
                security_group_ids=list(network.security_group_ids),
            )
        # Lambda has no JSON there: govcloud-us/latest/UserGuide/govcloud-lambda.html
        in_govcloud = self.place.region.startswith("us-gov-")
        return lambda_.CfnFunction(
            self,
            function.construct_id,
            description=f"Drills of {self.service.title}: {function.duty}.",
            code=code,
            runtime=f"python{functions.RUNTIME_VERSION}",
            architectures=["arm64"],
            handler=function.handler,
            memory_size=function.memory_mebibytes,
            timeout=function.timeout_seconds,
            role=role_arn,
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(
                log_format="Text" if in_govcloud else "JSON", log_group=log_name
            ),
            reserved_concurrent_executions=function.reserved,
            vpc_config=vpc,
        )
