"""Rules about drills whose faults Gremlin injects."""

from collections.abc import Iterable, Iterator

from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import validation
from staged_resiliency.shared.hosts import COLORS


def problems_of(env: PartialDocument, drills: Iterable[PartialDocument]) -> Iterator[Problem]:
    """Yield a problem for each key that Gremlin can't be used with."""
    if not env.has("drills", "engine", "gremlin"):
        return
    gremlin, region = env.within("drills", "engine", "gremlin"), env.text("region")
    for key in ("secret_arn", "kms_key"):
        arn = gremlin.text(key)
        refusal = validation.other_region(arn, region) if arn and region else None
        if refusal is not None:
            yield gremlin.problem(refusal, key)
    yield from _clients_differ(gremlin)
    if env.get("drills", "evidence", "fis_report") is True:
        yield env.problem(
            "applies to AWS FIS, which writes no report where Gremlin is used; remove it",
            *("drills", "evidence", "fis_report"),
        )
    for drill in drills:
        if drill.text("fault") in ("rds_failover", "deny_origin"):
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


def _clients_differ(gremlin: PartialDocument) -> Iterator[Problem]:
    blue, green = (gremlin.text("clients", color) for color in COLORS)
    if gremlin.has("clients") and gremlin.has("tags"):
        yield gremlin.problem("are given together with clients; give one of them", "tags")
    if blue and blue == green:
        yield gremlin.problem(
            f"both hosts have {validation.shown(blue)}; give each its own", "clients"
        )
