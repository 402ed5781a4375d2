"""The fault of a run that denies a CloudFront distribution its origin, an S3 bucket.

AWS FIS has no such action, so the functions add a statement to the bucket's policy, which denies
the distribution to read objects. It names the run, and a condition ends it at the end of the
fault's time, even if no function ever runs again. To end the fault that statement alone is removed,
from the policy as it is then: what others have changed meanwhile stays.

CloudFront answers from its caches while its origin is denied, and caches errors too. So the path
that decides the failover is invalidated when the fault begins, and again when it is over.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Any, Final

from staged_resiliency.drills.runtime import fault
from staged_resiliency.drills.runtime.client_view import ask_target, require_guards
from staged_resiliency.drills.runtime.context import AwsError, Context, NotStartedError
from staged_resiliency.drills.runtime.ending import Ending, FaultToEnd
from staged_resiliency.drills.runtime.fault import FaultEndStatus
from staged_resiliency.drills.runtime.fault_settings import Origin
from staged_resiliency.drills.runtime.fis import Experiment
from staged_resiliency.drills.runtime.plan import Plan
from staged_resiliency.drills.runtime.store import Store, policy_key
from staged_resiliency.experiment.observations import NO_ANSWER

MAX_POLICY_BYTES: Final = 20_480
"""Size of a bucket policy: AmazonS3/latest/userguide/add-bucket-policy.html (20 KB)."""

SID_START: Final = "StagedResiliencyDrill"
"""How the ids of the statements of all drills begin."""

READ_BACKS: Final = 5
"""How often a policy is read, a second apart, until it shows the statement that was added."""

SECOND_LOOK_SECONDS: Final = 10
"""Between two reads of a policy that must not show the statement any more: Amazon S3 may answer
with a former policy for a while, *assumed*: AmazonS3/latest/userguide/Welcome.html (bucket
configurations are eventually consistent)."""

_FORBIDDEN: Final = 403
_SERVICE: Final = "cloudfront.amazonaws.com"
_NO_POLICY: Final = "NoSuchBucketPolicy"
_NO_BUCKET: Final = "NoSuchBucket"
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_EXPIRES: Final = "aws:CurrentTime"
_LONGEST_SID: Final = 100

Policy = dict[str, Any]
"""A bucket policy, whose statements are a list."""


def sid_of(execution: str) -> str:
    """Return the id of the statement of a run; letters and digits alone."""
    name = execution.rpartition(":")[2]
    return f"{SID_START}{re.sub('[^A-Za-z0-9]', '', name)}"[:_LONGEST_SID]


def start(plan: Plan, origin: Origin, execution: str, context: Context) -> Experiment:
    """Add the statement of a run to the bucket's policy, at most once, and invalidate the path.

    Raises:
        NotStartedError: It was not added, or the path can't be invalidated.
        AwsError: Whether it was added is unknown.
    """
    require_guards(plan, context)
    sid, run = sid_of(execution), execution.rpartition(":")[2]
    policy = _read(origin, context)
    if _statement(policy, sid) is None:
        record = json.dumps({"at": context.clock(), "bucket": origin.bucket, "policy": policy})
        if not Store(context.aws, plan.journal_bucket).put_new(policy_key(plan.drill, run), record):
            raise AwsError("Unknown", f"{sid} was added before, and is not in the policy")
        if _read(origin, context) != policy:
            raise NotStartedError(f"somebody is changing the policy of {origin.bucket}")
        until = context.clock() + plan.fault_seconds
        denied = _with_statement(policy, origin, sid, until)
        try:
            _write(denied, origin, context)
        except AwsError as error:
            if error.code not in ("AccessDenied", "MalformedPolicy", "MethodNotAllowed"):
                raise
            raise NotStartedError(str(error)) from None
        _await(sid, origin, context)
    try:
        _invalidate(origin, f"{sid}-denied", context)
    except AwsError as error:
        raise NotStartedError(f"{origin.endpoint.path} is not invalidated: {error}") from None
    return get(plan.ending, origin, sid, context)


def get(plan: Ending, origin: Origin, sid: str, context: Context) -> Experiment:
    """Return the current state of a run's statement, in the words of AWS FIS."""
    statement = _statement(_read(origin, context), sid)
    if statement is None:
        reason = f"{sid} is no longer in the policy of {origin.bucket}"
        return Experiment(sid, "stopped", reason, None, None)
    until = _expires_at(statement)
    if until is None:
        return Experiment(sid, "stopped", f"somebody has changed {sid}", None, None)
    status = "running" if context.clock() < until else "completed"
    return Experiment(sid, status, "", until - plan.fault_seconds, None)


def advance_fault_end(to_end: FaultToEnd, origin: Origin, context: Context) -> FaultEndStatus:
    """Take the next step to end the fault, and return how far ending it has come.

    The statement is removed, and in a later call the policy is read twice: only where it does not
    have the statement the fault is over. See ``fault.advance_fault_end``.

    Raises:
        AwsError: S3 can't be asked, and the statement may still be in effect.
    """
    if not to_end.plan.enabled:
        return FaultEndStatus(True, None, "no experiment was started")
    sid = sid_of(to_end.execution)
    try:
        policy = _read(origin, context)
        statement = _statement(policy, sid)
        if statement is not None:
            context.log("removing the statement", bucket=origin.bucket, sid=sid)
            _write(_without_statement(policy, sid), origin, context)
            message = f"{sid} is removed from the policy of {origin.bucket}"
            return FaultEndStatus(False, sid, message)
        ended_at = context.clock()
        if to_end.experiment is None:
            # A function that was starting the fault may yet do so: the caller waits for it.
            return FaultEndStatus(True, None, "no experiment was started")
        context.sleep(SECOND_LOOK_SECONDS)
        if _statement(_read(origin, context), sid) is not None:
            return FaultEndStatus(False, sid, f"{sid} is back in the policy of {origin.bucket}")
    except AwsError as error:
        return _end_without_s3(to_end, origin, error, context)
    try:
        _invalidate(origin, f"{sid}-restored", context)
    except AwsError as error:
        # CloudFront asks the origin again once its errors have expired, by default after 10 s.
        context.log("not invalidated", distribution=origin.distribution_id, error=str(error))
    since = to_end.injected_at
    if since is None:
        since = _written_at(to_end, context)
    message = f"{sid} is not in the policy of {origin.bucket}"
    return FaultEndStatus(True, to_end.experiment, message, ended_at, acting_since=since)


def _end_without_s3(
    to_end: FaultToEnd, origin: Origin, error: AwsError, context: Context
) -> FaultEndStatus:
    """End a fault whose policy can't be read or restored: its own condition ends the statement."""
    known, begun = to_end.experiment, to_end.begun
    if error.code == _NO_BUCKET:
        return FaultEndStatus(True, known, f"{origin.bucket} is deleted", context.clock())
    if begun is None:
        begun = _written_at(to_end, context)
        if begun is None and known is None:
            return FaultEndStatus(True, None, "no experiment was started")
    if not fault.is_late(to_end.plan, begun, context):
        raise error
    context.log("the policy can't be restored", bucket=origin.bucket, error=str(error))
    sid = sid_of(to_end.execution)
    message = f"{fault.TIME_OVER}; remove {sid} from the policy of {origin.bucket}"
    return FaultEndStatus(True, known or sid, message, context.clock())


def aim_of_dry_run(origin: Origin, context: Context) -> tuple[str, str]:
    """Describe the target of a dry run, and what is wrong with it, if anything."""
    aim = f"aimed at distribution {origin.distribution_id} and bucket {origin.bucket}"
    return aim, "; ".join(traps_of(origin, context))


def traps_of(origin: Origin, context: Context) -> list[str]:
    """Return why the fault would not take effect, or would hurt more than it should."""
    found = _traps_of_distribution(origin, context)
    try:
        policy = _read(origin, context)
    except AwsError as error:
        return [*found, f"the policy of {origin.bucket} can't be read: {error}"]
    left = [
        str(each["Sid"])
        for each in _statements(policy)
        if str(each.get("Sid", "")).startswith(SID_START)
    ]
    found += [
        f"the policy of {origin.bucket} has the statement {each} of a former drill; remove it"
        for each in left
    ]
    longest = "x" * (_LONGEST_SID - len(SID_START))
    size = len(_text(_with_statement(policy, origin, f"{SID_START}{longest}", 0)))
    if size > MAX_POLICY_BYTES:
        found.append(
            f"the policy of {origin.bucket} would have {size} bytes with the drill's statement; "
            f"Amazon S3 allows {MAX_POLICY_BYTES}"
        )
    secondary = ask_target(origin, origin.secondary, context)
    if secondary.host == NO_ANSWER:
        found.append(
            f"the secondary {origin.secondary} does not answer {origin.endpoint.path} "
            f"({secondary.reason})"
        )
    elif secondary.host != origin.secondary:
        found.append(f"CloudFront answers at the secondary {origin.secondary}")
    return found


def _traps_of_distribution(origin: Origin, context: Context) -> list[str]:
    name = f"distribution {origin.distribution_id}"
    try:
        answer = context.aws("cloudfront", "GetDistributionConfig", Id=origin.distribution_id)
    except AwsError as error:
        return [f"{name} can't be read: {error}"]
    config = answer["DistributionConfig"]
    if not config["Enabled"]:
        return [f"{name} is disabled"]
    aliases = [str(each).lower() for each in config.get("Aliases", {}).get("Items", ())]
    path = origin.endpoint.path.partition("?")[0]
    behavior = _behavior(config, path)
    origins = {str(each["Id"]): each for each in config["Origins"]["Items"]}
    used = origins.get(str(behavior["TargetOriginId"]))
    found = []
    if origin.record.lower() not in aliases and not any(
        fnmatchcase(origin.record.lower(), each) for each in aliases
    ):
        found.append(f"{origin.record} is no alternate domain name of {name}")
    if used is None:
        found.append(
            f"{name} has an origin group for {path}, so CloudFront itself would ask the second "
            "origin; the records would not fail over"
        )
    elif not _is_bucket(str(used["DomainName"]), origin.bucket):
        found.append(
            f"{name} has {used['DomainName']} as the origin of {path}, not the bucket "
            f"{origin.bucket}"
        )
    elif not used.get("OriginAccessControlId"):
        found.append(
            f"{name} has no origin access control for {origin.bucket}, so the bucket does not know "
            "which distribution reads it, and can't deny this one alone"
        )
    for each in config.get("CustomErrorResponses", {}).get("Items", ()):
        if each["ErrorCode"] == _FORBIDDEN and str(each.get("ResponseCode", "")).startswith("2"):
            found.append(
                f"{name} answers with status {each['ResponseCode']} where its origin is denied, so "
                "nothing would notice the fault; remove the custom error response for 403"
            )
    return found


def _behavior(config: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return the cache behavior of a path: the first whose pattern matches, or the default one."""
    for each in config.get("CacheBehaviors", {}).get("Items", ()):
        # In a pattern of CloudFront only * and ? are special, and the first / may be left out.
        pattern = "/" + str(each["PathPattern"]).removeprefix("/")
        if fnmatchcase(path, pattern.replace("[", "[[]")):
            found: Mapping[str, Any] = each
            return found
    default: Mapping[str, Any] = config["DefaultCacheBehavior"]
    return default


def _is_bucket(domain_name: str, bucket: str) -> bool:
    """Whether the domain name of an origin is that of a bucket, with its region or without."""
    start = re.escape(bucket)
    return bool(re.fullmatch(rf"{start}\.s3[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?", domain_name))


def _read(origin: Origin, context: Context) -> Policy | None:
    """Return the bucket's policy; None where it has none.

    Raises:
        AwsError: It can't be read, or is not a policy.
    """
    try:
        answer = context.aws("s3", "GetBucketPolicy", Bucket=origin.bucket)
    except AwsError as error:
        if error.code == _NO_POLICY:
            return None
        raise
    try:
        policy = json.loads(answer["Policy"])
    except ValueError as error:
        raise AwsError("MalformedPolicy", f"no JSON: {error}") from None
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), dict | list):
        raise AwsError("MalformedPolicy", "it has no statements")
    found: Policy = policy
    return found


def _write(policy: Policy | None, origin: Origin, context: Context) -> None:
    """Write the bucket's policy, or delete it where nothing is left of it."""
    if policy is None:
        context.aws("s3", "DeleteBucketPolicy", Bucket=origin.bucket)
    else:
        context.aws("s3", "PutBucketPolicy", Bucket=origin.bucket, Policy=_text(policy).decode())


def _text(policy: Policy) -> bytes:
    return json.dumps(policy, separators=(",", ":")).encode()


def _statements(policy: Policy | None) -> Sequence[Mapping[str, Any]]:
    given = [] if policy is None else policy["Statement"]
    return given if isinstance(given, list) else [given]


def _statement(policy: Policy | None, sid: str) -> Mapping[str, Any] | None:
    return next((each for each in _statements(policy) if each.get("Sid") == sid), None)


def _with_statement(policy: Policy | None, origin: Origin, sid: str, until: float) -> Policy:
    denied = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"Service": _SERVICE},
        "Action": "s3:GetObject",
        "Resource": origin.objects,
        "Condition": {
            "StringEquals": {"aws:SourceArn": origin.distribution_arn},
            "DateLessThan": {_EXPIRES: datetime.fromtimestamp(until, timezone.utc).strftime(_TIME)},
        },
    }
    former = {"Version": "2012-10-17"} if policy is None else policy
    return {**former, "Statement": [*_statements(policy), denied]}


def _without_statement(policy: Policy | None, sid: str) -> Policy | None:
    left = [each for each in _statements(policy) if each.get("Sid") != sid]
    return {**(policy or {}), "Statement": left} if left else None


def _expires_at(statement: Mapping[str, Any]) -> float | None:
    """Return when a statement ends by its own condition; None where somebody has changed that."""
    try:
        until = datetime.strptime(statement["Condition"]["DateLessThan"][_EXPIRES], _TIME)
    except (KeyError, TypeError, ValueError):
        return None
    return until.replace(tzinfo=timezone.utc).timestamp()


def _await(sid: str, origin: Origin, context: Context) -> None:
    """Wait until the policy shows the statement that was added.

    Raises:
        AwsError: It does not.
    """
    for _ in range(READ_BACKS):
        if _statement(_read(origin, context), sid) is not None:
            return
        context.sleep(1)
    raise AwsError("Unknown", f"the policy of {origin.bucket} does not show {sid}")


def _invalidate(origin: Origin, reference: str, context: Context) -> None:
    """Remove a path from CloudFront's caches; a repeated request with a reference does nothing."""
    context.aws(
        "cloudfront",
        "CreateInvalidation",
        DistributionId=origin.distribution_id,
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": [origin.endpoint.path]},
            "CallerReference": reference,
        },
    )


def _written_at(to_end: FaultToEnd, context: Context) -> float | None:
    """Return when a run was about to add its statement; None where it never was.

    Where that can't be read it may have been just now; where the bucket is unknown long ago.
    """
    if not to_end.plan.journal_bucket:
        return 0.0
    store = Store(context.aws, to_end.plan.journal_bucket)
    key = policy_key(to_end.plan.drill, to_end.execution.rpartition(":")[2])
    try:
        return float(json.loads(store.get(key))["at"]) if key in store.keys(key) else None
    except (AwsError, ValueError, KeyError, TypeError) as error:
        context.log("when the statement was added is unknown", key=key, error=repr(error))
        return context.clock()
