"""Drills of a failover, one statement each: a shutdown, a blackhole, a database that fails over.

Guards, expectations and time limits follow from the failover, its alarms and the probe's
configuration; probe.py installs the probe. Drills start as dry runs; `enabled=True` of the group
lets them inject faults.
"""

from aws_cdk import App, Environment, Stack

from staged_resiliency import (
    AddressTarget,
    AlarmTopic,
    BlackholeDependency,
    ConnectivityAlarm,
    Drill,
    DrillGroup,
    DrillSchedule,
    DrillTarget,
    DrillWindow,
    FailOverDbInstance,
    FailoverHost,
    InstanceFailover,
    MissingData,
    PostgresqlCheck,
    ProbeConfiguration,
    ProbeSilentAlarm,
    ServiceDashboard,
    StopInstance,
)

BLUE, GREEN = "shop-blue", "shop-green"
INSTANCES = {BLUE: "i-0ab55a49288f1da24", GREEN: "i-0123456789abcdef0"}

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
topic = AlarmTopic(stack, "Topic")
probe = ProbeConfiguration(
    service="shop",
    namespace="Shop",
    dependencies={"db": PostgresqlCheck("db.example.com")},
)
alarms = [
    alarm
    for host in INSTANCES
    for alarm in (
        ConnectivityAlarm(
            stack,
            f"Database-{host}",
            namespace="Shop",
            host_name=host,
            dependency="db",
            description=f"{host} does not reach the database.",
            missing_data=MissingData.BREACHING,
            topic=topic,
        ),
        ProbeSilentAlarm(
            stack,
            f"ProbeSilent-{host}",
            namespace="Shop",
            host_name=host,
            description=f"The probe of {host} is silent.",
            topic=topic,
        ),
    )
]
failover = InstanceFailover(
    stack,
    "Failover",
    service="shop",
    blue=FailoverHost(BLUE, AddressTarget(ipv4="52.11.79.8"), INSTANCES[BLUE]),
    green=FailoverHost(GREEN, AddressTarget(ipv4="52.11.79.9"), INSTANCES[GREEN]),
    active="blue",
    hosted_zone="Z2EHK3FAEUNRMI",
    record_name="shop.example.com",
    topic=topic,
)
target = DrillTarget.of(
    failover,
    environment="production",
    namespace="Shop",
    objective_seconds=540,
    alarms=alarms,
    probe=probe,
)
group = DrillGroup(stack, "Drills", service=target, topic=topic)
shutdown = Drill(
    stack,
    "Shutdown",
    group=group,
    name="shutdown",
    fault=StopInstance(BLUE, INSTANCES[BLUE], duration_minutes=12),
    schedule=DrillSchedule("cron(0 10 ? * TUE#1 *)", "Europe/Dublin"),
)
blackhole = Drill(
    stack,
    "DatabaseBlackhole",
    group=group,
    name="db-blackhole",
    fault=BlackholeDependency(
        BLUE, INSTANCES[BLUE], duration_minutes=6, destination="db.example.com"
    ),
    schedule=DrillSchedule("cron(0 10 ? * TUE#3 *)", "Europe/Dublin"),
    window=DrillWindow(from_hour=10, to_hour=12),
    dependency="db",
)
database = Drill(
    stack,
    "DatabaseFailover",
    group=group,
    name="db-failover",
    fault=FailOverDbInstance("shop-db", destination="db.example.com"),
    schedule=DrillSchedule("cron(0 10 ? * WED#1 *)", "Europe/Dublin"),
    dependency="db",
)
drills = [shutdown, blackhole, database]
ServiceDashboard(
    stack,
    "Dashboard",
    service=target,
    dashboard_name="shop-production",
    drills=[drill.name for drill in drills],
    enabled=group.enabled,
    alarms=[drill.overdue.alarm_name for drill in drills],
    links={"runbook": "https://wiki.example.com/shop/drills"},
)

app.synth()
