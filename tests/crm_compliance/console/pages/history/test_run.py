"""One run, and the proof of all of them: who approved, what was kept and why, what failed, certificates, the
ledger verified, the evidence pack. Everybody is fictitious."""

import json
import re
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest
from sqlalchemy import text

from crm_compliance.console.frame.services import Services
from jobs.ledger.maintenance_runs import ENDED, STARTED
from jobs.model.plan import Alarm
from jobs.model.run import TRIM, Action, ActionState, RunState
from jobs.model.sentence import Sentence
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.crm_compliance.store.values import ENTRY, NIGHT, a_plan, a_run
from tests.crm_compliance.worlds import Worlds
from tests.drivers.night import Night
from tests.drivers.typist import Typist, people_and_cases


@pytest.fixture
def done(worlds: Worlds, request: pytest.FixtureRequest) -> dict[str, str]:
    return worlds.begin(request, a_run_that_two_had_approved)


def a_run_that_two_had_approved(typist: Typist, org: Night) -> dict[str, str]:
    """The answer of `apply`."""
    people_and_cases(org)
    plan = typist.ask("plan")["plan"]
    typist.ask("plans", "approve", plan, "--as", "demo-anna", "--role", "crm_admin", "--comment", "counted twice")
    typist.ask("plans", "approve", plan, "--as", "demo-ben", "--role", "dpo")
    return dict(typist.ask("apply", plan))


def test_an_auditor_finds_who_approved_and_why_a_unit_was_kept(done: dict[str, str], signed_in: Callable[..., Browser]) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert f'href="/history/{done["run"]}"' in auditor.page("/history"), "the first click"
    page = auditor.page(f"/history/{done['run']}")
    told = text_of(page)
    assert "demo-anna , CRM administrator" in told
    assert "demo-ben , Data protection officer" in told
    assert "counted twice" in told
    assert "Proposed by the service." in told
    assert re.search(r"Rows deleted, by table .*Roles in a file cf_party \d", told)
    assert "What was kept, and why" in told
    assert f'href="/plans/{done["plan"]}/lines?reason=OPEN_DOSSIER"' in page, "the second click leads to the units kept for it"
    assert told.index("The plan was made.") < told.index("Approved by demo-anna") < told.index("The run began.") < told.index("By which")


def test_what_failed_is_told_once_for_each_reason_with_its_units(services: Services, signed_in: Callable[..., Browser]) -> None:
    store = services.store
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    left = [
        Action("cf_dossier", "d1", "delete", ActionState.FAILED, "NO_ANSWER"),
        Action("cf_dossier", "d2", "delete", ActionState.SKIPPED, "SKIPPED_TECHNICAL"),
        Action("cf_dossier", "d3", "delete", ActionState.SKIPPED, "SKIPPED_TECHNICAL"),
        Action("cf_dossier", "d5", "delete", ActionState.SKIPPED, "SKIPPED_TECHNICAL", flags=("CRM_REFUSED",)),
        Action("cf_dossier", "d6", "delete", ActionState.SKIPPED, "SKIPPED_TECHNICAL", flags=("UNACCOUNTED:cf_visit",)),
        Action("cf_dossier", "d4", "delete", ActionState.SKIPPED, "CHANGED"),
    ]
    left.append(Action("contact", "c1", TRIM, ActionState.FAILED, "NO_ANSWER"))
    store.journal.record("run-1", left)
    counts = {
        "skipped": {"SKIPPED_TECHNICAL": 2, "CHANGED": 1},
        "failed": 1,
        "alarms": [{"code": "LEFT_OVER", "message": "1 unit is half done"}],
    }
    store.runs.save(a_run(state=RunState.DONE_WITH_FAILURES, ended_at=NIGHT, counts=counts))
    page = signed_in(Role.DPO).page("/history/run-1")
    told = text_of(page)
    assert "3 units skipped, 2 of them for a technical reason 1 units failed or in part" in told
    failed, skipped = told[told.index("What failed, and why") : told.index("Who approved")].split("Planned and not done")
    failed, contacts = failed.split("Contacts that could not be trimmed")
    assert failed.count("NO_ANSWER") == contacts.count("NO_ANSWER") == skipped.count("SKIPPED_TECHNICAL") == 1
    assert skipped.count("CRM_REFUSED") == skipped.count("ROWS_UNACCOUNTED") == 1, "each by its exact cause, where that is known"
    assert "SKIPPED_TECHNICAL" not in failed, "the list says what the figure above it counts"
    assert all(f"<code>{unit}</code>" in page for unit in ("d1", "d2", "d3", "d5", "d6"))
    assert "<code>d4</code>" not in page, "what had changed is no failure"
    assert re.search(r"Which contacts.*c1", contacts)
    assert "Units" not in contacts.partition("comes back in the next plan")[0]
    assert "is tried again by the next plan" in skipped
    assert "1 unit is half done" in told
    assert "Units are half done since an earlier run." in told
    assert "comes back in the next plan" in contacts


def test_contacts_that_were_not_trimmed_are_told_beside_the_units(services: Services, signed_in: Callable[..., Browser]) -> None:
    """By the run, and by the auditor's period: 3 units were planned and left alone, not 4."""
    store = services.store
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    counts = {
        "deleted": 5,
        "trimmed": 2,
        "skipped": {"CHANGED": 3, "STILL_REFERRED": 1},
        "not_trimmed": {"skipped": {"STILL_REFERRED": 1}},
    }
    store.runs.save(a_run(state=RunState.DONE, ended_at=NIGHT, counts=counts))
    auditor = signed_in(Role.AUDITOR)
    told = text_of(auditor.page("/history/run-1"))
    assert re.search(r"3 units skipped.*2 contacts trimmed 1 contacts to trim that were left", told)
    units = told[told.index("Units skipped, by reason") : told.index("Contacts not trimmed, by reason")]
    assert "CHANGED" in units
    assert "STILL_REFERRED" not in units
    day = NIGHT.date()
    assert "3 were planned and left alone" in text_of(auditor.page(f"/history/audit?from={day}&to={day}"))


def test_certificates_are_shown_and_sent_as_the_command_writes_them(
    done: dict[str, str], typist: Typist, signed_in: Callable[..., Browser]
) -> None:
    auditor = signed_in(Role.AUDITOR)
    page = auditor.page(f"/history/{done['run']}/certificates")
    answer = auditor.post(f"/history/{done['run']}/certificates")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="certificates-{done["run"]}.json"'
    document = json.loads(answer.content)
    assert document["certificates"]
    assert all(each["certificate_id"] in page for each in document["certificates"])
    in_dutch = text_of(signed_in(Role.AUDITOR, "nl").page(f"/history/{done['run']}/certificates"))
    assert ("Prullenbak van het CRM" in in_dutch, "recycle bin" in in_dutch) == (True, False)
    file = typist.folder / "certificates.json"
    file.write_bytes(answer.content)
    assert typist.ask("certificate", "verify", file)["certificates"] == len(document["certificates"])


def test_the_ledger_is_verified_and_what_does_not_hold_is_told(
    done: dict[str, str], typist: Typist, services: Services, signed_in: Callable[..., Browser]
) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert "Never verified yet" in text_of(auditor.page("/history/proof"))
    assert auditor.post("/history/proof/verification").headers["Location"] == "/history/proof"
    told = text_of(auditor.page("/history/proof"))
    assert "The record is whole" in told
    assert "Verified by somebody at this console" in told
    assert f"Entries {typist.ask('ledger', 'verify')['entries']} " in told
    for page in ("/", "/history", "/history/audit", "/history/proof"):
        assert "25 Nov 2026" in text_of(auditor.page(page)).partition("erified ")[2][:20], page
    assert "Verified by the command ledger verify" in text_of(auditor.page("/history/proof")), "what a command found is known here"
    with services.store.database.writing() as connection:
        connection.execute(text("UPDATE approvals SET role = 'auditor', doc = replace(doc, 'crm_admin', 'auditor')"))
    auditor.post("/history/proof/verification")
    told = text_of(auditor.page("/history/proof"))
    assert "The record is not whole" in told
    assert done["plan"] in told


def test_the_evidence_pack_is_sent_as_the_command_writes_it(
    done: dict[str, str], typist: Typist, signed_in: Callable[..., Browser]
) -> None:
    answer = signed_in(Role.AUDITOR).post("/history/proof/evidence")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evidence-2026-11-25.zip"'
    file = typist.folder / "evidence.zip"
    typist.ask("evidence", "--output", file)
    with zipfile.ZipFile(BytesIO(answer.content)) as sent, zipfile.ZipFile(file) as written:
        assert sent.namelist() == written.namelist()
        assert f"certificates/{done['run']}.json" in sent.namelist()
        assert b"demo-anna" not in b"".join(map(sent.read, sent.namelist()))


def test_a_job_without_a_plan_has_its_page(services: Services, signed_in: Callable[..., Browser]) -> None:
    ledger = services.store.ledger
    ledger.append([(STARTED, {"kind": "requests", "software": "1"})], "run-asked")
    ledger.append([(ENDED, {"kind": "requests", "state": "done_with_failures", "pending": 3, "alarms": ["OVERDUE"]})], "run-asked")
    told = text_of(signed_in(Role.AUDITOR).page("/history/run-asked"))
    assert "Requests that wait 3" in told
    assert "The answer to a subject request is late" in told


def test_a_run_that_there_is_not_is_told(signed_in: Callable[..., Browser]) -> None:
    for path in ("/history/run-0", "/history/run-0/certificates"):
        assert signed_in(Role.AUDITOR).get(path).status_code == 404


def test_an_alarm_is_told_in_the_language_of_the_page(services: Services, signed_in: Callable[..., Browser]) -> None:
    store, left = services.store, Alarm.of("LEFT_OVER", "left_over", units=3)
    warned = Sentence.of("retained_rows", rows=1200, table="cf_fiche")
    store.plans.save(
        a_plan(alarms=(Alarm.of("NO_RUN", "no_run", kind="retention", hours=50),), warnings=(warned, "An older text.")), [], ENTRY
    )
    store.runs.start(a_run(), ENTRY)
    counts = {"alarms": [left.document]}
    store.runs.save(a_run(state=RunState.DONE_WITH_FAILURES, ended_at=NIGHT, counts=counts, alarms=(left,)))
    admin = signed_in(Role.DPO, "nl")
    assert "half verwerkt zijn ( ERA-15 ): 3" in text_of(admin.page("/history/run-1"))
    assert left.message not in admin.page("/history/run-1")
    plan = admin.page("/plans/plan-1")
    assert "al 50 uur is geen uitvoering voltooid" in text_of(plan)
    assert "rijen van cf_fiche in langetermijnbewaring: 1.200" in text_of(plan)
    assert '<p lang="en">An older text.</p>' in plan, "stored before there were sentences"


def test_a_run_that_ends_while_it_is_read_is_told_in_one_state(
    services: Services, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, browser = services.store, signed_in(Role.DPO)
    store.plans.save(a_plan(), [], ENTRY)
    store.runs.start(a_run(), ENTRY)
    addresses = ("/plans/plan-1", "/history/run-1", "/history", "/")
    cut_off = re.compile(r">Interrupted</span>|was cut off")
    assert all(cut_off.search(browser.page(address)) for address in addresses), "nobody works on it"
    for address in addresses:
        store.runs.save(a_run())

        def ends(_: object) -> frozenset[str]:
            store.runs.save(a_run(state=RunState.DONE_WITH_FAILURES, ended_at=NIGHT))
            return frozenset()

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(type(store.leases), "runs_at_work", ends)
            page = browser.page(address)
        assert not cut_off.search(page), address
        assert not re.search(">(Running|Waiting|Ready|Expired)</span>", page), address


def test_a_run_that_begins_after_another_has_ended_is_not_called_interrupted(
    services: Services, signed_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, browser = services.store, signed_in(Role.DPO)
    for plan in ("plan-1", "plan-2"):
        store.plans.save(a_plan(plan), [], ENTRY)
    store.runs.start(a_run(), ENTRY)

    def meanwhile(_: object) -> set[str]:
        if store.runs.get("run-1").is_over:
            return {"run-2"}
        store.runs.save(a_run(state=RunState.DONE, ended_at=NIGHT))
        store.runs.start(a_run("run-2", "plan-2"), ENTRY)
        return set()

    with monkeypatch.context() as patched:
        patched.setattr(type(store.leases), "runs_at_work", meanwhile)
        page = browser.page("/history")
    assert ">Interrupted</span>" not in page
