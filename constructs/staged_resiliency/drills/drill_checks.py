"""Checks that a drill is safe, that its effects can be observed, and that it can fail."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch

from staged_resiliency.drills.drill_group import DrillGroup
from staged_resiliency.drills.faults import DenyOrigin, Fault
from staged_resiliency.drills.hypothesis import longest_minutes
from staged_resiliency.drills.schedule import MAX_GAP_DAYS, DrillSchedule, outside_window
from staged_resiliency.drills.target import DrillTarget
from staged_resiliency.drills.window import DrillWindow
from staged_resiliency.experiment.expectations import (
    AlarmFires,
    ClientsMove,
    Expectation,
    describe,
    time_limit,
)
from staged_resiliency.failover.alarms import SignalAlarm
from staged_resiliency.shared import limits, network_names, validation
from staged_resiliency.shared.errors import InvalidInputError
from staged_resiliency.shared.literals import is_literal, wrong_type


def require_types(
    group: object,
    fault: object,
    guards: object,
    hypothesis: object,
    schedule: object,
    window: object,
) -> None:
    """Refuse arguments of wrong types, and name them, which the CDK's errors do not."""
    for name, given, kind, allowed in (
        ("group", group, DrillGroup, "a DrillGroup"),
        ("fault", fault, Fault, "a fault, such as StopInstance(...)"),
        ("schedule", schedule, DrillSchedule, "a DrillSchedule"),
        ("window", window, DrillWindow, "a DrillWindow"),
    ):
        if not isinstance(given, kind):
            raise wrong_type("Drill", name, given, allowed)
    for name, given in (("guards", guards), ("hypothesis", hypothesis)):
        if given is None:
            continue
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise wrong_type("Drill", name, given, "a list")
        for each in given:
            if name == "hypothesis" and not isinstance(each, Expectation):
                raise wrong_type("Drill", name, each, "expectations, such as ClientsMove(...)")


def require_host(group: DrillGroup, fault: Fault) -> None:
    """Refuse a fault on another host or instance than those of the service."""
    hosts = {host.name: host for host in (group.service.active, group.service.standby)}
    if fault.lost_by_both:
        active = group.service.active
        if active.planned.instance_id is None:
            raise InvalidInputError(
                f"Drill: fault: {active.name}, the active host, has no instance in the service, "
                "which drills lock while they run; give DrillHost its instance"
            )
        return
    if fault.host_name not in hosts:
        raise InvalidInputError(
            f"Drill: fault: {validation.shown(fault.host_name)} is no host of the service; "
            "allowed: "
            f"{', '.join(hosts)}"
        )
    planned = hosts[fault.host_name].planned.instance_id
    if planned != fault.instance_id:
        raise InvalidInputError(
            f"Drill: fault: {fault.host_name} has instance {planned or 'none'} in the service, and "
            f"{fault.instance_id} here; give the same"
        )


def require_sense(
    hypothesis: Sequence[Expectation], schedule: DrillSchedule, machine_name: str
) -> None:
    """Refuse a drill that can't fail, that runs too rarely, or whose name is too long."""
    if not hypothesis:
        raise InvalidInputError(
            "Drill: hypothesis: a drill that expects nothing can't fail; give at least one "
            "expectation, such as ClientsMove"
        )
    for each in hypothesis:
        if isinstance(each, ClientsMove) and each.within_seconds is not None:
            raise InvalidInputError(
                f"Drill: hypothesis: ClientsMove: within_seconds: found {each.within_seconds:g}; "
                "the time limit of a drill is the objective_seconds of its DrillTarget; leave it "
                "out here"
            )
    if schedule.longest_gap_days > MAX_GAP_DAYS:
        raise InvalidInputError(
            f"Drill: schedule: {schedule.expression!r} leaves up to {schedule.longest_gap_days:g} "
            f"days between two runs; at most {MAX_GAP_DAYS} are allowed"
        )
    if len(machine_name) > limits.MAX_STATE_MACHINE_NAME_CHARACTERS:
        raise InvalidInputError(
            f"Drill: name: the state machine {machine_name!r} has {len(machine_name)} characters; "
            f"at most {limits.MAX_STATE_MACHINE_NAME_CHARACTERS} fit"
        )


def require_observable(
    service: DrillTarget, fault: Fault, hypothesis: Sequence[Expectation]
) -> None:
    """Refuse expectations that the drill could not observe."""
    record = _canonical(service.record_name)
    hosts = [service.active.name, service.standby.name]
    alarms = [*service.alarm_names, *(each.name for each in fault.own_alarms)]
    for each in hypothesis:
        if isinstance(fault, DenyOrigin) and getattr(each, "record", None) == fault.record_name:
            continue  # of the dependency, whose clients the drill observes too
        name = getattr(each, "record", None)
        if name is not None and _canonical(name) != record:
            raise InvalidInputError(
                f"Drill: hypothesis: {describe(each)}: {validation.shown(name)} is not the record "
                f"of the service; give {record}"
            )
        host = getattr(each, "to", None) or getattr(each, "on", None)
        if host is not None and host not in hosts:
            raise InvalidInputError(
                f"Drill: hypothesis: {describe(each)}: {validation.shown(host)} is no host of the "
                f"service; allowed: {', '.join(hosts)}"
            )
        alarm = getattr(each, "alarm", None)
        if alarm is not None and alarm not in alarms:
            raise InvalidInputError(
                f"Drill: hypothesis: {describe(each)}: it is no alarm of the service, so it would "
                "not be observed; add it to DrillTarget(alarms=...)"
            )


def _canonical(record: str) -> str:
    return network_names.domain_name(record) if is_literal(record) else record


def require_time(
    fault: Fault,
    hypothesis: Sequence[Expectation],
    schedule: DrillSchedule,
    window: DrillWindow,
    group: DrillGroup,
) -> None:
    """Refuse runs outside the window, and a fault that ends before its expected effects."""
    refusal = outside_window(
        schedule, window.days, window.from_hour, window.to_hour, group.notify_before_minutes
    )
    if refusal is not None:
        raise InvalidInputError(f"Drill: schedule: {refusal}")
    objective = group.service.objective_seconds
    if fault.database is not None and objective < fault.seconds:
        raise InvalidInputError(
            f"Drill: fault: {fault.database} may take {fault.seconds} s to fail over, and the "
            f"objective is {objective:g} s; give DrillTarget more objective_seconds"
        )
    for each in hypothesis:
        lasts = fault.duration_minutes * 60 if isinstance(each, ClientsMove) else fault.seconds
        if not isinstance(each, ClientsMove | AlarmFires) or not is_literal(lasts):
            continue
        limit = time_limit(each, group.service.objective_seconds)
        if lasts < limit:
            raise InvalidInputError(
                f"Drill: fault: may end after {lasts} s, before {describe(each)}, which may take "
                f"{limit:g} s; give more duration_minutes"
            )


def require_reason(
    fault: Fault, hypothesis: Sequence[Expectation], objective_seconds: float, reason: str | None
) -> None:
    """Refuse a fault that lasts longer than it needs, without a reason."""
    longest = longest_minutes(hypothesis, objective_seconds)
    if is_literal(fault.duration_minutes) and fault.duration_minutes > longest and not reason:
        raise InvalidInputError(
            f"Drill: fault: duration_minutes: {fault.duration_minutes} is more than the {longest} "
            "that the drill may need; give less, or a duration_reason"
        )


def alarm_name(guard: str | SignalAlarm | cloudwatch.IAlarm) -> str:
    """Return the name of a guard, an alarm that stops the drill."""
    if isinstance(guard, str):
        return guard
    if not hasattr(guard, "alarm_name"):
        raise wrong_type("Drill", "guards", guard, "an alarm or its name")
    return guard.alarm_name


def require_guards_apart(guards: Sequence[str], expected: Sequence[str]) -> None:
    """Refuse a guard, an alarm that stops the drill, if the fault is expected to fire it."""
    for guard in guards:
        if guard in expected:
            raise InvalidInputError(
                f"Drill: guards: {guard!r} is expected to fire during the fault, so it would "
                "stop the fault; give an alarm of the other host"
            )
