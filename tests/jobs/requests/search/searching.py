"""People of whom the CRM has something, and the search for all of it."""

from typing import Any

from jobs.requests.search.material import Material
from jobs.requests.search.search import search_everywhere
from tests.drivers.night import Night

FIRST, LAST, MAIL, PHONE, NUMBER = "Noëlle", "Van den Broeck (fictief)", "noelle@voorbeeld.example", "0475/12.34.56", "85.07.30-997.34"


def person(night: Night, **columns: Any) -> str:
    known = {"firstname": FIRST, "lastname": LAST, "emailaddress1": MAIL, "mobilephone": PHONE, "cf_nationalnumber": NUMBER}
    return night.contact(**known | columns)


def email(night: Night, participants: list[dict[str, Any]], about: str | None = None, target: str = "cf_dossier", **columns: Any) -> str:
    sets = {"cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches", "contact": "contacts"}
    bound = {f"regardingobjectid_{target}_email@odata.bind": f"/{sets[target]}({about})"} if about else {}
    return night.create("emails", "activityid", **{"subject": "bericht", "email_activity_parties": participants} | bound | columns)


def to(contact: str) -> dict[str, Any]:
    return {"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 2}


def search(night: Night, *people: str) -> Material:
    return search_everywhere(night.context, people)


def remove(night: Night, table_set: str, row: str) -> None:
    assert night.http.delete(f"{night.emulator.url}{table_set}({row})").status_code == 204


def switch(night: Night, **switches: object) -> None:
    night.http.put(f"{night.emulator.root}/_emulator/switches", json=switches).raise_for_status()


def retain(night: Night, table: str, row: str) -> None:
    target = {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", f"{table}id": row}}
    night.http.post(f"{night.emulator.url}Retain", json=target).raise_for_status()
