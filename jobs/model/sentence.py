"""What a job says of what it found, as a sentence with blanks and what fills them: a program is told it in
English, a person in their own language."""

from collections.abc import Mapping
from typing import Final

import msgspec

Fact = int | float | str

# By name, which stays: plans and runs are stored with it. A code of an alarm may have several sentences.
SENTENCES: Final[Mapping[str, str]] = {
    "canary_no_unit": "canary %(number)s: %(table)s is not a table of units",
    "canary_not_found": "canary %(number)s (%(table)s) was not found",
    "canary_kept": "canary %(number)s (%(table)s) must be due and is kept: %(reason)s",
    "canary_due": "canary %(number)s (%(table)s) must be kept and is due: %(reason)s",
    "hold_not_found": "holds on records that the CRM does not have, so that they keep nothing: %(holds)s",
    "view_shrank": "%(table)s: %(rows)s rows in sight, %(before)s at the plan before, %(removed)s removed by our own runs since",
    "unaccounted": "tables with rows that nothing accounts for: %(tables)s",
    "missed_changes": "%(table)s: rows that a full read found otherwise than nights by changes had them: %(rows)s",
    "no_unit_read": "no unit was read; the plan before read %(before)s",
    "nothing_due": "nothing is due; the median of the last runs is %(median)s",
    "no_run": "%(kind)s: no run was completed for %(hours)s hours",
    "backlog_planned": "%(units)s units are %(days)s days past their end, and were planned to go as long ago",
    "backlog_left": "%(units)s units are more than %(days)s days past their end and still there",
    "queue_old": "%(units)s units have waited for a decision of the %(role)s for more than %(days)s days, the oldest for %(oldest)s",
    "technical": "%(units)s units were skipped for a technical reason in %(runs)s runs in a row (HLD-13)",
    "left_over": "%(units)s units are half done since an earlier run (ERA-15)",
    "retained_rest": "%(units)s units are half done: the rest lies in long-term retention and belongs to something that stays as well",
    "category_unmapped": "category value %(category)s is not in the mapping: %(units)s units are kept as UNCONFIGURED (R-161)",
    "retained_rows": (
        "RETAINED_ROWS: %(rows)s rows of %(table)s lie in long-term retention; they go with their unit, and what has none stays"
    ),
    "plan_from_lake": (
        "PLAN_FROM_LAKE: read from the lake of %(at)s and not from the CRM; a run reads each unit from the CRM before it writes"
    ),
    "new_columns": "NEW_COLUMNS: may hold personal data and stand in no mapping, so no request finds what is in them: %(columns)s",
    "without_term": (
        "WITHOUT_TERM: people who are kept, without an end, by a role, an activity or another row that belongs to nothing with a "
        "term (RET-20): %(people)s"
    ),
    "calls_about_nothing": (
        "CALLS_ABOUT_NOTHING: %(calls)s calls are about no row, so they are in no unit and stay without an end: "
        "tie them to their file, or delete them (RET-05)"
    ),
    "rows_about_nothing": (
        "ROWS_ABOUT_NOTHING: rows of %(table)s that belong to no row, so they are in no unit and stay without an end: tie them to what "
        "they belong to, or delete them (RET-05): %(rows)s"
    ),
    "still_mentioned": (
        "STILL_MENTIONED: people with a relation and in no unit who lose nothing, without an end, while an activity about "
        "another contact mentions them or another contact has them as a parent (RET-20): %(people)s"
    ),
    "fiches_in_anonymised": (
        "FICHES_IN_ANONYMISED: %(fiches)s fiches are not anonymised and in a dossier that is, so they are in no unit and stay without "
        "an end: move them to another dossier or to none, or delete them (ERA-07)"
    ),
    "reopened_anonymised": (
        "REOPENED_ANONYMISED: %(dossiers)s dossiers are open although they are anonymised, so they are no units and what is written "
        "on them stays without an end: empty since when they are anonymised, so that they count again, or what was written, and "
        "close them (ERA-07)"
    ),
    "left_in_anonymised": (
        "LEFT_IN_ANONYMISED: %(rows)s notes, calls and e-mails belong to a dossier or fiche that is anonymised, so they are in no unit "
        "and stay without an end: move them to their file, or delete them (ERA-07)"
    ),
    "rows_in_anonymised": (
        "LEFT_IN_ANONYMISED: rows of %(table)s that belong to a dossier or fiche that is anonymised, so they are in no unit and stay "
        "without an end: move them to their file, or delete them (ERA-07): %(rows)s"
    ),
    "of_no_kind": (
        "OUT_OF_SCOPE: rows of %(table)s that are of no kind of the mapping, by the conditions under only, so they are in no unit and "
        "stay without an end: %(rows)s"
    ),
    "of_what_has_no_kind": (
        "OUT_OF_SCOPE: rows that belong to a row of no kind of the mapping, by the conditions under only or since its table is not "
        "mapped, and recordings of a dossier or fiche by a lookup that is mapped for the other of these alone, so they are in no "
        "unit and stay without an end: %(rows)s"
    ),
    "store_recovered": "the database was lost or put back, and taken as it was on %(day)s: it lacks holds and requests of before",
    "request_undone": "rows that say again what they said before it was written otherwise for a request: %(rows)s",
    "rows_back": ("RESTORED: %(rows)s rows that had been erased are back in the CRM; replay before anything is planned"),
    "erasure_altered": "line %(line)s of %(file)s is not as it was written",
    "erasure_broken": "line %(line)s of %(file)s does not follow from the one before it: something was taken out or put in",
    "erasures_more": "%(lines)s more lines of %(file)s are damaged",
}


class Sentence(msgspec.Struct, frozen=True):
    """One of SENTENCES, by its name, with what fills its blanks: numbers, codes, names of tables and columns,
    and nothing of a person. As a text it is the English one."""

    name: str
    facts: dict[str, Fact] = {}

    @classmethod
    def of(cls, name: str, **facts: Fact) -> "Sentence":
        return cls(name, facts)

    def __str__(self) -> str:
        return SENTENCES[self.name] % {name: f"{fact:g}" if isinstance(fact, float) else fact for name, fact in self.facts.items()}
