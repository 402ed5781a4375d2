"""Which account and region a service's drills are in."""

import shutil
from pathlib import Path

import pytest

from resiliency.drill_cli.stack import Location, find_location
from resiliency.errors import UserError
from resiliency.service_file import ServiceFileError
from tests.resiliency.drill_cli.conftest import Drill
from tests.support import EXAMPLE_FILE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def services(folder: Path) -> None:
    (folder / "services").mkdir()
    shutil.copy(EXAMPLE_FILE, folder / "services")


@pytest.mark.usefixtures("services")
def test_the_service_file_has_account_and_region() -> None:
    place = find_location("bookstore", "production")
    assert place == Location("bookstore", "production", "us-west-2", "532151327118", "services")
    assert find_location("bookstore", "production", region="us-west-2") == place


def test_without_service_files_the_region_is_as_given() -> None:
    assert find_location("bookstore", "production", region="eu-west-1") == Location(
        "bookstore", "production", "eu-west-1", None
    )
    assert find_location("bookstore", "production").region is None


@pytest.mark.usefixtures("services")
def test_a_service_whose_file_is_elsewhere_needs_its_region() -> None:
    assert find_location("shop", "test", region="eu-west-1") == Location(
        "shop", "test", "eu-west-1", None
    )
    with pytest.raises(UserError, match="or --region for a service whose file is elsewh"):
        find_location("shop", "test")


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("words", "region", "expected"),
    [
        pytest.param(
            ("bookstor", "production"), None, "has no service 'bookstor'; did you mean bookstore?"
        ),
        pytest.param(
            ("bookstore", "prod"),
            None,
            "bookstore has no environment 'prod'; did you mean production?",
        ),
        pytest.param(("bookstore", "x"), None, "has no environment 'x'; give production"),
        pytest.param(
            ("bookstore", "production"),
            "eu-west-1",
            "--region eu-west-1: services says that bookstore is in us-west-2 in production; leave",
        ),
    ],
)
def test_what_the_file_does_not_have_or_says_otherwise_is_refused(
    words: tuple[str, str], region: str | None, expected: str
) -> None:
    with pytest.raises(UserError) as error:
        find_location(*words, region=region)
    assert expected in str(error.value)


def test_a_named_file_must_be_there_and_have_the_service() -> None:
    with pytest.raises(ServiceFileError, match="does not exist"):
        find_location("bookstore", "production", services=Path("no.yaml"))
    with pytest.raises(UserError, match="has no service 'shop'"):
        find_location("shop", "production", services=EXAMPLE_FILE, region="us-west-2")


def test_credentials_of_another_account_than_the_files_are_refused(drill: Drill) -> None:
    done = drill("list", "--services", str(EXAMPLE_FILE), status=1)
    assert done.err == (
        "the credentials are those of account 123456789012 (arn:aws:sts::123456789012:user/moto), "
        f"but {EXAMPLE_FILE} says that bookstore is in 532151327118 in production; give --profile "
        "with that account's\n"
    )
    assert drill.aws.calls == [("sts", "GetCallerIdentity")]
