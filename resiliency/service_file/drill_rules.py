"""Rules about drills: what they break, and when they run."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file import origin_rules
from resiliency.service_file.errors import Problem, suggestion
from resiliency.service_file.model.drills import Drills
from resiliency.service_file.model.objective import MAX_OBJECTIVE_SECONDS, MIN_OBJECTIVE_SECONDS
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.drills.schedule import MAX_GAP_DAYS, DrillSchedule, outside_window
from staged_resiliency.shared import aws_ids, limits, names, network_names
from staged_resiliency.shared.hosts import COLORS, Color, other
from staged_resiliency.shared.validation import shown

_DNS_PORT: Final = 53
_OF_DEPENDENCIES: Final = ("blackhole", "degrade")
_KEYS_OF_FAULTS: Final = {
    "scope": "blackhole",
    **dict.fromkeys(
        ("delay_milliseconds", "jitter_milliseconds", "loss_percent", "response_milliseconds"),
        "degrade",
    ),
    **dict.fromkeys(("db_instance", "db_cluster"), "rds_failover"),
    **dict.fromkeys(("distribution_id", "origin_bucket"), "deny_origin"),
}
_OF_BOTH_HOSTS: Final = ("rds_failover", "deny_origin")
_WITH_DEPENDENCY: Final = (*_OF_DEPENDENCIES, *_OF_BOTH_HOSTS)
_OF_DATABASES: Final = ("tcp", "tls", "mysql", "postgresql", "exchange")  # that RDS may speak
# What every fault of one host has, and how to give it.
_REQUIRED_ON_HOSTS: Final = {
    "host": "allowed: active, standby",
    "duration_minutes": "give one like duration_minutes: 10",
}
_NETWORK: Final = "drills.network: { subnets: [subnet-...], security_groups: [sg-...] }"


def _there_is_a_drill(env: PartialDocument) -> Iterator[Problem]:
    drills = env.within("drills")
    if isinstance(drills.raw, dict) and not list(drill_names(env)):
        yield drills.problem(
            "has no drill; add one under a name that you choose, like shutdown: { fault: "
            "stop_instance, host: active, ... }"
        )


def _fis_is_in_the_region(env: PartialDocument) -> Iterator[Problem]:
    region = env.text("region")
    if region in limits.REGIONS_WITHOUT_FIS and list(drill_names(env)):
        yield env.problem(
            f"can't run in {region}, which has no AWS FIS; remove the drills", "drills"
        )


def _objective_is_known(env: PartialDocument) -> Iterator[Problem]:
    drills, promised = env.within("drills"), env.get("objective", "recovery_time_seconds")
    if not isinstance(drills.raw, dict) or drills.has("objective_seconds"):
        return
    if not env.has("objective"):
        yield drills.problem(
            "is missing; give one like objective_seconds: 360", "objective_seconds"
        )
    elif isinstance(promised, int) and not (
        MIN_OBJECTIVE_SECONDS <= promised <= MAX_OBJECTIVE_SECONDS
    ):
        yield drills.problem(
            f"is missing, and the objective's recovery_time_seconds {promised} is outside "
            f"{MIN_OBJECTIVE_SECONDS} to {MAX_OBJECTIVE_SECONDS}; give one in that range",
            "objective_seconds",
        )


def _keys_go_with_the_fault(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        fault = drill.text("fault")
        if fault == "stop_instance" and drill.has("dependency"):
            yield drill.problem(
                "applies to faults blackhole, degrade, rds_failover and deny_origin; a stopped "
                "instance reaches nothing at all; remove it",
                "dependency",
            )
        elif fault in _WITH_DEPENDENCY and not drill.has("dependency"):
            yield drill.problem("is missing; give one like dependency: db", "dependency")
        for key, owner in _KEYS_OF_FAULTS.items():
            if fault and fault != owner and drill.has(key):
                yield drill.problem(f"applies to fault {owner}, not to {fault}; remove it", key)
        for key, allowed in _REQUIRED_ON_HOSTS.items():
            required = fault not in _OF_BOTH_HOSTS
            required = required or (fault == "deny_origin" and key == "duration_minutes")
            if required and not drill.has(key):
                yield drill.problem(f"is missing; {allowed}", key)


def _databases_are_named(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        if drill.text("fault") != "rds_failover":
            continue
        if drill.has("host"):
            yield drill.problem(
                "does not apply to rds_failover: both hosts lose the database; remove it", "host"
            )
        for key in ("duration_minutes", "duration_reason"):
            if drill.has(key):
                yield drill.problem(
                    "does not apply to rds_failover, which lasts as long as Amazon RDS needs, as a "
                    "rule 60 to 120 s; remove it",
                    key,
                )
        yield from drill.one_of(
            "db_instance",
            "db_cluster",
            "one like db_instance: shop-db",
            ", and a drill makes one database fail over; give db_cluster alone where the instance "
            "belongs to it",
        )
        name = drill.text("dependency")
        protocol = env.text("dependencies", name, "check", "protocol") if name else None
        if protocol is not None and protocol not in _OF_DATABASES:
            yield drill.problem(
                f"{shown(name)} is checked by {protocol}, which no database of Amazon RDS "
                "answers; name the dependency that is the database, or check it by one of "
                f"{', '.join(_OF_DATABASES)}",
                "dependency",
            )


def _degradation_is_given(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        if drill.text("fault") != "degrade":
            continue
        delayed, lossy = drill.has("delay_milliseconds"), drill.has("loss_percent")
        yield from drill.one_of(
            "delay_milliseconds",
            "loss_percent",
            "one like delay_milliseconds: 300",
            ", and AWS FIS can't do both at once; give one of them, or make two drills",
        )
        delay, jitter = drill.number("delay_milliseconds"), drill.number("jitter_milliseconds")
        if lossy and not delayed and drill.has("jitter_milliseconds"):
            yield drill.problem(
                "varies a delay, and packets are lost here; remove it", "jitter_milliseconds"
            )
        elif delay is not None and jitter is not None and jitter > delay:
            yield drill.problem(
                f"{jitter} is more than the delay of {delay}; give {delay} or less",
                "jitter_milliseconds",
            )
        if not drill.has("response_milliseconds"):
            yield drill.problem(
                "is missing, and says what clients may notice; give one like "
                "response_milliseconds: 800",
                "response_milliseconds",
            )
        if drill.text("host") == "standby":
            yield drill.problem(
                "would show nothing, as clients are served by the active host; give active", "host"
            )


def _dependencies_exist(env: PartialDocument) -> Iterator[Problem]:
    known = list(env.names("dependencies"))
    for drill in _drills(env):
        name = drill.text("dependency")
        if name and name not in known and drill.text("fault") in _WITH_DEPENDENCY:
            yield drill.problem(
                f"{shown(name)} is not a dependency; {suggestion(name, known)}", "dependency"
            )


def _ports_can_be_cut_off(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        name = drill.text("dependency")
        if not name or drill.text("fault") not in _OF_DEPENDENCIES:
            continue
        dependency = env.within("dependencies", name)
        if dependency.text("check", "protocol") == "dns" or dependency.get("port") == _DNS_PORT:
            yield drill.problem(
                f"{shown(name)} is reached on port 53, without which the host can't resolve any "
                "name, not even those of AWS; no drill can cut it off or degrade it",
                "dependency",
            )


def _destinations_have_ipv4_addresses(env: PartialDocument) -> Iterator[Problem]:
    """Report dependencies over IPv6, as the documents of AWS FIS take names and IPv4 addresses."""
    for drill in _drills(env):
        name = drill.text("dependency")
        aimed = drill.text("fault") in _OF_DEPENDENCIES and drill.text("scope") != "port"
        if not name or not aimed:
            continue
        dependency = env.within("dependencies", name)
        host, family = dependency.text("host"), dependency.text("check", "family")
        if (host and network_names.is_ipv6(host)) or family == "ipv6":
            yield drill.problem(
                f"{shown(name)} is reached over IPv6, and AWS FIS takes names and addresses "
                "over IPv4 alone; let the probe check it over IPv4, or remove the drill",
                "dependency",
            )


def _hosts_have_an_instance(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        color = _broken(env, drill)
        if color and env.has("hosts", color) and not env.has("hosts", color, "instance_id"):
            host = drill.text("host")
            yield drill.problem(
                f"{host or 'the active host'} is {color}, which has no instance_id; give it one "
                "like instance_id: i-0ab55a49288f1da24",
                "host" if host else "fault",
            )


def _clients_can_be_observed(env: PartialDocument) -> Iterator[Problem]:
    """Report names and hosts that drills can't reach as clients do: over IPv4, from where they are.

    Without ``network`` the functions are outside any VPC, where a private zone does not answer.
    """
    if not list(drill_names(env)):
        return
    has_network = env.has("drills", "network")
    if not has_network and env.get("hosted_zone", "private") is True:
        yield env.problem(
            "is missing: the hosted zone is private, so only a function in a VPC of the zone can "
            f"observe clients; give {_NETWORK}, or remove the drills",
            *("drills", "network"),
        )
        has_network = True  # one message is enough
    for color in COLORS:
        address = env.text("hosts", color, "address")
        balancer = env.text("hosts", color, "alias", "dns_name")
        if address and network_names.is_ipv6(address):
            yield env.problem(
                f"{shown(address)} is an IPv6 address, and drills check hosts over IPv4; give an "
                "IPv4 address too, or remove the drills",
                *("hosts", color, "address"),
            )
        elif address and not has_network and not network_names.is_public(address):
            yield env.problem(
                f"{shown(address)} can't be reached over the internet, from where drills observe "
                f"clients; give {_NETWORK}, or a public address, or remove the drills",
                *("hosts", color, "address"),
            )
        elif balancer and not has_network and network_names.is_internal_balancer(balancer):
            yield env.problem(
                f"{shown(balancer)} can't be reached over the internet, from where drills observe "
                f"clients; give {_NETWORK}, or a load balancer that faces the internet, or "
                "remove the drills",
                *("hosts", color, "alias", "dns_name"),
            )


def _blackholes_are_measured(env: PartialDocument) -> Iterator[Problem]:
    if env.get("probe", "state") != "absent":
        return
    for drill in _drills(env):
        fault = drill.text("fault")
        if fault in _WITH_DEPENDENCY:
            yield drill.problem(
                f"only the probe observes a '{fault}', and its state is 'absent'; remove the drill",
                "fault",
            )


def _window_opens(env: PartialDocument) -> Iterator[Problem]:
    window = env.within("drills", "window")
    if not isinstance(window.raw, dict):
        return
    opens, closes = window.number("from_hour"), window.number("to_hour")
    if opens is not None and closes is not None and closes <= opens:
        yield window.problem(
            f"the window closes at {closes}, which is not after from_hour {opens}; give hours of "
            "one day",
            "to_hour" if window.has("to_hour") else "from_hour",
        )


def _drills_recur(env: PartialDocument) -> Iterator[Problem]:
    for drill, schedule in _scheduled(env):
        days = schedule.longest_gap_days
        if days > 366 * 28:
            yield drill.problem(
                f"{shown(schedule.expression)} never runs again; give one like "
                "cron(0 10 ? * TUE#1 *)",
                "schedule",
            )
        elif days > MAX_GAP_DAYS:
            yield drill.problem(
                f"{shown(schedule.expression)} leaves up to {days:g} days between two runs; at "
                f"most {MAX_GAP_DAYS} are allowed, as in cron(0 10 ? * TUE#1 *)",
                "schedule",
            )


def _drills_start_in_the_window(env: PartialDocument) -> Iterator[Problem]:
    window = env.within("drills", "window")
    if not window.is_sound:
        return
    opens, closes = window.number("from_hour"), window.number("to_hour")
    allowed = window.items("days")
    if opens is None or closes is None or closes <= opens:
        return
    days = [str(day) for day in allowed]
    notice = env.number("drills", "notify_before_minutes") or 0
    for drill, schedule in _scheduled(env):
        refusal = outside_window(schedule, days, opens, closes, notice)
        if refusal is not None:
            yield drill.problem(refusal, "schedule")


def _resources_are_in_the_region(env: PartialDocument) -> Iterator[Problem]:
    drills, region = env.within("drills"), env.text("region")
    if not region:
        return
    key = drills.text("evidence", "kms_key")
    arns: list[tuple[str, tuple[str | int, ...]]] = [(key, ("evidence", "kms_key"))] if key else []
    for name in ("volume_keys", "change_calendars"):
        arns += [(str(each), (name, at)) for at, each in enumerate(drills.items(name))]
    for arn, path in arns:
        refusal = aws_ids.other_region(arn, region)
        if refusal is not None:
            yield drills.problem(refusal, *path)


def _origins_can_be_denied(env: PartialDocument) -> Iterator[Problem]:
    for drill in _drills(env):
        if drill.text("fault") == "deny_origin":
            yield from origin_rules.problems_of(env, drill)


def _gremlin_can_inject_the_faults(env: PartialDocument) -> Iterator[Problem]:
    if not env.has("drills", "engine", "gremlin"):
        return
    gremlin, region = env.within("drills", "engine", "gremlin"), env.text("region")
    for key in ("secret_arn", "kms_key"):
        arn = gremlin.text(key)
        refusal = aws_ids.other_region(arn, region) if arn and region else None
        if refusal is not None:
            yield gremlin.problem(refusal, key)
    blue, green = (gremlin.text("clients", color) for color in COLORS)
    if gremlin.has("clients") and gremlin.has("tags"):
        yield gremlin.problem("are given together with clients; give one of them", "tags")
    if blue and blue == green:
        yield gremlin.problem(f"both hosts have {shown(blue)}; give each its own", "clients")
    if env.get("drills", "evidence", "fis_report") is True:
        yield env.problem(
            "applies to AWS FIS, which writes no report where Gremlin is used; remove it",
            *("drills", "evidence", "fis_report"),
        )
    for drill in _drills(env):
        if drill.text("fault") in _OF_BOTH_HOSTS:
            yield drill.problem(
                "can't be injected by Gremlin, which attacks hosts only; remove the drill or the "
                "engine",
                "fault",
            )
        if drill.text("fault") == "degrade" and drill.number("jitter_milliseconds"):
            yield drill.problem(
                "applies to AWS FIS; Gremlin delays each packet by the same time; remove it",
                "jitter_milliseconds",
            )


def _names_fit(env: PartialDocument) -> Iterator[Problem]:
    service, environment = env.document.data.get("service"), env.at[-1]
    for name in drill_names(env):
        if isinstance(service, str) and isinstance(environment, str):
            machine = names.drill_state_machine(service, environment, name)
            if len(machine) > limits.MAX_STATE_MACHINE_NAME_CHARACTERS:
                yield env.problem(
                    f"its state machine's name {machine!r} has {len(machine)} characters; Step "
                    f"Functions allows {limits.MAX_STATE_MACHINE_NAME_CHARACTERS}; give a shorter "
                    "name",
                    *("drills", name),
                )


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _there_is_a_drill,
    _fis_is_in_the_region,
    _objective_is_known,
    _keys_go_with_the_fault,
    _degradation_is_given,
    _databases_are_named,
    _dependencies_exist,
    _ports_can_be_cut_off,
    _destinations_have_ipv4_addresses,
    _hosts_have_an_instance,
    _clients_can_be_observed,
    _blackholes_are_measured,
    _window_opens,
    _drills_recur,
    _drills_start_in_the_window,
    _resources_are_in_the_region,
    _origins_can_be_denied,
    _gremlin_can_inject_the_faults,
    _names_fit,
)


def drill_names(env: PartialDocument) -> Iterator[str]:
    """Yield the names of the drills, without the keys that are settings of all drills."""
    for name in env.names("drills"):
        if name not in Drills.model_fields:
            yield name


def _drills(env: PartialDocument) -> Iterator[PartialDocument]:
    for name in drill_names(env):
        drill = env.within("drills", name)
        if isinstance(drill.raw, dict):
            yield drill


def _scheduled(env: PartialDocument) -> Iterator[tuple[PartialDocument, DrillSchedule]]:
    """Yield the drills whose schedule and time zone are valid."""
    for drill in _drills(env):
        expression, zone = drill.text("schedule"), drill.text("timezone")
        if expression and zone:
            yield drill, DrillSchedule(expression, zone)


def _broken(env: PartialDocument, drill: PartialDocument) -> Color | None:
    active, host = env.text("active"), drill.text("host")
    if drill.text("fault") in _OF_BOTH_HOSTS:
        host = "active"  # whose instance the run locks
    for color in COLORS:
        if active == color and host in ("active", "standby"):
            return color if host == "active" else other(color)
    return None
