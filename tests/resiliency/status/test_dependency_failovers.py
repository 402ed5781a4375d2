"""`resiliency status` of a service with a dependency that fails over by itself."""

import json

import pytest

from tests.fake_aws.account import Answer, Parameters
from tests.resiliency.conftest import Resiliency
from tests.resiliency.status.conftest import findings
from tests.resiliency.status.deployment import Deployment, deploy
from tests.support import Data, example, synthesize

pytestmark = pytest.mark.slow

CDN = "cdn.bookstore.pingpublications.com"
PRIMARY, SECONDARY = "d111111abcdef8.cloudfront.net", "cdn.example.com"


def fails_over(environment: Data) -> None:
    targets = {"primary": {"dns_name": PRIMARY}, "secondary": {"dns_name": SECONDARY}}
    environment["dependencies"]["cdn"]["failover"] = targets


@pytest.fixture
def deployed(made: Deployment) -> Deployment:
    """The account of the other tests, with a CDN that fails over."""
    templates = synthesize([example(fails_over, whole=True)])
    return deploy(made.account, templates)


def answering(deployed: Deployment, target: str) -> None:
    """Answer for the CDN with a target, and for all else as before."""
    usual = deployed.account.service.TestDNSAnswer

    def answer(given: Parameters) -> Answer:
        if given["RecordName"] != CDN:
            return usual(dict(given))
        assert given["RecordType"] == "CNAME"
        return {
            "Nameserver": "ns-1.awsdns-01.org",
            "RecordName": CDN,
            "RecordType": "CNAME",
            "RecordData": [target],
            "ResponseCode": "NOERROR",
            "Protocol": "UDP",
        }

    deployed.account.answers["route53", "TestDNSAnswer"] = answer


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"{PRIMARY}.", []),
        (
            f"{SECONDARY}.",
            [f"who is served: clients of {CDN} are sent to {SECONDARY}, the secondary of cdn"],
        ),
        (
            "elsewhere.example.com.",
            [
                f"who is served: Route 53 answers elsewhere.example.com. for {CDN}, neither the "
                "primary nor the secondary of cdn"
            ],
        ),
    ],
)
def test_where_its_clients_are_sent(
    deployed: Deployment, status: Resiliency, target: str, expected: list[str]
) -> None:
    answering(deployed, target)
    deployed.observers = ["Success: HTTP Status Code 200, OK"]
    assert findings(json.loads(status("--json", status=1 if expected else 0).out)) == expected


def test_its_records_are_compared_with_those_that_were_deployed(
    deployed: Deployment, status: Resiliency
) -> None:
    answering(deployed, f"{PRIMARY}.")
    deployed.observers = ["Success: HTTP Status Code 200, OK"]
    (primary,) = (
        each
        for each in deployed.records
        if each["Type"] == "CNAME" and each["Failover"] == "PRIMARY"
    )
    primary["ResourceRecords"] = [{"Value": "by-hand.example.com"}]
    assert findings(json.loads(status("--json", status=1).out)) == [
        f"records: {CDN} CNAME PRIMARY has by-hand.example.com; {PRIMARY} was deployed"
    ]
