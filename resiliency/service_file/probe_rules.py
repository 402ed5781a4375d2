"""Rules about the probe and its checks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from resiliency.service_file.errors import Path, Problem
from resiliency.service_file.failover_rules import decided_by_hosts
from resiliency.service_file.mapping import CHECK_KEYS, probe_configuration
from resiliency.service_file.model.service import Service, default_namespace
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.probe import probe_validation
from staged_resiliency.shared import names
from staged_resiliency.shared.network_names import is_address
from staged_resiliency.shared.validation import shown


def _keys_apply_to_the_protocol(env: PartialDocument) -> Iterator[Problem]:
    for check in _checks(env):
        protocol = check.text("protocol")
        for key, protocols in CHECK_KEYS.items():
            if protocol and check.has(key) and protocol not in protocols:
                yield check.problem(
                    f"applies to protocol {_either(protocols)}, but the protocol is {protocol}; "
                    "change the protocol or remove this key",
                    key,
                )


def _dependencies_have_a_port(env: PartialDocument) -> Iterator[Problem]:
    for _, dependency in env.members("dependencies"):
        protocol = dependency.text("check", "protocol")
        if not isinstance(dependency.raw, dict):
            continue
        if protocol in ("tcp", "tls", "exchange") and not dependency.has("port"):
            yield dependency.problem("is missing; give one like port: 5432", "port")
        elif protocol == "dns" and dependency.has("port") and not dependency.has("check", "server"):
            yield dependency.problem(
                "applies only together with check.server, not to the host's own DNS servers; "
                "remove it",
                "port",
            )


def _hosts_suit_the_protocol(env: PartialDocument) -> Iterator[Problem]:
    for _, dependency in env.members("dependencies"):
        host = dependency.text("host")
        if host and dependency.text("check", "protocol") == "dns":
            try:
                probe_validation.name_to_look_up(host)
            except ValueError as error:
                yield dependency.problem(str(error), "host")
        elif host and is_address(host) and dependency.has("check", "family"):
            yield dependency.problem(
                f"applies to names, and {shown(host)} is an address; remove it",
                *("check", "family"),
            )


def _answers_suit_the_record_type(env: PartialDocument) -> Iterator[Problem]:
    for check in _checks(env):
        answer, record_type = check.text("answer"), check.text("type")
        if check.text("protocol") == "dns" and answer and record_type:
            try:
                probe_validation.dns_answer(answer, record_type)
            except ValueError as error:
                yield check.problem(str(error), "answer")


def _timeout_is_within_the_interval(env: PartialDocument) -> Iterator[Problem]:
    probe = env.within("probe")
    for part in (probe, *_checks(env)):
        own = part is probe or part.has("interval_seconds") or part.has("timeout_seconds")
        interval = part.number("interval_seconds") or probe.number("interval_seconds")
        timeout = part.get("timeout_seconds")
        if timeout is None:
            timeout = probe.get("timeout_seconds")
        if own and interval is not None and isinstance(timeout, int | float):
            try:
                probe_validation.timeout_seconds(timeout, interval)
            except ValueError as error:
                key = "timeout_seconds" if part.has("timeout_seconds") else "interval_seconds"
                yield part.problem(str(error), key)


def _checks_are_complete(env: PartialDocument) -> Iterator[Problem]:
    for check in _checks(env):
        protocol = check.text("protocol")
        if protocol == "mysql" and not check.has("user"):
            yield check.problem(
                "is missing; give an account without a password and without privileges, such as "
                "user: resiliency_probe",
                "user",
            )
        if protocol == "exchange" and not check.has("steps"):
            yield check.problem("is missing; give one like steps: [{ expect: '220 ' }]", "steps")
        if check.has("database") and protocol == "postgresql" and not check.has("user"):
            yield check.problem("applies only together with user; give both or none", "database")
        if check.text("method") == "HEAD" and check.has("text"):
            yield check.problem(
                "can't be found with method HEAD, whose answer has no body; give GET, or remove "
                "this key",
                "text",
            )


def _certificates_are_seen(env: PartialDocument) -> Iterator[Problem]:
    for _, dependency in env.members("dependencies"):
        check = dependency.within("check")
        starting = [
            number
            for number in range(len(check.items("steps")))
            if check.get("steps", number, "starttls") is True
        ]
        if len(starting) + (check.get("tls") is True) > 1:
            yield check.problem("TLS begins more than once; let it begin once", "steps")
        if starting or check.get("tls") is True or check.text("protocol") in ("tls", "https"):
            continue
        for key in ("server_name", "days_to_expiry", "ca_file"):
            if check.has(key) and check.text("protocol") in CHECK_KEYS["tls"]:
                yield check.problem("applies only with TLS; give tls: true, or remove it", key)
        if dependency.has("certificate"):
            yield dependency.problem(
                "there is no certificate without TLS; give protocol tls or https, or tls: true",
                "certificate",
            )


def _percentiles_are_published(env: PartialDocument) -> Iterator[Problem]:
    for name in env.names("dependencies"):
        latency = env.within("dependencies", name, "latency")
        statistic = latency.text("alarm", "statistic")
        if statistic and statistic.startswith("p") and latency.get("percentiles") is not True:
            yield latency.problem(
                f"{statistic} needs single values; give percentiles: true, or Average or Maximum",
                *("alarm", "statistic"),
            )


def _peers_are_checked_where_they_decide(env: PartialDocument) -> Iterator[Problem]:
    probe = env.within("probe")
    if "peer" in env.items("failover_on") and probe.has("peer") and probe.get("peer") is False:
        yield probe.problem(
            "is false, but the signal 'peer' in failover_on needs it; remove one of them", "peer"
        )


def _statsd_patterns_allow_no_metric_of_the_probe(env: PartialDocument) -> Iterator[Problem]:
    own = _metrics_of_the_probe(env)
    for place, pattern in _statsd_patterns(env):
        allowed = next((metric for metric in own if names.allowed_by(pattern, metric)), None)
        if allowed is not None:
            yield env.problem(
                f"{shown(pattern)} allows {allowed}, which the probe publishes itself; give "
                "another name or beginning",
                *place,
            )


def _metrics_of_the_probe(env: PartialDocument) -> Sequence[str]:
    measured = [*env.names("dependencies"), *map(names.primary_of, decided_by_hosts(env))]
    return list(names.probe_metrics(measured))


def _statsd_metrics_fit_their_number(env: PartialDocument) -> Iterator[Problem]:
    statsd = env.within("probe", "statsd")
    most = statsd.number("max_metrics")
    listed = {pattern for _, pattern in _statsd_patterns(env) if not pattern.endswith("*")}
    if most is not None and len(listed) > most:
        yield statsd.problem(
            f"metrics has {len(listed)} names, but max_metrics is {most}; raise it, or remove "
            "names",
            "max_metrics" if statsd.has("max_metrics") else "metrics",
        )


def _alarms_watch_what_the_application_may_send(env: PartialDocument) -> Iterator[Problem]:
    if not env.within("probe", "statsd").is_sound:
        return
    patterns = [pattern for _, pattern in _statsd_patterns(env)]
    tags = [tag for tag in env.items("probe", "statsd", "tags") if isinstance(tag, str)]
    own = _metrics_of_the_probe(env)
    for name in _alarms_in_the_namespace(env):
        metric = env.within("alarms", name, "metric")
        watched, dimensions = metric.text("name"), metric.within("dimensions").raw
        if not watched or not metric.is_sound or watched in own or watched.startswith("drill-"):
            continue
        if not any(names.allowed_by(pattern, watched) for pattern in patterns):
            yield metric.problem(
                f"{shown(watched)} is in the probe's namespace, but no pattern of "
                "probe.statsd.metrics allows it; add it there, or correct the name",
                "name",
            )
            continue
        given = set(dimensions) if isinstance(dimensions, dict) else set()
        if "Host" not in given or given - {"Host", *tags}:
            also = f" and the tags {', '.join(tags)} that are sent" if tags else " alone"
            yield metric.problem(
                f"the probe publishes {watched} with the dimension Host{also}; give one like "
                'dimensions: { Host: "{host}" }',
                *(["dimensions"] if given else []),
            )


def _statsd_patterns(env: PartialDocument) -> Iterator[tuple[Path, str]]:
    """Yield the sound patterns of StatsD, with their places."""
    for number in range(len(env.items("probe", "statsd", "metrics"))):
        place = ("probe", "statsd", "metrics", number)
        pattern = env.text(*place)
        if pattern:
            yield place, pattern


def _alarms_in_the_namespace(env: PartialDocument) -> Iterator[str]:
    """Yield the alarms on metrics of the probe's namespace, where the application sends some."""
    file = PartialDocument(env.document, env.unsound, env.misspelt)
    service, namespace = file.text("service"), file.text("namespace")
    if not service or namespace is None or not env.has("probe", "statsd"):
        return
    for name in env.names("alarms"):
        of_alarm = env.text("alarms", name, "metric", "namespace")
        if of_alarm == (namespace or default_namespace(service)):
            yield name


def _an_absent_probe_decides_nothing(env: PartialDocument) -> Iterator[Problem]:
    if env.get("probe", "state") != "absent":
        return
    measured = [*env.names("dependencies"), "peer", *_alarms_in_the_namespace(env)]
    deciding = [signal for signal in env.items("failover_on") if signal in measured]
    if deciding:
        yield env.problem(
            f"'absent' while failover_on has {deciding[0]!r}: without the probe nothing measures "
            "it, and clients would move to the standby; remove it from failover_on first",
            *("probe", "state"),
        )
    elif (
        not env.has("dependencies")
        and env.get("probe", "peer") is not True
        and not env.has("probe", "statsd")
    ):
        yield env.problem(
            "'absent' has no effect on the hosts, as without dependencies and peer checks there is "
            "no probe stack; keep those until 'absent' is deployed",
            *("probe", "state"),
        )


def fit_problems(service: Service, partial: PartialDocument) -> Iterator[Problem]:
    """Yield a problem for each environment with more targets than fit into the probe's document.

    Not a rule on a partial document: only a complete configuration has a size.
    """
    for name, environment in service.environments.items():
        if environment.has_probe:
            try:
                probe_configuration(service, environment).require_fit()
            except ValueError as error:
                yield partial.problem(
                    f"{error}; remove some", *("environments", name, "dependencies")
                )


def _checks(env: PartialDocument) -> Iterator[PartialDocument]:
    for name in env.names("dependencies"):
        yield env.within("dependencies", name, "check")


def _either(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _keys_apply_to_the_protocol,
    _dependencies_have_a_port,
    _hosts_suit_the_protocol,
    _answers_suit_the_record_type,
    _timeout_is_within_the_interval,
    _checks_are_complete,
    _certificates_are_seen,
    _percentiles_are_published,
    _peers_are_checked_where_they_decide,
    _statsd_patterns_allow_no_metric_of_the_probe,
    _statsd_metrics_fit_their_number,
    _alarms_watch_what_the_application_may_send,
    _an_absent_probe_decides_nothing,
)
