"""What rows are of, as it is stated to the person: the categories of data in them, and where these came from.
Source: GDPR art. 15(1)(b) and (g); section 7.1; R-119."""

from collections.abc import Sequence
from typing import Final

from jobs.model.answer import DataCategory, Source
from jobs.requests.search.scope import Row
from rules.model.file_roles import PARENTS, SPEAKERS, FileRole
from rules.model.kinds import ACTIVITIES, depends
from rules.model.personal_records import FullFiche


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


CONTACTS_ALONE: Final[tuple[Source, ...]] = ("contacts",)  # that somebody was in contact, and nothing of who


def sources_of(rows: Sequence[Row], roles: Sequence[str], *, is_whole: bool, is_limited: bool) -> tuple[Source, ...]:
    """Return where data came from, by kind and never by person (R-119).

    What somebody said comes from them; what a role says of a person who did not speak comes from others. Of a
    parent or guardian nobody can know: a fiche says at most that a parent reported, and if it were disclosed,
    the other one would be known as the reporter (R-119). Who it was, the child or not, is not disclosed to a
    person whom RGT-09 limits: they are shown the same of every file, and nothing that may be untrue."""
    if is_limited:
        return CONTACTS_ALONE
    if not is_whole:
        has_spoken = bool(SPEAKERS.intersection(roles)) or any(row.is_own and row.kind != "party" for row in rows)
        spoken_of = set(roles) - SPEAKERS - {FileRole.OTHER}
        by_others: tuple[Source, ...] = () if not spoken_of else ("third_party",) if spoken_of - PARENTS else CONTACTS_ALONE
        return (*(("self",) if has_spoken or not spoken_of else ()), *by_others)
    kinds = {row.record.reporter_kind for row in rows if isinstance(row.record, FullFiche)}
    told = {"professional" if kind == "professional" else "self" if kind == "child" else "third_party" for kind in kinds}
    sources: tuple[Source, ...] = ("self", "third_party", "professional")
    return tuple(source for source in sources if source in told) or CONTACTS_ALONE
