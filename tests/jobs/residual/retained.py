"""Units in the long-term retention of the CRM, and what is left of them there. All people are fictitious."""

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import quote

from jobs.model.plan import Plan
from jobs.model.run import Action, Run
from jobs.runs.apply import apply_plan
from tests.drivers.night import Night
from tests.drivers.typist import LONG_AGO

CODE = "LONG_TERM_RETENTION"
LATELY = date(2026, 11, 1)
SETS = {
    "cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches", "cf_party": "cf_parties", "cf_recording": "cf_recordings", "contact": "contacts",
    "annotation": "annotations", "phonecall": "phonecalls", "cf_enrolment": "cf_enrolments", "cf_engagement": "cf_engagements",
}  # fmt: skip


KEYS = {"phonecall": "activityid", "task": "activityid"}
MakeNight = Callable[..., Night]


def retain(night: Night, table: str, row: str) -> None:
    target = {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", KEYS.get(table, f"{table}id"): row}}
    night.http.post(f"{night.emulator.url}Retain", json=target, timeout=10).raise_for_status()


def roll_back(night: Night, table: str, row: str) -> None:
    target = {"Target": {"@odata.type": f"Microsoft.Dynamics.CRM.{table}", KEYS.get(table, f"{table}id"): row}}
    night.http.post(f"{night.emulator.url}RollbackRetain", json=target, timeout=10).raise_for_status()


def there(night: Night, table: str) -> set[str]:
    """The ids of a table's rows in long-term retention."""
    key = KEYS.get(table, f"{table}id")
    text = f'<fetch datasource="retained"><entity name="{table}"><attribute name="{key}"/></entity></fetch>'
    return {row[key] for row in night.rows(f"{SETS[table]}?fetchXml={quote(text)}")}


def all_there(night: Night) -> dict[str, int]:
    """How many rows of each table are there, those without left out."""
    return {table: number for table in SETS if (number := len(there(night, table)))}


def retained_dossier(night: Night, category: str = "social_card", *, spoken: date = LONG_AGO) -> tuple[str, str]:
    """A dossier with two fiches, a note, a call and a role, all there; and the live person of that role."""
    person = night.contact(birthdate="1980-01-01")
    dossier = night.dossier(category, spoken=spoken, fiches=2)
    role = night.party(person, "reporter", dossier=dossier)
    note, call = night.note("cf_dossier", dossier), night.call("cf_dossier", dossier, [person])
    retain(night, "cf_party", role)
    for fiche in night.fiches_of(dossier):
        retain(night, "cf_fiche", fiche)
    retain(night, "cf_dossier", dossier)
    assert note in there(night, "annotation"), "it goes where its dossier goes"
    assert call in there(night, "phonecall")
    return dossier, person


def actions(night: Night, run: Run) -> dict[str, Action]:
    return {action.id: action for action in night.store.journal.of_run(run.id)}


def skipped(run: Run) -> object:
    return run.counts["skipped"]


class Stubborn:
    """A connector of which one answer is another."""

    def __init__(self, inner: Any, **answers: Any) -> None:
        self._inner, self._answers = inner, answers

    def __getattr__(self, name: str) -> Any:
        return self._answers[name] if name in self._answers else getattr(self._inner, name)


def applied(night: Night, plan: Plan, **answers: Any) -> Run:
    context = night.context
    return apply_plan(dataclasses.replace(context, connector=Stubborn(context.connector, **answers)), plan.id)


def in_retention(night: Night, table: str, table_set: str) -> set[str]:
    text = f'<fetch datasource="retained"><entity name="{table}"><attribute name="{table}id"/></entity></fetch>'
    return {row[f"{table}id"] for row in night.rows(f"{table_set}?fetchXml={quote(text)}")}
