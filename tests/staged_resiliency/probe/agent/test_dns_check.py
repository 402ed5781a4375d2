"""DNS messages as they are on the wire."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staged_resiliency.probe.agent.dns_check import (
    RECORD_TYPES,
    Answer,
    encode_question,
    parse_answer,
)
from tests.staged_resiliency.probe.agent.hostile.dns_server import (
    ASKED,
    CNAME,
    address,
    message,
    name,
    record,
)

NAME = "db.example.com"
LABELS = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join)


def test_a_question_is_as_rfc_1035_has_it() -> None:
    assert encode_question(0x1234, NAME, "AAAA") == (
        b"\x12\x34"  # its number
        b"\x01\x00"  # recursion is desired
        b"\0\1\0\0\0\0\0\0"  # one question, nothing else
        b"\2db\7example\3com\0"
        b"\0\x1c\0\1"  # AAAA, Internet
    )


def test_the_last_dot_of_a_name_makes_no_label() -> None:
    assert encode_question(1, f"{NAME}.", "A") == encode_question(1, NAME, "A")


@given(st.integers(0, 65_535), NAMES, st.sampled_from(sorted(RECORD_TYPES)))
def test_a_question_is_answered_by_its_own_answer_alone(number: int, host: str, kind: str) -> None:
    reply = message(encode_question(number, host, kind))
    assert parse_answer(reply, number, host.upper(), kind) == Answer(0, False, [])
    assert parse_answer(reply, number ^ 1, host, kind) is None
    assert parse_answer(reply, number, f"a{host}", kind) is None
    others = [other for other in RECORD_TYPES if other != kind]
    assert all(parse_answer(reply, number, host, other) is None for other in others)


@given(st.lists(st.ip_addresses(v=4).map(str), max_size=8))
def test_addresses_are_read_as_they_were_written(addresses: list[str]) -> None:
    reply = message(encode_question(1, NAME, "A"), *map(address, addresses))
    assert parse_answer(reply, 1, NAME, "A") == Answer(0, False, addresses)


@given(st.lists(st.ip_addresses(v=6).map(str), max_size=8))
def test_ipv6_addresses_are_read_as_they_were_written(addresses: list[str]) -> None:
    reply = message(encode_question(1, NAME, "AAAA"), *map(address, addresses))
    assert parse_answer(reply, 1, NAME, "AAAA") == Answer(0, False, addresses)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True).filter(lambda names: NAME not in names))
def test_a_chain_of_names_is_followed_to_its_addresses(names: list[str]) -> None:
    owners = [ASKED, *map(name, names)]
    chain = [record(CNAME, name(to), owner) for owner, to in zip(owners, names, strict=False)]
    records = [*chain, address(owner=owners[-1])]
    asked = encode_question(1, NAME, "A")
    assert parse_answer(message(asked, *records), 1, NAME, "A") == Answer(0, False, ["10.0.0.5"])
    assert parse_answer(message(asked, *chain), 1, NAME, "A") == Answer(0, False, [])
    assert parse_answer(message(asked, *records[1:]), 1, NAME, "A") == Answer(0, False, [])


@given(st.binary(min_size=1, max_size=63))
def test_any_label_is_returned_in_printable_ascii(label: bytes) -> None:
    alias = record(CNAME, bytes([len(label)]) + label + b"\0")
    found = parse_answer(message(encode_question(1, NAME, "CNAME"), alias), 1, NAME, "CNAME")
    assert found is not None
    (value,) = found.values
    assert value.isascii()
    assert value.isprintable()
    assert " " not in value
    assert "." not in value  # it is one label


@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_none_or_a_value_error(data: bytes) -> None:
    """Nothing else is raised; ``test_dns_answers`` tests what the check makes of it."""
    asked = encode_question(7, NAME, "CNAME")
    for reply in (data, message(asked, data, count=len(data) % 5), asked[:4] + data):
        try:
            found = parse_answer(reply, 7, NAME, "CNAME")
        except ValueError as error:
            reported = str(error)
            assert reported.isprintable()
        else:
            assert found is None or all(value.isprintable() for value in found.values)


@given(st.data())
def test_a_sound_answer_with_any_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    asked = encode_question(7, NAME, "A")
    sound = message(asked, record(CNAME, name("a.example")), address(owner=name("a.example")))
    changed = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = parse_answer(bytes(changed[: data.draw(st.integers(0, len(sound)))]), 7, NAME, "A")
    except ValueError:
        return
    assert found is None or all(ipaddress.ip_address(value) for value in found.values)


def test_a_truncated_answer_is_known_as_such_wherever_it_is_cut() -> None:
    asked = encode_question(7, NAME, "A")
    sound = message(asked, address(), flags=0x8380)
    for length in range(len(asked), len(sound) + 1):
        assert parse_answer(sound[:length], 7, NAME, "A") == Answer(0, True, [])


@pytest.mark.parametrize("code", range(1, 16))
def test_each_code_is_read_without_records(code: int) -> None:
    asked = encode_question(7, NAME, "A")
    reply = message(asked, address(), flags=0x8180 | code)
    assert parse_answer(reply, 7, NAME, "A") == Answer(code, False, [])
    header = struct.pack("!6H", 7, 0x8180 | code, 0, 0, 0, 0)
    assert parse_answer(header, 7, NAME, "A") == Answer(code, False, [])
