"""A night in a test: the real client, the real store and the real jobs, against the emulator over HTTP."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import requests

from connectors.dynamics.connector import DynamicsConnector
from connectors.dynamics.http.auth import StaticToken
from connectors.dynamics.memory.table_cache import Memory
from connectors.dynamics.pace.governor import ONE_AT_A_TIME
from connectors.emulator.serving.server import RunningEmulator, running
from crm_compliance.configuration.organisation import organisation_of
from crm_compliance.configuration.settings import Settings
from crm_compliance.keys.checkpoint_signer import DeskNotary
from crm_compliance.keys.head_signer import FileWitness
from crm_compliance.keys.key_ring import KeyRing
from crm_compliance.keys.request_seals import Sealing
from crm_compliance.store.files.erasure_file import ErasureFile
from crm_compliance.store.store import SqlStore
from crm_compliance.wiring.fits_this_crm import checked
from crm_compliance.wiring.schedule import policy_of
from jobs.model.plan import Kind, Plan, PlanLine
from jobs.model.run import Run
from jobs.plans.approve import approve_plan
from jobs.plans.lines.pages import lines_of
from jobs.plans.make import make_plan
from jobs.ports.context import JobContext
from jobs.requests.search.preserve import StoredRequests
from jobs.runs.apply import apply_plan
from rules.policy.policy import Policy
from tests.drivers.clock import NOW, Clock
from tests.drivers.connecting import connect
from tests.drivers.organisation import TOKEN, Organisation, session
from tests.known_definitions import KNOWN

CATEGORY = {
    "social_card": 100000000,
    "e_safety": 100000001,
    "civil_party": 100000002,
    "grooming": 100000021,
    "sexting": 100000022,
    "runaway": 100000030,
    "international_abduction": 100000031,
    "unexplained_disappearance": 100000033,
    "csam_report": 100000050,
}
ROLE = {"child": 100000000, "parent": 100000001, "reporter": 100000003, "witness": 100000004, "suspect": 100000005}


@dataclass
class Night(Organisation):
    """One organisation, one store, one clock."""

    emulator: RunningEmulator
    store: SqlStore
    key: KeyRing
    policy: Policy
    clock: Clock
    page_size: int = 5000
    memory: Memory | None = None
    reads: int = 1  # at once
    register: str = "erasures.jsonl"  # beside the keys
    ids: Random = field(default_factory=lambda: Random(1))  # the same organisation has the same ids
    warnings: list[str] = field(default_factory=list)  # of the notary
    mapping: str = ""  # the shipped one, if none
    connector: DynamicsConnector = field(init=False)
    http: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        from crm_compliance.wiring.mapping import mapping_text

        # Nights here do not sleep, so that a job of the CRM has to be over at the first look.
        self.emulator.emulator.switches.bulk_delete_queue_s = self.emulator.emulator.switches.bulk_delete_run_s = 0.0
        text, source = mapping_text(Settings())
        self.connector = connect(
            url=self.emulator.url,
            tokens=StaticToken(TOKEN, self.emulator.url),
            mapping_text=self.mapping or text,
            mapping_source=source,
            page_size=self.page_size,
            sleep=lambda _: None,
            memory=self.memory,
            pace=replace(ONE_AT_A_TIME, reads=self.reads),
        )
        self.http = session()

    def close(self) -> None:
        self.connector.close()
        super().close()

    @property
    def context(self) -> JobContext:
        checked(self.connector, self.policy)
        context = JobContext(
            connector=self.connector,
            store=self.store,
            policy=self.policy,
            clock=self.clock,
            crm=self.emulator.url,
            mapping_digest="test",
            software_version="test",
            reference=self.key.reference,
            references=self.key.references,
            new_id=lambda prefix: f"{prefix}-{uuid.uuid4().hex[:12]}",
            shuffle=Random(1),
            progress=lambda stage, done, total=None: None,
            speaks_for=organisation_of(Settings()),
            # Several databases are put beside one log here, each as if it were the only one.
            notary=DeskNotary(Settings(data_dir=self.key.folder.parent), self.key, self.warnings.append, recovering=True),
            erased=ErasureFile(self.key.folder.parent / self.register, self.key),
        )
        return replace(context, requests=StoredRequests(context))

    # -- the jobs --------------------------------------------------------------------------------------------

    def plan(self, kind: Kind = Kind.ALL, **more: Any) -> Plan:
        return make_plan(self.context, kind, **more)

    def lines(self, plan: Plan) -> dict[str, PlanLine]:
        return {line.id: line for line in lines_of(self.store.plans.pages(plan.id))}

    def approved(self, plan: Plan) -> Plan:
        """The plan with the approvals of two fictitious people where it needs them."""
        return approve_where_needed(self.store, plan.id, self.clock(), self.key)

    def apply(self, plan: Plan) -> Run:
        """Apply a plan, approved by two people where it waits for nothing but that it is the first of its
        kind.

        What a guard has found is for the test itself to approve.
        """
        if plan.why == ("FIRST_RUN",):
            self.approved(plan)
        return apply_plan(self.context, plan.id)

    # -- the CRM, spoken with plain requests -----------------------------------------------------------------

    def writes(self) -> int:
        operations = self.emulator.stats()["operations"]
        return int(operations["create"]) + int(operations["update"]) + int(operations["delete"])

    # -- an organisation -------------------------------------------------------------------------------------

    def contact(self, **columns: Any) -> str:
        return self.create("contacts", "contactid", **{"firstname": "Lotte", "lastname": "Peeters (fictief)"} | columns)

    def dossier(self, category: str, *, closed: bool = True, spoken: date | None = None, fiches: int = 1, **columns: Any) -> str:
        """A dossier with fiches of the day `spoken`, the oldest of one day each before it."""
        on = spoken or date(2025, 1, 10)
        row = self.create(
            "cf_dossiers",
            "cf_dossierid",
            **{"cf_name": "D-test", "cf_openedon": _noon(on), "cf_categories": str(CATEGORY[category])} | columns,
        )
        for n in range(fiches):
            self.fiche(category, spoken=on - timedelta(days=n), dossier=row)
        if closed:
            self.patch("cf_dossiers", row, statecode=1, statuscode=2)
        return row

    def fiche(self, category: str | None, *, spoken: date | None = None, dossier: str | None = None, **columns: Any) -> str:
        values: dict[str, Any] = {"cf_name": "F-test", "cf_communicatedon": _noon(spoken or date(2025, 1, 10)), "cf_summary": "Verzonnen."}
        if category is not None:
            values["cf_categories"] = str(CATEGORY[category])
        if dossier is not None:
            values["cf_DossierId@odata.bind"] = f"/cf_dossiers({dossier})"
        return self.create("cf_fiches", "cf_ficheid", **values | columns)

    def fiches_of(self, dossier: str) -> list[str]:
        return [row["cf_ficheid"] for row in self.rows(f"cf_fiches?$select=cf_ficheid&$filter=_cf_dossierid_value eq {dossier}")]

    def party(self, contact: str | None, role: str, *, dossier: str | None = None, fiche: str | None = None) -> str:
        values: dict[str, Any] = {"cf_name": "rol", "cf_role": ROLE[role]}
        if contact is not None:
            values["cf_ContactId@odata.bind"] = f"/contacts({contact})"
        if dossier is not None:
            values["cf_DossierId@odata.bind"] = f"/cf_dossiers({dossier})"
        if fiche is not None:
            values["cf_FicheId@odata.bind"] = f"/cf_fiches({fiche})"
        return self.create("cf_parties", "cf_partyid", **values)

    def recording(self, ended: date, *, fiche: str | None = None, **columns: Any) -> str:
        values: dict[str, Any] = {"cf_name": "R-test", "cf_startedon": _noon(ended), "cf_endedon": _noon(ended), "cf_takenover": True}
        if fiche is not None:
            values["cf_FicheId@odata.bind"] = f"/cf_fiches({fiche})"
        return self.create("cf_recordings", "cf_recordingid", **values | columns)

    def note(self, target: str, row: str, **columns: Any) -> str:
        """A note on a row; `target` is its table's logical name."""
        sets = {"cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches", "contact": "contacts", "cf_recording": "cf_recordings"}
        bind = {f"objectid_{target}@odata.bind": f"/{sets[target]}({row})"}
        return self.create("annotations", "annotationid", **{"subject": "notitie", "notetext": "Verzonnen."} | bind | columns)

    def call(self, target: str, row: str, participants: list[str]) -> str:
        """A telephone call about a row, with contacts as participants."""
        sets = {"cf_dossier": "cf_dossiers", "cf_fiche": "cf_fiches", "contact": "contacts"}
        parties = [{"partyid_contact@odata.bind": f"/contacts({contact})", "participationtypemask": 1} for contact in participants]
        return self.create(
            "phonecalls",
            "activityid",
            subject="gesprek",
            phonecall_activity_parties=parties,
            **{f"regardingobjectid_{target}_phonecall@odata.bind": f"/{sets[target]}({row})"},
        )

    def donation(self, contact: str) -> str:
        return self.create(
            "cf_donations",
            "cf_donationid",
            cf_name="gift",
            cf_bookedon=_noon(date(2025, 5, 1)),
            **{"cf_ContactId@odata.bind": f"/contacts({contact})"},
        )


N = TypeVar("N", bound=Night)


@contextmanager
def night_in(
    environment: Path, folder: Path, *, kind: type[N], policy: Policy | None = None, mapping: str = "", page_size: int = 5000
) -> Iterator[N]:
    """A night of this `kind` over an organisation with tables of its own, with all that it stores in a
    folder; the schedule and the mapping are the shipped ones unless others are given."""
    clock, key = Clock(NOW), KeyRing.open(folder, NOW)
    witness = witness_of(folder, folder, clock)
    with running(environment=environment, token=TOKEN) as emulator, KNOWN.of(emulator, TOKEN):
        store = SqlStore.open(f"sqlite:///{folder / 'state.db'}", clock=clock, sealer=Sealing(folder), folder=folder, witness=witness)
        made = kind(emulator, store, key, policy or policy_of(Settings()), clock, page_size, mapping=mapping)
        yield made
        made.close()
        store.close()


def approve_where_needed(store: SqlStore, plan_id: str, now: datetime, key: KeyRing) -> Plan:
    """Record the approvals that a plan lacks, each by another fictitious person."""
    plan = store.plans.get(plan_id)
    for role in plan.missing(now):
        plan = approve_plan(store, plan_id, f"fictief-{role}", role, "", approves=True, now=now, **references_of(key))
    return plan


def references_of(key: KeyRing) -> Any:
    """What makes the keyed references of whoever says something."""
    return {"reference": key.reference, "references": key.references}


def witness_of(folder: Path, key_folder: Path, clock: Callable[[], datetime]) -> FileWitness:
    """The witness of one store, in a folder of its own where several stores share their keys."""
    return FileWitness(folder, lambda: KeyRing.open(key_folder, clock()), erasures=None)


def of_store(folder: Path, url: str) -> tuple[Path, str]:
    """The folder of the witness of a store, and the name of its register of erasures: a database of its own
    has its own, since beside another's it would look like one that was lost."""
    name = hashlib.sha256(url.encode()).hexdigest()[:8]
    return folder / f"witness-{name}", f"erasures-{name}.jsonl"


def brussels_noon(day: date) -> datetime:
    """Noon of a day, near enough to Brussels for every test that does not mention hours."""
    return datetime(day.year, day.month, day.day, 11, tzinfo=UTC)


def _noon(day: date) -> str:
    return f"{day}T11:00:00Z"
