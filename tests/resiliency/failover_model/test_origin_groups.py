"""How long a client waits for the secondary origin of a CloudFront distribution."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from resiliency.failover_model.expressions import TemplateError
from resiliency.failover_model.origin_groups import read_origin_groups
from tests.resiliency.conftest import Resiliency
from tests.resiliency.failover_model.support import Data, hand_written


def distribution(*, status_codes: Sequence[int] = (503, 504), **primary: object) -> Data:
    """A distribution with an origin group; the primary with some settings."""
    return {
        "Resources": {
            "Cdn": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {
                    "DistributionConfig": {
                        "Origins": [
                            {"Id": "b", "DomainName": "backup.example.com"},
                            {"Id": "a", "DomainName": "main.example.com", **primary},
                        ],
                        "OriginGroups": {
                            "Quantity": 1,
                            "Items": [
                                {
                                    "Id": "group",
                                    "FailoverCriteria": {"StatusCodes": {"Items": [*status_codes]}},
                                    "Members": {"Items": [{"OriginId": "a"}, {"OriginId": "b"}]},
                                }
                            ],
                        },
                    }
                },
            }
        }
    }


def times(**primary: Any) -> tuple[float | None, float | None]:
    (group,) = read_origin_groups({"cdn": distribution(**primary)})
    assert (group.name, group.primary) == ("cdn: Cdn", "main.example.com")
    return group.unreachable_seconds, group.unresponsive_seconds


def test_without_settings_cloudfronts_defaults_count() -> None:
    assert times() == (30, 120)
    assert times(S3OriginConfig={"OriginAccessIdentity": ""}) == (30, 120)


def test_attempts_count_for_connections_and_for_responses() -> None:
    custom = {"OriginReadTimeout": 5, "OriginProtocolPolicy": "https-only"}
    given = {"ConnectionAttempts": 2, "ConnectionTimeout": "3", "CustomOriginConfig": custom}
    assert times(**given) == (6, 16)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([503], (30, None)), ([500, 504], (None, 120)), ([403], (None, None))],
)
def test_without_their_status_codes_the_secondary_is_never_asked(
    codes: Sequence[int], expected: tuple[float | None, float | None]
) -> None:
    assert times(status_codes=codes) == expected


def test_the_command_says_where_the_secondary_is_never_asked(
    tmp_path: Path, resiliency: Resiliency
) -> None:
    file = tmp_path / "cdn.json"
    file.write_text(json.dumps(distribution(status_codes=[500, 503])))
    assert (
        f"origins {file}: Cdn: a request that CloudFront does not answer from its cache waits up "
        "to 30 s where main.example.com accepts no connection, until CloudFront asks "
        "backup.example.com; upon an error status of the group it asks at once; it never asks "
        "where main.example.com does not respond (504 is not in the group)"
    ) in resiliency("timing", file, "--outages", "10").out


def test_a_distribution_without_a_group_has_no_time() -> None:
    template = distribution()
    del template["Resources"]["Cdn"]["Properties"]["DistributionConfig"]["OriginGroups"]
    assert read_origin_groups({"cdn": template}) == []


def test_members_that_are_no_origins_are_named() -> None:
    template = distribution()
    config = template["Resources"]["Cdn"]["Properties"]["DistributionConfig"]
    config["Origins"].pop()
    with pytest.raises(TemplateError) as error:
        read_origin_groups({"cdn": template})
    assert str(error.value) == (
        "cdn: Cdn: DistributionConfig: OriginGroups: Items[0]: Members: are not two of the "
        "distribution's origins"
    )


@pytest.mark.parametrize("beside_a_pair", [False, True])
def test_the_command_says_how_long_a_request_waits(
    tmp_path: Path, resiliency: Resiliency, beside_a_pair: bool
) -> None:
    template = distribution(ConnectionAttempts=2, ConnectionTimeout=2)
    if beside_a_pair:
        pair = hand_written()
        template["Resources"] |= pair["Resources"]
        template["Parameters"] = pair["Parameters"]
    file = tmp_path / "cdn.json"
    file.write_text(json.dumps(template))
    printed = resiliency("timing", file, "--outages", "10").out
    assert (
        f"origins {file}: Cdn: a request that CloudFront does not answer from its cache waits up "
        "to 4 s where main.example.com accepts no connection, and up to 64 s where it does not "
        "respond, until CloudFront asks backup.example.com; upon an error status of the group it "
        "asks at once"
    ) in printed
    assert ("host stopped" in printed) is beside_a_pair
    done = resiliency("timing", file, "--outages", "10", "--json")
    (group,) = json.loads(done.out)["origin_groups"]
    assert (group["unreachable_seconds"], group["unresponsive_seconds"]) == (4, 64)
