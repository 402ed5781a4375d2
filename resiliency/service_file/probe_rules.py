"""Rules about what the probe measures, and how."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from resiliency.service_file.errors import Problem
from resiliency.service_file.model import Service
from resiliency.service_file.partial_document import PartialDocument
from resiliency.service_file.probe_mapping import probe_configuration
from staged_resiliency.probe import probe_validation
from staged_resiliency.probe.configuration import DEFAULT_INTERVAL_SECONDS, DEFAULT_TIMEOUT_SECONDS
from staged_resiliency.shared import validation

_HTTP: Final = ("http", "https")
# The protocols that a key of a dependency's check means something to.
_GOES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "path": _HTTP,
    "status": _HTTP,
    "text": _HTTP,
    "host_header": _HTTP,
    "server_name": ("tls", "https"),
    "days_to_expiry": ("tls", "https"),
    "type": ("dns",),
    "answer": ("dns",),
    "server": ("dns",),
    "family": ("tcp", "tls", "http", "https"),
}


def _keys_go_with_the_protocol(env: PartialDocument) -> Iterator[Problem]:
    for check in _checks(env):
        protocol = check.text("protocol", default="tcp")
        for key, protocols in _GOES_WITH.items():
            if protocol and check.has(key) and protocol not in protocols:
                yield check.problem(
                    f"goes with protocol {_either(protocols)}, and this is {protocol}; "
                    "give that protocol or take it out",
                    key,
                )


def _dependencies_have_a_port(env: PartialDocument) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        dependency = env.within("dependencies", name)
        protocol = dependency.text("check", "protocol", default="tcp")
        if not isinstance(dependency.raw, dict):
            continue
        if protocol in ("tcp", "tls") and not dependency.has("port"):
            yield dependency.problem("is missing; give one like port: 5432", "port")
        elif protocol == "dns" and dependency.has("port") and not dependency.has("check", "server"):
            yield dependency.problem(
                "goes with check.server; the host's own DNS servers have their port", "port"
            )


def _hosts_are_of_the_kind_that_is_asked(env: PartialDocument) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        dependency = env.within("dependencies", name)
        host = dependency.text("host")
        if host and dependency.text("check", "protocol", default="tcp") == "dns":
            try:
                probe_validation.name_to_ask_for(host)
            except ValueError as error:
                yield dependency.problem(str(error), "host")
        elif host and probe_validation.is_address(host) and dependency.has("check", "family"):
            yield dependency.problem(
                f"goes with names, and {validation.shown(host)} is an address; take it out",
                "check",
                "family",
            )


def _answers_are_of_the_type_that_is_asked_for(env: PartialDocument) -> Iterator[Problem]:
    for check in _checks(env):
        answer, record_type = check.text("answer"), check.text("type", default="A")
        if check.text("protocol", default="tcp") == "dns" and answer and record_type:
            try:
                probe_validation.dns_answer(answer, record_type)
            except ValueError as error:
                yield check.problem(str(error), "answer")


def _items_stand_once(env: PartialDocument) -> Iterator[Problem]:
    for part in (*(check.within("status") for check in _checks(env)), env.within("probe", "roles")):
        seen: list[object] = []
        for index, item in enumerate(part.items()):
            if item in seen:
                yield part.problem(f"{validation.shown(item)} stands twice; once is enough", index)
            seen.append(item)


def _samples_end_before_the_next_one(env: PartialDocument) -> Iterator[Problem]:
    probe = env.within("probe")
    interval = probe.number("interval_seconds", default=DEFAULT_INTERVAL_SECONDS)
    timeout = probe.get("timeout_seconds")
    if timeout is None and not probe.has("timeout_seconds"):
        timeout = DEFAULT_TIMEOUT_SECONDS
    if interval is not None and isinstance(timeout, int | float):
        try:
            probe_validation.timeout_seconds(timeout, interval)
        except ValueError as error:
            key = "timeout_seconds" if probe.has("timeout_seconds") else "interval_seconds"
            yield probe.problem(str(error), key)


def _peers_are_asked_where_they_decide(env: PartialDocument) -> Iterator[Problem]:
    if "peer" in env.items("failover_on") and env.get("probe", "peer") is False:
        yield env.problem(
            "is false, and failover_on has 'peer', which needs it; take one of them out",
            "probe",
            "peer",
        )


def _the_absent_decide_nothing(env: PartialDocument) -> Iterator[Problem]:
    if env.get("probe", "state") != "absent":
        return
    measured = [*env.names("dependencies"), "peer"]
    deciding = [signal for signal in env.items("failover_on") if signal in measured]
    if deciding:
        yield env.problem(
            f"'absent' while failover_on has {deciding[0]!r}: without the probe nothing measures "
            "it, and clients would be sent to the standby; take it out of failover_on first",
            "probe",
            "state",
        )
    elif not env.has("dependencies") and env.get("probe", "peer") is not True:
        yield env.problem(
            "'absent' reaches no host, as without dependencies and peers there is no probe stack; "
            "keep them until it is deployed",
            "probe",
            "state",
        )


def fit_problems(service: Service, draft: PartialDocument) -> Iterator[Problem]:
    """More targets than Systems Manager takes to a host at once, in a service that is sound.

    Not a rule on a draft: what a configuration weighs is only known of a whole one.
    """
    for name, environment in service.environments.items():
        if environment.has_probe:
            try:
                probe_configuration(service, environment).require_fit()
            except ValueError as error:
                yield draft.problem(
                    f"{error}; take some out",
                    "environments",
                    name,
                    "dependencies",
                )


def _checks(env: PartialDocument) -> Iterator[PartialDocument]:
    for name in env.names("dependencies"):
        yield env.within("dependencies", name, "check")


def _either(words: tuple[str, ...]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _keys_go_with_the_protocol,
    _dependencies_have_a_port,
    _hosts_are_of_the_kind_that_is_asked,
    _answers_are_of_the_type_that_is_asked_for,
    _items_stand_once,
    _samples_end_before_the_next_one,
    _peers_are_asked_where_they_decide,
    _the_absent_decide_nothing,
)
