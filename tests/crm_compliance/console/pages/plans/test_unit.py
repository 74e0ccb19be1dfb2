"""One unit of a plan: why it goes or stays, what would go with it, and how people find it. Everybody is
fictitious."""

import re
from collections.abc import Callable

from connectors.emulator.serving.server import RunningEmulator
from crm_compliance.console.frame.services import Services
from jobs.plans.questions.deletion_preview import ROW, TOTAL, preview_deletion
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.requesting import opened
from tests.drivers.typist import Typist

Signed = Callable[..., Browser]


def test_one_unit_is_explained_and_decided_again_step_by_step(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    row = units["anonymise"]
    page = signed_in(Role.CRM_ADMIN).page(f"/plans/{plan}/units/cf_dossier/{row}")
    assert "Its retention end has passed" in text_of(page)
    assert f'hx-get="/why/cf_dossier/{row}"' in page
    steps = signed_in(Role.DPO).get(f"/why/cf_dossier/{row}", **{"HX-Request": "true"}).text
    assert 'href="/rules#RET-08"' in steps
    named = set(re.findall(r'href="/rules#([^"]+)"', steps))
    assert named <= set(re.findall(r'<div id="([^"]+)"', signed_in(Role.DPO).page("/rules"))), "each leads to a text"
    assert "2000" not in steps, "nobody's birth date"
    assert "as the CRM is now" in text_of(steps)
    auditor = signed_in(Role.AUDITOR)
    assert "/why/" not in auditor.page(f"/plans/{plan}/units/cf_dossier/{row}"), "who may not have it read is not offered it"
    assert auditor.get(f"/plans/{plan}/units/cf_dossier/{row[:8]}").status_code == 404
    assert auditor.get(f"/plans/{plan}/units/cf_dossier/{units['fiche']}").status_code == 404


def test_whom_requests_keep_is_looked_up_once_for_questions_one_after_another(
    crm: RunningEmulator, typist: Typist, plan: str, units: dict[str, str], signed_in: Signed
) -> None:
    """To look reads all contacts, and somebody who reviews a plan asks of one unit after another."""
    opened(typist)
    dpo = signed_in(Role.DPO)

    def reads(address: str) -> int:
        before = int(crm.stats()["requests"])
        dpo.page(address)
        return int(crm.stats()["requests"]) - before

    first, *further = [reads(f"/why/cf_dossier/{units['delete']}") for _ in range(3)]
    assert further[0] == further[1] < first
    along = [reads(f"/plans/{plan}/units/cf_dossier/{units['delete']}/along") for _ in range(2)]
    assert along[0] == along[1]


def test_a_contact_says_with_which_dossier_it_goes(org: Night, plan: str, units: dict[str, str], signed_in: Signed) -> None:
    party = org.rows(f"cf_parties?$filter=_cf_dossierid_value eq {units['anonymise']}")[0]
    steps = signed_in(Role.DPO).get(f"/why/contact/{party['_cf_contactid_value']}").text
    assert f"/open?typename=cf_dossier&amp;id={units['anonymise']}" in steps


def test_a_button_on_a_form_opens_what_the_role_may_see(
    org: Night, plan: str, units: dict[str, str], typist: Typist, signed_in: Signed
) -> None:
    said = {"--type": "legal", "--reason": "CASE-1", "--basis": "CASE-1", "--review-on": "2027-01-01", "--as": "demo-ben", "--role": "dpo"}
    options = [each for pair in said.items() for each in pair]
    hold = typist.ask("holds", "place", "--table", "cf_dossier", "--id", units["delete"], *options)["hold"]
    where = f"/open?typename=cf_dossier&id=%7B{units['delete'].upper()}%7D&orgname=Foundation&userlcid=1043&orglcid=1043"
    dpo = signed_in(Role.DPO).page(where)
    assert "What the plan of" in text_of(dpo)
    assert f'href="/holds/{hold}"' in dpo
    assert "No pending request names it. One about a person in it may keep it" in text_of(dpo)
    assert f"/why/cf_dossier/{units['delete']}" in dpo
    admin = signed_in(Role.CRM_ADMIN).page(where)
    assert "What the plan of" in text_of(admin)
    assert hold not in admin
    assert "request" not in text_of(admin.split("<main")[1]).lower()
    approver = signed_in(Role.APPROVER).page(where)
    assert hold in approver
    assert plan not in approver
    assert "/why/" not in approver
    fiche = org.rows(f"cf_fiches?$filter=_cf_dossierid_value eq {units['delete']}")[0]["cf_ficheid"]
    unsaid = signed_in(Role.DPO).page(f"/open?typename=cf_fiche&id={fiche}")
    assert "A fiche is deleted with its dossier" in text_of(unsaid)
    assert (
        f'hx-get="/why/cf_fiche/{fiche}" hx-target="#steps" hx-swap="outerHTML" hx-disabled-elt="this" hx-trigger="load, click"' in unsaid
    )
    assert "look the dossier up" in text_of(signed_in(Role.AUDITOR).page(f"/open?typename=cf_fiche&id={fiche}"))
    assert "Lone fiche" not in text_of(unsaid), "it is of a dossier"
    assert "hx-trigger" not in dpo.split('id="steps"')[1].split("</section>")[0]
    assert units["delete"] in signed_in(Role.DPO).get(f"/why/cf_fiche/{fiche}", **{"HX-Request": "true"}).text
    for bad in ("", "?typename=cf_dossier&id=Lotte", "?typename=../x&id=" + units["delete"]):
        answer = signed_in(Role.DPO).get(f"/open{bad}")
        assert answer.status_code == 400
        assert "Lotte" not in answer.text.split("<main")[1]


def test_what_would_go_with_a_dossier_is_read_from_the_crm_on_a_click(
    org: Night, plan: str, units: dict[str, str], signed_in: Signed
) -> None:
    browser = signed_in(Role.CRM_ADMIN)
    where = f"/plans/{plan}/units/cf_dossier/{units['delete']}"
    assert f'hx-get="{where}/along"' in browser.page(where)
    told = text_of(browser.get(f"{where}/along", **{"HX-Request": "true"}).text)
    assert re.search(r"Note .*deleted 1 .*Fiche .*deleted 2 .*Dossier .*deleted 1", told), told
    fiche = org.rows(f"cf_fiches?$filter=_cf_dossierid_value eq {units['delete']}")[0]["cf_ficheid"]
    assert fiche in told
    child = org.rows(f"cf_parties?$filter=_cf_dossierid_value eq {units['anonymise']}")[0]["_cf_contactid_value"]
    page = browser.page(f"/plans/{plan}/units/cf_dossier/{units['anonymise']}/along")
    assert f'href="/plans/{plan}/units/contact/{child}"' in page, "the contact goes by the same plan"
    assert re.search(r"Dossier .*deleted, an extract without names stays 1", text_of(page))
    assert "What stays of it is a line in the statistics" in text_of(page)
    assert "one more in the total of its category and year" in told
    assert "Contact" in text_of(browser.page(f"/plans/{plan}/units/contact/{child}/along"))
    kept = text_of(browser.page(f"/plans/{plan}/units/cf_dossier/{units['open']}/along"))
    assert "The plan keeps it" in kept
    assert "stays by this plan" in kept
    auditor = signed_in(Role.AUDITOR)
    assert "/along" not in auditor.page(where)
    assert auditor.get(f"{where}/along").status_code == 403
    assert browser.get(f"/plans/{plan}/units/cf_dossier/{units['fiche']}/along").status_code == 404
    assert len(org.rows("cf_dossiers")) == 4, "nothing was written"


def test_nobody_is_offered_what_would_go_with_a_unit_that_has_gone(
    org: Night, plan: str, units: dict[str, str], typist: Typist, signed_in: Signed
) -> None:
    where, words = f"/plans/{plan}/units/cf_dossier", "nothing would go with it any more"
    dpo, (kept, gone) = signed_in(Role.DPO), (units["open"], units["delete"])
    run = typist.ask("apply", plan)["run"]
    page = dpo.page(f"{where}/{gone}")
    assert words in text_of(page)
    assert f'href="/history/{run}"' in page
    assert "/along" not in page
    assert "/why/" not in page, "nor is it decided again"
    by_its_id = dpo.page(f"/open?typename=cf_dossier&id={gone}")
    assert ("A run has deleted or anonymised it" in text_of(by_its_id), f'href="/history/{run}"' in by_its_id) == (True, True)
    assert "A run has deleted" not in dpo.page(f"/open?typename=cf_dossier&id={kept}")
    assert "/history/" not in signed_in(Role.CRM_ADMIN).page(f"{where}/{gone}")
    assert words in text_of(dpo.get(f"{where}/{gone}/along", **{"HX-Request": "true"}).text), "a page that was open before"
    assert f"{where}/{kept}/along" in dpo.page(f"{where}/{kept}"), "the run has left this one"
    org.http.delete(f"{org.emulator.url}cf_dossiers({kept})").raise_for_status()
    for language, said in (("en", words), ("nl", "er gaat niets meer mee"), ("fr", "plus rien ne partirait avec elle")):
        assert said in text_of(signed_in(Role.DPO, language).page(f"{where}/{kept}/along")), "somebody deleted it in the CRM"
    lines = org.lines(org.store.plans.get(plan)).items()
    contact = next(row for row, line in lines if line.table == "contact" and line.outcome == "dispose")
    assert words in text_of(dpo.page(f"/plans/{plan}/units/contact/{contact}/along"))


def test_what_would_go_is_what_a_run_writes(org: Night, plan: str, units: dict[str, str], services: Services, typist: Typist) -> None:
    contact = org.rows(f"cf_parties?$filter=_cf_dossierid_value eq {units['anonymise']}")[0]["_cf_contactid_value"]
    asked = {row: table for table, row in (("cf_dossier", units["delete"]), ("cf_dossier", units["anonymise"]), ("contact", contact))}
    with services.desk() as desk:
        ways = {units["anonymise"]: "anonymise", units["delete"]: "delete"}
        found = {row: preview_deletion(desk.context, table, row, disposition=ways.get(row, "")) for row, table in asked.items()}
        said = {row: [each.row for each in along.rows] for row, along in found.items()}
        leaves = {row: along.leaves for row, along in found.items()}
        run = typist.ask("apply", plan)["run"]
        written = {
            action.id: [write.key(desk.context.connector) for write in action.rows]
            for action in services.store.journal.of_run(run)
            if action.rows
        }
    assert said == {row: written[row] for row in asked}
    assert [leaves[row] for row in asked] == [TOTAL, ROW, ""]


def test_a_record_is_found_by_its_address_in_the_crm_or_its_id(
    org: Night, plan: str, units: dict[str, str], services: Services, signed_in: Signed
) -> None:
    auditor = signed_in(Role.AUDITOR)
    fiche = org.rows(f"cf_fiches?$filter=_cf_dossierid_value eq {units['delete']}")[0]["cf_ficheid"]
    wanted = f"/open?typename=cf_dossier&id={units['open']}"
    for given, where in (
        (services.links(services.settings.crm_url or "")("cf_dossier", units["open"]), wanted),
        (f"https://org.example.org/main.aspx?appid=1&pagetype=entityrecord&id=%7B{units['open'].upper()}%7D&etn=cf_dossier", wanted),
        (f" {{{units['open'].upper()}}} ", wanted),
        (f"https://org.example.org/main.aspx?etn=cf_fiche&id={fiche}", f"/open?typename=cf_fiche&id={fiche}"),
    ):
        answer = auditor.post("/find", record=given)
        assert (answer.status_code, answer.headers.get("Location")) == (303, where), given
    for bad in (fiche, "Lotte Voorbeeld", "https://org.example.org/main.aspx?etn=Lotte Voorbeeld&id=1", ""):
        answer = auditor.post("/find", record=bad)
        assert answer.status_code == 400, bad
        assert "Lotte" not in answer.text.split("<main")[1]
    assert signed_in(Role.APPROVER).post("/find", record=fiche).status_code == 403
    assert "Een record van het CRM: dit ontbreekt" in text_of(signed_in(Role.DPO, "nl").post("/find", record="").text)
    assert "not a unit by itself" in text_of(auditor.page(f"/plans/{plan}/lines?id={fiche}"))


def test_a_row_of_a_file_that_is_anonymised_is_told_as_that(org: Night, signed_in: Callable[..., Browser]) -> None:
    """It is there, so nobody is told that it is not."""
    dossier = org.dossier("runaway", cf_anonymisedon="2026-11-01T10:00:00Z")
    note, dpo = org.note("cf_dossier", dossier), signed_in(Role.DPO, "nl")
    for row, words in (
        (f"annotation/{note}", "Waar dit record bij hoort, is al geanonimiseerd"),
        (f"cf_dossier/{dossier}", "Dit record is al"),
    ):
        answer = dpo.get(f"/why/{row}", **{"HX-Request": "true"})
        assert (answer.status_code, f'callout-title">{words}' in answer.text) == (404, True), answer.text
        assert f"Geen plan kijkt hiernaar {words}" in text_of(dpo.get(f"/why/{row}").text)
