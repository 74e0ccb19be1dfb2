"""The last data map, kept in the data folder: what is new next time is told by it, and pages show it without
reading the CRM. Names of tables and columns, counts and reasons; no value of a row."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crm_compliance.host.files import DiskProblem, write_whole
from rules.decoders import decoder_of
from rules.model.data_map import DataMap, Fate

NAME: Final = "datamap.json"
UNCOUNTED: Final = (Fate.MAPPED, Fate.PLATFORM)  # a plan does not count the rows of such tables for its survey


class KeptMap(msgspec.Struct, frozen=True):
    """What the file says: of which CRM the map is, the names of its places, and from when on also the map
    itself. `new` are the names that were not there the time before. `tables_at`: a plan has looked at the
    tables since; columns, and the counts of mapped tables and the platform's own, are as they were when it
    was made."""

    crm: str
    places: tuple[str, ...]
    made_at: datetime | None = None
    map: DataMap | None = None
    new: tuple[str, ...] = ()
    tables_at: datetime | None = None


def kept_map(folder: Path, crm: str) -> KeptMap | None:
    """Return the last map of a CRM; None where there was none, or it cannot be read."""
    try:
        found = decoder_of(KeptMap).decode((folder / NAME).read_bytes())
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


def keep_tables(folder: Path, crm: str, found: DataMap, at: datetime) -> None:
    """Bring the kept map up to what a plan has seen of the tables, without another look at the CRM; nothing
    where none was made. A disk that is full, or a folder that cannot be written, keeps no plan from being
    made."""
    last = kept_map(folder, crm)
    if last is None or last.map is None:
        return
    counted = {place.table: place.rows for place in last.map.tables}
    there = {place.table for place in found.tables}
    tables = [
        msgspec.structs.replace(place, rows=counted.get(place.table)) if place.rows is None and place.fate in UNCOUNTED else place
        for place in found.tables
    ]
    columns = [place for place in last.map.places if place.column is not None and place.table in there]
    seen = msgspec.structs.replace(found, places=(*sorted([*tables, *columns], key=lambda place: place.name),))
    names = {place.name for place in seen.places}
    new = seen.new(last.places) | (names & set(last.new))
    kept = msgspec.structs.replace(last, map=seen, new=tuple(sorted(new)), tables_at=at)
    with suppress(DiskProblem), write_whole(folder / NAME) as out:
        out.write(msgspec.json.encode(kept))
