"""What is rehearsed, read from templates of any origin, or refused with what would help."""

import copy
import json
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest

from resiliency.failover_model.expressions import TemplateError
from resiliency.rehearsal.deployment import Deployment, Host, answer_address
from resiliency.rehearsal.deployment_reader import read_deployment, read_deployments
from tests.cases import cases
from tests.resiliency.failover_model.support import hand_written
from tests.resiliency.failover_model.test_hostile_templates import JUNK, places, replaced, template
from tests.resiliency.rehearsal.support import (
    DB_ALARM,
    FAILOVER_ALARM,
    STATUS_ALARM,
    Edit,
    Templates,
    edited,
    properties,
    records,
    remove_health_check,
    set_alarm,
    set_association,
    swap_roles,
    swap_values,
    templates_of,
)
from tests.support import Data

BLUE = Host("bookstore-api-blue", "54.213.54.171", "i-0ab55a49288f1da24")
GREEN = Host("bookstore-api-green", "52.11.79.9")


Read = Callable[[Edit], Deployment]


@pytest.fixture
def read(example_templates: Templates) -> Read:
    """Reads the example's deployment after an edit of its templates."""
    return lambda edit: read_deployment(edited(example_templates, edit))


def without_metadata(templates: dict[str, Data]) -> None:
    del templates["bookstore-production-failover"]["Metadata"]


def without_metadata_and_health_check(templates: dict[str, Data]) -> None:
    without_metadata(templates)
    remove_health_check(templates)


def test_the_example_is_read_whole(deployment: Deployment) -> None:
    assert (deployment.service, deployment.environment) == ("bookstore", "production")
    assert (deployment.region, deployment.account) == ("us-west-2", "532151327118")
    assert (deployment.active, deployment.standby) == (BLUE, GREEN)
    assert deployment.dependencies == ["db", "cdn"]
    assert deployment.path == "/version/"
    assert deployment.probe is not None
    assert deployment.probe["namespace"] == "Bookstore"
    assert deployment.objective_seconds == 600


def test_each_alarm_notifies_its_topics(deployment: Deployment) -> None:
    assert deployment.actions[STATUS_ALARM] == {
        "ALARM": ["PingPublicationsSNS"],
        "OK": [],
        "INSUFFICIENT_DATA": [],
    }


@pytest.mark.parametrize("signals", [["endpoint"], ["status", "endpoint", "db"]])
def test_the_alarm_on_failovers_is_the_one_on_the_primarys_health_check(
    signals: list[str],
) -> None:
    found = read_deployment(templates_of(lambda env: env.update(failover_on=signals)))
    assert found.failover_alarms == {FAILOVER_ALARM}
    assert FAILOVER_ALARM in [alarm.name for alarm in found.alarms]
    assert found.actions[FAILOVER_ALARM]["OK"] == ["PingPublicationsSNS"]


def test_an_alarm_whose_actions_are_off_notifies_nobody(read: Read) -> None:
    assert STATUS_ALARM not in read(set_alarm(STATUS_ALARM, ActionsEnabled=False)).actions


def test_alarms_are_about_the_host_that_they_name(deployment: Deployment) -> None:
    about = {alarm.name: deployment.host_of(alarm) for alarm in deployment.graph.alarms}
    assert about[STATUS_ALARM] == BLUE
    assert about[DB_ALARM] == BLUE
    assert about["bookstore-api-green-probe-silent"] == GREEN
    elsewhere = [each for each in deployment.graph.alarms if each not in deployment.alarms]
    assert {each.metric.namespace for each in elsewhere} == {"AWS/SQS", "Bookstore"}
    assert [*deployment.alarms, *elsewhere] == deployment.graph.alarms


def test_a_metric_that_nobody_here_publishes_is_not_rehearsed(
    read: Read,
) -> None:
    found = read(set_alarm(DB_ALARM, MetricName="orders", Namespace="Shop"))
    assert DB_ALARM not in [alarm.name for alarm in found.alarms]
    assert found.dependencies == ["cdn"]


def test_an_objective_is_read_from_the_templates_metadata(read: Read) -> None:
    def edit(templates: dict[str, Data]) -> None:
        templates["bookstore-production-failover"]["Metadata"]["RecoveryTimeSeconds"] = 300

    assert read(edit).objective_seconds == 300


@cases(
    ("edit", "active", "standby"),
    {
        "the one that clients are given": (swap_values, GREEN.name, BLUE.name),
        "the one of the primary record": (swap_roles, GREEN.name, BLUE.name),
        "known without a health check": (remove_health_check, BLUE.name, GREEN.name),
        "the one watched, without metadata": (without_metadata, BLUE.name, GREEN.name),
    },
)
def test_the_active_host_is(read: Read, edit: Edit, active: str, standby: str) -> None:
    found = read(edit)
    assert (found.active.name, found.standby.name) == (active, standby)


def test_without_metadata_peers_tell_the_hosts_addresses(deciding_templates: Templates) -> None:
    found = read_deployment(edited(deciding_templates, without_metadata_and_health_check))
    assert (found.active.name, found.standby.name) == (BLUE.name, GREEN.name)


def test_hosts_that_no_template_names_are_asked_for(example_templates: Templates) -> None:
    templates = edited(example_templates, without_metadata_and_health_check)
    with pytest.raises(TemplateError) as refused:
        read_deployment(templates)
    assert str(refused.value) == (
        "bookstore.pingpublications.com: the templates do not show which host has 54.213.54.171 "
        "and which 52.11.79.9 (names there: bookstore-api-blue, bookstore-api-green); add: "
        "--host NAME=54.213.54.171 --host NAME=52.11.79.9"
    )
    found = read_deployment(templates, addresses={GREEN.name: GREEN.address})
    assert (found.active.name, found.standby.name) == (BLUE.name, GREEN.name)


def test_a_hand_written_pair_has_hosts_by_their_roles() -> None:
    found = read_deployment({"site": hand_written()})
    assert (found.active.name, found.standby.name) == ("primary", "secondary")
    assert found.probe is None
    assert found.dependencies == []
    assert found.environment == ""
    assert (found.region, found.account) == ("eu-west-1", "123456789012")


def test_the_pair_is_chosen_by_its_name(example_templates: Templates) -> None:
    (found,), _ = read_deployments(example_templates, record="Bookstore.PingPublications.com.")
    assert found.pair.name == "bookstore.pingpublications.com"
    with pytest.raises(TemplateError) as refused:
        read_deployments(example_templates, record="other.example.com")
    assert str(refused.value) == (
        "other.example.com: is no failover pair of these templates; "
        "there: bookstore.pingpublications.com"
    )


@pytest.fixture(scope="module")
def three_pairs(example_templates: Templates) -> Templates:
    """The example in two environments, whose hosts have the same names, and another service."""

    def renamed(*words: tuple[str, str]) -> Templates:
        def replaced_in(text: str) -> str:
            for old, new in words:
                text = text.replace(old, new)
            return text

        made: dict[str, Data] = json.loads(replaced_in(json.dumps(dict(example_templates))))
        for association in properties(made, "AWS::SSM::Association"):
            (encoded,) = association["Parameters"]["Configuration"]
            configuration = replaced_in(b64decode(encoded).decode())
            association["Parameters"]["Configuration"] = [
                b64encode(configuration.encode()).decode()
            ]
        return made

    return {
        **renamed(("production", "test"), ("bookstore.ping", "test.ping")),
        **example_templates,
        **renamed(("bookstore", "shop"), ("Bookstore", "Shop")),
    }


def test_every_pair_has_its_own_alarms_probe_and_hosts(three_pairs: Templates) -> None:
    found, left_out = read_deployments(three_pairs)
    assert not left_out
    places = [(each.service, each.environment, each.pair.name) for each in found]
    assert sorted(places) == [
        ("bookstore", "production", "bookstore.pingpublications.com"),
        ("bookstore", "test", "test.pingpublications.com"),
        ("shop", "production", "shop.pingpublications.com"),
    ]
    for each in found:
        assert each.probe is not None
        assert each.probe["service"] == each.service
        alarms = [alarm.name for alarm in each.graph.alarms]
        assert len(alarms) == len(set(alarms)) == len(found[0].graph.alarms)
        assert all(name.startswith(each.service) for name in alarms)


def test_a_pair_that_can_t_be_read_is_left_out_with_the_reason() -> None:
    template = hand_written()
    alone = copy.deepcopy(template["Resources"]["First"])
    alone["Properties"]["Name"] = "alone.example.com"
    template["Resources"]["Alone"] = alone
    (found,), left_out = read_deployments({"site": template})
    assert found.pair.name == "shop.example.com"
    assert left_out == [
        "alone.example.com A: has no SECONDARY record; give the template that defines it too"
    ]


def test_pairs_of_one_template_leave_each_other_s_alarms_alone() -> None:
    resources = hand_written()["Resources"]
    text = json.dumps(resources).replace("192.0.2.", "198.51.100.").replace("hop.ex", "hop2.ex")
    for name in (*resources, "Instance"):
        text = text.replace(f'"{name}', f'"Other{name}')
    for word in ("StatusCheckFailed", "InstanceId"):
        text = text.replace(f"Other{word}", word)
    template = hand_written()
    template["Parameters"]["OtherInstance"] = {"Type": "String"}
    template["Resources"] |= json.loads(text)
    found, left_out = read_deployments({"site": template})
    assert not left_out
    assert [each.pair.name for each in found] == ["shop.example.com", "shop2.example.com"]
    names = [[alarm.name for alarm in each.graph.alarms] for each in found]
    assert names == [["${Status}"], ["${OtherStatus}"]]


def test_a_pair_without_addresses_is_refused(read: Read) -> None:
    def edit(templates: dict[str, Data]) -> None:
        for record in records(templates):
            record["Type"] = "CNAME"

    with pytest.raises(TemplateError) as refused:
        read(edit)
    assert str(refused.value) == (
        "bookstore.pingpublications.com CNAME: only A and AAAA pairs can be rehearsed"
    )


@pytest.mark.parametrize("content", ["!", b64encode(b"{").decode()])
def test_a_configuration_that_is_none_is_refused(read: Read, content: str) -> None:
    with pytest.raises(TemplateError, match="Parameters: Configuration: can't be read"):
        read(set_association(Configuration=[content]))


@cases(
    ("parameters", "installed"),
    {
        "no action": ({"Action": None}, True),
        "installs": ({"Action": ["Install"]}, True),
        "uninstalls": ({"Action": ["Uninstall"]}, False),
        "no configuration": ({"Configuration": None}, False),
        "somebody else's": (
            {"Configuration": [b64encode(b'{"namespace": "Other"}').decode()]},
            False,
        ),
    },
)
def test_a_probe_is_rehearsed_where_an_association_installs_it(
    read: Read, parameters: Data, installed: bool
) -> None:
    assert (read(set_association(**parameters)).probe is not None) is installed


def test_an_association_without_parameters_installs_no_probe(read: Read) -> None:
    def edit(templates: dict[str, Data]) -> None:
        (association,) = properties(templates, "AWS::SSM::Association")
        association["Parameters"] = None

    assert read(edit).probe is None


def test_clients_ask_where_peers_or_health_checkers_ask(
    deciding_templates: Templates, read: Read
) -> None:
    assert read_deployment(deciding_templates).path == "/version/"

    def edit(templates: dict[str, Data]) -> None:
        (check,) = properties(templates, "AWS::Route53::HealthCheck")
        check["HealthCheckConfig"]["ResourcePath"] = "/health?deep=1"

    assert read(edit).path == "/health"


def test_an_alias_has_an_address_for_documentation() -> None:
    assert answer_address(BLUE, "A", 1) == "54.213.54.171"
    alias = Host("blue", "lb.example.com")
    assert answer_address(alias, "A", 1) == "192.0.2.1"
    assert answer_address(alias, "AAAA", 2) == "2001:db8::2"


TOPIC: dict[str, Data] = {"Topic": {"Type": "AWS::SNS::Topic"}}
SUBSTITUTED = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:Oncall"


@cases(
    ("action", "topics"),
    {
        "a topic": ({"Ref": "Topic"}, ["Topic"]),
        "its ARN": ({"Fn::GetAtt": ["Topic", "TopicArn"]}, ["Topic"]),
        "of another template": ({"Fn::ImportValue": "oncall"}, ["Theirs"]),
        "a parameter": ({"Ref": "Given"}, ["Given"]),
        "pseudo parameters": ({"Fn::Sub": SUBSTITUTED}, ["Oncall"]),
        "a function's ARN": ({"Fn::GetAtt": ["Handler", "Arn"]}, []),
        "a function": ({"Ref": "Handler"}, []),
        "an action of EC2": ("arn:aws:automate:us-west-2:ec2:stop", []),
        "a condition": ({"Fn::If": []}, []),
        "nothing": ({"Ref": "Nope"}, []),
    },
)
def test_an_alarm_notifies_topics_alone(action: object, topics: list[str]) -> None:
    template = hand_written()
    template["Parameters"]["Given"] = {"Type": "String"}
    template["Resources"] |= {**TOPIC, "Handler": {"Type": "AWS::Lambda::Function"}}
    template["Resources"]["Status"]["Properties"]["AlarmActions"] = [action]
    theirs = {
        "Resources": {"Theirs": TOPIC["Topic"]},
        "Outputs": {"T": {"Value": {"Ref": "Theirs"}, "Export": {"Name": "oncall"}}},
    }
    found = read_deployment({"site": template, "topics": theirs})
    assert found.actions["${Status}"]["ALARM"] == topics


def test_each_alarm_has_its_own_topics_where_logical_ids_are_alike() -> None:
    first, second = hand_written(), {"Resources": {**TOPIC}}
    second["Resources"]["Status"] = hand_written()["Resources"]["Status"]
    second["Resources"]["Status"]["Properties"]["AlarmActions"] = [{"Ref": "Topic"}]
    found = read_deployment({"site": first, "other": second}).actions
    assert found["${site.Status}"]["ALARM"] == []
    assert found["${other.Status}"]["ALARM"] == ["Topic"]


def rehearsable() -> Data:
    """A template with all that is read beyond what decides failover."""
    made = template()
    made["Metadata"] = {"Hosts": {"blue": ["192.0.2.1"]}, "RecoveryTimeSeconds": 300}
    alarm = made["Resources"]["Status"]["Properties"]
    alarm |= {"AlarmActions": [{"Ref": "Topic"}], "OKActions": ["arn:x"], "ActionsEnabled": True}
    made["Resources"] |= {
        **copy.deepcopy(TOPIC),
        "Probe": {
            "Type": "AWS::SSM::Association",
            "Properties": {"Parameters": {"Action": ["Install"], "Configuration": ["e30="]}},
        },
    }
    return made


@pytest.mark.parametrize("junk", JUNK)
def test_junk_at_every_place_is_read_or_refused_in_one_line(junk: str) -> None:
    refusals = []
    for path in places(rehearsable()):
        try:
            read_deployment({"site": replaced(path, JUNK[junk], rehearsable())})
        except TemplateError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert all(len(each.splitlines()) == 1 and each.isprintable() for each in refusals)
