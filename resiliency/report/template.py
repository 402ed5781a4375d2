"""Renders the page from its templates; untrusted names stay plain text."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from resiliency.report import wording
from resiliency.svg import printable, svg
from staged_resiliency.experiment.expectations import describe
from staged_resiliency.experiment.json_codec import timestamp
from staged_resiliency.experiment.verdict import Status


def rendered(**values: object) -> str:
    """Render the page; the template refers to each value by its name."""
    style, script = _source("page.css"), _source("page.js")
    return _template().render(
        style=Markup(style),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        policy=_policy(style, script),
        **values,
    )


def _policy(style: str, script: str) -> str:
    """Return the Content Security Policy: the page's own style and script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _printable(value: object) -> object:
    """Replace control characters in each text that a template writes."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value)
    return value


@cache
def _source(name: str) -> str:
    return (files("resiliency.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("resiliency.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    environment.globals |= {
        "svg": svg,
        "wording": wording,
        "describe": describe,
        "timestamp": timestamp,
        "Status": Status,
    }
    return environment.get_template("page.html.j2")
