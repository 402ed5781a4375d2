"""The part of a service file that asks for drills: settings of all, and drills by their names."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema

from resiliency.service_file.field_types import Section, Slug
from staged_resiliency.drills import schedule as schedules
from staged_resiliency.shared import validation

Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]
MIN_OBJECTIVE_SECONDS: Final = 60
MAX_OBJECTIVE_SECONDS: Final = 3600
WORKDAYS: Final[tuple[Day, ...]] = ("MON", "TUE", "WED", "THU", "FRI")


def _schedule(value: str) -> str:
    schedules.DrillSchedule(value)
    return value


def _time_zone(value: str) -> str:
    schedules.time_zone(value)
    return value


def _no_drill(value: object) -> object:
    """Drills stand beside the settings, so a drill may not have the name of one."""
    if isinstance(value, dict) and "fault" in value:
        raise ValueError(
            "is a setting of all drills, and can't be a drill's name; rename the drill"
        )
    return value


_Setting: Final = BeforeValidator(_no_drill)


class DrillWindow(Section):
    """When drills may start, by the clock of each drill's time zone."""

    days: list[Day] = Field(default=list(WORKDAYS), min_length=1, description="Days of the week.")
    from_hour: int = Field(default=9, ge=0, le=23, description="First hour that is allowed.")
    to_hour: int = Field(
        default=17, ge=1, le=24, description="The hour at which it is no longer allowed."
    )


class DrillSettings(Section):
    """One drill: what is broken, where, for how long, and when."""

    fault: Literal["stop_instance", "blackhole"] = Field(
        description="stop_instance stops the host's instance and starts it again; blackhole drops "
        "what the host sends to the dependency's port, to whatever address."
    )
    host: Literal["active", "standby"] = Field(description="Which host of the pair is broken.")
    dependency: Slug | None = Field(
        default=None,
        description="The dependency that a blackhole cuts off.",
        examples=["db"],
    )
    duration_minutes: int = Field(
        ge=1, le=720, description="How long the fault lasts at most.", examples=[10]
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        description="When it runs: cron(...) or rate(...) of EventBridge Scheduler, at most once a "
        f"day and at least every {schedules.MAX_GAP_DAYS} days.",
        examples=["cron(0 10 ? * TUE#1 *)"],
    )
    timezone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC",
        description="IANA name of the time zone of schedule and window.",
        examples=["America/Los_Angeles"],
    )


class Drills(Section):
    """Settings of all drills and, by names of their own beside them, the drills."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Slug, DrillSettings] = Field(init=False)

    objective_seconds: (
        Annotated[int, Field(ge=MIN_OBJECTIVE_SECONDS, le=MAX_OBJECTIVE_SECONDS), _Setting] | None
    ) = Field(
        default=None,
        description="Recovery time objective: clients reach the standby within so many seconds; "
        "the recovery_time_seconds of the environment's objective unless given.",
        examples=[360],
    )
    enabled: Annotated[bool, _Setting] = Field(
        default=False,
        description="Whether faults are injected. A leashed drill (false) finds its targets, "
        "checks the steady state, and breaks nothing.",
    )
    window: Annotated[DrillWindow, _Setting] = Field(
        default=DrillWindow(), description="When drills may start."
    )
    notify_passed: Annotated[bool, _Setting] = Field(
        default=True,
        description="Also tell of runs that passed, and of leashed ones in which all was well; of "
        "others people always hear.",
    )
    volume_keys: Annotated[
        list[Annotated[str, AfterValidator(validation.kms_key_arn)]], _Setting
    ] = Field(
        default=[],
        description="ARNs of the customer-managed KMS keys of the hosts' volumes. Without them "
        "a host with such a volume would not start again after stop_instance.",
        examples=[["arn:aws:kms:us-west-2:532151327118:key/1234abcd-12ab-34cd-56ef-1234567890ab"]],
    )
    runbook: (
        Annotated[
            str, _Setting, AfterValidator(validation.https_url), WithJsonSchema({"type": "string"})
        ]
        | None
    ) = Field(
        default=None,
        description="URL of what to do when a drill fails, for the dashboard and messages.",
        examples=["https://wiki.example.com/bookstore/drills"],
    )

    @property
    def by_name(self) -> dict[str, DrillSettings]:
        """The drills, by their names."""
        return dict(self.__pydantic_extra__)
