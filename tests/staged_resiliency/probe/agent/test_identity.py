"""Who the host is: from the configuration, its tags in the metadata, or EC2."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from staged_resiliency.probe.agent import identity
from staged_resiliency.probe.agent.identity import (
    FILE_NAME,
    Identity,
    IdentityError,
    ask_ec2,
    identify,
    save_identity,
    saved_identity,
    this_machine,
)
from staged_resiliency.probe.agent.metadata import Metadata
from tests.cases import cases
from tests.e2e.machine.servers import HttpAnswer, HttpRequest
from tests.staged_resiliency.probe.agent.support import (
    BLUE,
    GREEN,
    InstanceMetadata,
    config_of,
    ec2_answer,
    instance_metadata,
    serving,
    unused_url,
)

CONFIG = config_of({})


@pytest.fixture(scope="module")
def running() -> Iterator[InstanceMetadata]:
    with instance_metadata() as running:
        yield running


@pytest.fixture
def instance(running: InstanceMetadata) -> InstanceMetadata:
    running.change(tags={"Name": BLUE}, region="us-west-2", role="bookstore-instance")
    running.service.requests.clear()
    return running


def not_asked(instance_id: str, region: str, metadata: Metadata) -> str:
    pytest.fail("EC2 is asked only where the metadata do not show tags")


def test_name_and_region_are_the_instances_own(instance: InstanceMetadata) -> None:
    found = identify(CONFIG, Metadata(instance.url), not_asked)
    assert found == Identity(BLUE, "us-west-2")


def test_a_configuration_that_names_both_needs_no_metadata() -> None:
    config = config_of({}, host=GREEN, region="eu-central-1")
    found = identify(config, Metadata(unused_url()), not_asked)
    assert found == Identity(GREEN, "eu-central-1")


def test_ec2_is_asked_where_the_metadata_show_no_tags(instance: InstanceMetadata) -> None:
    instance.change(tags=None)
    asked: list[tuple[str, str]] = []

    def described(instance_id: str, region: str, metadata: Metadata) -> str:
        asked.append((instance_id, region))
        return GREEN

    found = identify(CONFIG, Metadata(instance.url), described)
    assert found == Identity(GREEN, "us-west-2")
    assert asked == [("i-0123456789abcdef0", "us-west-2")]


def test_ec2_is_asked_where_the_name_is_empty(instance: InstanceMetadata) -> None:
    instance.change(tags={"Name": ""})
    found = identify(CONFIG, Metadata(instance.url), lambda *_: GREEN)
    assert found.host == GREEN


@cases(
    "name",
    {
        "two lines": "blue\nHost: x",
        "a carriage return": "blue\r",
        "a terminal's escape": "blue\x1b[2J",
        "a zero": "blue\x00",
        "256 characters": "b" * 256,
        "300 characters": "b" * 300,
        "not ASCII": "blåbær",
        "written backwards": "\u202eeulb",
        "blanks": "   ",
    },
)
def test_a_poisonous_name_is_refused_with_an_escaped_line(
    instance: InstanceMetadata, name: str
) -> None:
    instance.change(tags={"Name": name})
    with pytest.raises(IdentityError, match="must be a metric dimension's value") as raised:
        identify(CONFIG, Metadata(instance.url), not_asked)
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) <= 300


@pytest.mark.parametrize("name", ["$(reboot)", "`reboot`", "; rm -rf /", "a|b&c>d", "%s{0}", "' '"])
def test_a_name_that_a_shell_would_run_is_only_a_name(
    instance: InstanceMetadata, name: str
) -> None:
    """CloudWatch takes it for a dimension, and no shell ever sees it."""
    instance.change(tags={"Name": name})
    assert identify(CONFIG, Metadata(instance.url), not_asked).host == name


def test_an_invalid_region_is_refused(instance: InstanceMetadata) -> None:
    instance.change(region="us-west-2.evil.example/")
    with pytest.raises(IdentityError, match="region: must be an AWS region, not"):
        identify(CONFIG, Metadata(instance.url), not_asked)


def test_unreachable_metadata_is_reported() -> None:
    with pytest.raises(IdentityError, match="the metadata service can't be reached"):
        identify(CONFIG, Metadata(unused_url()), not_asked)


class Ec2:
    """Answers DescribeTags."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(dict(parse_qsl(request.body.decode())))
        return ec2_answer(self.name)


@pytest.mark.slow
def test_a_process_of_its_own_asks_ec2_and_nothing_in_a_name_is_run(
    instance: InstanceMetadata, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    name = f"$(touch {ran})"
    instance.change(tags=None)
    ec2 = Ec2(name)
    with serving(ec2) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", url)
        assert identify(CONFIG, Metadata(instance.url)).host == name
    assert not ran.exists()
    (asked,) = ec2.asked
    assert asked["Action"] == "DescribeTags"
    assert (asked["Filter.1.Name"], asked["Filter.1.Value.1"]) == (
        "resource-id",
        "i-0123456789abcdef0",
    )
    assert (asked["Filter.2.Name"], asked["Filter.2.Value.1"]) == ("key", "Name")


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of the one that asks EC2: what it does is up to the test."""
    program = tmp_path / "ec2_tags.py"
    monkeypatch.setattr(identity, "__file__", str(tmp_path / "identity.py"))
    return program


@cases(
    ("program", "message"),
    {
        "fails": (
            "import sys; sys.exit('one\\nlast \\x1b[31mline')",
            "DescribeTags: last ?[31mline",
        ),
        "fails without a word": ("import sys; sys.exit(3)", "DescribeTags: no reason given"),
        "breaks": ("raise KeyError('Tags')", "DescribeTags: KeyError: 'Tags'"),
        "says no JSON": ("print('{')", "Expecting property name"),
        "says no text": ("import sys; sys.stdout.buffer.write(b'\\xff')", "codec can't decode"),
        "says a poisonous name": ("print('\"a\\\\nb\"')", "must be a metric dimension's value"),
    },
)
def test_whatever_the_process_does_is_reported_in_one_plain_line(
    instance: InstanceMetadata, child: Path, program: str, message: str
) -> None:
    child.write_text(program)
    instance.change(tags=None)
    with pytest.raises(IdentityError) as raised:
        identify(CONFIG, Metadata(instance.url))
    assert message in str(raised.value)
    assert str(raised.value).isascii()
    assert str(raised.value).isprintable()


def test_a_process_that_hangs_is_ended(instance: InstanceMetadata, child: Path) -> None:
    child.write_text("import time; time.sleep(60)")
    with pytest.raises(IdentityError, match=r"^DescribeTags: TimeoutExpired$"):
        ask_ec2("i-1", "us-west-2", Metadata(instance.url), 0.2)


def test_without_credentials_ec2_is_not_asked(instance: InstanceMetadata, child: Path) -> None:
    instance.change(tags=None, role=None)
    with pytest.raises(IdentityError, match="the instance has no role"):
        identify(CONFIG, Metadata(instance.url))


MACHINE = "i-0123456789abcdef0"


def test_who_an_instance_was_is_remembered(tmp_path: Path) -> None:
    assert saved_identity(tmp_path, MACHINE) is None
    save_identity(tmp_path, Identity(BLUE, "us-west-2"), MACHINE)
    assert saved_identity(tmp_path, MACHINE) == Identity(BLUE, "us-west-2")
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_without_a_folder_or_with_one_that_refuses_nothing_is_remembered(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "nowhere"):
        save_identity(folder, Identity(BLUE, "us-west-2"), MACHINE)
        assert saved_identity(folder, MACHINE) is None


def test_on_a_machine_that_nothing_identifies_nothing_is_remembered(tmp_path: Path) -> None:
    save_identity(tmp_path, Identity(BLUE, "us-west-2"), "")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / FILE_NAME).write_text(json.dumps(["", BLUE, "us-west-2"]))
    assert saved_identity(tmp_path, "") is None


@cases(
    ("asset_tag", "machine"),
    {
        "Nitro": (b"i-0123456789abcdef0\n", "i-0123456789abcdef0"),
        "an id of 2016": (b"i-01234567\n", "i-01234567"),
        "Xen": (None, "the-boot"),
        "another hypervisor": (b"Not Specified\n", "the-boot"),
        "not ASCII": (b"\xff", "the-boot"),
    },
)
def test_a_machine_is_known_by_its_firmware_or_its_boot(
    tmp_path: Path, asset_tag: bytes | None, machine: str
) -> None:
    file = tmp_path / "board_asset_tag"
    if asset_tag is not None:
        file.write_bytes(asset_tag)
    assert this_machine(file, {"BOOT_ID": "the-boot"}) == machine


def test_a_process_of_no_unit_on_xen_is_not_identified(tmp_path: Path) -> None:
    assert this_machine(tmp_path / "board_asset_tag", {}) == ""


@cases(
    "content",
    {
        "empty": b"",
        "half of it": b"[",
        "a number": b"7",
        "a value too few": b'["i-0123456789abcdef0", "blue"]',
        "a poisonous name": b'["i-0123456789abcdef0", "a\\nb", "us-west-2"]',
        "no region": b'["i-0123456789abcdef0", "blue", "x/y"]',
        "a list as name": b'["i-0123456789abcdef0", ["blue"], "us-west-2"]',
        "another instance's": b'["i-00000000000000000", "blue", "us-west-2"]',
        "not UTF-8": b"\xff\xfe",
    },
)
def test_the_saved_identity_of_another_instance_is_not_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert saved_identity(tmp_path, MACHINE) is None
