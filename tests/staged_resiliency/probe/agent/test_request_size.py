"""How many data one request has, and how large it is."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

import botocore.serialize
import botocore.session
import pytest

from staged_resiliency.probe.agent.cloudwatch import _rendered
from staged_resiliency.probe.agent.metric_statistics import Datum, Series
from staged_resiliency.probe.agent.outbox import MAX_DATA_PER_REQUEST, Outbox
from tests.cases import cases
from tests.staged_resiliency.probe.agent.support import MIDNIGHT, host_series, ones, outbox_of


@cache
def serializer(protocol: str) -> tuple[Any, Any]:
    model = botocore.session.Session().get_service_model("cloudwatch")
    return botocore.serialize.create_serializer(protocol, False), model.operation_model(
        "PutMetricData"
    )


def body_bytes(protocol: str, data: Sequence[Datum]) -> int:
    """The size of a request as botocore really writes it."""
    serialize, operation = serializer(protocol)
    members = {"Namespace": "N" * 255, "MetricData": [_rendered(datum) for datum in data]}
    body = serialize.serialize_to_request(members, operation)["body"]
    return len(urlencode(body) if isinstance(body, Mapping) else body)


def requests_of(outbox: Outbox) -> list[Sequence[Datum]]:
    """All requests until no data wait."""
    requests = []
    while data := outbox.request(0.0):
        requests.append(data)
        outbox.accepted()
    return requests


def wordy(length: int, letter: str = "%") -> Series:
    """A series as long as one can be: of a peer, with a class, each letter written as three."""
    word = letter * length
    dimensions = (("Host", word), ("Observer", word), ("Class", "unreachable"))
    return Series(letter * min(length, 209), dimensions)


@pytest.mark.parametrize("protocol", ["query", "json", "smithy-rpc-v2-cbor"])
@cases(
    "series",
    {
        "the longest names, of characters that are escaped": wordy(255),
        "names of a middle length, of characters that are escaped": wordy(30),
        "the longest names, of plain characters": wordy(255, "a"),
        "usual names": host_series("db-connectivity"),
        "the shortest names": Series("m", ()),
    },
)
def test_the_largest_request_stays_below_a_megabyte(protocol: str, series: Series) -> None:
    outbox = outbox_of()
    outbox.put([Datum(series, MIDNIGHT, 60, 60.000001, 0.000001, 1.000001)] * 1500)
    requests = requests_of(outbox)
    assert max(body_bytes(protocol, data) for data in requests) < 1_000_000
    assert sum(map(len, requests)) == 1500
    assert max(map(len, requests)) <= MAX_DATA_PER_REQUEST


def test_single_values_take_room_in_a_request_too() -> None:
    outbox = outbox_of()
    values = tuple((number + 0.123456, 1.0) for number in range(100_000, 100_150))
    outbox.put([Datum(host_series("a"), MIDNIGHT, 150, 1.0, 1.0, 1.0, values)] * 100)
    requests = requests_of(outbox)
    assert max(body_bytes("query", data) for data in requests) < 1_000_000
    assert len(requests[0]) > 20


def test_a_thousand_usual_data_are_one_request() -> None:
    outbox = outbox_of()
    outbox.put(ones(MIDNIGHT, 1001))
    assert list(map(len, requests_of(outbox))) == [1000, 1]


def test_a_datum_larger_than_a_request_may_be_is_sent_by_itself() -> None:
    outbox = outbox_of()
    huge = Datum(Series("m", (("Host", "h" * 400_000),)), MIDNIGHT, 1, 1.0, 1.0, 1.0)
    outbox.put([*ones(MIDNIGHT, 2), huge, huge])
    assert list(map(len, requests_of(outbox))) == [2, 1, 1]
