"""What would become of one row now, decided again and step by step, as `why` does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from crm_compliance.console.endpoint import get
from crm_compliance.console.visit import Visit
from jobs.plans.explain import explain_unit
from rules.errors import UsageError
from rules.model.decisions import Step
from rules.model.roles import Act

# What of a step would tell when somebody was born: nobody needs it to follow the decision (ACC-04).
OF_BIRTH: Final = frozenset({"birth_date", "recorded", "latest_birth_on"})
OF_HOLDS: Final = frozenset({"holds"})
UNIT: Final = re.compile(r"([a-z][a-z0-9_]{0,63}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
ROW: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TABLE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
EDGE: Final = 4  # items that are shown of each end of a long list


class Told(NamedTuple):
    """One step as a page shows it; `inputs` are names with values, or units with what becomes of them, in
    which case `href` leads to the unit."""

    rule: str
    inputs: Sequence[tuple[str, str, str]]
    result: str


def show(visit: Visit) -> Response:
    """Decide on one row now and show each step: as a piece of a page, or a page of its own. Raises
    UsageError: no row id, a table without units, no such row."""
    table, row = row_of(visit.path("table"), visit.path("row"))
    with visit.services.desk() as desk:
        line, steps = explain_unit(desk.context, table, row)
    hidden = OF_BIRTH if visit.may(Act.SEE_HOLDS) else OF_BIRTH | OF_HOLDS
    values: dict[str, Any] = {"line": line, "steps": list(told(visit, steps, hidden)), "asked": (table, row)}
    return visit.part("why_steps.html.j2", **values) if visit.is_part else visit.page("why.html.j2", **values)


def row_of(table: str, row: str) -> tuple[str, str]:
    """Return table and id as the CRM writes them. Raises UsageError: they are none; they are not repeated,
    for somebody may have typed a name."""
    name, wanted = table.strip().lower(), row.strip().strip("{}").lower()
    if not TABLE.fullmatch(name):
        raise UsageError("this is not the name of a table", hint="its logical name, such as cf_dossier", where="typename")
    if not ROW.fullmatch(wanted):
        raise UsageError("this is not the id of a row", hint="32 hexadecimal digits in five groups", where="id")
    return name, wanted


def told(visit: Visit, steps: Iterable[Step], hidden: frozenset[str]) -> Iterator[Told]:
    """Yield the steps as a page shows them, without what is hidden."""
    for step in steps:
        inputs = []
        for name, value in step.inputs.items():
            if name in hidden:
                continue
            unit = UNIT.fullmatch(name)
            words = visit.word("reason", value) if unit and isinstance(value, str) else said(visit, value, hidden)
            inputs.append(
                (
                    f"{visit.word('table', unit[1])} {unit[2]}" if unit else name,
                    words,
                    f"/open?typename={unit[1]}&id={unit[2]}" if unit else "",
                )
            )
        yield Told(step.rule, inputs, said(visit, step.result, hidden))


def said(visit: Visit, value: object, hidden: frozenset[str] = frozenset()) -> str:
    """Return a JSON value as a person reads it; of a long list the beginning and the end."""
    if value is None:
        return visit.say("nothing")
    if isinstance(value, bool):
        return visit.say("yes") if value else visit.say("no")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {said(visit, part, hidden)}" for name, part in value.items() if name not in hidden) or visit.say(
            "nothing"
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        parts = [said(visit, each, hidden) for each in value]
        if len(parts) > 2 * EDGE + 1:
            parts = [*parts[:EDGE], f"… ({visit.formats.number(len(parts) - 2 * EDGE)}) …", *parts[-EDGE:]]
        return "; ".join(parts) or visit.say("nothing")
    text = str(value)
    return visit.formats.day(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else text


ENDPOINTS: Final = (get("/why/{table}/{row}", show, Act.PLAN),)
