"""Build the documentation site: `make docs`.

The pages are the repository's own documents, in their places, so that their links lead to the same
pages as on a code host. What repeats the code is written here from it: the keys of files from their
JSON Schemas, the commands from their parsers; mkdocstrings writes the constructs from their
docstrings.
"""

import argparse
import ast
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from resiliency.cli import parser

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = ROOT / "build" / "docs"

_DOCUMENTS: Final = ("*.md", "benchmarks/*.md", "docs/**/*.md", "docs/**/*.svg", "docs/**/*.webp")
_LINK: Final = re.compile(r"\[([^]]*)\]\((?!https?:)([^)#\s]+)(#[^)]*)?\)")
_COPIED: Final = (".md", ".svg", ".webp")
"""The files of documents; any other that they link to is a source."""
_LANGUAGES: Final = {
    **{".py": "python", ".pyi": "python"},
    **{".yaml": "yaml", ".yml": "yaml", ".json": "json"},
}
_ASSETS: Final = ROOT / "docs" / "site" / "assets"

Schema = Mapping[str, Any]


def write_pages() -> None:
    """Write all pages to build/docs, anew."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for pattern in _DOCUMENTS:
        for document in ROOT.glob(pattern):
            _write(document.relative_to(ROOT), document)
    service = json.loads((ROOT / "resiliency/service_file/service.schema.json").read_bytes())
    _write_text(
        "docs/reference/service-file-keys.md",
        "# Keys of the service file\n\n[The service file](../service-file.md) explains them.\n\n"
        + "\n".join(schema_lines(service, "Service")),
    )
    _write_text("docs/reference/commands.md", "# Commands\n\n" + "\n".join(command_lines(parser())))
    for folder, names in public_names().items():
        title = "Expectations of drills" if folder == "experiment" else folder.title()
        entries = "\n\n".join(f"::: staged_resiliency.{name}" for name in names)
        _write_text(f"docs/reference/{folder}.md", f"# {title}\n\n{entries}\n")
    shutil.copytree(_ASSETS, PAGES / "docs" / "site" / "assets")
    _write_text("docs/site/assets/iframe-worker.js", _search_worker())


def public_names() -> Mapping[str, list[str]]:
    """Return the library's public names by the folder that they are in."""
    stub = (ROOT / "constructs/staged_resiliency/__init__.pyi").read_text(encoding="utf-8")
    names: dict[str, list[str]] = {}
    for statement in ast.parse(stub).body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            of_folder = names.setdefault(statement.module.split(".")[0], [])
            of_folder.extend(imported.name for imported in statement.names)
    return names


def schema_lines(schema: Schema, title: str) -> Iterator[str]:
    """Yield a section with a table of keys for a schema, and for each definition as it is met."""
    definitions = schema.get("$defs", {})
    sections = {title: {key: value for key, value in schema.items() if key != "$defs"}}
    names = [title]
    for name in names:
        section = sections.get(name) or definitions[name]
        met = re.findall(r'"#/\$defs/(\w+)"', json.dumps(section))
        names.extend(each for each in dict.fromkeys(met) if each not in names)
        yield f"## {name}\n"
        yield f"{section.get('description', '')}\n"
        if "properties" not in section:
            yield f"{_type_of(section)}\n"
            continue
        required = section.get("required", ())
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        for key, value in section["properties"].items():
            default = "required" if key in required else _default_of(value)
            cells = (f"`{key}`", _type_of(value), default, value.get("description", ""))
            yield f"| {' | '.join(_cell(cell) for cell in cells)} |"
        yield ""


def _type_of(value: Schema) -> str:
    """Describe what a key may have, with a link where that is a section."""
    match value:
        case {"$ref": reference}:
            name = str(reference).rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"const": constant}:
            return f"`{json.dumps(constant)}`"
        case {"enum": [*values]}:
            return ", ".join(f"`{each}`" for each in values)
        case {"anyOf": [*kinds]} | {"oneOf": [*kinds]}:
            return " or ".join(_type_of(each) for each in kinds if each != {"type": "null"})
        case {"type": "array", "items": items}:
            return f"list of {_type_of(items)}"
        case {"patternProperties": patterns}:
            return "mapping of names to " + " or ".join(map(_type_of, patterns.values()))
        case {"type": "object", "additionalProperties": Mapping() as values}:
            return f"mapping to {_type_of(values)}"
    kinds = value.get("type", "any")
    text = kinds if isinstance(kinds, str) else " or ".join(kinds)
    least, most = (value.get(each) for each in ("minimum", "maximum"))
    if least is not None and most is not None:
        return f"{text}, {least} to {most}"
    return text if least is None else f"{text}, at least {least}"


def _default_of(value: Schema) -> str:
    default = value.get("default")
    if default is None or isinstance(default, dict):
        return "see its section" if default else "none"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    """Escape what would end a cell, or begin an element."""
    return re.sub(r"<(?=[a-z])", "&lt;", text.replace("|", "\\|").replace("\n", " "))


def command_lines(of: argparse.ArgumentParser) -> Iterator[str]:
    """Yield a section for a command and for each of its subcommands."""
    nested = [each for each in of._actions if isinstance(each, argparse._SubParsersAction)]
    yield f"## {of.prog}\n"
    yield f"{of.description or ''}\n"
    yield f"```text\n{of.format_usage().strip()}\n```\n"
    shown = [each for each in of._actions if each not in nested and each.dest != "help"]
    if shown:
        yield "| argument | meaning |"
        yield "|---|---|"
    for action in shown:
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
        name = f"{names}{value}" if action.option_strings else names
        yield f"| `{name}` | {_cell((action.help or '') % vars(action))} |"
    yield ""
    for paragraph in (of.epilog or "").split("\n\n"):
        yield f"```text\n{paragraph}\n```\n" if "\n" in paragraph else f"{paragraph}\n"
    for action in nested:
        for subcommand in action.choices.values():
            yield from command_lines(subcommand)


def _search_worker() -> str:
    """Return a script that lets pages from a disk run the search, which browsers forbid.

    A page of the scheme file may start no worker by its address, but one from a text.
    """
    import material  # the theme

    folder = Path(material.__file__).parent / "templates" / "assets" / "javascripts" / "workers"
    (source,) = folder.glob("search.*.min.js")
    return (
        Path(__file__)
        .with_name("search_worker.js")
        .read_text(encoding="utf-8")
        .replace("SEARCH", json.dumps(source.read_text(encoding="utf-8")))
    )


def _write(path: Path, document: Path) -> None:
    if document.suffix != ".md":
        (PAGES / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(document, PAGES / path)
    else:
        text = document.read_text(encoding="utf-8")
        _write_text(str(path), _LINK.sub(lambda link: _site_link(document, link), text))


def _site_link(document: Path, link: re.Match[str]) -> str:
    """Return a link as it is on the site: a source has a page, made when a document links to it."""
    target = (document.parent / link[2]).resolve()
    if target.suffix not in _COPIED and target.is_file():
        path = target.relative_to(ROOT)
        language = _LANGUAGES.get(target.suffix, "text")
        source = target.read_text(encoding="utf-8")
        _write_text(f"{path}.md", f"# {path}\n\n```{language}\n{source}```\n")
        return f"[{link[1]}]({link[2]}.md)"
    return link[1] if target.is_dir() else link[0]  # the site has no pages of folders


def _write_text(path: str, text: str) -> None:
    (PAGES / path).parent.mkdir(parents=True, exist_ok=True)
    (PAGES / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
