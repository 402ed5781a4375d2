"""The JSON Schema that editors use says the same as the checks, as far as a schema can."""

import json
from collections.abc import Callable
from functools import reduce
from operator import getitem

import pytest
from jsonschema import Draft202012Validator

from resiliency.service_file.schema import json_schema
from tests.cases import cases
from tests.support import EXAMPLE_FILE, ROOT, Data, example_data, production

VALIDATOR = Draft202012Validator(json_schema())


def test_the_committed_schema_is_the_model_s() -> None:
    committed = ROOT / "resiliency/service_file/service.schema.json"
    expected = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    assert committed.read_text(encoding="utf-8") == expected, "run `make schema` and commit it"


def test_the_schema_is_valid_by_its_own_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_the_example_names_the_schema_for_editors() -> None:
    first, _, _ = EXAMPLE_FILE.read_text(encoding="utf-8").partition("\n")
    path = first.removeprefix("# yaml-language-server: $schema=")
    assert (EXAMPLE_FILE.parent / path).resolve().name == "service.schema.json"
    assert (EXAMPLE_FILE.parent / path).is_file()


def refused_at(edit: Callable[[Data], object]) -> list[str]:
    data = example_data()
    edit(production(data))
    return [
        error.json_path.removeprefix("$.environments.production")
        for error in VALIDATOR.iter_errors(data)
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".account", 532151327118),
        (".account", "5321"),
        (".region", "us-wst-2"),
        (".active", "bleu"),
        (".failover_on", []),
        (".hosts", []),
        (".endpoint.port", 65536),
        (".endpoint.ttl_seconds", -1),
        (".hosted_zone.id", "E2EHK3FAEUNRMI"),
        (".hosts.blue.instance_id", "i-1"),
        (".status_alarm", {"statistic": "p99"}),
    ],
)
def test_editors_mark_a_wrong_value(path: str, value: object) -> None:
    *sections, last = path.split(".")[1:]
    found = refused_at(lambda env: reduce(getitem, sections, env).update({last: value}))
    assert found == [".status_alarm.statistic" if last == "status_alarm" else path]


@cases(
    ("edit", "path"),
    {
        "unknown key": (lambda env: env.update(owner="ops"), ""),
        "missing key": (lambda env: env.pop("account"), ""),
        "name of a dependency": (
            lambda env: env["dependencies"].update(DB=env["dependencies"].pop("db")),
            ".dependencies",
        ),
    },
)
def test_editors_mark_a_wrong_key(edit: Callable[[Data], object], path: str) -> None:
    assert refused_at(edit) == [path]


def test_editors_take_a_zone_id_as_aws_writes_it() -> None:
    assert refused_at(lambda env: env["hosted_zone"].update(id="/hostedzone/Z2EHK3FAEUNRMI")) == []


def test_editors_require_the_keys_of_environments_only_without_defaults() -> None:
    data = example_data()
    del production(data)["hosts"]["blue"]["name"]
    without = [error.json_path for error in VALIDATOR.iter_errors(data)]
    data["defaults"] = {"hosts": {"blue": {"name": "bookstore-api-blue"}}, "active": "bleu"}
    with_defaults = [error.json_path for error in VALIDATOR.iter_errors(data)]
    assert without == ["$.environments.production.hosts.blue"]
    assert with_defaults == ["$.defaults"]


def test_every_key_is_described_for_editors() -> None:
    whole = json_schema()
    sections = {"Service": whole, **whole["$defs"]}
    assert [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, part in section.get("properties", {}).items()
        if not name.endswith("Complete")  # which only says what is required
        and not part.get("description")
        and "$ref" not in part  # the section's own stands there
    ] == []
