"""Leads to one record of the CRM by what somebody has of it: the address of its page there, or its id."""

import re
from itertools import islice
from typing import Final
from urllib.parse import unquote, urlencode

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.why import row_of
from jobs.checks.same_crm import is_of_other_crm
from jobs.model.plan import Kind, LinesRemoved
from jobs.plans.lines.query import LineQuery
from rules.errors import UsageError
from rules.model.roles import Act
from rules.model.row_ids import row_id

IN_ADDRESS: Final = re.compile(r"[?&#](etn|typename|id)=([^&#\s]*)", re.IGNORECASE)
LOOKED_AT: Final = ((Kind.RETENTION, Kind.ALL), (Kind.RECORDINGS, Kind.ALL))
LOOKED_BACK: Final = 3  # plans of each kind of which the lines may be gone


def find(visit: Visit) -> Response:
    """Go to the page of a record. What is typed is in no address and no message of ours but as table and id.
    Raises UsageError: it names no record, or only an id of which the last plans say nothing."""
    given = unquote(visit.needed("record", visit.say("A record of the CRM")))
    named = {name.lower(): value for name, value in IN_ADDRESS.findall(given)}
    table = named.get("etn") or named.get("typename")
    if table is not None and "id" in named:
        return _go(visit, *row_of(table, named["id"]))
    if (row := row_id(given)) is None:
        raise UsageError("this names no record", hint="paste the address of its page in the CRM, or its id", where="record")
    table = _table_of(visit, row)
    if table is None:
        raise UsageError(
            "the last plans have no unit with this id",
            hint="paste the whole address of its page in the CRM: a fiche of a dossier is not a unit by itself",
            where="record",
        )
    return _go(visit, table, row)


def _table_of(visit: Visit, row: str) -> str | None:
    """Return the table of a unit by its id alone, as the last plan of each kind that has its lines tells."""
    store = visit.services.listed
    for kinds in LOOKED_AT:
        for plan in islice(store.plans.newest(kinds), LOOKED_BACK):
            if plan.as_of_given or is_of_other_crm(store, plan.crm):
                continue
            try:
                found = visit.services.lines.of(plan.id).page(LineQuery(id=row, limit=1)).lines
            except LinesRemoved:
                continue
            if found:
                return found[0].table
            break
    return None


def _go(visit: Visit, table: str, row: str) -> Response:
    return visit.see(f"/open?{urlencode({'typename': table, 'id': row})}")


ENDPOINTS: Final = (post("/find", find, Act.SEE_REPORTS),)
