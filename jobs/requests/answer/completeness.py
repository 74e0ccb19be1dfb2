"""Whether everything that was found is accounted for: each row is included, withheld or excluded, and nothing
is left out (EXP-14).

That every row became an item is checked when an answer is compiled, and again before its release
(release_check.py), which an answer that lacks one stops. That nothing is both disclosed and excluded, and
nobody who was confirmed is missing, is checked in jobs/requests/search/scope.py. The counts are for the two
people who approve. Source: EXP-03, EXP-14, EXP-15, R-128."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Any, Final

from jobs.model.answer import RECIPIENT, Compilation, Item
from jobs.requests.search.assess import Assessment
from jobs.requests.search.documents import DOCUMENTS, OTHERS
from jobs.requests.search.files_of_others import Searched
from jobs.requests.search.scope import Row, Scope
from rules.model.kinds import RELATIONS
from rules.model.requests import Right

PORTABLE: Final = ("contact", *RELATIONS)
# Places that are not searched because the mapping does not name them, or the settings do not reach them.
UNMAPPED: Final = ("table:", "kind:", "column:", DOCUMENTS)
UNREAD: Final = ("recordings_audio", "attachments_content", OTHERS, "email_attachments")


def candidates(found: Assessment, scope: Scope) -> list[Row]:
    """Return the rows that the answer discloses or withholds. For portability these are only those of
    relations, and the person (EXP-15)."""
    if found.request.right is not Right.PORTABILITY:
        return list(scope.rows)
    return [row for row in scope.rows if row.unit is None and not row.place and row.kind in PORTABLE]


def accounts_for_all(found: Assessment, scope: Scope, items: Collection[Item]) -> bool:
    """Return whether every row that the answer discloses or withholds is an item of it, and no item is
    anything else (EXP-14)."""
    return scope.is_complete and {item.source for item in items} == {row.source for row in candidates(found, scope)}


def rows_counted(compilation: Compilation, found: Assessment, scope: Scope, files_of_others: Searched) -> dict[str, Any]:
    """Count in which of three places every row is. It is not complete if a table, a kind of row or a field of
    one is not mapped, or documents are out of reach, so that nobody was searched for there (EXP-03). `unread`
    are contents in which nobody is searched for in any organisation; `files_of_others` counts those in
    dossiers of others that mention the person."""
    items = [item for item in compilation.items if item.kind != RECIPIENT]  # of a recipient the fiche is the row
    withheld = {item.source for item in items if not item.is_shown}
    included = {item.source for item in items} - withheld
    lacking = [place for place in found.material.not_searched if place.startswith(UNMAPPED)]
    return {
        "candidates": len(included) + len(withheld) + len(scope.excluded),
        "included": len(included),
        "withheld": len(withheld),
        "excluded": len(scope.excluded),
        "complete": compilation.is_complete and not lacking,
        "not_searched": lacking,
        "unread": [place for place in found.material.not_searched if place in UNREAD],
        "files_of_others": asdict(files_of_others),
    }
