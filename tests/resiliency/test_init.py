"""`resiliency init`: the file that it writes, its questions and its refusals."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from resiliency.service_file import load
from tests.resiliency.conftest import Printed, Resiliency

ANSWERS = {
    "service": "shop",
    "account": "532151327118",
    "region": "us-west-2",
    "record": "shop.example.com",
    "zone-id": "Z2EHK3FAEUNRMI",
    "blue": "shop-blue, i-0ab55a49288f1da24, 54.213.54.171",
    "green": "shop-green,i-0123456789abcdef0,52.11.79.9",
    "email": "ops@example.com",
}

Init = Callable[..., Printed]


@pytest.fixture
def init(tmp_path: Path, resiliency: Resiliency) -> Init:
    """Runs the command with all options, some of them changed or left out."""

    def run(*more: str, status: int = 0, **changes: str | None) -> Printed:
        given = {**ANSWERS, **{key.replace("_", "-"): value for key, value in changes.items()}}
        options = [f"--{key}={value}" for key, value in given.items() if value is not None]
        return resiliency("init", *options, *more, "--folder", tmp_path / "services", status=status)

    return run


class Terminal(io.StringIO):
    """A terminal in which somebody types lines."""

    def isatty(self) -> bool:
        return True


def test_the_file_passes_check(init: Init, tmp_path: Path, resiliency: Resiliency) -> None:
    init()
    (service,) = load(tmp_path / "services")
    environment = service.environments["production"]
    assert environment.hosts.blue.name == "shop-blue"
    assert environment.hosted_zone.name == "example.com"
    done = resiliency("check", str(tmp_path / "services"))
    assert "warning" not in done.out


def test_what_is_commented_out_is_valid_too(init: Init, tmp_path: Path) -> None:
    init()
    file = tmp_path / "services" / "shop.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^    # (?=\w+:|  )", "    ", text, flags=re.M), encoding="utf-8")
    (service,) = load(file)
    environment = service.environments["production"]
    assert environment.drills is not None
    assert environment.objective is not None
    assert set(environment.dependencies) == {"db"}


def test_nothing_is_overwritten(init: Init) -> None:
    init()
    assert "shop.yaml: exists already; init overwrites nothing" in init(status=2).err


def test_environment_and_zone_can_be_chosen(init: Init, tmp_path: Path) -> None:
    more = ("--environment", "staging", "--zone-name", "shop.example.com")
    init(*more)
    (service,) = load(tmp_path / "services")
    assert service.environments["staging"].hosted_zone.name == "shop.example.com"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"account": "12"}, "--account: '12' is not an AWS account id"),
        ({"blue": "shop-blue"}, "--blue: 'shop-blue' is not of the form NAME,INSTANCE-ID,ADDRESS"),
        ({"green": ANSWERS["blue"]}, "environments.production.hosts"),
        ({"blue": None, "email": None}, "init: give --blue, --email; the input is no terminal"),
    ],
)
def test_a_wrong_option_is_refused(
    changes: dict[str, str | None], message: str, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert message in init(status=2, **changes).err


def test_a_folder_that_can_not_be_written_is_an_error(init: Init, tmp_path: Path) -> None:
    (tmp_path / "services").write_text("", encoding="utf-8")
    assert "can't be written" in init(status=2).err


def test_a_terminal_is_asked_until_the_answer_is_valid(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("westeros\nus-west-2\n"))
    printed = init(region=None).out
    assert load(tmp_path / "services")[0].environments["production"].region == "us-west-2"
    assert printed.count("AWS region of the hosts (like us-west-2):") == 2
    assert "westeros" in printed


def test_an_end_of_the_input_is_no_traceback(init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert "init: no answer for --email" in init(status=2, email=None).err
