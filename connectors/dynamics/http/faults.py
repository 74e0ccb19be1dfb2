"""What an unsuccessful answer means, without ever repeating its text. A response body may hold names or texts
of people, and an error message ends up in logs and mails: only the service's code, the names of a missing
privilege, column or table and ids leave this module."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.interface.errors import ConnectorError, Forbidden, Throttled, Unauthorised, Unreachable

_CODE = re.compile(r"0x[0-9a-fA-F]{1,8}")
_PRIVILEGE = re.compile(r"\bprv[A-Za-z][A-Za-z0-9_]{1,99}\b")
# A column that was asked for, or written, and the set of a table; and the codes that the Web API itself gives
# for these, older versions none or 0x0.
_NO_COLUMN = re.compile(
    r"property (?:named )?'([A-Za-z_]\w{0,99})' (?:does not exist )?on type 'Microsoft\.Dynamics\.CRM\.([A-Za-z]\w{0,99})'", re.ASCII
)
_NO_TABLE = re.compile(r"Resource not found for the segment '([A-Za-z]\w{0,99})'", re.ASCII)
_OF_NAMES = frozenset({"", "0x0", "0x80048d19", "0x80060888", "0x8006088a"})
_REQUEST_ID = re.compile(r"[0-9A-Za-z,\-]{1,80}")

# SQL time-out, generic SQL error (a deadlock among them), swallowed deadlock, more than one concurrent
# operation.
TRANSIENT_CODES = frozenset({"0x80044151", "0x80044150", "0x80040255", "0x80048105"})
GATEWAY_STATUSES = frozenset({502, 503, 504})

CODE_NOT_A_MEMBER = "0x80072560"
_BY_CODE = {
    "0x80040265": (
        "A plug-in or workflow of the CRM refuses it",
        "Ask who administers it why, or let the schedule pass by plug-ins for that category.",
    ),
    "0x80040227": (
        "A relationship of the CRM restricts the delete: rows of another table point to the row",
        "Map that table, or let the relationship remove the link.",
    ),
    "0x8004f507": (
        "The application user may not write a secured column",
        "Give it a column security profile that reads and updates the column.",
    ),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What may be reported of an error answer. `code` is lower case hex or empty; `privilege` is the name of
    a missing privilege or empty, `missing` what it is of the CRM that there is not, or empty."""

    status: int
    code: str = ""
    privilege: str = ""
    missing: str = ""


def fault(status: int, body: bytes) -> Fault:
    """Read an error body; HTML, `{"Message": …}` and nothing are as good as JSON (gateways send those)."""
    try:
        content = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))  # some gateways write a byte order mark
    except UNREADABLE:
        return Fault(status)
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict):
        return Fault(status)
    code = error.get("code")
    code = code.lower() if isinstance(code, str) and _CODE.fullmatch(code) else ""
    message = error.get("message")
    message = message if isinstance(message, str) else ""
    privilege = _PRIVILEGE.search(message)
    return Fault(status, code, privilege.group() if privilege else "", _missing(code, message))


def _missing(code: str, message: str) -> str:
    """Return what there is not, in a message of the Web API itself; a plug-in's own has another code."""
    if code not in _OF_NAMES:
        return ""
    if column := _NO_COLUMN.search(message):
        return f"column {column[2]}.{column[1]}"
    table = _NO_TABLE.search(message)
    return f"table with the set {table[1]}" if table else ""


def request_id(headers: Mapping[str, str], ours: str) -> str:
    """Return the id under which the service logged the request; ours if it gave none."""
    for name in ("x-ms-service-request-id", "req_id", "x-ms-request-id"):
        value = headers.get(name, "")
        if _REQUEST_ID.fullmatch(value):
            return value
    return ours


def is_transient(found: Fault) -> bool:
    """Return whether asking again may help: a gateway's status, or a server error known as temporary."""
    return found.status in GATEWAY_STATUSES or found.status == 408 or (found.status == 500 and found.code in TRANSIENT_CODES)


def error(found: Fault, *, request: str = "", where: str = "") -> ConnectorError:
    """Return the typed error for an unsuccessful answer."""
    kind, message, hint = _explained(found)
    code = f" ({found.code})" if found.code else ""
    return kind(f"{message}{code}.", hint=hint, where=where, status=found.status, service_code=found.code, request_id=request)


def _explained(found: Fault) -> tuple[type[ConnectorError], str, str]:
    """Return the kind of error, what happened and what to do."""
    if found.status == 401:
        return Unauthorised, "The CRM does not accept the token", "Check client id, secret and tenant; on this machine, the token."
    if found.code in _BY_CODE:
        return Forbidden if found.status == 403 else ConnectorError, *_BY_CODE[found.code]
    if found.missing:
        hint = "It was removed or has another name since: bring it back, or have the mapping name the one that there is; then repeat."
        return ConnectorError, f"The CRM has no {found.missing}", hint
    if found.status == 403 and found.privilege:
        hint = f"Give its security role {found.privilege} at organisation level."
        return Forbidden, f"The application user lacks the privilege {found.privilege}", hint
    if found.status == 403 and found.code == CODE_NOT_A_MEMBER:
        hint = "An administrator creates one in the environment's settings."
        return Forbidden, "There is no enabled application user for this client id", hint
    if found.status == 403:
        return Forbidden, "The CRM refuses access", "Check the security role of the application user."
    if found.status == 429:
        hint = "Try again later, or with fewer jobs at the same time."
        return Throttled, "The CRM's service protection asks for more waiting than this run may do", hint
    if found.status in GATEWAY_STATUSES or found.status == 408:
        return Unreachable, f"The CRM does not answer: its front end says {found.status}", "Try again later."
    if found.status == 304:
        hint = "Let the requests of this machine pass to the CRM without a cache."
        return ConnectorError, "Something between says that nothing has changed (HTTP 304), which nobody asked", hint
    if 300 <= found.status < 400:
        message = f"The CRM sends us elsewhere (HTTP {found.status}); we do not follow, because the token would go along"
        return ConnectorError, message, "Check the Web API root."
    hint = "Check the Web API root: https://…/api/data/v9.2/." if found.status == 404 and not found.code else ""
    return ConnectorError, f"The CRM answers HTTP {found.status}", hint
