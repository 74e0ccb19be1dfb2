"""Whether an address is this machine's own, and whether two addresses are one CRM's. By the names alone:
nothing is looked up, for a name server can say anything."""

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

THIS_MACHINE: Final = "this machine"  # all its CRMs are one: an emulator takes whatever port is free
_LOOPBACK: Final = IPv4Network("127.0.0.0/8")
_API_PATH: Final = re.compile(r"/api/data/v\d+\.\d+$")
# Where people and applications sign in, by the end of the CRM's host: national clouds have a service of their
# own (Microsoft Learn, "National clouds"; GCC, crm9.dynamics.com, has the global one).
_ENTRA: Final = "https://login.microsoftonline.com"
_NATIONAL: Final = {
    ".microsoftdynamics.us": "https://login.microsoftonline.us",
    ".appsplatform.us": "https://login.microsoftonline.us",
    ".dynamics.cn": "https://login.partner.microsoftonline.cn",
}
_PORTS: Final = {"http": 80, "https": 443}


def can_be_a_host(name: str) -> bool:
    """Return whether a name can be looked up at all: it has no empty part, as `org..example` has, and none
    that is too long. Libraries fail at these in ways of their own, each another."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def on_this_machine(url: str) -> bool:
    """Return whether the host of an http(s) address is 127.0.0.0/8, ::1 or localhost, as it is written."""
    host = _host(url)
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address in _LOOPBACK if address.version == 4 else address == IPv6Address("::1")


@lru_cache(maxsize=256)  # the same few are compared for each row of a list
def organisation_at(url: str) -> str:
    """Return the organisation behind the root of a Web API: one string for every way to write the same one.
    `https://org.api.crm4.dynamics.com/api/data/v9.2/` and `https://org.crm4.dynamics.com/api/data/v9.1` are
    one organisation; on premises the first part of the path distinguishes organisations of one server. All
    addresses on this machine are one: `THIS_MACHINE`."""
    if on_this_machine(url):
        return THIS_MACHINE
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    host = _host(url).replace(".api.crm", ".crm", 1)
    path = _API_PATH.sub("", parts.path.rstrip("/")).casefold()
    return f"{host}:{port}{path}"


def entra_of(url: str) -> str:
    """Return the address of Entra ID in the cloud in which a CRM is."""
    host = _host(url)
    return next((entra for end, entra in _NATIONAL.items() if host.endswith(end)), _ENTRA)


def same_crm(one: str, other: str) -> bool:
    """Return whether two addresses are of the same CRM."""
    return organisation_at(one) == organisation_at(other)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").rstrip(".").casefold()
