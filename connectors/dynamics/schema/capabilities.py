"""What this CRM can do that another cannot, found out by asking; each with the reason that an administrator
reads in `doctor`. Nothing here decides what is disposed of: a feature that lacks costs time, never rows."""

import re
from dataclasses import dataclass

import msgspec

from connectors.dynamics.http.answers import UNREADABLE
from connectors.dynamics.http.transport import Transport
from connectors.dynamics.mapping.mapping import Mapping
from connectors.dynamics.schema.counts import total_count
from connectors.dynamics.schema.metadata import Metadata
from connectors.interface.errors import ConnectorError

ONLINE = (9, 2)  # on-premises ends at 9.1 (Microsoft Learn, "Web API versions", for Customer Engagement on-premises)
LIMIT_HEADER = "x-ms-ratelimit-burst-remaining-xrm-requests"


@dataclass(frozen=True, slots=True)
class Capability:
    """One feature; `reason` says why it is used or not."""

    name: str
    available: bool
    reason: str


def capabilities(transport: Transport, mapping: Mapping, metadata: Metadata) -> list[Capability]:
    """Query the CRM: its version, then what each feature depends on. Raises ConnectorError."""
    version = _version(transport)
    shown = ".".join(map(str, version)) if version else "unknown"
    found = [Capability("version", bool(version), f"the CRM is version {shown}")]
    online = version is not None and version >= ONLINE
    limits = any(name.lower() == LIMIT_HEADER for name in transport.get("WhoAmI", where="WhoAmI").headers)
    found.append(
        Capability(
            "service protection",
            limits,
            "answers tell the remaining requests" if limits else "no limits are told: throughput follows response times alone",
        )
    )
    names = dict.fromkeys(table.name for table in mapping.tables)
    there = [each for name in names if (each := metadata.table(name)) is not None]  # of a mapping that does not fit yet, not all
    columns = {name: [each for table in mapping.looked_at(name) for own in table.columns.values() for each in own.names] for name in names}
    tracked = [each.name for each in there if each.tells_changes(columns[each.name])]
    untracked = sorted({each.name for each in there}.difference(tracked))
    reason = f"read in full each night: {', '.join(untracked)}" if untracked else "every mapped table tells its changes"
    found.append(Capability("change tracking", bool(tracked), reason))
    found.append(
        Capability("bulk delete past the recycle bin", online, "online only" if not online else "jobs may decline the recycle bin")
    )
    counted = bool(there) and total_count(transport, there[0].name) is not None
    found.append(Capability("row counts", counted, "the CRM counts its rows" if counted else "hidden rows are found by privileges alone"))
    return found


def is_online(transport: Transport) -> bool:
    """Return whether this is the online service, whose bulk deletes may decline the recycle bin."""
    version = _version(transport)
    return version is not None and version >= ONLINE


def _version(transport: Transport) -> tuple[int, ...] | None:
    """Return major and minor; None where the CRM does not state them."""
    try:
        text = msgspec.json.decode(transport.get("RetrieveVersion()", where="RetrieveVersion").body)["Version"]
    except ConnectorError as failure:
        if failure.status in (400, 404, 405, 501):
            return None
        raise
    except UNREADABLE:
        return None
    match = re.match(r"(\d+)\.(\d+)", str(text))
    return (int(match[1]), int(match[2])) if match else None
