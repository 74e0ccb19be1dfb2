"""A CRM that keeps history, a recycle bin and rows of unmapped tables, and what a test asks of it."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

import requests

from jobs.model.privileges import NEEDS
from jobs.model.run import Action, Run
from tests.drivers.night import Night
from tests.drivers.organisation import set_faults

LONG_AGO = date(2018, 3, 1)
NAME = "Wouter Verzonnen"


SETS = {
    "cf_dossier": "cf_dossiers",
    "cf_fiche": "cf_fiches",
    "cf_party": "cf_parties",
    "cf_recording": "cf_recordings",
    "annotation": "annotations",
    "contact": "contacts",
}

MakeNight = Callable[..., Night]


def switch(night: Night, **switches: object) -> None:
    night.http.put(f"{night.emulator.root}/_emulator/switches", json=switches).raise_for_status()


def fault(night: Night, *rules: dict[str, Any]) -> None:
    set_faults(night.emulator, *rules)


def may(night: Night, *, cleaning: bool = True, but: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> None:
    lines = [*night.connector.least_role(NEEDS), *(night.connector.cleaning_role() if cleaning else ())]
    privileges = {line.name: line.depth for line in lines if line.name not in but} | dict.fromkeys(more, "Global")
    body = {"user": night.connector.whoami(), "set": privileges}
    requests.put(f"{night.emulator.root}/_emulator/privileges", json=body, timeout=30).raise_for_status()


def actions(night: Night, run: Run) -> dict[str, Action]:
    return {action.id: action for action in night.store.journal.of_run(run.id)}


def places(night: Night, run: Run, unit: str) -> dict[str, str]:
    return actions(night, run)[unit].places


def audits(night: Night) -> str:
    return json.dumps(night.rows("audits"))


def in_bin(night: Night, table_set: str, table: str) -> int:
    text = f'<fetch datasource="bin"><entity name="{table}"><attribute name="createdon"/></entity></fetch>'
    return len(night.rows(f"{table_set}?fetchXml={quote(text)}"))


def expired(night: Night) -> tuple[str, str]:
    """A dossier past its end with everything that depends on it, of which the history tells a name; and its
    reporter."""
    dossier = night.dossier("social_card", spoken=LONG_AGO, fiches=2, cf_summary=NAME)
    first = night.fiches_of(dossier)[0]
    night.patch("cf_fiches", first, cf_summary=NAME)
    night.patch("cf_fiches", first, cf_summary="-")
    person = night.contact(lastname=NAME)
    night.party(person, "reporter", dossier=dossier)
    night.note("cf_dossier", dossier)
    night.call("cf_fiche", first, [person])
    return dossier, person


def kept(table_set: str, row: str, times: int = 1) -> dict[str, Any]:
    """A fault: the CRM says that it has deleted the row and keeps it."""
    return {"match": {"method": "DELETE", "path": f"{table_set}({row})"}, "times": times, "do": "keep_row"}


def there(night: Night) -> dict[str, set[str]]:
    """The ids of what is in the CRM, by table."""
    keys = {table: {"contact": "contactid", "annotation": "annotationid"}.get(table, f"{table}id") for table in SETS}
    return {table: {row[keys[table]] for row in night.rows(f"{name}?$select={keys[table]}")} for table, name in SETS.items()}
