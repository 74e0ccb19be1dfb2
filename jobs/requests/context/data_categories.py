"""The categories of data in rows, as they are stated to the person (section 7.1(b))."""

from collections.abc import Sequence

from jobs.model.answer import DataCategory
from jobs.requests.search.scope import Row
from rules.model.kinds import ACTIVITIES, depends


def data_of(rows: Sequence[Row], *, is_whole: bool) -> tuple[DataCategory, ...]:
    """Return what the rows hold; of a note, or a row of a dependent table, that it describes facts."""
    kinds = {row.kind for row in rows}
    found: list[DataCategory] = ["role"] if "party" in kinds else []
    tells_facts = any(kind == "fiche" or (depends(kind) and kind not in ACTIVITIES) for kind in kinds)
    found += ["facts"] if tells_facts or (is_whole and "dossier" in kinds) else []
    found += ["voice"] if "recording" in kinds else []
    found += ["communication"] if kinds.intersection(ACTIVITIES) else []
    found += ["technical"] if any(getattr(row.record, "ip_address", None) and row.is_caller for row in rows) else []
    return (*found, "sensitive") if is_whole else tuple(found)
