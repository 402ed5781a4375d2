"""Rules about the topics that the services of one application share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resiliency.service_file.errors import Problem
from resiliency.service_file.partial_document import PartialDocument
from staged_resiliency.shared import limits, names

# The stack of an account and region holds a key, and of each topic the topic and its policy.
_KEY = 1
_PER_TOPIC = 2


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one environment asks of topics."""

    env: PartialDocument
    account: str
    region: str
    made: str
    adopted: str
    subscribers: frozenset[str]

    @property
    def arn(self) -> str:
        """The ARN of its topic."""
        return names.topic_arn(self.account, self.region, self.made) if self.made else self.adopted


def problems_of(drafts: Sequence[PartialDocument]) -> Iterator[Problem]:
    """Every problem between the topics of several environments."""
    wishes = [
        wish
        for draft in drafts
        for name in draft.names("environments")
        if (wish := _wish(draft.within("environments", name)))
    ]
    yield from _no_topic_is_made_and_adopted(wishes)
    yield from _a_stack_holds_them(wishes)


def _wish(env: PartialDocument) -> _Wish | None:
    account, region = env.text("account"), env.text("region")
    made = env.text("notifications", "topic_name")
    adopted = env.text("notifications", "topic_arn")
    if not account or not region or made is None or adopted is None or (made and adopted):
        return None
    items = env.items("notifications", "subscriptions")
    subscribers = frozenset(item for item in items if isinstance(item, str))
    return _Wish(env, account, region, made, adopted, subscribers)


def _no_topic_is_made_and_adopted(wishes: Sequence[_Wish]) -> Iterator[Problem]:
    """Adopted, a topic of this application would be used without waiting for it to be made."""
    made = {wish.arn for wish in wishes if wish.made}
    for wish in wishes:
        if wish.adopted in made:
            name = wish.adopted.rpartition(":")[2]
            yield wish.env.problem(
                f"is the topic {name} that another environment makes; give topic_name: {name}",
                "notifications",
                "topic_arn",
            )


def _a_stack_holds_them(wishes: Sequence[_Wish]) -> Iterator[Problem]:
    for place in sorted({(wish.account, wish.region) for wish in wishes}):
        here = [wish for wish in wishes if (wish.account, wish.region) == place]
        topics = {wish.made for wish in here if wish.made}
        subscriptions = {(wish.arn, each) for wish in here for each in wish.subscribers}
        count = (_KEY if topics else 0) + _PER_TOPIC * len(topics) + len(subscriptions)
        if count > limits.MAX_STACK_RESOURCES or len(topics) > limits.MAX_STACK_OUTPUTS:
            yield here[-1].env.problem(
                f"{len(topics)} topics and {len(subscriptions)} subscriptions in {place[0]} "
                f"{place[1]} make a stack of {count} resources and {len(topics)} outputs; "
                f"CloudFormation takes {limits.MAX_STACK_RESOURCES} and "
                f"{limits.MAX_STACK_OUTPUTS}; let services share topics",
                "notifications",
            )
