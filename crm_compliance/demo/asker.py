"""Who asks for access in the demo: a fictitious child of twelve or older whose file has enough in it to be
worth reading. The rows are read from the emulator as they are after the night, so the choice is another one
on another day, and the same on the same day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import requests

Row = Mapping[str, Any]

_CHILD: Final = 100000000
_LANGUAGES: Final = {100000000: "nl", 100000001: "fr"}
_READ: Final = {
    "contacts": "firstname,lastname,birthdate,emailaddress1,mobilephone,cf_language,cf_nocontact,cf_deceasedon",
    "cf_parties": "_cf_contactid_value,_cf_dossierid_value,_cf_ficheid_value,cf_role",
    "cf_dossiers": "cf_dossierid,statecode",
    "cf_fiches": "cf_ficheid,_cf_dossierid_value,cf_transmittedcountry,cf_transferbasis",
    "annotations": "_objectid_value",
}


@dataclass(frozen=True, slots=True)
class Asker:
    """The contact row that the demo's DPO confirms, and the form that arrives."""

    contact: str
    form: dict[str, Any]


def rows_of(url: str) -> dict[str, list[Row]]:
    """Read what the choice needs, set by set, from an emulator's Web API root."""
    found: dict[str, list[Row]] = {}
    with requests.Session() as session:
        session.trust_env = False  # the emulator is on this machine: no proxy of the shell is asked
        session.headers["Authorization"] = "Bearer demo"
        for name, columns in _READ.items():
            rows: list[Row] = []
            page: str | None = f"{url.rstrip('/')}/{name}?$select={columns}"
            while page:
                answer = session.get(page, timeout=30)
                answer.raise_for_status()
                document = answer.json()
                rows += document["value"]
                page = document.get("@odata.nextLink")
            found[name] = rows
    return found


def asker_among(rows: Mapping[str, Iterable[Row]], at: datetime) -> Asker | None:
    """Choose the child whose open dossier has most in it; nobody where no child could ask alone. Anybody who
    would be answered only after the approval of two people is left out: a child below twelve or without a
    birth date, somebody with another role elsewhere, flagged no-contact or dead, and a dossier of which data
    left the EEA on no recorded ground."""
    roles: dict[str, set[tuple[int, str | None, str | None]]] = {}
    people: Counter[str] = Counter()
    for party in rows["cf_parties"]:
        dossier = party["_cf_dossierid_value"]
        if party["_cf_contactid_value"]:
            roles.setdefault(party["_cf_contactid_value"], set()).add((party["cf_role"], dossier, party["_cf_ficheid_value"]))
        people[dossier] += 1
    notes = Counter(note["_objectid_value"] for note in rows["annotations"])
    contents, blocked = Counter[str](), set[str]()
    for fiche in rows["cf_fiches"]:
        contents[fiche["_cf_dossierid_value"]] += 1 + notes[fiche["cf_ficheid"]]
        if fiche["cf_transmittedcountry"] and not fiche["cf_transferbasis"]:
            blocked.add(fiche["_cf_dossierid_value"])
    is_open = {row["cf_dossierid"] for row in rows["cf_dossiers"] if row["statecode"] == 0} - blocked
    born_by = at.date().replace(year=at.year - 13, day=1).isoformat()  # so that no day of the month makes a child of eleven ask
    found: list[tuple[int, str, Row]] = []
    for contact in rows["contacts"]:
        of = roles.get(contact["contactid"], set())
        dossiers = {dossier for role, dossier, fiche in of if role == _CHILD and dossier and not fiche}
        if len(of) != 1 or not dossiers <= is_open or not dossiers or not _can_ask(contact, born_by):
            continue
        (dossier,) = dossiers
        found.append((contents[dossier] + notes[dossier] + 2 * people[dossier], contact["contactid"], contact))
    if not found:
        return None
    _, contact_id, contact = max(found, key=lambda each: each[:2])
    return Asker(contact_id, _form(contact, at))


def _can_ask(contact: Row, born_by: str) -> bool:
    born_on = contact["birthdate"]
    return bool(
        born_on
        and "1940" < born_on <= born_by
        and (contact["emailaddress1"] or contact["mobilephone"])
        and not contact["cf_nocontact"]
        and not contact["cf_deceasedon"]
    )


def _form(contact: Row, at: datetime) -> dict[str, Any]:
    is_child = date.fromisoformat(contact["birthdate"]) > date(at.year - 18, at.month, 1)
    return {
        "right": "access",
        "requester_kind": "child" if is_child else "former_child",
        "received_at": at.isoformat(timespec="seconds"),
        "channel": "form",
        "language": _LANGUAGES.get(contact["cf_language"], "nl"),
        "given": {
            "firstname": contact["firstname"],
            "lastname": contact["lastname"],
            "birthdate": contact["birthdate"],
            "nationalnumbers": [],
            "phones": [contact["mobilephone"]] if contact["mobilephone"] else [],
            "emails": [contact["emailaddress1"]] if contact["emailaddress1"] else [],
        },
        "on_behalf_of": None,
    }
