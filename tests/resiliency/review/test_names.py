"""What a review says of names that exist already, and of replaced resources."""

from typing import Any

from tests.resiliency.review.stacks import (
    alarm,
    pair,
    resource,
    reviewed,
    reviewed_stacks,
    stack,
    texts,
    without,
)


def test_a_record_can_have_one_owner_at_a_time() -> None:
    one = pair()
    records = [one[each]["Properties"] for each in ("Primary", "Secondary")]
    zone = {"HostedZoneId": "Z1"}
    group = resource("Route53::RecordSetGroup", RecordSets=records, **zone)
    found = reviewed({**without(one, "Primary", "Secondary"), "Group": group}, one)
    assert texts(found, "names") == [
        "danger site.example.com A exists already, as Group of this stack: Route 53 refuses a "
        "second record of one name, type and role, and the update fails"
    ]


def test_a_stack_of_another_region_has_the_record() -> None:
    found = reviewed_stacks([stack(pair())], [stack(pair(), region="eu-west-1")])
    assert texts(found, "names") == [
        "danger site.example.com A exists already, as Primary of site in 532151327118 us-west-2: "
        "Route 53 refuses a second record of one name, type and role, and the update fails"
    ]


def test_a_replacement_cant_have_the_name_of_what_it_replaces() -> None:
    def topic(*, fifo: bool) -> dict[str, Any]:
        return {"Topic": resource("SNS::Topic", TopicName="pager", FifoTopic=fifo)}

    found = texts(reviewed(topic(fifo=False), topic(fifo=True)), "names")
    assert found[0].startswith("danger 1 name is in use by other resources of this stack, Topic p")
    assert found[1] == "warning Topic pager is replaced, as FifoTopic changes"


def test_another_type_is_refused() -> None:
    found = reviewed({"A": alarm()}, {"A": resource("SNS::Topic")})
    assert texts(found, "names")[0] == ("danger A gets another type, which CloudFormation refuses")


def test_a_bucket_that_is_replaced_stays() -> None:
    kept = {"UpdateReplacePolicy": "Retain"}
    before, after = ({"B": resource("S3::Bucket", kept, BucketName=each)} for each in "ab")
    assert texts(reviewed(before, after), "names") == [
        "warning Bucket a → b is replaced, as BucketName changes; the old one stays in the account "
        "(Retain)"
    ]
