"""How each kind of check stands in the configuration."""

from __future__ import annotations

from typing import Any, Callable

from . import values
from .checks import FAMILIES, Check, TcpCheck, TlsCheck
from .dns_check import DnsCheck
from .dns_message import TYPES
from .http_check import HttpCheck, HttpsCheck
from .json_section import Section

_VERSIONS = {"A": 4, "AAAA": 6}


def _host(section: Section) -> dict[str, Any]:
    host = section.text("host", values.name_or_address, required=True)
    family = section.choice("family", list(FAMILIES), "")
    version = values.version(host)
    if family and version and family != f"ipv{version}":
        section.problem("family", f"is {family}, the host an IPv{version} address; leave it out")
    return {
        "host": host,
        "port": int(section.number("port", 0, values.port)),
        "family": family or "ipv4",
    }


def _tcp(section: Section, default_port: int = 0) -> dict[str, Any]:
    found = _host(section)
    if not found["port"] and not section.wrong("port"):
        if not default_port:
            section.problem("port", "is missing; give it a value")
        found["port"] = default_port
    return found


def _tls(section: Section) -> dict[str, Any]:
    return {
        "server_name": section.text("server_name", values.name_or_address),
        "days_to_expiry": int(section.number("days_to_expiry", 0, values.days)),
    }


def _http(section: Section) -> dict[str, Any]:
    return {
        "path": section.text("path", values.path, "/"),
        "host_header": section.text("host_header", values.host_header),
        "status": section.numbers("status", values.status),
        "text": section.text("text", values.text),
    }


def _dns(section: Section) -> DnsCheck:
    kind = section.choice("type", list(TYPES), "A")

    def answer(value: str) -> None:
        if section.wrong("type"):
            return  # what it should be is not known
        if kind == "CNAME":
            values.domain_name(value)
        elif values.version(value) != _VERSIONS[kind]:
            raise ValueError(
                f"{values.quoted(value)} is not an IPv{_VERSIONS[kind]} address, which type {kind} "
                "answers; give one, or leave it out"
            )

    return DnsCheck(
        host=section.text("host", values.domain_name, required=True),
        kind=kind,
        expected=section.text("answer", answer),
        server=section.text("server", values.address),
        port=int(section.number("port", 53, values.port)),
    )


_KINDS: dict[str, Callable[[Section], Check]] = {
    "tcp": lambda section: TcpCheck(**_tcp(section)),
    "tls": lambda section: TlsCheck(**_tcp(section, 443), **_tls(section)),
    "http": lambda section: HttpCheck(**_tcp(section, 80), **_http(section)),
    "https": lambda section: HttpsCheck(**_tcp(section, 443), **_http(section), **_tls(section)),
    "dns": _dns,
}


def check_of(section: Section) -> Check | None:
    """The check that a section describes; None when its kind is not known."""
    kind = section.choice("check", list(_KINDS), "")
    if not kind:
        if not section.wrong("check"):
            section.problem("check", f"is missing; give one of {', '.join(_KINDS)}")
        return None
    return _KINDS[kind](section)
