"""Rules about who hears of alarms."""

from collections.abc import Callable, Iterator
from typing import Final

from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import limits, validation


def _topic_is_one_and_near(env: PartialDocument) -> Iterator[Problem]:
    notifications = env.within("notifications")
    if not isinstance(notifications.raw, dict):
        return
    by_name, by_arn = notifications.has("topic_name"), notifications.has("topic_arn")
    if by_name and by_arn:
        yield notifications.problem(
            "stands beside topic_name; give topic_arn for an existing topic or topic_name for "
            "one that is made here",
            "topic_arn",
        )
    if not by_name and not by_arn:
        yield notifications.problem(
            "names no topic; give topic_name for one that is made here or topic_arn for an "
            "existing one"
        )
    arn, region, account = notifications.text("topic_arn"), env.text("region"), env.text("account")
    if not arn:
        return
    partition, arn_region, arn_account = (arn.split(":")[i] for i in (1, 3, 4))
    if region and arn_region != region:
        yield notifications.problem(
            f"is in {arn_region}, the environment in {region}; CloudWatch alarms notify only "
            f"topics of their own region, so give one in {region}",
            "topic_arn",
        )
    elif region and partition != limits.partition_of(region):
        yield notifications.problem(
            f"is in partition {partition}, the region {region} in "
            f"{limits.partition_of(region)}; begin it with arn:{limits.partition_of(region)}:",
            "topic_arn",
        )
    if account and arn_account != account:
        yield notifications.problem(
            f"is of account {arn_account}, the environment of {account}; alarms here notify "
            f"topics of their own account, so give one of {account}",
            "topic_arn",
        )


def _subscribers_stand_once(env: PartialDocument) -> Iterator[Problem]:
    seen: set[object] = set()
    for index, subscriber in enumerate(env.items("notifications", "subscriptions")):
        if isinstance(subscriber, str) and subscriber in seen:
            yield env.problem(
                f"{validation.shown(subscriber)} stands twice; once is enough",
                "notifications",
                "subscriptions",
                index,
            )
        elif isinstance(subscriber, str):
            seen.add(subscriber)


RULES: Final[tuple[Callable[[PartialDocument], Iterator[Problem]], ...]] = (
    _topic_is_one_and_near,
    _subscribers_stand_once,
)
