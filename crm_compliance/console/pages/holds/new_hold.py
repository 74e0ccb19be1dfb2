"""The form by which a hold is placed, empty or with what another one says: that is how one is kept after its
review."""

from dataclasses import replace
from typing import Final

from starlette.responses import Response

from connectors.interface.errors import ConnectorError
from crm_compliance.console.frame.endpoint import get, post
from crm_compliance.console.frame.visit import Visit
from crm_compliance.console.pages.review.views import said_of
from crm_compliance.wiring.mapping import mapped_tables
from jobs.holds.place import HOLDABLE, Wanted, keys_of, place_hold, without_categories
from rules.dates.periods import add_months
from rules.errors import Refused, UsageError
from rules.holds.conditions import FIELDS, NONE
from rules.holds.placements import OBTAINABLE, PLACEABLE, REVIEW_MONTHS, HoldType, PlacedHold
from rules.model.roles import Act
from rules.model.row_ids import row_id

USUAL_REVIEW_MONTHS: Final = 6
ROW, PERSON, FITTING = "row", "person", "fitting"


def show(visit: Visit) -> Response:
    """Show the form; `from` names a hold to begin with, `table` and `id` a row."""
    again = visit.query("from")
    given = _of_hold(visit.services.store.holds.get(again)) if again else {"table": visit.query("table"), "id": visit.query("id")}
    today = visit.services.calendar.day(visit.now)
    return visit.page(
        "holds/new.html.j2",
        given=given | {"review_on": add_months(today, USUAL_REVIEW_MONTHS).isoformat()},
        again=again,
        tables=tables_to_hold(visit),
        types=[(kind.value, visit.word("hold_type", kind.value)) for kind in PLACEABLE],
        obtainable=[kind.value for kind in OBTAINABLE],
        fields={visit.word("held", _name(visit, kind)): ", ".join(fields) for kind, fields in FIELDS.items()},
        values=_values(visit),
        undecided=NONE,
        today=today,
        latest=add_months(today, REVIEW_MONTHS),
    )


def _values(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Return the values of the fields that take a key of the schedule, with what they are called."""
    keys = keys_of(visit.services.policy_shown())
    return {
        "category": sorted((key, visit.category(key)) for key in keys["category"]),
        "outcome": sorted((key, said_of(visit, "value", key)) for key in keys["outcome"]),
    }


def place(visit: Visit) -> Response:
    """Place a hold, as `holds place` does: it is in force at once (HLD-02). A form that was sent before leads
    to its result."""
    wanted = _wanted(visit)
    try:
        with visit.services.desk(asks_crm=not wanted.even_unseen) as desk:
            hold = place_hold(replace(desk.context, new_id=visit.id_of_form), wanted, visit.person.who, visit.person.role)
            note = "hold_placed_by_dossiers" if without_categories(desk.context.connector, hold) else "hold_placed"
    except ConnectorError as error:
        if wanted.even_unseen:
            raise
        says = visit.say(
            "The CRM does not answer, so nothing was placed. If it cannot wait, tick below that it is placed all the same, "
            "and send it again."
        )
        raise ConnectorError(says, where=error.code) from error
    except Refused as error:
        if error.code != "exists":
            raise
        return visit.see(f"/holds/{error.where}", note="sent_before")
    return visit.see(f"/holds/{hold.id}", note=note)


def _wanted(visit: Visit) -> Wanted:
    scope, kind = visit.given("scope"), visit.given("type")
    if scope not in (ROW, PERSON, FITTING):
        raise UsageError("what the hold keeps is missing", where="scope", hint="one record, a person, or whatever meets conditions")
    if kind not in PLACEABLE:
        raise UsageError("there is no hold of this type", where="type")
    row = _row_id(visit.needed("id", visit.say("Id of the record")), "id") if scope != FITTING else ""
    return Wanted(
        type=HoldType(kind),
        table="" if scope == PERSON else visit.needed("table", visit.say("Table")),
        row=row if scope == ROW else "",
        person=row if scope == PERSON else "",
        where=tuple(_lines(visit.given("where"))) if scope == FITTING else (),
        reason_code=visit.needed("reason", visit.say("Reason code")),
        basis=visit.needed("basis", visit.say("Legal basis")),
        obtained_by=tuple(_row_id(line, "obtained_by") for line in _lines(visit.given("obtained_by"))),
        ends_on=visit.given_day("ends_on", visit.say("Last day")),
        review_on=visit.needed_day("review_on", visit.say("Review on")),
        even_unseen=bool(visit.given("unseen")),
    )


def _of_hold(hold: PlacedHold) -> dict[str, str]:
    """Return what the form says of a hold, but for its days."""
    return {
        "scope": PERSON if hold.everything else FITTING if hold.conditions else ROW,
        "table": hold.table,
        "id": hold.row,
        "where": "\n".join(f"{each.field}={value}" for each in hold.conditions for value in each.values),
        "type": hold.type.value,
        "reason": hold.reason_code,
        "basis": hold.basis,
        "obtained_by": "\n".join(hold.obtained_by),
    }


def _row_id(text: str, where: str) -> str:
    """Return the id of a record as the CRM writes it. Raises UsageError: it is none; the text is not
    repeated, for somebody may have typed a name."""
    if (wanted := row_id(text)) is None:
        raise UsageError("this is not the id of a record", where=where, hint="32 hexadecimal digits in five groups, as a plan shows them")
    return wanted


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def tables_to_hold(visit: Visit) -> list[tuple[str, str]]:
    """Return the tables whose rows can be held, by name, with what people call them."""
    found = mapped_tables(visit.services.settings)
    names = [name for kind in HOLDABLE for name in found.get(kind, "").split(" or ") if name]
    return [(name, _words(visit, name)) for name in dict.fromkeys(names)]


def _words(visit: Visit, table: str) -> str:
    words = visit.word("held", table)
    return f"{words} ({table})" if words != table else table


def _name(visit: Visit, kind: str) -> str:
    return mapped_tables(visit.services.settings).get(kind, kind).split(" or ")[0]


ENDPOINTS: Final = (get("/holds/new", show, Act.PLACE_HOLD), post("/holds/new", place, Act.PLACE_HOLD))
