"""Every bad service file of the tables is answered with the lines that stand there, and no more."""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from resiliency import cli
from resiliency.service_file import ServiceFileError, load
from tests.resiliency.service_file.bad_input.cases import Case, all_cases
from tests.support import EXAMPLE_CORE

CASES = all_cases()


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder and one parser for all, as to make them takes as long as a test."""
    parser = cli.parser()
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path_factory.mktemp("services"))
        patched.setattr(cli, "parser", lambda: parser)
        yield


def write(case: Case) -> Path:
    file = Path("bookstore.yaml")
    file.write_bytes(case.content.encode())
    return file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_command_reports_every_problem_and_nothing_else(
    case: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    status = cli.main(["check", str(write(case))])
    printed = capsys.readouterr()
    assert printed.err.removesuffix("\n").split("\n") == case.problems
    assert printed.out == ""
    assert status == 1


def test_the_tables_hold_the_cases_they_should() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 200
    assert len(names) == len(set(names))


def of_size(dependencies: int) -> Path:
    """The example with many dependencies, two of them its own, and an instance for each host."""
    digests = [sha256(str(number).encode()).hexdigest()[:60] for number in range(dependencies - 2)]
    more = "".join(
        f"      more-{number}: {{ label: More, host: {digest}.example.com, port: 1 }}\n"
        for number, digest in enumerate(digests)
    )
    file = Path("bookstore.yaml")
    text = EXAMPLE_CORE + more
    watched = text.replace("address: 52.11.79.9", "address: 52.11.79.9, instance_id: i-0123abcd")
    file.write_text(watched, encoding="utf-8")
    return file


def test_more_targets_than_reach_a_host_at_once_are_refused_with_how_many_fit() -> None:
    with pytest.raises(ServiceFileError) as raised:
        load(of_size(248))
    found = re.fullmatch(
        r"bookstore\.yaml:17: environments\.production\.dependencies: 248 targets make parameters "
        r"of \d+ bytes, compressed; beside the agent there is room for 8192, so about (\d+) "
        r"targets like these fit; remove some",
        str(raised.value),
    )
    assert found
    fitting = int(found[1]) * 9 // 10
    (service,) = load(of_size(fitting))
    assert len(service.environments["production"].dependencies) == fitting


def test_more_tags_than_a_stack_takes_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bookstore.yaml"
    text = EXAMPLE_CORE
    tags = ", ".join(f"t{number}: a" for number in range(51))
    file.write_text(f"{text}tags: {{ {tags} }}\n", encoding="utf-8")
    with pytest.raises(ServiceFileError) as error:
        load(file)
    assert str(error.value) == (
        f"{file}:6: environments.production: has 51 tags together with the service's; "
        "CloudFormation allows 50 per stack"
    )
