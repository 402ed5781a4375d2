"""Edits of names, places, topics and the objective of a service."""

from tests.stacks.edits.row import (
    ALARMS,
    ASSOCIATION,
    FAILOVER_ALARM,
    SERVICE_PARTS,
    STATUS,
    TOPIC_PARTS,
    Row,
    db_decides,
    decided_by_another_check,
    every,
)
from tests.support import production

SERVICE_ROWS = [
    Row(
        "namespace changed, while a dependency decides failover",
        lambda env: None,
        {
            *every("modify", ALARMS - {f"alarm {STATUS}"}),
            f"modify {ASSOCIATION}",
            "modify policy of the probe",
            *decided_by_another_check("bookstore-api-blue-db-connectivity-failed"),
        },
        first=db_decides,
        of_service=lambda data: data.update(namespace="Books"),
        found={
            "danger clients",
            "warning clients",
            "warning hosts",
            "warning messages",
            "warning permissions",
            "warning protection",
        },
    ),
    Row(
        "region changed",
        lambda env: env.update(region="eu-west-1"),
        {
            f"modify {FAILOVER_ALARM}",
            *every("add", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION}),
            *every("remove", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION}),
        },
        found={
            "warning hosts",
            "danger names",
            "warning permissions",
            "warning protection",
            "warning rest",
        },
    ),
    Row(
        "account changed",
        lambda env: env.update(account="111111111111"),
        {
            *every("add", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            *every("remove", {*SERVICE_PARTS, *TOPIC_PARTS, ASSOCIATION, FAILOVER_ALARM}),
        },
        found={"warning hosts", "danger names", "warning permissions", "warning rest"},
    ),
    Row(
        "service renamed",
        lambda env: None,
        {
            *every("add", SERVICE_PARTS),
            *every("remove", {*SERVICE_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            "add association books-production-probe",
            "add alarm books-production-clients-on-standby",
        },
        of_service=lambda data: data.update(service="books"),
        found={"warning hosts", "danger names", "warning permissions", "warning rest"},
    ),
    Row(
        "environment renamed",
        lambda env: None,
        {
            *every("add", SERVICE_PARTS),
            *every("remove", {*SERVICE_PARTS, ASSOCIATION, FAILOVER_ALARM}),
            "add association bookstore-live-probe",
            "add alarm bookstore-live-clients-on-standby",
        },
        of_service=lambda data: data.update(environments={"live": production(data)}),
        found={"warning hosts", "danger names", "warning permissions", "warning rest"},
    ),
    Row(
        "name of the created topic changed",
        lambda env: env["notifications"].update(topic_name="Pager"),
        {
            *every("modify", ALARMS | {FAILOVER_ALARM}),
            *every("remove", TOPIC_PARTS),
            "add topic Pager",
            "add AWS::SNS::TopicPolicy",
            "add AWS::KMS::Key",
        },
        found={"warning permissions", "warning protection", "warning rest"},
    ),
    Row(
        "objective given",
        lambda env: env.update(objective={"recovery_time_seconds": 600, "faults": ["host"]}),
        set(),
    ),
    Row(
        "number of the failover-time model given",
        lambda env: env.update(assumptions={"extra_periods": [3, 5]}),
        set(),
        found={"warning time"},
    ),
    Row("tag added", lambda env: env.update(tags={"team": "ops"}), set()),
    Row(
        "recovery notifications asked for",
        lambda env: env["notifications"].update(recovery=True),
        every("modify", ALARMS),
    ),
    Row(
        "subscriber added",
        lambda env: env["notifications"].update(subscriptions=["ops@example.com"]),
        {"add subscription ops@example.com"},
        found={"warning messages"},
    ),
    Row(
        "subscriber taken out",
        lambda env: env["notifications"].pop("subscriptions"),
        {"remove subscription ops@example.com"},
        first=lambda env: env["notifications"].update(subscriptions=["ops@example.com"]),
        found={"warning protection"},
    ),
    Row(
        "another topic added",
        lambda env: env["notifications"].update(
            more_topics=["arn:aws:sns:us-west-2:111111111111:operations"]
        ),
        every("modify", ALARMS),
    ),
    Row(
        "subscribers reordered",
        lambda env: env["notifications"]["subscriptions"].reverse(),
        set(),
        first=lambda env: env["notifications"].update(
            subscriptions=["ops@example.com", "dev@example.com"]
        ),
    ),
    Row(
        "another topic adopted instead of created",
        lambda env: env.update(
            notifications={"topic_arn": "arn:aws:sns:us-west-2:532151327118:Pager"}
        ),
        {*every("modify", ALARMS), *every("remove", TOPIC_PARTS | {FAILOVER_ALARM})},
        found={"warning protection", "warning rest"},
    ),
    Row(
        "the created topic adopted by its ARN",
        lambda env: env.update(
            notifications={"topic_arn": "arn:aws:sns:us-west-2:532151327118:PingPublicationsSNS"}
        ),
        every("remove", TOPIC_PARTS | {FAILOVER_ALARM}),
        found={"warning rest"},
    ),
]
