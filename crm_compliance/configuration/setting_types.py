"""Which values a setting may have, and how each is written."""

import json
import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from rules.model.crm_addresses import can_be_a_host, on_this_machine

FIRST_YEAR, LAST_YEAR = 1_753, 9_000  # the CRM knows no earlier day; of later ones terms end after the calendar

_LONGEST_NAME = 255  # in bytes, as both Linux and macOS take them

_LONGEST_PATH = 1_023

_A_STAMP = "https://tsa.example.org/"

_SHARED_TENANTS = frozenset({"common", "organizations", "consumers"})

# Whoever has an account anywhere could sign in, and an application is given no token of its own there.
_EVERYBODYS = "common, organizations and consumers are everybody's"

_A_SITE = "https://org.sharepoint.com/sites/CRM"

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _instant(value: object) -> object:
    """Return an RFC 3339 instant; refuse all else: pydantic itself takes numbers and local times."""
    moment = value if isinstance(value, datetime) else None  # TOML has instants of its own
    if isinstance(value, str) and RFC_3339.fullmatch(value):
        with suppress(ValueError):  # a 30th of February; its message would repeat the value
            moment = datetime.fromisoformat(value.upper())
    if moment is not None and moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
        return moment.astimezone(UTC)
    raise ValueError("should be an RFC 3339 instant, for example 2026-03-01T02:30:00Z, of a year from 1753 to 9000")


def _web_url(value: str, example: str) -> str:
    """Return an http(s) address with host and path alone; plain http is for this machine only."""
    if re.search(r"[\s\\\x00-\x1f]", value):
        raise ValueError("should be an http(s) address without spaces or backslashes")
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and can_be_a_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # its message would repeat the value
        good = False
    if not good:
        raise ValueError(f"should be an http(s) address, for example {example}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("should be an address without a user, a query or a fragment")
    if parts.scheme == "http" and not on_this_machine(value):
        raise ValueError("should be https: plain http is for this machine only")
    return f"{parts.scheme}{value[len(parts.scheme) :]}"  # in small letters, as it is asked for elsewhere


def _stamp_url(value: str) -> str:
    """Return the address of a time-stamp authority. Plain http is usual among them: a digest is sent, and
    what comes back is signed."""
    if urlsplit(value).scheme == "http":
        _web_url(f"https{value[4:]}", _A_STAMP)
        return value
    return _web_url(value, _A_STAMP)


def _public_url(value: str) -> str:
    return _web_url(value, "https://compliance.example.org")


def _authority(value: str) -> str:
    """Return an authority that is somebody's own."""
    address = _web_url(value, "https://adfs.example.org/adfs")
    if not _SHARED_TENANTS.isdisjoint(urlsplit(address).path.casefold().split("/")):
        raise ValueError(f"should be the address of your own AD FS, or end in your own tenant's id; {_EVERYBODYS}")
    return address


def _tenant(value: str) -> str:
    if value.casefold() in _SHARED_TENANTS:
        raise ValueError(f"should be your own tenant's id; {_EVERYBODYS}")
    return value


def _web_api_root(value: str) -> str:
    return _root(value, "https://org.crm4.dynamics.com/api/data/v9.2/")


def _graph_root(value: str) -> str:
    return _root(value, "https://graph.microsoft.com/v1.0/")


def _root(value: str, example: str) -> str:
    return f"{_web_url(value, example).rstrip('/')}/"


def _path(value: Path) -> Path:
    if str(value)[:1] in ("'", '"'):  # a folder of that name would be made, and an empty store in it
        raise ValueError("should be a path; take the quotes around it away")
    try:
        path = value.expanduser()
    except RuntimeError:
        raise ValueError("should be a path; the home folder in it is not known") from None
    if "\0" in str(path) or len(os.fsencode(path)) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise ValueError("should be a path that a disk can have")
    return path


def _clients(value: object) -> object:
    """Return the clients: a list of tables in the file, the same as JSON in a variable."""
    return _from_json(value, 'list, for example [{"client_id": "…", "client_secret": "…"}]')


def _channel_secrets(value: object) -> object:
    """Return the secrets of channels: tables in the file, the same as JSON in a variable."""
    return _from_json(value, 'object, for example {"mail": {"password": "…"}}')


def _from_json(value: object, expected: str) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:  # its message would repeat the value
        raise ValueError(f"should be a JSON {expected}") from None


def _listed(value: object) -> object:
    """Return a list: a list in the file; in a variable, or in short, its parts separated by commas."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _site(value: str) -> str:
    """Return the address of a site or library of SharePoint, without a slash at its end."""
    if urlsplit(_web_url(value, _A_SITE)).scheme != "https":
        raise ValueError(f"should be an https address, for example {_A_SITE}")
    return value.rstrip("/")


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("should be addresses or networks, for example 127.0.0.1, 10.0.0.0/24") from None


def _cron(value: str) -> str:
    """Return a cron line that names an hour."""
    if not re.fullmatch(r"[0-9A-Za-z*/,\-]+( [0-9A-Za-z*/,\-]+){4}", value):
        raise ValueError("should be a cron line of five fields, for example 30 2 * * *")
    from crm_compliance.configuration.cron_lines import trigger_of  # slow to load: only where one is set

    try:
        trigger_of(value, ZoneInfo("UTC"))
    except ValueError:  # its message would repeat the value
        raise ValueError(
            "should name an hour that comes: minute hour day month weekday, weekdays without steps; for example 30 2 * * *"
        ) from None
    return value


HERE_ALONE = "here"

THREADS = "threads"

PROCESSES = "processes"


def _workers(value: str) -> str:
    if value not in (HERE_ALONE, THREADS, PROCESSES) and not re.fullmatch(r"(tls|tcp)://[A-Za-z0-9.\-\[\]:]+:\d+", value):
        raise ValueError("should be here, threads, processes, or the address of a cluster's scheduler, for example tls://scheduler:8786")
    return value


Text = Annotated[str, Field(min_length=1)]

Secret = Annotated[SecretStr, Field(min_length=1)]

PathSetting = Annotated[Path, AfterValidator(_path)]

Instant = Annotated[datetime, BeforeValidator(_instant)]

PublicUrl = Annotated[Text, AfterValidator(_public_url)]

Authority = Annotated[Text, AfterValidator(_authority)]

Tenant = Annotated[Text, AfterValidator(_tenant)]

StampUrl = Annotated[Text, AfterValidator(_stamp_url)]

WebApiRoot = Annotated[Text, AfterValidator(_web_api_root)]

GraphRoot = Annotated[Text, AfterValidator(_graph_root)]

Site = Annotated[Text, AfterValidator(_site)]

Network = Annotated[Text, AfterValidator(_network)]

Cron = Annotated[Text, AfterValidator(_cron)]


class Client(BaseModel):
    """One more application user that shares the writing, in the first one's tenant and roles."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: Text
    client_secret: Secret | None = None
    client_certificate: PathSetting | None = None
    client_certificate_password: Secret | None = None


class ChannelSecret(BaseModel):
    """What of one alert channel stands in no file that others read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: Secret | None = None
    password: Secret | None = None
    key: Secret | None = None
    client_secret: Secret | None = None


Clients = Annotated[tuple[Client, ...], BeforeValidator(_clients)]
ChannelSecrets = Annotated[dict[str, ChannelSecret], BeforeValidator(_channel_secrets)]
Sites = Annotated[tuple[Site, ...], BeforeValidator(_listed)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(_listed)]
Workers = Annotated[Text, AfterValidator(_workers)]
