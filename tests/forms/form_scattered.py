"""Steunpunt Verspreid: a dossier is an incident of one type, a fiche is a telephone call, a chat or a sheet,
its recordings are in two tables, and who has which role stands in lookups and among the participants."""

from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.forms.form import REFERENCE, Form, Renamed
from tests.forms.rows import ACTIVITIES, PARTICIPANT, Link, Row
from tests.independent.organisation import BASE

ROLES = ("kind", "ouder", "voogd", "melder", "getuige", "verdachte", "hulpverlener", "andere")
MASKS = (5, 6, 7, 1, 10, 11, 2, 12)  # how somebody of each role takes part in a call or chat
PLACES = {BASE: "phonecall", BASE + 1: "sc_chat"}  # of a fiche, by its channel; others are sheets
RECORDINGS = {BASE: "sc_opname", BASE + 1: "sc_chatlog"}
REPORT, ABOUT, INTERNAL = 1, 2, 3
QUESTION, CASE = 1, 2
OUTGOING: dict[str, Any] = {"directioncode": True}  # as the platform has a call of which nobody says it
MADE_ON = "2018-01-01T00:00:00Z"
OFFICE: Link = ("account", str(uuid5(NAMESPACE_URL, "office")))


def _columns(table: str, **other: str) -> dict[str, str]:
    return {column: other.get(column, column.replace("cf_", "sc_")) for column in REFERENCE.columns(table) if other.get(column) != ""}


OF_FICHES = {
    "phonecall": _columns(
        "cf_fiche",
        cf_name="subject",
        cf_summary="description",
        cf_callernumber="phonenumber",
        cf_dossierid="regardingobjectid",
        cf_channel="",
    ),
    "sc_chat": _columns("cf_fiche", cf_name="subject", cf_summary="description", cf_dossierid="regardingobjectid", cf_channel=""),
    "sc_blad": _columns("cf_fiche", cf_dossierid="sc_zaak"),
}
OF_DOSSIERS = _columns("cf_dossier", cf_name="title", cf_summary="description")
OF_RECORDINGS = _columns("cf_recording", cf_ficheid="sc_gesprek", cf_channel="")


def translate(rows: list[Row]) -> list[Row]:
    """Rows of the reference environment as this organisation has them, and others that are not dossiers."""
    tables = {row.key: _table(row) for row in rows}
    roles = list(_roles(rows))
    made = [_translated(row, tables) for row in rows if row.table != "cf_party"]
    held: dict[Link, dict[str, Link]] = {}
    taking: list[Row] = []
    for place, role, contact in roles:
        table = tables[place]
        if table in ("incident", "sc_blad"):
            held.setdefault((table, place[1]), {})[f"sc_{ROLES[role]}"] = contact
        else:
            taking.append(
                Row(PARTICIPANT, "", {"participationtypemask": MASKS[role]}, {"activityid": (table, place[1]), "partyid": contact})
            )
    made = [row.where(links=row.links | held.get(row.key, {})) for row in made]
    return [*_beside(), *made, *taking]


def _table(row: Row) -> str:
    if row.table == "cf_fiche":
        return PLACES.get(row.values["cf_channel"], "sc_blad")
    if row.table == "cf_recording":
        return RECORDINGS[row.values["cf_channel"]]
    return {"cf_dossier": "incident"}.get(row.table, row.table.replace("cf_", "sc_"))


def _translated(row: Row, tables: dict[Link, str]) -> Row:
    table = tables[row.key]
    columns = {"cf_dossier": OF_DOSSIERS, "cf_recording": OF_RECORDINGS}.get(row.table) or _columns(row.table)
    if row.table == "cf_fiche":
        columns = OF_FICHES[table]
    made = Renamed(table, columns).of(row)
    links = {column: (tables.get(link, link[0]), link[1]) for column, link in made.links.items()}
    values: dict[str, Any] = dict(made.values)
    if table == "incident":
        values["casetypecode"] = CASE
        links["customerid"] = OFFICE
    elif table == "phonecall":
        values = {**OUTGOING, **values, "sc_aard": REPORT if row.table == "cf_fiche" else ABOUT}
    return made.where(values=values, links=links)


def _roles(rows: list[Row]) -> Iterator[tuple[Link, int, Link]]:
    """Where somebody has a role, which, and who."""
    for row in rows:
        if row.table == "cf_party":
            for column in ("cf_dossierid", "cf_ficheid"):
                if column in row.links:
                    yield row.links[column], row.values["cf_role"] - BASE, row.links["cf_contactid"]


def _beside() -> Iterator[Row]:
    """An office for which incidents are, questions that are not dossiers, and calls about them or nothing."""
    yield Row(*OFFICE, values={"name": "Steunpunt (fictief)"}, created=MADE_ON)
    for number in range(3):
        question, about, internal = (str(uuid5(NAMESPACE_URL, f"{kind} {number}")) for kind in ("question", "about", "internal"))
        asked = {"title": f"Vraag {number} (fictief)", "casetypecode": QUESTION, "sc_publicalert": False, "sc_legalhold": False}
        yield Row("incident", question, asked, {"customerid": OFFICE}, created=MADE_ON)
        spoken = OUTGOING | {"subject": f"Over vraag {number} (fictief)", "sc_aard": REPORT, "sc_communicatedon": MADE_ON}
        yield Row("phonecall", about, spoken, {"regardingobjectid": ("incident", question)}, created=MADE_ON)
        yield Row("phonecall", internal, OUTGOING | {"subject": f"Overleg {number} (fictief)", "sc_aard": INTERNAL}, created=MADE_ON)


def narrow(rows: list[Row]) -> list[Row]:
    """Without what has no place: names and remarks on roles, a second person in the same role, roles of
    nobody, and what a call or a message is about where that is a fiche: its dossier instead, or nothing at
    all."""
    dossiers = {row.id: row.links.get("cf_dossierid") for row in rows if row.table == "cf_fiche"}
    kept: list[Row] = []
    taken: set[tuple[Link, int]] = set()
    gone: set[str] = set()
    for row in rows:
        about = row.links.get("regardingobjectid")
        if row.table in ACTIVITIES and about and about[0] == "cf_fiche":
            dossier = dossiers[about[1]]
            if dossier is None:
                gone.add(row.id)
                continue
            row = row.where(links=row.links | {"regardingobjectid": dossier})
        if row.table == "cf_party":
            places = {(place, role) for place, role, _ in _roles([row])} if "cf_contactid" in row.links else set()
            if not places or places & taken:
                continue
            taken |= places
            row = row.where(values={"cf_role": row.values["cf_role"]}, state=0)
        kept.append(row)
    return [row for row in kept if row.table != PARTICIPANT or row.links["activityid"][1] not in gone]


FORM = Form("scattered", translate, narrow, beside=frozenset({"incidentresolution"}))
