"""Plans on pages: the list, one plan with its lines, and people's words. Everybody is fictitious."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from crm_compliance.console.frame.services import Services
from crm_compliance.console.language.codes import words_of
from crm_compliance.wiring.mapping import mapping_text
from jobs.model.plan import Kind
from jobs.model.run import Run, RunState
from jobs.plans.deletion_preview import ROW, TOTAL, preview_deletion
from rules.model.roles import Role
from tests.crm_compliance.console.browser import Browser, text_of
from tests.drivers.night import Night
from tests.drivers.typist import Typist

Signed = Callable[..., Browser]


def test_the_list_has_every_plan_and_pages_with_a_filter(
    org: Night, typist: Typist, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.index.A_PAGE", 2)
    made = [typist.ask("plan", "--kind", kind)["plan"] for kind in ("retention", "recordings", "retention", "retention")]
    browser = signed_in(Role.AUDITOR)
    first = browser.page("/plans?kind=retention")
    assert [f'href="/plans/{each}"' in first for each in made] == [False, False, True, True]
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = browser.page(older[1].replace("&amp;", "&"))
    assert [f'href="/plans/{each}"' in second for each in made] == [True, False, False, False]
    assert 'rel="next"' not in second
    assert browser.get("/plans?kind=nonsense").status_code == 400
    assert "No plan is like this" in text_of(browser.page("/plans?state=applied"))
    assert "No plan is like this" in text_of(browser.page("/plans?before=plan-unknown"))


def test_a_plan_says_what_it_would_do_and_leads_to_the_lines(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.AUDITOR)
    page = browser.page(f"/plans/{plan}")
    assert "It disposes of a category of which no completed run has disposed before." in text_of(page)
    assert browser.get(f"/plans/{plan}?disposition=anonymise").headers["Location"] == f"/plans/{plan}/lines?disposition=anonymise"
    lines = browser.page(f"/plans/{plan}/lines?disposition=anonymise")
    assert units["anonymise"] in lines
    assert f"id={units['anonymise']}&amp;pagetype=entityrecord" in lines, "the record in the CRM"
    assert [units[each] in lines for each in ("delete", "open", "no_term", "recording")] == [False] * 4
    assert browser.get("/plans/plan-unknown").status_code == 404
    assert "no plan" in text_of(browser.get("/plans/plan-unknown").text)


def test_a_plan_whose_lines_were_altered_is_told_as_such(plan: str, org: Night, signed_in: Signed) -> None:
    with org.store.database.writing() as connection:
        connection.execute(text("UPDATE plan_pages SET content = x'00'"))
    answer = signed_in(Role.AUDITOR).get(f"/plans/{plan}/lines")
    assert answer.status_code >= 400
    assert "restore the database from a backup" in text_of(answer.text)


def test_lines_are_filtered_by_what_has_no_category_by_id_and_in_order(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.CRM_ADMIN)
    contacts = browser.page(f"/plans/{plan}/lines?category=-")
    assert "no category (" in text_of(contacts)
    assert units["delete"] not in contacts
    assert "1 unit " in text_of(browser.page(f"/plans/{plan}/lines?id=%7B{units['open'].upper()}%7D"))
    for direction, word in (("", "ascending"), ("&descending=1", "descending")):
        page = browser.page(f"/plans/{plan}/lines?sort=id{direction}&outcome=dispose")
        ids = re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        assert ids == sorted(ids, reverse=bool(direction))
        assert len(ids) > 3
        page = browser.page(f"/plans/{plan}/lines?sort=reason{direction}")
        assert f'aria-sort="{word}"' in page
    for bad in ("sort=nothing", "offset=-1", "offset=x", "offset=99999999999999999999"):
        assert browser.get(f"/plans/{plan}/lines?{bad}").status_code == 400, bad
    part = browser.get(f"/plans/{plan}/lines?outcome=retain", **{"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="lines"')
    back = browser.get(f"/plans/{plan}/lines?outcome=retain", **{"HX-Request": "true", "HX-History-Restore-Request": "true"}).text
    assert "<main" in back, "who goes back has the whole page again"
    selects = re.findall(r"<select[^>]*>", part)
    assert len(selects) == 6
    assert not any("required" in each for each in selects), "a filter may be left open"
    assert "No unit is like this" in text_of(browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E"))
    assert "<script>" not in browser.page(f"/plans/{plan}/lines?reason=%3Cscript%3E&id=%3Cscript%3E")


def test_pages_of_lines_follow_each_other_with_the_filter(plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.lines.A_PAGE", 2)
    browser, where, seen = signed_in(Role.DPO), f"/plans/{plan}/lines?outcome=dispose", []
    while where:
        page = browser.page(where)
        seen += re.findall(r'class="soft id">([0-9a-f-]{36})', page)
        after = re.search(r'rel="next" href="([^"]+)"', page)
        where = after[1].replace("&amp;", "&") if after else ""
        assert "outcome=dispose" in page
    assert len(seen) == len(set(seen)) > 4


def test_two_people_approve_each_in_their_role(org: Night, plan: str, signed_in: Signed) -> None:
    admin, dpo = signed_in(Role.CRM_ADMIN), signed_in(Role.DPO)
    assert f'action="/plans/{plan}/approve"' in admin.page(f"/plans/{plan}")
    answer = admin.post(f"/plans/{plan}/approve", comment="looked at")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/plans/{plan}")
    page = admin.page(f"/plans/{plan}")
    assert "Your approval is recorded." in text_of(page)
    assert "You have given your word on this plan." in text_of(page)
    assert f'action="/plans/{plan}' not in page
    assert admin.post(f"/plans/{plan}/approve").status_code == 403, "one person is not two"
    assert "looked at" in dpo.page(f"/plans/{plan}")
    dpo.post(f"/plans/{plan}/approve")
    assert org.store.plans.get(plan).missing(org.clock()) == ()
    page = text_of(dpo.page(f"/plans/{plan}"))
    assert "Approved by everybody whose word it takes. The service carries it out at its next hour: 26 Nov 2026 02:00." in page


def test_who_made_a_plan_does_not_decide_on_it(org: Night, units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as", "demo-anna")["plan"]
    admin = signed_in(Role.CRM_ADMIN)
    page = admin.page(f"/plans/{plan}")
    assert "You made this plan" in text_of(page)
    assert f'action="/plans/{plan}' not in page
    answer = admin.post(f"/plans/{plan}/approve")
    assert answer.status_code == 403
    assert org.store.plans.get(plan).given == ()


def test_a_rejection_takes_a_reason_and_ends_the_plan(org: Night, plan: str, signed_in: Signed) -> None:
    dpo = signed_in(Role.DPO)
    assert f'hx-post="/plans/{plan}/approve" hx-target="#told"' in dpo.page(f"/plans/{plan}"), "a refusal leaves what was typed"
    assert dpo.post(f"/plans/{plan}/reject", comment="  ").status_code == 400
    assert org.store.plans.get(plan).given == ()
    dpo.post(f"/plans/{plan}/reject", comment="<b>wrong</b> categories")
    page = dpo.page(f"/plans/{plan}")
    assert "&lt;b&gt;wrong&lt;/b&gt; categories" in page
    assert f'action="/plans/{plan}' not in page
    assert signed_in(Role.CRM_ADMIN).post(f"/plans/{plan}/approve").status_code == 409


def test_who_may_only_look_is_offered_nothing(plan: str, signed_in: Signed) -> None:
    page = signed_in(Role.AUDITOR).page(f"/plans/{plan}")
    assert f'action="/plans/{plan}' not in page
    assert "Data protection officer" in text_of(page), "whose word it lacks"


def test_a_plan_for_another_day_is_nobodys_to_approve(units: dict[str, str], typist: Typist, signed_in: Signed) -> None:
    plan = typist.ask("plan", "--as-of", "2030-01-01")["plan"]
    page = signed_in(Role.DPO).page(f"/plans/{plan}")
    assert "can never be applied" in text_of(page)
    assert f'action="/plans/{plan}' not in page


def test_what_becomes_due_is_counted_by_month(org: Night, plan: str, typist: Typist, signed_in: Signed) -> None:
    assert "Nothing becomes due in these months." in text_of(signed_in(Role.DPO).page(f"/plans/{plan}/months"))
    org.fiche("social_card", spoken=org.clock().date())
    later = typist.ask("plan")["plan"]
    words = text_of(signed_in(Role.DPO, "nl").page(f"/plans/{later}/months"))
    assert "mei 2027: 1" in words
    assert words.count(" 0 ") == 11


def test_what_changed_since_the_plan_before_is_told_unit_by_unit(
    org: Night, plan: str, units: dict[str, str], typist: Typist, signed_in: Signed
) -> None:
    browser = signed_in(Role.AUDITOR, "nl")
    assert "Dit is het eerste plan van zijn soort" in text_of(browser.page(f"/plans/{plan}/changes"))
    new = org.dossier("social_card", spoken=date(2026, 11, 1))
    org.patch("cf_dossiers", units["open"], statecode=1, statuscode=2)
    later = typist.ask("plan")["plan"]
    page = browser.page(f"/plans/{later}/changes")
    assert f'value="{plan}" selected' in page
    assert new in page
    assert units["open"] in page
    assert units["anonymise"] not in page
    added = browser.page(f"/plans/{later}/changes?change=added")
    assert new in added
    assert units["open"] not in added
    told = text_of(browser.page(f"/plans/{later}/changes?change=changed"))
    assert "OPEN_DOSSIER" in told
    assert "Het dossier is nog open." in told, "a code stands beside its words"
    for bad, status in (("change=nothing", 400), ("offset=x", 400), ("since=plan-unknown", 404)):
        assert browser.get(f"/plans/{later}/changes?{bad}").status_code == status, bad
    answer = browser.get(f"/plans/{later}/changes.csv?since={plan}")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{later}-changes.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert ["etn=cf_dossier" in row["link"] and new in row["link"] for row in rows if row["id"] == new] == [True]


def test_the_filtered_units_are_a_file_in_the_language_of_the_page(plan: str, units: dict[str, str], signed_in: Signed) -> None:
    browser = signed_in(Role.CRM_ADMIN, "fr")
    answer = browser.get(f"/plans/{plan}/lines.csv?disposition=delete&sort=id")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{plan}-units.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert units["delete"] in {row["id"] for row in rows}
    assert {row["sort final"] for row in rows} == {"delete"}
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"/plans/{plan}/lines.xlsx?id={units['no_term']}").content))
    assert book.sheetnames == ["Unités"]
    (head, line) = list(book.worksheets[0].iter_rows(values_only=True))
    assert "fin de la conservation" in head
    said = dict(zip(head, line, strict=True))
    assert str(said["id"]).startswith("=HYPERLINK(")
    assert units["no_term"] in str(said["id"])
    assert (said["motif"], said["motif, en mots"]) == ("NO_TERM", words_of("fr")("reason", "NO_TERM")), "the code, and what it says"


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
    assert "No pending request keeps it." in text_of(dpo)
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


def test_how_far_a_run_is_is_told_as_it_goes_on(org: Night, plan: str, signed_in: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_compliance.console.pages.plans.progress.EVERY_S", 0)
    monkeypatch.setattr("crm_compliance.console.pages.plans.progress.MOST", 3)
    browser = signed_in(Role.CRM_ADMIN)
    assert browser.get(f"/plans/{plan}/progress").status_code == 204, "there is no run"
    now = org.clock()
    run = Run(id="run-1", kind=Kind.ALL, plan=plan, state=RunState.RUNNING, as_of=now, started_at=now)
    org.store.runs.start(run, ("run_started", {"plan": plan}))
    page = browser.page(f"/plans/{plan}")
    assert f'sse-connect="/plans/{plan}/progress"' in page
    assert 'action="/stop"' in page
    assert 'data-opens="stop"' not in page, "nobody works on it"
    with monkeypatch.context() as at_work:
        at_work.setattr(type(org.store.leases), "run_at_work", lambda _: run.id)
        page_of_run, its_lines = browser.page(f"/plans/{plan}"), browser.page(f"/plans/{plan}/lines")
        assert 'data-opens="stop"' in page_of_run, "the switch is where somebody looks on"
        assert [text_of(each).count("Running") > 0 for each in (page_of_run, its_lines, page)] == [True, True, False]
        assert "/stop" not in signed_in(Role.AUDITOR).page(f"/plans/{plan}")
    answer = browser.get(f"/plans/{plan}/progress")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.text.count("event: progress\n") == 3
    assert "Interrupted" in text_of(answer.text), "nobody works on it"
    assert answer.text.endswith("event: end\ndata: over\n\n")
    org.store.runs.save(replace(run, state=RunState.DONE, ended_at=now), [("run_ended", {"run": run.id})])
    ended = browser.get(f"/plans/{plan}/progress").text
    assert ended.count("event: progress\n") == 1
    assert 'id="plan-state" hx-swap-oob="true"' in ended, "the head of the page says so too"
    assert 'id="stop-run" hx-swap-oob="delete"' in ended
    assert "hx-swap-oob" not in answer.text + browser.page(f"/plans/{plan}")
    assert "sse-connect" not in browser.page(f"/plans/{plan}")


def test_a_plan_of_other_rules_says_that_nothing_applies_it(plan: str, services: Services, signed_in: Signed, tmp_path: Path) -> None:
    browser, told = signed_in(Role.CRM_ADMIN), "The schedule or the mapping has changed since"
    assert told not in browser.page(f"/plans/{plan}")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(mapping_text(services.settings)[0] + "# another one\n", encoding="utf-8")
    object.__setattr__(services, "settings", services.settings.model_copy(update={"mapping": mapping}))
    assert told in browser.page(f"/plans/{plan}")


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
    assert "not a unit by itself" in text_of(auditor.page(f"/plans/{plan}/lines?id={fiche}"))
