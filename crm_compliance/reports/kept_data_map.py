"""The last data map, kept in the data folder: what is new next time is told by it, and pages show it without
reading the CRM. Names of tables and columns, counts and reasons; no value of a row."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crm_compliance.files import write_whole
from rules.model.data_map import DataMap

NAME: Final = "datamap.json"


class KeptMap(msgspec.Struct, frozen=True):
    """What the file says: of which CRM the map is, the names of its places, and from when on also the map
    itself. `new` are the names that were not there the time before."""

    crm: str
    places: tuple[str, ...]
    made_at: datetime | None = None
    map: DataMap | None = None
    new: tuple[str, ...] = ()


def kept_map(folder: Path, crm: str) -> KeptMap | None:
    """Return the last map of a CRM; None where there was none, or it cannot be read."""
    try:
        found = msgspec.json.decode((folder / NAME).read_bytes(), type=KeptMap)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.crm == crm else None


def keep_map(folder: Path, crm: str, found: DataMap, at: datetime) -> Collection[str]:
    """Keep a map whole or not at all, and return the names of what was not there last time."""
    last = kept_map(folder, crm)
    new = found.new(last.places if last is not None else None)
    kept = KeptMap(crm, tuple(place.name for place in found.places), at, found, tuple(sorted(new)))
    with write_whole(folder / NAME) as out:
        out.write(msgspec.json.encode(kept))
    return new
