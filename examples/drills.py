"""Drills of a pair whose alarms are in the same stack: a shutdown, and a network blackhole.

They start as dry runs; `enabled=True` lets them inject faults. The guards, alarms that stop a
drill, are those of the other host. The expected times follow from the alarms' settings and are
written here by hand.
"""

from aws_cdk import App, Environment, Stack

from staged_resiliency import (
    AlarmFires,
    AlarmQuiet,
    AlarmRecovers,
    AlarmTopic,
    BlackholeDependency,
    ClientsMove,
    ClientsReturn,
    ClientsStay,
    ConnectivityAlarm,
    Drill,
    DrillGroup,
    DrillHost,
    DrillSchedule,
    DrillTarget,
    DrillWindow,
    InstanceStatusAlarm,
    MissingData,
    ServiceDashboard,
    StopInstance,
)

BLUE, GREEN = "shop-blue", "shop-green"
INSTANCES = {BLUE: "i-0ab55a49288f1da24", GREEN: "i-0123456789abcdef0"}
RECORD = "shop.example.com"

app = App()
stack = Stack(app, "shop-failover", env=Environment(account="111111111111", region="eu-west-1"))
topic = AlarmTopic(stack, "Topic")
status = {
    host: InstanceStatusAlarm(
        stack,
        f"Status-{host}",
        instance=instance,
        host_name=host,
        description=f"{host} fails its status checks.",
        topic=topic,
    )
    for host, instance in INSTANCES.items()
}
database = {
    host: ConnectivityAlarm(
        stack,
        f"Database-{host}",
        namespace="Shop",
        host_name=host,
        dependency="db",
        description=f"{host} does not reach the database.",
        missing_data=MissingData.BREACHING,
        topic=topic,
    )
    for host in INSTANCES
}
alarms = [alarm.alarm_name for alarm in (*status.values(), *database.values())]

service = DrillTarget(
    name="shop",
    environment="production",
    namespace="Shop",
    active=DrillHost(BLUE, "192.0.2.1", instance=INSTANCES[BLUE]),
    standby=DrillHost(GREEN, "192.0.2.2", instance=INSTANCES[GREEN]),
    record_name=RECORD,
    hosted_zone_id="Z2EHK3FAEUNRMI",
    alarms=alarms,
    objective_seconds=360,
)
group = DrillGroup(stack, "Drills", service=service, topic=topic)
shutdown = Drill(
    stack,
    "Shutdown",
    group=group,
    name="shutdown",
    fault=StopInstance(BLUE, INSTANCES[BLUE], duration_minutes=10),
    guards=[status[GREEN].alarm_name, database[GREEN].alarm_name],
    hypothesis=[
        ClientsMove(RECORD, GREEN),
        ClientsReturn(RECORD, BLUE, within_seconds=800),
        AlarmFires(status[BLUE].alarm_name, within_seconds=360),
        AlarmRecovers(status[BLUE].alarm_name, within_seconds=680),
        AlarmQuiet(status[GREEN].alarm_name),
    ],
    schedule=DrillSchedule("cron(0 10 ? * TUE#1 *)", "Europe/Dublin"),
)
blackhole = Drill(
    stack,
    "DatabaseBlackhole",
    group=group,
    name="db-blackhole",
    fault=BlackholeDependency(
        BLUE, INSTANCES[BLUE], duration_minutes=5, destination="db.example.com"
    ),
    guards=[status[GREEN].alarm_name, database[GREEN].alarm_name],
    hypothesis=[
        ClientsStay(RECORD, BLUE),
        AlarmFires(database[BLUE].alarm_name, within_seconds=280),
        AlarmRecovers(database[BLUE].alarm_name, within_seconds=220),
        AlarmQuiet(status[BLUE].alarm_name),
    ],
    schedule=DrillSchedule("cron(0 10 ? * TUE#3 *)", "Europe/Dublin"),
    window=DrillWindow(from_hour=10, to_hour=12),
    dependency="db",
)
drills = [shutdown, blackhole]
ServiceDashboard(
    stack,
    "Dashboard",
    service=service,
    dashboard_name="shop-production",
    drills=[drill.name for drill in drills],
    enabled=group.enabled,
    alarms=[drill.overdue.alarm_name for drill in drills],
    links={"runbook": "https://wiki.example.com/shop/drills"},
)

app.synth()
