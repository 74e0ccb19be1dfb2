"""What would become of one row now, decided again and step by step, as `why` does."""

import re
from typing import Any, Final

from starlette.responses import Response

from crm_compliance.console.frame.endpoint import get
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.shown_steps import shown
from crm_compliance.reports.why import hidden_from
from jobs.plans.questions.explain import explain_unit
from rules.errors import UsageError
from rules.model.roles import Act
from rules.model.row_ids import row_id

TABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def show(visit: Visit) -> Response:
    """Decide on one row now and show each step: as a piece of a page, or a page of its own. Raises
    UsageError: no row id, a table without units, no such row."""
    table, row = row_of(visit.path("table"), visit.path("row"))
    with visit.services.question() as context:
        line, steps = explain_unit(context, table, row)
    hidden = hidden_from(sees_holds=visit.may(Act.SEE_HOLDS))
    values: dict[str, Any] = {"line": line, "steps": list(shown(visit, steps, hidden)), "asked": (table, row)}
    return visit.part("why_steps.html.j2", **values) if visit.is_part else visit.page("why.html.j2", **values)


def row_of(table: str, row: str) -> tuple[str, str]:
    """Return table and id as the CRM writes them. Raises UsageError: they are none; they are not repeated,
    for somebody may have typed a name."""
    name, wanted = table.strip().lower(), row_id(row)
    if not TABLE.fullmatch(name):
        raise UsageError("this is not the name of a table", hint="its logical name, such as cf_dossier", where="typename")
    if wanted is None:
        raise UsageError("this is not the id of a row", hint="32 hexadecimal digits in five groups", where="id")
    return name, wanted


ENDPOINTS: Final = (get("/why/{table}/{row}", show, Act.PLAN, is_long=True),)
